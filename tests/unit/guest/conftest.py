"""A host in a directory: its tree, its commands as doubles, a health answer on loopback."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from infra.guest import deploy as deploying
from infra.guest import remove as removing
from infra.guest import uv
from infra.guest.document import read_deploy, read_named
from infra.guest.host import Host, Ids, Result
from infra.guest.report import Report
from infra.release import archive
from infra.release.tree import select
from tests.unit.guest.double import Doubles

SECRET = "s3cret-never-shown"


@dataclass(frozen=True, kw_only=True)
class TreeHost(Host):
    """A host whose accounts and commands are doubles, and whose mounts are noted, not made."""

    doubles: Doubles

    def account(self, user: str) -> Ids | None:
        return self.root_ids if user in self.doubles.users else None

    def ask(
        self,
        argv: Sequence[str],
        *,
        limit_s: float = 60,  # noqa: ARG002 - a double has no clock
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,  # noqa: ARG002
        keep: Sequence[int] = (),  # noqa: ARG002
    ) -> Result:
        return self.doubles.ask(argv, environment or {})

    def own_mounts(self) -> None:
        (self.root / "own-mounts").touch()


class Answer(ThreadingHTTPServer):
    """Answers health questions with what a test sets: `sick` decides each time, else `status`."""

    status = 200
    sick: Callable[[], bool] = staticmethod(lambda: False)
    body = b'{"status": "ok"}'
    asked = 0


class Handler(BaseHTTPRequestHandler):
    server: Answer

    def do_GET(self) -> None:
        self.server.asked += 1
        self.send_response(503 if self.server.sick() else self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        return


@dataclass
class Box:
    """What a test works with."""

    host: TreeHost
    source: Path
    answer: Answer
    doubles: Doubles
    said: StringIO = field(default_factory=StringIO)

    def document(self, **changes: Any) -> dict[str, Any]:
        """A deploy of the source as it is now, with the archive sent."""
        packed = archive.pack(select(self.source), self.host.root / "sent")
        sha256 = packed.name.removesuffix(".tar.gz")
        return {
            "format": 1,
            "service": "chat",
            "owner": "berth/test/chat/k7q2m9xw",
            "unit": "chat",
            "root": "/opt/chat",
            "user": "chat",
            "archive": {"sha256": sha256, "path": f"/sent/{packed.name}", "send_again": "SEND"},
            "environment": {
                "file": "requirements.txt",
                "sha256": "1" * 64,
                "package": None,
                "python": None,
                "extras": [],
                "install_project": False,
                "build_from_source": False,
            },
            "packages": [],
            "server_only": [".env", "data"],
            "required_on_host": [],
            "writable": [],
            "env_file": {"path": "/etc/chat/chat.env", "text": f'TOKEN="{SECRET}"\n'},
            "units": {
                "chat.socket": "# berth: berth/test/chat/k7q2m9xw\n[Socket]\n",
                "chat.service": "# berth: berth/test/chat/k7q2m9xw\n[Service]\n",
            },
            "host": "127.0.0.1",
            "port": self.answer.server_port,
            "health": {"path": "/healthz", "status": 200, "json": None, "limit_s": 0.3},
            "secrets": [SECRET],
            "lock_limit_s": 0.3,
        } | changes

    def deploy(self, document: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        given = read_deploy(document or self.document(**changes))
        return deploying.deploy(given, self.host, Report(given.secrets, self.said))

    def remove(self) -> dict[str, Any]:
        given = read_named(self.document())
        return removing.remove(given, self.host, Report([], self.said))

    def at(self, path: str) -> Path:
        return self.host.at(path)

    def calls(self, command: str = "") -> list[str]:
        """Command lines of the doubles since the last `forget`, questions left out."""
        asking = ("systemctl show", "dpkg-query", "journalctl", "python", "-")
        return [
            call
            for call in self.doubles.calls
            if call.startswith(command) and not call.startswith(asking) and " -c " not in call
        ]

    def forget(self) -> None:
        self.doubles.calls.clear()

    def files(self) -> dict[str, tuple[int, int, bytes]]:
        """Every file of the host with its inode, time and content: what a write would change."""
        found = {}
        for top in ("opt", "etc", "var"):
            for path in self.host.root.joinpath(top).rglob("*"):
                if path.is_file() and not path.is_symlink():
                    status = path.stat()
                    content = path.read_bytes()
                    found[str(path)] = (status.st_ino, status.st_mtime_ns, content)
        return found


@pytest.fixture
def answer() -> Iterator[Answer]:
    server = Answer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def box(tmp_path: Path, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> Box:
    root, source = tmp_path / "host", tmp_path / "source"
    for directory in (root / "etc/systemd/system", root / "proc/net", source):
        directory.mkdir(parents=True)
    content = b"uv==9.9.9\n"
    monkeypatch.setattr(uv, "requirement", lambda: content)
    home = root / "var/lib/berth/uv/9.9.9"
    home.mkdir(parents=True)
    (home / ".complete").touch()
    (source / "app.py").write_text("app = 1\n")
    (source / "requirements.txt").write_text("uvicorn==1\n")
    doubles = Doubles(root)
    ids = Ids(os.getuid(), os.getgid())
    return Box(TreeHost(root, root / "proc", ids, doubles=doubles), source, answer, doubles)


@pytest.fixture
def edit(box: Box) -> Callable[[str], None]:
    """Change the application's code."""

    def write(text: str) -> None:
        (box.source / "app.py").write_text(text)

    return write

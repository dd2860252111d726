"""An HTTP API of the lab on a loopback port, and a project whose program talks to it."""

import asyncio
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from lab.toolchain import Toolchain


class ApiServer:
    """`make` in a thread of its own; `calls` counts requests by method and path."""

    def __init__(self, make: Callable[[], web.Application]) -> None:
        self.calls: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._do(self._start(make))
        self.url = str(self._server.make_url("")).rstrip("/")

    async def _start(self, make: Callable[[], web.Application]) -> TestServer:
        app = make()

        @web.middleware
        async def count(request: web.Request, handler: Any) -> Any:
            self.calls[f"{request.method} {request.path}"] += 1
            return await handler(request)

        app.middlewares.append(count)
        server = TestServer(app)
        await server.start_server()
        return server

    def stop(self) -> None:
        self._do(self._server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)


@dataclass(frozen=True)
class Project:
    """A project with one stack."""

    directory: Path
    environment: dict[str, str]
    pulumi: Path
    asked: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, toolchain: Toolchain, directory: Path, program: str, environment: dict[str, str]
    ) -> "Project":
        """A project with `program`, and its stack."""
        (directory / "backend").mkdir(parents=True)
        (directory / "Pulumi.yaml").write_text("name: tried\nruntime: python\n")
        (directory / "__main__.py").write_text(program)
        base = {
            key: value
            for key, value in toolchain.environment().items()
            if not key.startswith(("CLOUDFLARE_", "TAILSCALE_"))
        }
        project = cls(
            directory,
            {
                **base,
                **environment,
                "PULUMI_BACKEND_URL": f"file://{directory}/backend",
                "PULUMI_CONFIG_PASSPHRASE": "throw-away",
            },
            toolchain.pulumi,
        )
        project.run("stack", "init", "one")
        return project

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `pulumi`; the program finds `asked` as JSON in ASKED."""
        done = subprocess.run(
            [self.pulumi, *words, "--non-interactive"],
            cwd=self.directory,
            env={**self.environment, "ASKED": json.dumps(self.asked)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self, **asked: Any) -> str:
        self.asked.update(asked)
        return self.run("up", "--yes", "--skip-preview").stdout

    def preview(self, *words: str, **asked: Any) -> str:
        self.asked.update(asked)
        return self.run("preview", "--diff", *words).stdout

    def resources(self) -> dict[str, Any]:
        """The state's resources by name."""
        state = json.loads(self.run("stack", "export").stdout)
        found = state["deployment"].get("resources", [])
        return {each["urn"].rpartition("::")[2]: each for each in found}

"""Mistakes in services: one clear error each, all at once, before anything changes."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.unit.infra.recording import container, errors_of, settings_of, stack

UVICORN = f"uvicorn==0.38.0 --hash=sha256:{'a' * 64}\n"
HOSTS = {"chat": container()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A source that can be deployed."""
    directory = tmp_path / "my-app"
    directory.mkdir()
    (directory / "main.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    (directory / "requirements.txt").write_text(UVICORN)
    return directory


def service(source: Path, **changes: Any) -> dict[str, Any]:
    values = {"host": "chat", "source": str(source), "app": "main:app", **changes}
    return {key: value for key, value in values.items() if value is not None}


def said(services: dict[str, Any], **secrets: str) -> list[str]:
    config = stack(HOSTS, services=services)
    config["berth:secrets"] |= {name: {"secure": value} for name, value in secrets.items()}
    return errors_of(config)


def test_a_sound_service_is_complete(source: Path) -> None:
    settings = settings_of(stack(HOSTS, services={"chat": service(source)}))
    chat = settings.services["chat"]
    assert (chat.places.root, chat.places.user, chat.places.unit) == ("/opt/chat", "chat", "chat")
    assert (chat.spec.port, chat.project.lock) == (8000, "requirements.txt")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"port": 0}, "services/web/port: must be at least 1, got 0"),
        ({"port": 65536}, "services/web/port: must be at most 65535, got 65536"),
        ({"port": "8000"}, ('services/web/port: must be a whole number, got "8000"; '
         "take the quotes away")),
        ({"host": "gone"}, "services/web/host: must be one of hosts (chat), got gone"),
        ({"prot": 1}, "services/web/prot: unknown key; did you mean port?"),
        ({"health": {"pth": "/"}}, "services/web/health/pth: unknown key; did you mean path?"),
        ({"health": {"path": "up"}}, ("services/web/health/path: must be a path that begins with "
         'one /, such as /healthz, got "up"')),
        ({"limits": {"memory_mb": 1}}, "services/web/limits/memory_mb: must be at least 32, got 1"),
        ({"sandbox": {"home": "yes"}}, 'services/web/sandbox/home: must be true or false, got "yes"'),
        ({"environment": {"PORT": 80}}, ("services/web/environment/PORT: must be text; "
         "put it in quotes")),
        ({"environment": {"1X": "a"}}, ("services/web/environment/1X: must be a name of A-Z, a-z, "
         '0-9 and _, with no digit first, got "1X"')),
        ({"environment": {"A": "a\nb"}}, ("services/web/environment/A: must not hold a line break; "
         "encode it, in base64 for instance")),
        ({"secrets": {"KEY": "none"}}, ("services/web/secrets/KEY: none is no entry of "
         "berth:secrets; add it: pulumi config set --secret --path 'berth:secrets.none'")),
        ({"environment": {"A": "a"}, "secrets": {"A": "proxmox-token"}}, ("services/web/secrets/A: is in "
         "environment too; keep it in one of the two")),
        ({"required": ["A"]}, ("services/web/required/0: A is missing; add it to environment, or "
         "to secrets with the name of an entry of berth:secrets")),
        ({"user": "root"}, ("services/web/user: is root; say allow_root: true if that is meant, or "
         "take a user of its own")),
        ({"unit": "ssh"}, "services/web/unit: must not be a unit of the system, got \"ssh\""),
        ({"server_only": ["/etc/passwd"]}, ("services/web/server_only/0: must be below the install "
         "path /opt/web, got /etc/passwd")),
        ({"python": "3.9"}, ("services/web/python: must be a Python that is known here, 3.11 to "
         '3.14, got "3.9"')),
        ({"app": None}, ("services/web/app: missing; give the ASGI application, module:attribute, "
         "such as app.main:app (or a factory, or a command)")),
        ({"app": "main:nothing"}, "services/web/app: main.py has no nothing; it has app"),
        ({"app": "gone:app"}, ("services/web/app: module gone is not in the source itself and src; "
         "did you mean main:app?")),
    ],
)  # fmt: skip
def test_one_mistake_is_one_error(source: Path, changes: dict[str, Any], text: str) -> None:
    assert said({"web": service(source, **changes)}) == [text]


def test_a_source_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    services = {"one": service(tmp_path / "gone"), "two": service(tmp_path / "empty", port=8001)}
    assert said(services) == [
        (
            f"services/one/source: {tmp_path}/gone is not there; "
            "name the directory that holds the application"
        ),
        (
            f"services/two/source: {tmp_path}/empty holds no files that travel; "
            "is it the right directory?"
        ),
    ]


def test_what_the_source_has_of_the_hosts_own_paths_is_told_to_stay_behind(source: Path) -> None:
    (source / "data").mkdir()
    (source / "data" / "words.json").write_text("{}")
    (source / "certs").mkdir()
    (source / "certs" / "key").write_text("")
    (source / ".gitignore").write_text("certs/\n")
    settings = settings_of(stack(HOSTS, services={"web": service(source)}))
    [warning] = settings.warnings
    assert warning.startswith("services/web/server_only: data is in the source and stays behind")


def test_a_source_that_cannot_be_read_is_named(source: Path) -> None:
    os.mkfifo(source / "pipe")
    [line] = said({"web": service(source)})
    assert line == (
        "services/web/source: pipe is no file, directory or link; remove it or ignore it"
    )


def test_a_lock_without_hashes_is_refused(source: Path) -> None:
    (source / "requirements.txt").write_text("uvicorn\n")
    [line] = said({"web": service(source)})
    assert line.startswith("services/web/dependencies: requirements.txt is not pinned by hashes")
    assert "uv pip compile" in line


def test_two_services_on_one_port_or_path_are_refused(source: Path) -> None:
    one = service(source, install_path="/opt/x")
    assert said({"one": one, "two": one | {"port": 8001}}) == [
        "services/two/install_path: /opt/x is that of one on chat already; take another"
    ]
    assert said({"one": service(source), "two": service(source)}) == [
        "services/two/port: 8000 is that of one on chat already; take another port"
    ]


def test_a_secret_that_no_environment_can_hold_is_never_shown(source: Path) -> None:
    lines = said({"web": service(source, secrets={"KEY": "pem"})}, pem="hunter2\nhunter3")
    assert lines == [
        (
            "secrets/pem: must not hold a line break; encode it, in base64 for instance "
            "(it goes into KEY of web)"
        )
    ]


def test_a_service_name_that_is_no_unit_name_is_refused(source: Path) -> None:
    [line] = said({"Web": service(source)})
    assert line.startswith("services/Web: must be a name of up to 31 characters of a-z, 0-9 and -")


def test_all_mistakes_are_told_at_once(source: Path, tmp_path: Path) -> None:
    services = {
        "one": service(tmp_path / "gone", port=0),
        "two": service(source, app="main:nothing", secrets={"A": "none"}),
    }
    assert [line.partition(":")[0] for line in said(services)] == [
        "services/one/port",
        "services/one/source",
        "services/two/app",
        "services/two/secrets/A",
    ]

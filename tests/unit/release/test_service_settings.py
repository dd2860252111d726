"""Services in the stack file: each mistake is one clear error."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from infra.settings.service import Service
from infra.settings.service_places import places
from infra.settings.service_rules import check
from infra.settings.service_scalars import ServiceName

LEAST = {"host": "chat", "source": "../my-app", "app": "app.main:app"}
HOSTS = frozenset({"chat", "other"})


def said(**changes: Any) -> list[str]:
    with pytest.raises(ValidationError) as refused:
        Service.model_validate(LEAST | changes)
    return [
        f"{'/'.join(str(part) for part in error['loc'])}: {error['msg']}"
        for error in refused.value.errors()
    ]


def rules(services: dict[str, dict[str, Any]]) -> list[str]:
    sound = {
        name: {
            field: getattr(Service.model_validate(LEAST | given), field)
            for field in Service.model_fields
        }
        for name, given in services.items()
    }
    return [str(problem) for problem in check(sound, HOSTS)]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"port": 0}, "port: Input should be greater than or equal to 1"),
        ({"port": 65536}, "port: Input should be less than or equal to 65535"),
        ({"app": "app.main"}, ('app: Value error, must be module:attribute, such as app.main:app, '
         'got "app.main"')),
        ({"health": {"path": "healthz"}}, ("health/path: Value error, must be a path that begins "
         'with one /, such as /healthz, got "healthz"')),
        ({"health": {"path": "//x"}}, ("health/path: Value error, must be a path that begins "
         'with one /, such as /healthz, got "//x"')),
        ({"python": "4.7"}, ("python: Value error, must be a Python that is known here, "
         '3.11 to 3.14, got "4.7"')),
        ({"python": "3.9"}, ("python: Value error, must be a Python that is known here, "
         '3.11 to 3.14, got "3.9"')),
        ({"python": "three"}, ('python: Value error, must be a version, such as "3.12", or the '
         'path of an interpreter on the host, got "three"')),
        ({"packages": ["nano-"]}, ("packages/0: Value error, must be the name of a Debian package, "
         'such as ffmpeg, got "nano-"')),
        ({"unit": "a b"}, ("unit: Value error, must be a unit name of a-z, 0-9, _ and -, "
         'without .service, got "a b"')),
        ({"unit": "systemd-journald"}, ("unit: Value error, must not be a unit of the system, "
         'got "systemd-journald"')),
        ({"environment": {"1A": "x"}}, ("environment/1A/[key]: Value error, must be a name of "
         'A-Z, a-z, 0-9 and _, with no digit first, got "1A"')),
        ({"environment": {"LISTEN_FDS": "x"}}, ("environment/LISTEN_FDS/[key]: Value error, "
         'must not be one that systemd or the launcher sets itself, got "LISTEN_FDS"')),
        ({"environment": {"A": "x\ny"}}, ("environment/A: Value error, must not hold a line break; "
         "encode it, in base64 for instance")),
        ({"environment": {"A": "\0"}}, ("environment/A: Value error, must not hold a NUL; "
         "encode it, in base64 for instance")),
        ({"environment": {"A": 5}}, "environment/A: Value error, must be text; put it in quotes"),
        ({"install_path": "/etc"}, ("install_path: Value error, must be a directory of its own, "
         'not one of the system, got "/etc"')),
        ({"install_path": "/usr/chat"}, ("install_path: Value error, must be below a place for "
         'programs or data, such as /opt or /srv, got "/usr/chat"')),
        ({"listen": "localhost"}, ("listen: Value error, must be an address to listen on, such as "
         '"0.0.0.0" or "127.0.0.1", got "localhost"')),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_one_is_refused(changes: dict[str, Any], text: str) -> None:
    assert said(**changes) == [text]


@pytest.mark.parametrize("name", ["ssh", "Chat", "a" * 32, "-a", "a-", "a b", "getty", "1a", ""])
def test_a_name_that_is_no_unit_or_one_of_the_system_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ServiceName).validate_python(name)


@pytest.mark.parametrize(
    ("services", "problems"),
    [
        ({"chat": {}, "two": {"port": 8001}}, []),
        ({"chat": {}, "two": {}},
         ["services/two/port: 8000 is that of chat on chat already; take another port"]),
        ({"chat": {}, "two": {"host": "other"}}, []),
        ({"chat": {"listen": "127.0.0.1"}, "two": {"listen": "127.0.0.2"}}, []),
        ({"chat": {"listen": "127.0.0.1"}, "two": {"listen": "::"}},
         ["services/two/port: 8000 is that of chat on chat already; take another port"]),
        ({"chat": {}, "two": {"port": 1, "install_path": "/opt/chat"}},
         ["services/two/install_path: /opt/chat is that of chat on chat already; take another"]),
        ({"chat": {}, "two": {"port": 1, "unit": "chat"}},
         ["services/two/unit: chat is that of chat on chat already; take another"]),
        ({"chat": {"host": "none"}},
         ["services/chat/host: must be one of hosts (chat, other), got none"]),
        ({"chat": {"app": None}},
         [("services/chat/app: missing; give the ASGI application, module:attribute, such as "
          "app.main:app (or a factory, or a command)")]),
        ({"chat": {"factory": "a:b"}}, ["services/chat: has app and factory; keep one of them"]),
        ({"chat": {"user": "root"}},
         [("services/chat/user: is root; say allow_root: true if that is meant, "
          "or take a user of its own")]),
        ({"chat": {"user": "root", "allow_root": True}}, []),
        ({"chat": {"environment": {"A": "1", "B": "1"}, "secrets": {"A": "a"}}},
         ["services/chat/secrets/A: is in environment too; keep it in one of the two"]),
        ({"chat": {"required": ["A", "B"], "secrets": {"A": "a"}}},
         [("services/chat/required/1: B is missing; add it to environment, or to secrets with "
          "the name of an entry of berth:secrets")]),
        ({"chat": {"server_only": ["/etc/passwd", "../x", "/opt/chat/ok", "releases/x"]}},
         [("services/chat/server_only/0: must be below the install path /opt/chat, "
          "got /etc/passwd"),
          "services/chat/server_only/1: must be below the install path /opt/chat, got ../x",
          ("services/chat/server_only/3: must not be in releases, envs, current, .venv, "
          "which are ours, got releases/x")]),
        ({"chat": {"writable": ["/opt/chat", "/opt", "releases", "data", "/var/log/chat"]}},
         [("services/chat/writable/0: holds the service's own code, got /opt/chat; "
          "name one beside it"),
          "services/chat/writable/1: must be a directory of the service's own, got /opt",
          ("services/chat/writable/2: holds the service's own code, got releases; "
          "name one beside it")]),
        ({"chat": {"env_file": "/opt/chat/.env"}},
         [("services/chat/env_file: /opt/chat/.env is the host's own, which is never written; "
          "take another")]),
        ({"chat": {}, "in": {"port": 8001, "install_path": "/opt/chat/releases"}},
         [("services/in/install_path: must not lie in /opt/chat, which is that of chat, "
          "got /opt/chat/releases")]),
        ({"chat": {"install_path": "/var/lib/berth"}},
         [("services/chat/install_path: must not hold or lie in /var/lib/berth, which is berth's, "
          "got /var/lib/berth")]),
        ({"chat": {"writable": ["/opt/b/releases", "/var/lib/berth/x"]}, "b": {"port": 8001}},
         [("services/chat/writable/0: belongs to b, got /opt/b/releases; name one of its own"),
          ("services/chat/writable/1: must be a directory of the service's own, "
           "got /var/lib/berth/x")]),
        ({"chat": {"env_file": "/opt/chat/data/x.env"}},
         [("services/chat/env_file: is among the host's own, which are never written, "
          "got /opt/chat/data/x.env")]),
        ({"mail": {}},
         [("services/mail/user: missing; mail is a user of the system, so say which user it runs "
          "as")]),
        ({"mail": {"user": "mail"}}, []),
        ({"chat": {"env_file": "/opt/other/.env"}, "other": {"port": 8001}},
         [("services/chat/env_file: /opt/other/.env is the host's own, which is never written; "
          "take another")]),
        *[({"chat": {"env_file": path}},
           [("services/chat/env_file: must be a file that only this service reads, such as "
             f"/etc/chat/chat.env or another name that ends in .env, got {path}")])
          for path in ("/etc/passwd", "/etc/systemd/system/ssh.service", "/etc/sudoers.d/chat",
                       "/usr/local/bin/x", "/root/.bashrc")],
        *[({"chat": {"env_file": path}}, [])
          for path in ("/etc/chat/env", "/etc/chat.env", "/etc/default/chat", "/srv/chat.env")],
        ({"chat": {"app": None, "command": ["x"], "workers": 2}},
         ["services/chat/workers: are uvicorn's; a command starts its own"]),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    services: dict[str, dict[str, Any]], problems: list[str]
) -> None:
    assert rules(services) == problems


def test_names_and_paths_default_to_the_usual_ones() -> None:
    here = places("chat", Service.model_validate(LEAST | {"writable": ["data"]}))
    assert (here.unit, here.user, here.root) == ("chat", "chat", "/opt/chat")
    assert here.env_file == "/etc/chat/chat.env"
    assert here.server_only == (".env", "data", "certs")
    assert here.writable == ("/opt/chat/data",)


def test_the_hosts_own_env_file_is_always_kept() -> None:
    here = places("chat", Service.model_validate(LEAST | {"server_only": ["/opt/chat/keys"]}))
    assert here.server_only == (".env", "keys")


def test_every_field_says_what_it_is() -> None:
    lacking = [
        name
        for name, field in Service.model_fields.items()
        if not field.description and name not in {"health", "limits", "sandbox"}
    ]
    assert lacking == []

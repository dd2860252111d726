"""The single values of a service in the stack file, each with its form."""

import re
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import Annotated

from infra.settings.checks import Parsed, SaidError, matching

LONGEST_ENV = 128 * 1024
RESERVED_UNITS = frozenset(
    {
        "apparmor", "auditd", "cloudflared", "console-setup", "containerd", "cron", "dbus",
        "docker", "emergency", "getty", "ifupdown", "init", "kmod", "networking", "nftables",
        "nginx", "polkit", "postfix", "postgresql", "quotaon", "rc-local", "redis", "redis-server",
        "rescue", "rsyslog", "ssh", "sshd", "sudo", "syslog", "systemd", "tailscaled", "udev",
        "ufw", "unattended-upgrades", "user", "uuidd",
    }
)  # fmt: skip
RESERVED_ENV = frozenset(
    {
        "CREDENTIALS_DIRECTORY", "INVOCATION_ID", "JOURNAL_STREAM", "LISTEN_FDNAMES", "LISTEN_FDS",
        "LISTEN_PID", "MAINPID", "NOTIFY_SOCKET", "SYSTEMD_EXEC_PID", "VIRTUAL_ENV",
        "WATCHDOG_PID", "WATCHDOG_USEC",
    }
)  # fmt: skip
SYSTEM_PATHS = frozenset(
    {
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/mnt", "/opt", "/proc",
        "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/var", "/var/lib",  # noqa: S108
    }
)  # fmt: skip
OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)


def _unit(text: str) -> str:
    if text in RESERVED_UNITS or text.startswith(
        ("systemd-", "dbus-", "getty@", "user@", "cloudflared-")
    ):
        raise SaidError("must not be a unit of the system")
    if re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", text):
        return text
    raise ValueError(text)


def _service(text: str) -> str:
    if re.fullmatch(r"[a-z](?:[a-z0-9-]{0,29}[a-z0-9])?", text):
        return _unit(text)
    raise ValueError(text)


def _env_name(text: str) -> str:
    if text in RESERVED_ENV:
        raise SaidError("must not be one that systemd or the launcher sets itself")
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        return text
    raise ValueError(text)


def env_value_problem(value: str) -> str | None:
    """What keeps a value from being one of an environment, None where nothing does."""
    for character, name in (("\0", "a NUL"), ("\n", "a line break")):
        if character in value:
            return f"must not hold {name}; encode it, in base64 for instance"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "must be text that can be written as UTF-8"
    if size >= LONGEST_ENV - 1024:
        return "must be shorter than 127 KiB, which is what a process can be given"
    return None


def _env_value(text: str) -> str:
    if (problem := env_value_problem(text)) is not None:
        raise SaidError(problem)
    return text


def _absolute(text: str) -> str:
    path = PurePosixPath(text)
    if not re.fullmatch(r"/[A-Za-z0-9._/@+-]+", text) or ".." in path.parts:
        raise ValueError(text)
    if str(path) in SYSTEM_PATHS:
        raise SaidError("must be a directory of its own, not one of the system")
    return str(path)


def _install_path(text: str) -> str:
    path = PurePosixPath(_absolute(text))
    if path.parts[1] in {"bin", "boot", "dev", "etc", "lib", "proc", "run", "sys", "tmp", "usr"}:
        raise SaidError("must be below a place for programs or data, such as /opt or /srv")
    return str(path)


def _asgi(text: str) -> str:
    if re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", text):
        return text
    raise ValueError(text)


def _health_path(text: str) -> str:
    if re.fullmatch(r"/[!-~]*", text) and not text.startswith("//") and "#" not in text:
        return text
    raise ValueError(text)


def _python(text: str) -> str:
    if text.startswith("/"):
        return _absolute(text)
    found = re.fullmatch(r"(\d+)\.(\d+)(?:\.\d+)?", text)
    if found is None:
        raise ValueError(text)
    version = int(found[1]), int(found[2])
    if not OLDEST_PYTHON <= version <= NEWEST_PYTHON:
        raise SaidError("must be a Python that is known here, 3.11 to 3.14")
    return text


def _inside(text: str) -> str:
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text:
        raise ValueError(text)
    if str(path) == ".":
        return "."
    if not re.fullmatch(r"[A-Za-z0-9._/@+-]+", text):
        raise ValueError(text)
    return str(path)


def _listen(text: str) -> str:
    return str(ip_address(text))


def _source(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError(text)
    return text


ServiceName = Annotated[
    str,
    Parsed(
        _service,
        "must be a name of up to 31 characters of a-z, 0-9 and -, "
        "with a letter first and no - at the end",
        {"pattern": "^[a-z](?:[a-z0-9-]{0,29}[a-z0-9])?$"},
    ),
]
UnitName = Annotated[
    str,
    Parsed(
        _unit,
        "must be a unit name of a-z, 0-9, _ and -, without .service",
        {"pattern": "^[a-z][a-z0-9_-]{0,62}$"},
    ),
]
EnvName = Annotated[
    str,
    Parsed(
        _env_name,
        "must be a name of A-Z, a-z, 0-9 and _, with no digit first",
        {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    ),
]
EnvValue = Annotated[str, Parsed(_env_value, "must be text; put it in quotes", hidden=True)]
Asgi = Annotated[
    str,
    Parsed(
        _asgi,
        "must be module:attribute, such as app.main:app",
        {"pattern": "^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*$"},
    ),
]
HealthPath = Annotated[
    str,
    Parsed(
        _health_path,
        "must be a path that begins with one /, such as /healthz",
        {"pattern": "^/(?!/)[^#]*$"},
    ),
]
PythonVersion = Annotated[
    str,
    Parsed(
        _python,
        'must be a version, such as "3.12", or the path of an interpreter on the host',
        {"pattern": r"^(/.+|\d+\.\d+(\.\d+)?)$"},
    ),
]
AbsolutePath = Annotated[
    str,
    Parsed(
        _absolute,
        "must be an absolute path of A-Z, a-z, 0-9, ., _, @, + and -",
        {"pattern": "^/[A-Za-z0-9._/@+-]+$"},
    ),
]
InstallPath = Annotated[
    str,
    Parsed(
        _install_path,
        "must be an absolute path of A-Z, a-z, 0-9, ., _, @, + and -",
        {"pattern": "^/[A-Za-z0-9._/@+-]+$"},
    ),
]
InsidePath = Annotated[
    str,
    Parsed(
        _inside,
        "must be a path inside the source, without .. and not absolute",
        {"pattern": r"^(?!/)[A-Za-z0-9._/@+-]+$"},
    ),
]
ListenAddress = Annotated[
    str,
    Parsed(_listen, 'must be an address to listen on, such as "0.0.0.0" or "127.0.0.1"'),
]
SourcePath = Annotated[str, Parsed(_source, "must be the directory of the application")]
AnyPath = Annotated[
    str,
    matching(
        r"[A-Za-z0-9._/@+-]+",
        "must be a path of A-Z, a-z, 0-9, ., _, @, + and -, absolute or below the install path",
    ),
]
Extra = Annotated[
    str, matching(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", "must be the name of an extra")
]
Package = Annotated[
    str,
    matching(
        r"[a-z0-9][a-z0-9+.-]*[a-z0-9+]", "must be the name of a Debian package, such as ffmpeg"
    ),
]
Argument = Annotated[
    str,
    Parsed(_env_value, "must be text; put it in quotes", hidden=True),
]

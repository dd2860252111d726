"""uv on the host: one pinned wheel, its hash checked, in a private environment of its own."""

import importlib.util
import pkgutil
import re
import sys
from pathlib import Path

from . import files, lock, packages
from .failure import StepFailed
from .host import Host
from .report import Report
from .state import HOME

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
PIP_LIMIT_S = 300
PYTHON_LIMIT_S = 600
INDEX_REMEDY = (
    "check that the host reaches its package index (`pip download uv` on it), "
    "then run `pulumi up` again"
)


def requirement() -> bytes:
    """The pinned requirement with its hashes, as it lies beside this module."""
    content = pkgutil.get_data(__package__ or "", "uv.txt")
    if content is None:
        raise StepFailed("uv.txt: not in this guest program")
    return content


def version(text: bytes) -> str:
    """The version that a pinned requirement names."""
    found = re.search(rb"^uv==([0-9.]+)", text, re.MULTILINE)
    if found is None:
        raise StepFailed("uv.txt: pins no version of uv")
    return found[1].decode()


def surroundings(host: Host) -> dict[str, str]:
    """Environment of pip and uv: the host's own trust, our own cache, nothing from a home."""
    given = {
        "UV_CACHE_DIR": str(host.at(f"{HOME}/cache")),
        "UV_PYTHON_INSTALL_DIR": str(host.at(f"{HOME}/python")),
        "UV_NO_PROGRESS": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }
    if host.at(CA_BUNDLE).is_file():
        given |= {"SSL_CERT_FILE": CA_BUNDLE, "PIP_CERT": CA_BUNDLE}
    return given


def ensure(host: Host, report: Report) -> Path:
    """The path of uv; installs it where it is missing, one at a time for the whole host."""
    text = requirement()
    home = host.at(f"{HOME}/uv/{version(text)}")
    program = home / "bin" / "uv"
    if (home / ".complete").is_file():
        return program
    with lock.held(host, "uv", PIP_LIMIT_S * 2, report) as held:
        if not (home / ".complete").is_file():
            _install(home, text, held, host, report)
    return program


def _install(home: Path, text: bytes, held: int, host: Host, report: Report) -> None:
    report.say(f"installing uv {home.name}")
    if importlib.util.find_spec("ensurepip") is None or not host.at(CA_BUNDLE).is_file():
        packages.ensure(["python3-venv", "ca-certificates"], host)
    files.remove_tree(home)
    files.directory(home.parent, mode=0o755, ids=host.root_ids)
    # pip is run once, from the wheel that ensurepip would install it from, and not installed.
    venv = [sys.executable, "-m", "venv", "--without-pip", str(home)]
    pip = [str(home / "bin" / "python"), f"{_pip_wheel()}/pip", "install", "--quiet"]
    hashed = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"]
    try:
        host.run(venv, limit_s=PIP_LIMIT_S, keep=[held])
        files.write(home / "uv.txt", text, mode=0o644, ids=host.root_ids)
        host.run(
            [*pip, *hashed, "-r", str(home / "uv.txt")],
            limit_s=PIP_LIMIT_S,
            environment=surroundings(host),
            keep=[held],
            remedy=INDEX_REMEDY,
        )
    except BaseException:
        files.remove_tree(home)
        raise
    (home / ".complete").touch()


def _pip_wheel() -> Path:
    """Debian keeps ensurepip's wheels in a package of their own, Python beside the module."""
    import ensurepip

    places = [Path("/usr/share/python-wheels"), Path(ensurepip.__file__).parent / "_bundled"]
    found = sorted(wheel for place in places for wheel in place.glob("pip-*.whl"))
    if not found:
        raise StepFailed(
            "python3-venv: is installed, but has no pip",
            remedy="install python3-pip-whl on the host, then run `pulumi up` again",
        )
    return found[-1]

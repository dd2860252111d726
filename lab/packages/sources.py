"""Which hosts this machine's own package clients fetch from: asked of those clients."""

import asyncio
import shutil
import sys
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from lab.apt import index_targets

_PIP_DEFAULT = (
    "from pip._internal.models.index import PyPI; "
    "print(PyPI.simple_url, 'https://' + PyPI.file_storage_domain)"
)
_PIP_INDEX_KEYS = {"index-url", "extra-index-url", "find-links"}
_PORTS = {"http": 80, "https": 443}
Ask = Callable[..., Awaitable[str]]


@dataclass(frozen=True)
class PackageHosts:
    """Names of hosts, in lower case.

    `kept`: whose files the gateway knows how to keep (Debian's and Python's). `passed`: all others,
    whose encrypted connections are passed on unread. `guest_settings`: environment variables that
    guests need where this machine replaces the default Python index. `left_out`: sentences about
    sources that guests cannot reach.
    """

    kept: frozenset[str]
    passed: frozenset[str] = frozenset()
    guest_settings: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def all(self) -> frozenset[str]:
        return self.kept | self.passed


async def find_package_hosts(environment: Mapping[str, str]) -> PackageHosts:
    """Ask apt, pip, uv's files, go and npm; one that is not installed has no hosts."""
    ask = partial(_output, environment)
    apt, configured, default, go, npm = await asyncio.gather(
        _apt(ask), _pip_configured(ask), _pip_default(ask), _go(ask, environment), _npm(ask)
    )
    index, extra = _python_sources(configured, environment)
    python = [*([index] if index else default), *extra]
    kept, left_out = _hosts([*apt, *python])
    passed, also_left_out = _hosts([*go, *npm])
    guest_settings: dict[str, str] = {}
    if index:
        shown = _without_login(index)
        guest_settings = {"PIP_INDEX_URL": shown, "UV_DEFAULT_INDEX": shown}
    return PackageHosts(
        kept=frozenset(kept),
        passed=frozenset(passed - kept),
        guest_settings=guest_settings,
        left_out=(*left_out, *also_left_out),
    )


def _hosts(urls: Iterable[str]) -> tuple[set[str], list[str]]:
    hosts: set[str] = set()
    left_out: list[str] = []
    for url in dict.fromkeys(urls):
        parts = urlsplit(url.removeprefix("tor+").removeprefix("mirror+"))
        if parts.scheme not in _PORTS or not parts.hostname:
            continue
        shown = _without_login(url)
        if (parts.port or _PORTS[parts.scheme]) != _PORTS[parts.scheme]:
            left_out.append(f"{shown}: guests reach ports 80 and 443 only")
        elif parts.hostname == "localhost" or _is_address(parts.hostname):
            left_out.append(f"{shown}: guests reach hosts with a name of their own only")
        else:
            hosts.add(parts.hostname.lower())
    return hosts, left_out


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return SplitResult(parts.scheme, host, parts.path, parts.query, "").geturl()


async def _output(environment: Mapping[str, str], *command: str) -> str:
    """What a client prints; nothing when it is not there or fails."""
    if shutil.which(command[0], path=environment.get("PATH")) is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        # npm and pip also read the directory that they stand in.
        cwd="/",
    )
    out, _ = await process.communicate()
    return out.decode(errors="replace") if process.returncode == 0 else ""


async def _apt(ask: Ask) -> list[str]:
    sites = (await ask(*index_targets("$(SITE)"))).split()
    urls = []
    for site in dict.fromkeys(sites):
        scheme, _, rest = site.partition(":")
        if scheme == "mirror+file":
            urls += _mirror_list(Path("/" + rest.lstrip("/")))
        urls.append(site)
    return urls


def _mirror_list(file: Path) -> list[str]:
    if not file.is_file():
        return []
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]


async def _pip_configured(ask: Ask) -> list[tuple[str, str]]:
    """pip's settings that name places, files and environment alike: (key, value)."""
    found = []
    listed = await ask(sys.executable, "-m", "pip", "config", "list")
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        if key in _PIP_INDEX_KEYS:
            text = value.strip("'\"").replace("\\n", " ")
            found += [(key, url) for url in text.split()]
    return found


async def _pip_default(ask: Ask) -> list[str]:
    """The index that pip uses when nobody names one, and the host of its files."""
    return (await ask(sys.executable, "-c", _PIP_DEFAULT)).split()


def _python_sources(
    pip: list[tuple[str, str]], environment: Mapping[str, str]
) -> tuple[str | None, list[str]]:
    """The index that replaces the default one, and all further places."""
    indexes = [url for key, url in pip if key == "index-url"]
    extra = [url for key, url in pip if key != "index-url"]
    for settings in _uv_settings(environment):
        for entry in settings.get("index", []):
            (indexes if entry.get("default") else extra).append(entry.get("url", ""))
        indexes += [settings["index-url"]] if "index-url" in settings else []
        extra += [*settings.get("extra-index-url", []), *settings.get("find-links", [])]
    indexes += [environment[n] for n in ("UV_DEFAULT_INDEX", "UV_INDEX_URL") if environment.get(n)]
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
        extra += environment.get(name, "").replace(",", " ").split()
    # uv lets an index have a name: NAME=URL.
    named = [_address(url) for url in indexes]
    return (named[0] if named else None), [*named[1:], *(_address(url) for url in extra)]


def _address(index: str) -> str:
    name, equals, url = index.partition("=")
    return url if equals and "://" not in name else index


def _uv_settings(environment: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    base = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    files = [Path(base) / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]
    if explicit := environment.get("UV_CONFIG_FILE"):
        files = [Path(explicit)]
    for file in files:
        if file.is_file():
            document = tomllib.loads(file.read_text(encoding="utf-8"))
            yield document
            yield document.get("pip", {})


async def _go(ask: Ask, environment: Mapping[str, str]) -> list[str]:
    proxies = environment.get("GOPROXY") or await ask("go", "env", "GOPROXY")
    return [url for url in proxies.replace("|", ",").strip().split(",") if "://" in url]


async def _npm(ask: Ask) -> list[str]:
    return (await ask("npm", "config", "get", "registry")).split()

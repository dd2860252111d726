"""A lab's API on a loopback socket, with a double in place of containers."""

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lab.paths import LabPaths
from lab.proxmox.app import CORE, make_app
from lab.proxmox.core import Core
from lab.proxmox.hooks import Hooks
from lab.world import World
from tests.conftest import SHARED
from tests.contract_check import faults
from tests.unit.proxmox.double import GuestsDouble

TEMPLATE = "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"
ROOT_PASSWORD = "root-password"
WORLD: dict[str, Any] = {
    "proxmox": {
        "node": {
            "name": "pve",
            "address": "192.168.1.11/24",
            "gateway": "192.168.1.1",
            "bridge": "vmbr0",
        },
        "bridges": {
            "vmbr0": {"routers": ["192.168.1.1/24"]},
            "vmbr1": {"routers": ["10.0.0.1/24"]},
        },
        "storages": {
            "local": {"type": "dir", "content": ["vztmpl", "iso"], "size_gb": 10},
            "local-lvm": {"type": "lvmthin", "content": ["rootdir", "images"], "size_gb": 40},
            "local-zfs": {"type": "zfspool", "content": ["rootdir"], "size_gb": 40},
            "files": {"type": "dir", "content": ["rootdir"], "size_gb": 40},
            "off": {"type": "dir", "content": ["rootdir"], "size_gb": 40, "enabled": False},
        },
        "templates": [{"volume": TEMPLATE, "release": "trixie"}],
        "roles": {},
        "users": {
            "root@pam": {"password": ROOT_PASSWORD, "tokens": {"auto": {}}},
            "admin@pve": {
                "password": "admin-password",
                "tokens": {"full": {"privilege_separation": False}, "bare": {}},
            },
            "plain@pve": {"tokens": {"tok": {"privilege_separation": False}}},
            "gone@pve": {"enabled": False, "password": "gone", "tokens": {"tok": {}}},
        },
        "acl": [{"path": "/", "subject": "admin@pve", "role": "Administrator"}],
        "pools": ["lab"],
        "guests": [
            {"vm_id": 900, "name": "old", "tags": ["Legacy"]},
            {"vm_id": 901, "name": "windows", "kind": "qemu"},
        ],
    },
    "stack": {"api_token": "admin@pve!full"},
}


@dataclass(frozen=True)
class Answer:
    """What came back; `message` without its newline."""

    status: int
    reason: str
    body: Any
    headers: dict[str, str]

    @property
    def data(self) -> Any:
        assert self.status == 200, (self.status, self.reason, self.body)
        return self.body["data"]

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.reason

    @property
    def errors(self) -> dict[str, str]:
        assert self.refusal == (400, "Parameter verification failed.")
        found: dict[str, str] = self.body["errors"]
        return found


class Api:
    """A client that speaks as a given user; root@pam by ticket unless told otherwise."""

    def __init__(self, base: str, session: aiohttp.ClientSession, core: Core) -> None:
        self._base = base
        self._session = session
        self.core = core
        self.headers = self.ticket_headers("root@pam")

    def ticket_headers(self, userid: str) -> dict[str, str]:
        tickets = self.core.tickets
        return {
            "Cookie": f"PVEAuthCookie={tickets.ticket(userid)}",
            "CSRFPreventionToken": tickets.csrf(userid),
        }

    def token_headers(self, token_id: str) -> dict[str, str]:
        userid, _, name = token_id.partition("!")
        secret = self.core.store.state.users[userid].tokens[name].secret
        return {"Authorization": f"PVEAPIToken={token_id}={secret}"}

    def as_token(self, token_id: str) -> "Api":
        return self.with_headers(self.token_headers(token_id))

    def with_headers(self, headers: dict[str, str]) -> "Api":
        other = Api(self._base, self._session, self.core)
        other.headers = headers
        return other

    async def __call__(
        self, method: str, path: str, /, *, raw: bytes | str | None = None, **params: Any
    ) -> Answer:
        """`net0` is written net0, `ssh-public-keys` ssh_public_keys; lists repeat the name."""
        named = {key.replace("_", "-"): value for key, value in params.items()}
        for kept in ("log-level-in", "log-level-out", "policy-in", "policy-out"):
            if kept in named:
                named[kept.replace("-", "_")] = named.pop(kept)
        pairs = [
            (key, str(item))
            for key, value in named.items()
            for item in (value if isinstance(value, list) else [value])
        ]
        in_query = method in {"GET", "DELETE"}
        async with self._session.request(
            method,
            f"{self._base}/api2/json{path}",
            params=pairs if in_query else None,
            data=raw if raw is not None else (None if in_query else aiohttp.FormData(pairs)),
            headers=self.headers,
        ) as answer:
            text = await answer.text()
            body = await answer.json() if text else None
            return Answer(answer.status, answer.reason or "", body, dict(answer.headers))

    async def get(self, path: str, /, **params: Any) -> Any:
        return (await self("GET", path, **params)).data

    async def task(self, method: str, path: str, /, **params: Any) -> str:
        """Make a call that starts a task, wait for its end, return its exit status."""
        upid = (await self(method, path, **params)).data
        await self.core.tasks.wait(upid)
        return str((await self.get(f"/nodes/pve/tasks/{upid}/status"))["exitstatus"])

    async def create(self, vmid: int = 111, **params: Any) -> str:
        defaults = {"storage": "local-lvm", "ostemplate": TEMPLATE}
        return await self.task("POST", "/nodes/pve/lxc", vmid=vmid, **(defaults | params))

    async def config(self, vmid: int = 111, **params: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self.get(f"/nodes/pve/lxc/{vmid}/config", **params)
        return found

    async def grant(self, subject: str, path: str, /, *privileges: str) -> None:
        """Give exactly these privileges, by a role made for it."""
        role = "R-" + "-".join(name.replace(".", "") for name in privileges)
        if role not in self.core.store.state.roles:
            await self._as_root("POST", "/access/roles", roleid=role, privs=",".join(privileges))
        kind = "tokens" if "!" in subject else "users"
        await self._as_root("PUT", "/access/acl", path=path, roles=role, **{kind: subject})

    async def _as_root(self, method: str, path: str, /, **params: Any) -> None:
        root = self.with_headers(self.ticket_headers("root@pam"))
        assert (await root(method, path, **params)).data is None


Serve = Callable[..., Any]
FAST = Hooks(refusal_delay_s=0, sample_every_s=0)


def write_template(path: Path, os_release: str = "ID=debian\n") -> None:
    """A real archive, tiny: it holds nothing but an os-release."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = os_release.encode()
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("./etc/os-release")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))


async def wait_until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds; fail after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - a double has no event for each call
            await asyncio.sleep(0.005)


@pytest.fixture
def paths(tmp_path: Path) -> LabPaths:
    paths = LabPaths("unit", tmp_path / "lab")
    write_template(paths.storages / "local" / "template" / "cache" / TEMPLATE.partition("/")[2])
    return paths


@pytest.fixture
def guests() -> GuestsDouble:
    return GuestsDouble()


@pytest.fixture
async def serve(paths: LabPaths, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """Starts an API; every exchange is held to the contract where that is at hand.

    Nothing here cuts the power, so nothing waits for the disk.
    """
    monkeypatch.setattr("lab.durable.os.fsync", lambda _: None)
    exchanges: list[dict[str, Any]] = []
    open_things: list[Any] = []

    async def start(
        guests: GuestsDouble | None,
        hooks: Hooks = FAST,
        world: dict[str, Any] | None = None,
    ) -> Api:
        recorded = replace(hooks, on_exchange=exchanges.append)
        app: web.Application = make_app(
            World.model_validate(world or WORLD), paths, guests, recorded
        )
        server = TestServer(app)
        await server.start_server()
        session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        open_things.extend((session, server))
        return Api(str(server.make_url("")).rstrip("/"), session, app[CORE])

    yield start
    for thing in open_things:
        await thing.close()
    if SHARED.is_dir():
        assert [fault for exchange in exchanges for fault in faults(exchange)] == []


@pytest.fixture
async def api(serve: Serve, guests: GuestsDouble) -> Api:
    started: Api = await serve(guests)
    return started

"""What the API remembers: one JSON file, written whole and synced at each change."""

import secrets
import uuid
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from lab import durable
from lab.durable import read_model
from lab.world import World

Values = dict[str, str]


class Record(BaseModel):
    """A part of the state; closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)


class TokenRecord(Record):
    secret: str
    privsep: bool = True
    expire: int = 0
    comment: str = ""


class UserRecord(Record):
    password: str | None = None
    enable: bool = True
    expire: int = 0
    profile: Values = {}
    tokens: dict[str, TokenRecord] = {}


class AclRecord(Record):
    path: str
    kind: Literal["user", "token"]
    subject: str
    role: str
    propagate: bool = True


class PoolRecord(Record):
    comment: str = ""
    vms: list[int] = []
    storages: list[str] = []


class GuestRecord(Record):
    """`config` is the file's content as text by key; `pending` waits for the next start.

    `planned` is what a create that still runs will write. `foreign` marks a guest that the
    world file put there: it has no disk of its own.
    """

    kind: Literal["lxc", "qemu"] = "lxc"
    config: Values = {}
    pending: Values = {}
    pending_delete: list[str] = []
    planned: Values = {}
    foreign: bool = False
    created: float = 0.0


class IpsetRecord(Record):
    comment: str = ""
    entries: dict[str, Values] = {}


class FirewallRecord(Record):
    options: Values = {}
    rules: list[Values] = []
    aliases: dict[str, Values] = {}
    ipsets: dict[str, IpsetRecord] = {}


class TaskRecord(Record):
    """`ended` and `exitstatus` are absent while it runs."""

    upid: str
    pid: int
    pstart: int
    started: int
    type: str
    id: str
    user: str
    ended: int | None = None
    exitstatus: str | None = None
    log: list[str] = []


class State(Record):
    signing_key: str
    users: dict[str, UserRecord]
    roles: dict[str, list[str]] = {}
    acl: list[AclRecord] = []
    pools: dict[str, PoolRecord] = {}
    guests: dict[int, GuestRecord] = {}
    firewalls: dict[int, FirewallRecord] = {}
    tasks: list[TaskRecord] = []
    last_pid: int = 1000


def new_password() -> str:
    """A password nobody chose."""
    return secrets.token_urlsafe(18)


class Store(durable.Store[State]):
    """The state in memory and its file."""

    @classmethod
    def open(cls, path: Path, world: World) -> "Store":
        """Read the file, or make it from the world; raises LabError when it is damaged."""
        if path.exists():
            return cls(path, read_state(path))
        store = cls(path, _from_world(world))
        store.save()
        return store


def read_state(path: Path) -> State:
    """The state of a lab, running or not; raises LabError when there is none."""
    return read_model(path, State)


def _from_world(world: World) -> State:
    proxmox = world.proxmox
    state = State(
        signing_key=secrets.token_hex(32),
        users={
            userid: UserRecord(
                password=user.password or new_password(),
                enable=user.enabled,
                tokens={
                    name: TokenRecord(
                        secret=token.secret or str(uuid.uuid4()),
                        privsep=token.privilege_separation,
                    )
                    for name, token in user.tokens.items()
                },
            )
            for userid, user in proxmox.users.items()
        },
        roles={name: sorted(set(privileges)) for name, privileges in proxmox.roles.items()},
        acl=[
            AclRecord(
                path=entry.path,
                kind="token" if "!" in entry.subject else "user",
                subject=entry.subject,
                role=entry.role,
                propagate=entry.propagate,
            )
            for entry in proxmox.acl
        ],
        pools={name: PoolRecord() for name in proxmox.pools},
    )
    state.users.setdefault("root@pam", UserRecord(password=new_password()))
    for guest in proxmox.guests:
        state.guests[guest.vm_id] = GuestRecord(
            kind=guest.kind, foreign=True, config=_foreign_config(guest.name, guest.tags)
        )
    return state


def _foreign_config(name: str, tags: tuple[str, ...]) -> Values:
    config = {"arch": "amd64", "hostname": name, "memory": "512", "ostype": "unmanaged"}
    config |= {"swap": "512", "unprivileged": "1"}
    if tags:
        config["tags"] = ";".join(sorted({tag.lower() for tag in tags}))
    return config

"""What the API remembers: one JSON file, written whole and synced at each change."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from lab import durable
from lab.durable import read_model

Json = dict[str, Any]


class Record(BaseModel):
    """A part of the state; closed to keys that it does not know. Times are seconds since 1970."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)


class KeyRecord(Record):
    """A key that somebody made: an auth key, or an OAuth client's or a federated identity's.

    `used` counts the devices that joined with it. `client` is the client that made it, empty for
    an admin; `said` is what belongs to clients and identities alone.
    """

    id: str
    kind: Literal["auth", "client", "federated"]
    secret: str
    description: str = ""
    created: float
    expires: float | None = None
    reusable: bool = False
    ephemeral: bool = False
    preauthorized: bool = False
    tags: list[str] = []
    used: int = 0
    client: str = ""
    said: Json = {}


class DeviceRecord(Record):
    """A machine that joined; `key` is the auth key that it joined with."""

    id: str
    node_id: str
    hostname: str
    address: str
    tags: list[str] = []
    authorized: bool = True
    ephemeral: bool = False
    key: str = ""
    key_expiry_disabled: bool = False
    routes: list[str] = []
    enabled_routes: list[str] = []
    created: float


class AccessRecord(Record):
    """A token that an OAuth client was given."""

    value: str
    client: str
    scopes: list[str]
    expires: float


class TailnetRecord(Record):
    """`api_keys` and `clients` are values by the names of the world file; a client's is
    (id, secret). `policy` is the text, None while it is the one that the tailnet began with.
    `with_exit_node` are name servers that are also used with an exit node, by their domain, those
    for every name by an empty one. `joined` counts machines, those that left too.
    """

    api_keys: dict[str, str] = {}
    clients: dict[str, tuple[str, str]] = {}
    access: list[AccessRecord] = []
    keys: dict[str, KeyRecord] = {}
    devices: dict[str, DeviceRecord] = {}
    joined: int = 0
    policy: str | None = None
    nameservers: list[str] = []
    search_paths: list[str] = []
    split_dns: dict[str, list[str]] = {}
    with_exit_node: dict[str, list[str]] = {}
    magic_dns: bool = True
    override_local_dns: bool = False


class State(Record):
    tailnets: dict[str, TailnetRecord] = {}


Store = durable.Store[State]


def read_state(path: Path) -> State:
    """The state of a lab, running or not; raises LabError when there is none."""
    return read_model(path, State)


def shown_time(seconds: float) -> str:
    """As the API writes times: RFC 3339, in whole seconds."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat().replace("+00:00", "Z")

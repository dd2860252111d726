"""What the API remembers: one JSON file, written whole and synced at each change."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from lab import durable
from lab.durable import read_model

Json = dict[str, Any]


class Record(BaseModel):
    """A part of the state; closed to keys that it does not know."""

    model_config = ConfigDict(extra="forbid", validate_assignment=False)


class TunnelRecord(Record):
    """A tunnel; one with `deleted_at` is still answered, and its name is free.

    `secret` is base64. `config` is the last one that was written, in the API's own spelling;
    `config_version` counts from 1, 0 where there was none. Times are RFC 3339.
    """

    id: str
    account: str
    name: str
    secret: str
    config_src: Literal["local", "cloudflare"]
    metadata: Json = {}
    created_at: str
    deleted_at: str | None = None
    conns_active_at: str | None = None
    conns_inactive_at: str | None = None
    config: Json | None = None
    config_version: int = 0
    config_at: str | None = None


class DnsRecord(Record):
    """A record of a zone; `name` is whole and in lower case, `data` belongs to types like SRV."""

    id: str
    zone: str
    type: str
    name: str
    content: str
    ttl: int
    proxied: bool
    comment: str | None = None
    tags: list[str] = []
    data: Json | None = None
    priority: int | None = None
    settings: dict[str, bool] = {}
    created_on: str
    modified_on: str
    comment_modified_on: str | None = None
    tags_modified_on: str | None = None


class TokenRecord(Record):
    """A token of the world; the lab makes `id` and `value` where the world file says none."""

    id: str
    value: str
    issued_on: str


class State(Record):
    started_on: str
    tokens: dict[str, TokenRecord] = {}
    tunnels: dict[str, TunnelRecord] = {}
    records: dict[str, DnsRecord] = {}


Store = durable.Store[State]


def read_state(path: Path) -> State:
    """The state of a lab, running or not; raises LabError when there is none."""
    return read_model(path, State)

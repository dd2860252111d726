"""What all calls share: the world's part, the state, the tunnels; and how the state begins."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from lab.cloudflare.state import State, Store, TokenRecord, read_state
from lab.cloudflare.times import now
from lab.cloudflare.tunnels import Tunnels
from lab.world.cloudflare import Cloudflare


@dataclass(frozen=True)
class Core:
    """Made once for a lab."""

    world: Cloudflare
    store: Store
    tunnels: Tunnels

    @classmethod
    def open(cls, world: Cloudflare, path: Path) -> "Core":
        """Read or make the state; raises LabError when the file is damaged."""
        store = open_store(world, path)
        return cls(world, store, Tunnels(store, world))


def open_store(world: Cloudflare, path: Path) -> Store:
    """The state in `path`, with a record for each token of the world."""
    store = Store(path, read_state(path) if path.exists() else State(started_on=now()))
    tokens = store.state.tokens
    for name in tokens.keys() - world.tokens.keys():
        del tokens[name]
    for name, token in world.tokens.items():
        known = tokens.get(name)
        if known is None or token.value not in {None, known.value}:
            value = token.value or secrets.token_urlsafe(30)
            tokens[name] = TokenRecord(id=secrets.token_hex(16), value=value, issued_on=now())
    for tunnel in store.state.tunnels.values():
        if tunnel.conns_active_at is not None:
            # A process that was killed could not say that its connections had ended.
            tunnel.conns_active_at, tunnel.conns_inactive_at = None, now()
    store.save()
    return store

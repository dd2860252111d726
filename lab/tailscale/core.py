"""What all calls share, and how the state begins."""

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.tailscale.state import State, Store, TailnetRecord, read_state
from lab.world.tailscale import Tailscale

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Core:
    """Made once for a lab; `clock` tells seconds since 1970."""

    world: Tailscale
    store: Store
    clock: Callable[[], float]

    def record(self, tailnet: str) -> TailnetRecord:
        """What is kept of a tailnet of the world."""
        return self.store.state.tailnets[tailnet]


def open_store(world: Tailscale, path: Path) -> Store:
    """The state in `path`, with a value for each credential of the world."""
    store = Store(path, read_state(path) if path.exists() else State())
    for name, tailnet in world.tailnets.items():
        record = store.state.tailnets.setdefault(name, TailnetRecord())
        for key, said in tailnet.api_keys.items():
            if said.value is not None:
                record.api_keys[key] = said.value
            record.api_keys.setdefault(key, f"tskey-api-{new_id()}-{letters(32)}")
        for client in tailnet.oauth_clients:
            made = new_id()
            record.clients.setdefault(client, (made, f"tskey-client-{made}-{letters(32)}"))
    store.save()
    return store


def new_id(prefix: str = "k") -> str:
    """An id as Tailscale makes them: `kAb12Cd34E5CNTRL`."""
    return f"{prefix}{letters(10)}CNTRL"


def letters(number: int) -> str:
    """Letters and digits that nobody can guess."""
    return "".join(secrets.choice(_LETTERS) for _ in range(number))

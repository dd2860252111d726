"""What all calls share: the world, the state, who may do what, tasks, storages, containers."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from lab.guests import Guests
from lab.paths import LabPaths
from lab.proxmox.access.rights import Rights
from lab.proxmox.access.tickets import Tickets
from lab.proxmox.errors import died
from lab.proxmox.hooks import Hooks
from lab.proxmox.state import GuestRecord, Store
from lab.proxmox.storage.storages import Storages
from lab.proxmox.tasks.runner import Tasks
from lab.world import World


@dataclass
class Core:
    """Made once for a lab; `guests` is None where no container can run."""

    world: World
    paths: LabPaths
    guests: Guests | None
    hooks: Hooks
    store: Store
    rights: Rights
    tickets: Tickets
    tasks: Tasks
    storages: Storages
    _locks: defaultdict[int, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    @classmethod
    def open(cls, world: World, paths: LabPaths, guests: Guests | None, hooks: Hooks) -> "Core":
        """Read or make the lab's state."""
        store = Store.open(paths.proxmox_state, world)
        return cls(
            world=world,
            paths=paths,
            guests=guests,
            hooks=hooks,
            store=store,
            rights=Rights(store.state),
            tickets=Tickets(store.state.signing_key),
            tasks=Tasks(store, world.proxmox.node.name),
            storages=Storages(world, paths),
        )

    @property
    def node(self) -> str:
        return self.world.proxmox.node.name

    def container(self, vmid: int) -> GuestRecord:
        """A container's record; raises Proxmox's 500 when there is none."""
        record = self.store.state.guests.get(vmid)
        if record is None or record.kind != "lxc":
            raise died(f"Configuration file 'nodes/{self.node}/lxc/{vmid}.conf' does not exist")
        return record

    def is_running(self, vmid: int) -> bool:
        record = self.store.state.guests.get(vmid)
        if self.guests is None or record is None or record.foreign or record.kind != "lxc":
            return False
        return self.guests.is_running(guest_key(vmid))

    @asynccontextmanager
    async def locked(self, vmid: int, timeout_s: float | None = None) -> AsyncIterator[None]:
        """Hold the lock of a container's configuration; a 500 when it stays busy."""
        lock = self._locks[vmid]
        try:
            await asyncio.wait_for(lock.acquire(), timeout_s or self.hooks.lock_timeout_s)
        except TimeoutError:
            raise died(
                f"can't lock file '/run/lock/lxc/pve-config-{vmid}.lock' - got timeout"
            ) from None
        try:
            yield
        finally:
            lock.release()


def guest_key(vmid: int) -> str:
    """What the containers' side calls a container."""
    return f"ct-{vmid}"


def require_unlocked(record: GuestRecord) -> None:
    """Raise a 500 when something goes on with the container."""
    if lock := record.config.get("lock"):
        raise died(f"CT is locked ({lock})")

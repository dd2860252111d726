"""A tailnet's machines: how one joins, and what is known of it.

The seam to whatever carries their traffic: a control server calls `join` when a machine presents
a key, and asks `devices` who is there. Until there is one, tests are what joins.
"""

from ipaddress import IPv4Address
from typing import Protocol

from lab.tailscale.core import Core, new_id
from lab.tailscale.errors import ApiError
from lab.tailscale.state import DeviceRecord, KeyRecord

_FIRST_ADDRESS = IPv4Address("100.64.0.1")


class Tailnets(Protocol):
    """What a control server needs."""

    def join(self, key: str, hostname: str) -> DeviceRecord:
        """A machine presents an auth key; raises ApiError 401 for one that lets nobody in."""

    def leave(self, tailnet: str, device_id: str) -> None:
        """A machine logs out; ephemeral ones are forgotten."""

    def devices(self, tailnet: str) -> list[DeviceRecord]:
        """Who is in the tailnet."""


class KeptTailnets:
    """The tailnets of the state's file."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def join(self, key: str, hostname: str) -> DeviceRecord:
        found = self._find(key)
        if found is None:
            raise ApiError(401, "invalid key: unable to validate API key")
        tailnet, used = found
        record = self._core.record(tailnet)
        used.used += 1
        number = max(record.joined, len(record.devices))
        record.joined = number + 1
        device = DeviceRecord(
            id=str(1_000_000 + number),
            node_id=new_id("n"),
            hostname=hostname,
            address=str(_FIRST_ADDRESS + number),
            tags=list(used.tags),
            ephemeral=used.ephemeral,
            key=used.id,
            key_expiry_disabled=bool(used.tags),
            created=self._core.clock(),
        )
        record.devices[device.id] = device
        self._core.store.save()
        return device

    def leave(self, tailnet: str, device_id: str) -> None:
        device = self._core.record(tailnet).devices.get(device_id)
        if device is not None and device.ephemeral:
            del self._core.record(tailnet).devices[device_id]
            self._core.store.save()

    def devices(self, tailnet: str) -> list[DeviceRecord]:
        return list(self._core.record(tailnet).devices.values())

    def _find(self, secret: str) -> tuple[str, KeyRecord] | None:
        for tailnet in self._core.world.tailnets:
            for key in self._core.record(tailnet).keys.values():
                if key.kind == "auth" and key.secret == secret and is_valid(key, self._core):
                    return tailnet, key
        return None


def is_valid(key: KeyRecord, core: Core) -> bool:
    """Whether another machine could join with the key, or a client use it."""
    if key.expires is not None and key.expires <= core.clock():
        return False
    return key.kind != "auth" or key.reusable or key.used == 0

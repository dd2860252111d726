# ruff: noqa: ARG002
"""A double of the containers' side: it remembers what it was asked and runs nothing."""

import asyncio
from dataclasses import replace
from ipaddress import IPv4Interface
from pathlib import Path

from lab.guests import Access, GuestError, GuestSpec, LiveInterface, Log, Usage, Volume


class GuestsDouble:
    """Not containers: images are sparse files, `running` is a set."""

    def __init__(self) -> None:
        self.running: dict[str, GuestSpec] = {}
        self.access: dict[str, Access] = {}
        self.calls: list[str] = []
        self.fail_on: dict[str, str] = {}
        self.ignores_shutdown = False
        self.paused: set[str] = set()
        self.resumed = asyncio.Event()

    async def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.paused:
            await self.resumed.wait()
        if name in self.fail_on:
            raise GuestError(self.fail_on[name])

    async def create(self, spec: GuestSpec, template: Path, access: Access, log: Log) -> None:
        self._make(spec.rootfs)
        await self._called("create")
        for volume in spec.mounts:
            self._make(volume)
        self.access[spec.key] = access
        log(f"unpacked {template.name}")

    async def start(self, spec: GuestSpec, log: Log) -> None:
        await self._called("start")
        self.running[spec.key] = spec

    async def stop(self, key: str, log: Log) -> None:
        await self._called("stop")
        self.running.pop(key, None)

    async def shutdown(self, key: str, timeout_s: float, log: Log) -> bool:
        await self._called("shutdown")
        if self.ignores_shutdown:
            return False
        self.running.pop(key, None)
        return True

    async def destroy(self, spec: GuestSpec, log: Log) -> None:
        await self._called("destroy")
        for volume in (spec.rootfs, *spec.mounts):
            volume.image.unlink(missing_ok=True)

    async def add_volume(self, spec: GuestSpec, volume: Volume, log: Log) -> None:
        await self._called("add_volume")
        self._make(volume)

    async def resize(self, spec: GuestSpec, volume: Volume, size_bytes: int, log: Log) -> None:
        await self._called("resize")
        with volume.image.open("r+b") as file:
            file.truncate(size_bytes)
        if (runs := self.running.get(spec.key)) is not None:
            volumes = (runs.rootfs, *runs.mounts)
            root, *mounts = (
                replace(one, size_bytes=size_bytes) if one.volid == volume.volid else one
                for one in volumes
            )
            self.running[spec.key] = replace(runs, rootfs=root, mounts=tuple(mounts))

    async def apply(self, old: GuestSpec, new: GuestSpec) -> None:
        await self._called("apply")
        # A new name is only written down until the next start.
        runs = replace(self.running[old.key], hostname=old.hostname)
        assert runs == old, "the old specification is not what runs"
        self.running[new.key] = new

    def is_running(self, key: str) -> bool:
        return key in self.running

    async def interfaces(self, key: str) -> tuple[LiveInterface, ...]:
        loopback = LiveInterface("lo", "00:00:00:00:00:00", (IPv4Interface("127.0.0.1/8"),))
        cards = [
            LiveInterface(card.name, card.hwaddr.lower(), (card.ipv4,) if card.ipv4 else ())
            for card in self.running[key].interfaces
        ]
        return (loopback, *cards)

    async def usage(self, spec: GuestSpec) -> Usage:
        return Usage(
            pid=4242,
            uptime_s=7,
            memory_bytes=50 << 20,
            disk_bytes=300 << 20,
            netin_bytes=1,
            netout_bytes=2,
        )

    @staticmethod
    def _make(volume: Volume) -> None:
        volume.image.parent.mkdir(parents=True, exist_ok=True)
        with volume.image.open("xb") as file:
            file.truncate(volume.size_bytes)

"""Containers that are real: LXC in the lab's network namespace. What runs is asked of the system,
so that containers outlive the process that started them."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from lab.guests import Access, GuestError, GuestSpec, LiveInterface, Log, Usage, Volume
from lab.host import hotplug, images, live
from lab.host.announce import announce
from lab.host.boot import ORDER
from lab.host.boot_order import boot_order, find_devices, shift_of
from lab.host.commands import run
from lab.host.controllers import Controllers, find_controllers, legacy_limits, unified_limits
from lab.host.enter import in_network
from lab.host.furnish import Step
from lab.host.identity import HostKey, first_steps, new_host_keys
from lab.host.kernel_limits import ensure_limits
from lab.host.known_hosts import note_host_keys, note_names, write_known_hosts
from lab.host.lxc_config import lxc_config
from lab.host.namespaces import network_of
from lab.host.network import make_vlans
from lab.host.processes import Processes
from lab.host.stage import PRIVATE_MOUNTS
from lab.paths import CHECKOUT, LabPaths

Nameservers = Callable[[GuestSpec], tuple[str, ...]]
_START_LIMIT_S = 60.0
_SHUTDOWN_S = 30.0
_ASK_AGAIN_S = 1.0
_POLL_S = 0.01


class LxcGuests:
    """The containers of one lab. `nameservers` says what one without its own asks for names;
    `always` are steps of `identity.py` for every container that is made."""

    def __init__(
        self, paths: LabPaths, nameservers: Nameservers, always: Sequence[Step] = ()
    ) -> None:
        self._paths = paths
        self._always = always
        self._nameservers = nameservers
        self._controllers: Controllers = find_controllers()
        self._processes = Processes(paths)
        self._started = asyncio.Condition()
        self._python = [sys.executable, "-S", "-m"]

    def directory(self, key: str) -> Path:
        """LXC's own directory of the container."""
        return self._paths.guests / key

    async def create(self, spec: GuestSpec, template: Path, access: Access, log: Log) -> None:
        """Make the volumes' images and unpack `template` into the root one."""
        await self.create_with(spec, template, access, log)

    async def create_with(
        self,
        spec: GuestSpec,
        template: Path,
        access: Access,
        log: Log,
        *,
        more: Sequence[Step] = (),
        ssh_port: int = 22,
        host_keys: tuple[HostKey, ...] = (),
    ) -> None:
        """The same, with more steps of `identity.py` for its root file system; without
        `host_keys` it gets new ones of its own."""
        directory = self.directory(spec.key)
        if directory.exists():
            raise GuestError(f"container {spec.key} exists already")
        directory.mkdir(parents=True, mode=0o755)
        try:
            shift = shift_of(spec)
            await images.make_from(template, spec.rootfs.image, spec.rootfs.size_bytes, shift, log)
            for volume in spec.mounts:
                await images.make_empty(volume.image, volume.size_bytes, shift)
            keys = host_keys or await asyncio.to_thread(new_host_keys, f"root@{spec.hostname}")
            await self._furnish(spec, [*first_steps(access, keys), *self._always, *more])
            note_host_keys(directory, [key.public for key in keys])
            note_names(directory, spec, ssh_port)
            write_known_hosts(self._paths)
        except BaseException:
            for volume in (spec.rootfs, *spec.mounts):
                volume.image.unlink(missing_ok=True)
            shutil.rmtree(directory)
            raise

    async def _furnish(self, spec: GuestSpec, steps: list[Step]) -> None:
        command = [*self._python, "lab.host.furnish", str(spec.rootfs.image), str(shift_of(spec))]
        await run(
            [*PRIVATE_MOUNTS, *command],
            named="",
            stdin=json.dumps(steps).encode(),
            directory=CHECKOUT,
        )

    async def start(self, spec: GuestSpec, log: Log) -> None:
        """Boot it with exactly this configuration; returns when its init runs."""
        if self.is_running(spec.key):
            raise GuestError(f"container {spec.key} runs already")
        for volume in (spec.rootfs, *spec.mounts):
            if not volume.image.exists():
                raise GuestError(f"volume '{volume.volid}' does not exist")
            await images.wait_detached(volume.image)
        ensure_limits(log)
        make_vlans(self._paths, spec.interfaces)
        self._write_order(spec)
        directory = self.directory(spec.key)
        for old in ("lxc.log", "init.pid"):
            (directory / old).unlink(missing_ok=True)
        boot = [*self._python, "lab.host.boot", str(directory)]
        try:
            await run(
                in_network(self._paths, [*PRIVATE_MOUNTS, *boot]),
                limit_s=_START_LIMIT_S,
                directory=CHECKOUT,
            )
        except GuestError as error:
            await self.stop(spec.key, log)
            raise GuestError(self._why(spec.key) or str(error)) from error
        if pid := self.init_pid(spec.key):
            try:
                announce(network_of(pid), spec.interfaces)
            except GuestError as error:  # it runs all the same, and is found some seconds later
                log(str(error))
        async with self._started:
            self._started.notify_all()

    def _write_order(self, spec: GuestSpec) -> None:
        """Leave the configuration where `boot.py` finds it, now and after a reboot from inside."""
        directory = self.directory(spec.key)
        devices = find_devices(spec)
        order = boot_order(spec, self._paths, self._controllers, devices, self._nameservers(spec))
        config = lxc_config(spec, self._paths, self._controllers, devices)
        note_names(directory, spec)
        write_known_hosts(self._paths)
        (directory / "config").write_text(config, encoding="utf-8")
        (directory / ORDER).write_text(json.dumps(order), encoding="utf-8")

    def _why(self, key: str) -> str | None:
        """What LXC says about a start that failed: its first error is the cause."""
        log = self.directory(key) / "lxc.log"
        if not log.exists():
            return None
        for line in log.read_text(errors="replace").splitlines():
            _, error, text = line.partition(" ERROR ")
            if error:
                return text.partition(" - ")[2].partition(" - ")[2].strip()
        return None

    async def stop(self, key: str, log: Log) -> None:
        """Kill it; no error when it does not run."""
        if self.is_running(key):
            log(f"killing container {key}")
        await asyncio.to_thread(self._processes.kill, key)
        order = self.directory(key) / ORDER
        if order.exists():
            for volume in json.loads(order.read_text(encoding="utf-8"))["volumes"]:
                if (image := Path(volume["image"])).exists():
                    await images.wait_detached(image)

    async def shutdown(self, key: str, timeout_s: float, log: Log) -> bool:
        """Ask its init to end; False when it still runs after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.is_running(key):
            left_s = max(deadline - time.monotonic(), 0)
            # Again, because an init that has only just begun does not listen yet.
            if pid := self.init_pid(key):
                live.ask_to_halt(pid)
            patience_s = min(left_s, _ASK_AGAIN_S)
            if monitor := self._processes.monitor(key):
                await live.ended(monitor, patience_s)
            else:
                await asyncio.sleep(min(patience_s, _POLL_S))
            if left_s == 0 and self.is_running(key):
                return False
        await self.stop(key, log)
        return True

    async def destroy(self, spec: GuestSpec, log: Log) -> None:
        """Remove a stopped container with its volumes."""
        if self.is_running(spec.key):
            raise GuestError(f"container {spec.key} is running")
        for volume in (spec.rootfs, *spec.mounts):
            if volume.image.exists():
                await images.wait_detached(volume.image)
                # The blocks of gigabytes are given back meanwhile: everybody else would wait.
                await asyncio.to_thread(volume.image.unlink)
                log(f"removed volume '{volume.volid}'")
        if (directory := self.directory(spec.key)).exists():
            shutil.rmtree(directory)
            write_known_hosts(self._paths)

    async def add_volume(self, spec: GuestSpec, volume: Volume, log: Log) -> None:
        """Make the empty image of a mount point that was added to the configuration."""
        await images.make_empty(volume.image, volume.size_bytes, shift_of(spec))
        log(f"made an empty file system on volume '{volume.volid}'")

    async def resize(self, spec: GuestSpec, volume: Volume, size_bytes: int, log: Log) -> None:
        """Grow an image and its file system, running or not.

        Where this machine may not grow a mounted ext4, a running container is restarted.
        """
        if not self.is_running(spec.key):
            await images.grow(volume.image, size_bytes)
        elif images.may_grow_mounted():
            await images.grow_mounted(
                volume.image, size_bytes, self._processes.require_monitor(spec.key)
            )
        else:
            log(
                "this machine lacks CAP_SYS_RESOURCE, without which no mounted ext4 can grow: "
                "the container is restarted"
            )
            if not await self.shutdown(spec.key, _SHUTDOWN_S, log):
                await self.stop(spec.key, log)
            try:
                await images.grow(volume.image, size_bytes)
            finally:
                # Whether or not it grew: it ran, and nobody asked for its end.
                await self.start(spec, log)

    async def apply(self, old: GuestSpec, new: GuestSpec) -> None:
        """Bring a running container from `old` to `new` as far as that works without a restart."""
        monitor = self._processes.require_monitor(new.key)
        pid = self._processes.require_init(new.key)
        group = self._processes.group(new.key)
        hotplug.set_limits(group, unified_limits(new, self._controllers))
        legacy = legacy_limits(new, self._controllers)
        hotplug.set_legacy_limits(monitor, f"{self._paths.namespace}/{new.key}", legacy)
        make_vlans(self._paths, new.interfaces)
        await hotplug.change_cards(self._paths, pid, old, new)
        await hotplug.add_mounts(monitor, pid, old, new)
        await hotplug.add_devices(monitor, pid, old, new)
        self._write_order(new)

    def is_running(self, key: str) -> bool:
        """Whether its init runs, or is about to run again after a reboot from inside."""
        # A reboot from inside leaves it without init for a moment; its monitor or what boots it
        # again is there then.
        return self.init_pid(key) is not None or self._processes.in_transition(key)

    def init_pid(self, key: str) -> int | None:
        """Its init as this machine numbers it."""
        return self._processes.init(key)

    def monitor_pid(self, key: str) -> int | None:
        """LXC's process that waits for the init."""
        return self._processes.monitor(key)

    async def next_init(self, key: str) -> int:
        """Wait until it has an init, and return its process id."""
        while (pid := self.init_pid(key)) is None:
            if self._processes.in_transition(key):
                await asyncio.sleep(_POLL_S)
            else:
                async with self._started:
                    await self._started.wait_for(lambda: self.is_running(key))
        return pid

    async def interfaces(self, key: str) -> tuple[LiveInterface, ...]:
        """Interfaces of a running container."""
        return await live.interfaces(self._processes.require_init(key))

    async def usage(self, spec: GuestSpec) -> Usage:
        """Figures of a running container."""
        pid = self._processes.require_init(spec.key)
        return live.usage(pid, self._memory_file(spec.key))

    def _memory_file(self, key: str) -> Path | None:
        if "memory" in self._controllers.unified:
            return self._processes.group(key) / "memory.current"
        if "memory" in self._controllers.legacy and (monitor := self.monitor_pid(key)):
            group = hotplug.legacy_group(monitor, "memory", f"{self._paths.namespace}/{key}")
            return group / "memory.usage_in_bytes"
        return None

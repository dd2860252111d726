"""What a boot and a shutdown of the node mean for its containers."""

import asyncio
import sys

from lab.guests import Log
from lab.proxmox.containers import power
from lab.proxmox.core import Core
from lab.proxmox.errors import ApiError
from lab.proxmox.formats import parse_startup

_LONGEST_DELAY_S = 30
_SHUTDOWN_S = 60.0
_USER = "root@pam"


async def start_onboot(core: Core) -> list[str]:
    """Start what has `onboot=1`, in `startup` order; returns the UPIDs.

    `up` delays the containers after it, by half a minute at most; a container that fails does
    not keep the next one from starting.
    """
    upids = []
    for vmid in _in_order(core):
        record = core.container(vmid)
        if record.config.get("onboot") != "1" or record.foreign or core.is_running(vmid):
            continue
        upid = power.start_task(core, vmid, _USER, skip_lock=False)
        upids.append(upid)
        await core.tasks.wait(upid)
        await asyncio.sleep(min(_startup(core, vmid).get("up", 0), _LONGEST_DELAY_S))
    return upids


async def stop_all(core: Core) -> list[str]:
    """Shut down every running container, last started first; killed when it takes too long."""
    running = [vmid for vmid in reversed(_in_order(core)) if core.is_running(vmid)]
    upids = [shutdown_task(core, vmid) for vmid in running]
    for upid in upids:
        await core.tasks.wait(upid)
    return upids


def shutdown_task(core: Core, vmid: int) -> str:
    """The task that shuts a container down, and kills it when that takes too long."""

    async def work(log: Log) -> None:
        timeout = float(_startup(core, vmid).get("down", _SHUTDOWN_S))
        async with core.locked(vmid):
            await power.shut_down(core, vmid, min(timeout, _SHUTDOWN_S), log, force=True)

    return core.tasks.start("vzshutdown", str(vmid), _USER, work)


def _in_order(core: Core) -> list[int]:
    containers = [vmid for vmid, record in core.store.state.guests.items() if record.kind == "lxc"]
    return sorted(
        containers, key=lambda vmid: (_startup(core, vmid).get("order", sys.maxsize), vmid)
    )


def _startup(core: Core, vmid: int) -> dict[str, int]:
    try:
        text = core.container(vmid).config.get("startup", "")
    except ApiError:  # removed meanwhile
        return {}
    return parse_startup(text) if text else {}

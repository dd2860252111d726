"""Starting and stopping containers: every call answers with a task at once."""

from lab.guests import Log
from lab.proxmox.call import Request
from lab.proxmox.containers.pending import apply_pending
from lab.proxmox.containers.spec import guest_spec, require_bridges
from lab.proxmox.core import Core, guest_key, require_unlocked
from lab.proxmox.errors import TaskError, bad_parameters, died

_DEFAULT_TIMEOUT_S = 60


async def start(core: Core, request: Request) -> str:
    """POST status/start."""
    skip_lock = _skip_lock(request)
    if core.is_running(request.vmid):
        raise died(f"CT {request.vmid} already running")
    if core.guests is None:
        raise died(core.hooks.no_guests)
    return start_task(core, request.vmid, request.caller.auth_id, skip_lock=skip_lock)


async def stop(core: Core, request: Request) -> str:
    """POST status/stop: kill it."""
    skip_lock = _skip_lock(request)
    vmid = request.vmid
    _require_running(core, vmid, "CT")
    if request.flag("overrule-shutdown"):
        _overrule_shutdowns(core, request)

    async def work(log: Log) -> None:
        assert core.guests is not None
        async with core.locked(vmid):
            record = core.container(vmid)
            if not skip_lock and record.config.get("lock") != "mounted":
                require_unlocked(record)
            await core.guests.stop(guest_key(vmid), log)

    return core.tasks.start("vzstop", str(vmid), request.caller.auth_id, work)


async def shutdown(core: Core, request: Request) -> str:
    """POST status/shutdown: ask it to end; kill it after the timeout if that is wanted."""
    vmid = request.vmid
    _require_running(core, vmid, "CT")
    timeout = float(request.get("timeout", str(_DEFAULT_TIMEOUT_S)))
    force = request.flag("forceStop")

    async def work(log: Log) -> None:
        async with core.locked(vmid):
            require_unlocked(core.container(vmid))
            await shut_down(core, vmid, timeout, log, force=force)

    return core.tasks.start("vzshutdown", str(vmid), request.caller.auth_id, work)


async def reboot(core: Core, request: Request) -> str:
    """POST status/reboot: end, killed after the timeout, then start with what was pending."""
    vmid = request.vmid
    _require_running(core, vmid, "VM")
    timeout = float(request.get("timeout", str(_DEFAULT_TIMEOUT_S)))

    async def work(log: Log) -> None:
        async with core.locked(vmid):
            await shut_down(core, vmid, timeout, log, force=True)
            await boot(core, vmid, log)

    return core.tasks.start("vzreboot", str(vmid), request.caller.auth_id, work)


def start_task(core: Core, vmid: int, user: str, *, skip_lock: bool) -> str:
    """The task that starts a container."""

    async def work(log: Log) -> None:
        async with core.locked(vmid):
            if not skip_lock:
                require_unlocked(core.container(vmid))
            await boot(core, vmid, log)

    return core.tasks.start("vzstart", str(vmid), user, work)


async def boot(core: Core, vmid: int, log: Log) -> None:
    """Start a container with its whole configuration; what was pending is pending no more."""
    record = core.container(vmid)
    if core.guests is None:
        raise TaskError(core.hooks.no_guests)
    if record.config.get("template") == "1":
        raise TaskError("you can't start a CT if it's a template")
    if record.foreign:
        raise TaskError(f"CT {vmid} is a record of the world file: it has no disk to start from")
    if core.is_running(vmid):
        # Another task was faster (`start=1` of a create, say): there is nothing left to do.
        log(f"CT {vmid} is running already")
        return
    if apply_pending(record):
        core.store.save()
    require_bridges(record.config, core.world.proxmox.bridges)
    await core.guests.start(guest_spec(vmid, record.config, core.storages), log)


async def shut_down(core: Core, vmid: int, timeout_s: float, log: Log, *, force: bool) -> None:
    """End a container; raises a TaskError when it will not and `force` is off."""
    assert core.guests is not None
    if await core.guests.shutdown(guest_key(vmid), timeout_s, log):
        return
    if not force:
        raise TaskError("container did not stop")
    await core.guests.stop(guest_key(vmid), log)


def _skip_lock(request: Request) -> bool:
    if request.flag("skiplock") and not request.caller.is_root:
        raise bad_parameters({"skiplock": "Only root may use this option."})
    return request.flag("skiplock")


def _require_running(core: Core, vmid: int, word: str) -> None:
    if not core.is_running(vmid):
        raise died(f"{word} {vmid} not running")


def _overrule_shutdowns(core: Core, request: Request) -> None:
    for record in core.tasks.records:
        same = record.type == "vzshutdown" and record.id == request["vmid"]
        if same and record.ended is None:
            core.tasks.interrupt(record.upid)

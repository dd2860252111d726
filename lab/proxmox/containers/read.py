"""Reading containers: configuration, what is pending, figures, addresses."""

from ipaddress import IPv4Interface

from lab.guests import GuestError, LiveInterface, Usage
from lab.proxmox.call import Request, Rows, Values
from lab.proxmox.containers.config import digest, pending_values, running_values
from lab.proxmox.containers.spec import DEFAULT_MEMORY_MB, guest_spec
from lab.proxmox.containers.values import Mount
from lab.proxmox.core import Core, guest_key
from lab.proxmox.errors import died
from lab.proxmox.state import GuestRecord

MIB = 1 << 20


async def config(core: Core, request: Request) -> Values:
    """GET config: what the next start will use, or (current=1) what runs."""
    record = core.container(request.vmid)
    if (snapshot := request.get("snapshot")) is not None:
        raise died(f"snapshot '{snapshot}' does not exist")
    values = running_values(record) if request.flag("current") else pending_values(record)
    if "env" in values and not request.caller.has(f"/vms/{request.vmid}", "VM.Config.Options"):
        del values["env"]
    return values | {"digest": digest(record)}


async def pending(core: Core, request: Request) -> Rows:
    """GET pending: each option with its running and its coming value."""
    record = core.container(request.vmid)
    rows: Rows = []
    running = running_values(record)
    coming = pending_values(record)
    for key in sorted({*record.config, *record.pending}):
        row: Values = {"key": key}
        if key in running:
            row["value"] = str(running[key])
        if key in record.pending:
            row["pending"] = str(coming.get(key, ""))
        if key in record.pending_delete:
            row["delete"] = 1
        rows.append(row)
    rows.append({"key": "digest", "value": digest(record)})
    return rows


async def current(core: Core, request: Request) -> Values:
    """GET status/current."""
    record = core.container(request.vmid)
    row = await figures(core, request.vmid, record)
    return row | {"ha": {"managed": 0}}


async def listing(core: Core, request: Request) -> Rows:
    """GET lxc: the containers that the caller may see."""
    return [
        await figures(core, vmid, record)
        for vmid, record in sorted(core.store.state.guests.items())
        if record.kind == "lxc" and request.caller.has(f"/vms/{vmid}", "VM.Audit")
    ]


async def interfaces(core: Core, request: Request) -> Rows | None:
    """GET interfaces: null for a container that does not run."""
    core.container(request.vmid)
    if not core.is_running(request.vmid) or core.guests is None:
        return None
    try:
        live = await core.guests.interfaces(guest_key(request.vmid))
    except GuestError:  # it has ended since the question
        return None
    return [_interface(interface) for interface in live]


async def figures(core: Core, vmid: int, record: GuestRecord) -> Values:
    """A container's row in lists; sizes in bytes."""
    config = record.config
    running = core.is_running(vmid)
    usage = await _usage(core, vmid, config) if running else None
    memory = int(config.get("memory", DEFAULT_MEMORY_MB))
    swap = int(config.get("swap", DEFAULT_MEMORY_MB))
    row: Values = {
        "vmid": vmid,
        "status": "running" if running else "stopped",
        "name": config.get("hostname", f"CT{vmid}"),
        "type": "lxc",
        "cpus": _cpus(core, config),
        "cpu": 0,
        "maxmem": memory * MIB,
        "mem": usage.memory_bytes if usage else 0,
        "maxswap": swap * MIB,
        "swap": 0,
        "maxdisk": Mount.parse("rootfs", config["rootfs"]).size if "rootfs" in config else 0,
        "disk": usage.disk_bytes if usage else 0,
        "diskread": 0,
        "diskwrite": 0,
        "netin": usage.netin_bytes if usage else 0,
        "netout": usage.netout_bytes if usage else 0,
        "uptime": usage.uptime_s if usage else 0,
    }
    if usage is not None:
        row["pid"] = usage.pid
        row |= {f"pressure{name}": 0 for name in ("cpusome", "cpufull", "iosome", "iofull")}
        row |= {"pressurememorysome": 0, "pressurememoryfull": 0}
    row |= {key: config[key] for key in ("lock", "tags") if config.get(key)}
    if config.get("template") == "1":
        row["template"] = 1
    return row


async def _usage(core: Core, vmid: int, config: dict[str, str]) -> Usage | None:
    assert core.guests is not None
    if "rootfs" not in config:
        return None
    try:
        return await core.guests.usage(guest_spec(vmid, config, core.storages))
    except GuestError:  # it has ended since the question, or is in the middle of a reboot
        return None


def _cpus(core: Core, config: dict[str, str]) -> int | float:
    if "cores" in config:
        return int(config["cores"])
    limit = float(config.get("cpulimit", "0"))
    return limit or core.world.proxmox.node.cores


def _interface(live: LiveInterface) -> Values:
    row: Values = {
        "name": live.name,
        "hwaddr": live.hwaddr,
        "hardware-address": live.hwaddr,
        "ip-addresses": [
            {
                "ip-address": str(address.ip),
                "ip-address-type": "inet" if isinstance(address, IPv4Interface) else "inet6",
                "prefix": address.network.prefixlen,
            }
            for address in live.addresses
        ],
    }
    for address in live.addresses:
        key = "inet" if isinstance(address, IPv4Interface) else "inet6"
        row.setdefault(key, str(address))
    return row

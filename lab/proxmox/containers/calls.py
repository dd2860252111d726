"""The calls on containers by name."""

from collections.abc import Awaitable, Callable
from typing import Any

from lab.proxmox.call import Handler, Request, Rows
from lab.proxmox.containers import create, destroy, power, read, resize, update
from lab.proxmox.core import Core

_CT = "/nodes/{node}/lxc/{vmid}"
_CALLS: dict[str, Callable[[Core, Request], Awaitable[Any]]] = {
    "GET /nodes/{node}/lxc": read.listing,
    "POST /nodes/{node}/lxc": create.create,
    f"DELETE {_CT}": destroy.destroy,
    f"GET {_CT}/config": read.config,
    f"PUT {_CT}/config": update.update,
    f"GET {_CT}/pending": read.pending,
    f"PUT {_CT}/resize": resize.resize,
    f"GET {_CT}/interfaces": read.interfaces,
    f"GET {_CT}/status/current": read.current,
    f"POST {_CT}/status/start": power.start,
    f"POST {_CT}/status/stop": power.stop,
    f"POST {_CT}/status/shutdown": power.shutdown,
    f"POST {_CT}/status/reboot": power.reboot,
}
_BELOW = {
    f"GET {_CT}": ("config", "firewall", "interfaces", "pending", "resize", "status"),
    f"GET {_CT}/status": ("current", "reboot", "shutdown", "start", "stop"),
}


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""

    def bind(call: Callable[[Core, Request], Awaitable[Any]]) -> Handler:
        return lambda request: call(core, request)

    return {name: bind(call) for name, call in _CALLS.items()} | {
        name: _index(below) for name, below in _BELOW.items()
    }


def _index(names: tuple[str, ...]) -> Handler:
    async def index(_: Request) -> Rows:
        return [{"subdir": name} for name in names]

    return index

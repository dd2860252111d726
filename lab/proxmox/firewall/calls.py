"""The calls on a container's firewall by name."""

from lab.proxmox.call import Handler, Request, Rows
from lab.proxmox.core import Core
from lab.proxmox.firewall.options import Options
from lab.proxmox.firewall.rules import Rules
from lab.proxmox.firewall.sets import Aliases, Ipsets

_FW = "/nodes/{node}/lxc/{vmid}/firewall"


def handlers(core: Core) -> dict[str, Handler]:
    """The calls by name."""
    options, rules, aliases, ipsets = Options(core), Rules(core), Aliases(core), Ipsets(core)
    return {
        f"GET {_FW}": _index,
        f"GET {_FW}/options": options.read,
        f"PUT {_FW}/options": options.update,
        f"GET {_FW}/rules": rules.listing,
        f"POST {_FW}/rules": rules.create,
        f"GET {_FW}/rules/{{pos}}": rules.read,
        f"PUT {_FW}/rules/{{pos}}": rules.update,
        f"DELETE {_FW}/rules/{{pos}}": rules.delete,
        f"GET {_FW}/aliases": aliases.listing,
        f"POST {_FW}/aliases": aliases.create,
        f"GET {_FW}/aliases/{{name}}": aliases.read,
        f"PUT {_FW}/aliases/{{name}}": aliases.update,
        f"DELETE {_FW}/aliases/{{name}}": aliases.delete,
        f"GET {_FW}/ipset": ipsets.listing,
        f"POST {_FW}/ipset": ipsets.create,
        f"GET {_FW}/ipset/{{name}}": ipsets.entries,
        f"POST {_FW}/ipset/{{name}}": ipsets.add,
        f"DELETE {_FW}/ipset/{{name}}": ipsets.delete,
        f"GET {_FW}/ipset/{{name}}/{{cidr}}": ipsets.entry,
        f"PUT {_FW}/ipset/{{name}}/{{cidr}}": ipsets.change,
        f"DELETE {_FW}/ipset/{{name}}/{{cidr}}": ipsets.remove,
    }


async def _index(_: Request) -> Rows:
    return [{"name": name} for name in ("aliases", "ipset", "options", "rules")]

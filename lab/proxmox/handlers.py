"""Which function answers which call."""

from lab.proxmox.access import calls as access
from lab.proxmox.access import tokens, users
from lab.proxmox.call import Handler
from lab.proxmox.containers import calls as containers
from lab.proxmox.core import Core
from lab.proxmox.firewall import calls as firewall
from lab.proxmox.node import cluster, node, pools
from lab.proxmox.storage import calls as storage
from lab.proxmox.tasks import calls as tasks


def all_handlers(core: Core) -> dict[str, Handler]:
    """A handler for each call that has a parameter table."""
    return {
        **access.handlers(core),
        **users.handlers(core),
        **tokens.handlers(core),
        **cluster.handlers(core),
        **containers.handlers(core),
        **firewall.handlers(core),
        **node.handlers(core),
        **pools.handlers(core),
        **storage.handlers(core),
        **tasks.handlers(core),
    }

"""A firewall's record and its digest. The container itself need not exist."""

import hashlib

from lab.proxmox.call import Request, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import died
from lab.proxmox.state import FirewallRecord


class Part:
    """What the calls on options, rules, aliases and sets have in common."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def record(self, request: Request) -> FirewallRecord:
        """The record as it is; an empty one where nothing was set."""
        return self._core.store.state.firewalls.get(request.vmid, FirewallRecord())

    def changing(self, request: Request) -> FirewallRecord:
        """The record to change; raises a 500 when the caller has read an older one."""
        record = self._core.store.state.firewalls.setdefault(request.vmid, FirewallRecord())
        given = request.get("digest")
        if given and given != digest(record):
            raise died("detected modified configuration - file changed by other user? Try again.")
        return record

    def save(self) -> None:
        self._core.store.save()


def digest(record: FirewallRecord) -> str:
    """Changes with every change of the firewall's settings."""
    text = record.model_dump_json()
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def with_comment(values: Values, comment: str | None) -> Values:
    """The values and a comment, unless it is empty."""
    return values | ({"comment": comment} if comment else {})

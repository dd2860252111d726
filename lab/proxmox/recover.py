"""After a restart of the process: finish or take back what it was doing."""

import logging

from lab.guests import GuestError
from lab.proxmox.containers.create import remove_half_made
from lab.proxmox.containers.destroy import finish_destroy
from lab.proxmox.core import Core

_logger = logging.getLogger(__name__)


async def recover(core: Core) -> None:
    """Tasks that ran read `unexpected status`; half-made containers go, half-removed ones too."""
    core.tasks.recover()
    for vmid, record in list(core.store.state.guests.items()):
        lock = record.config.get("lock")
        try:
            if lock == "create":
                await remove_half_made(core, vmid, _logger.info)
            elif lock == "destroyed":
                await finish_destroy(core, vmid, _logger.info)
        except GuestError as error:
            _logger.warning("container %s: %s", vmid, error)

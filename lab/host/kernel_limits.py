"""Kernel limits that all containers of a machine share, and that Debian sets for one system.

They are raised while the machine runs, as Proxmox does on its nodes, and never lowered: another
lab may need them. A reboot of the machine forgets them.
"""

from pathlib import Path

from lab.guests import Log

_AT_LEAST = {
    # A systemd takes eleven; Debian's 128 for all of root's is used up by a dozen containers,
    # and the next one hangs in its start.
    "fs/inotify/max_user_instances": 8192,
    "fs/inotify/max_user_watches": 524_288,
    # A key or more for each service of each container, all of them of one user outside.
    "kernel/keys/maxkeys": 20_000,
    "kernel/keys/maxbytes": 2_000_000,
}


def ensure_limits(log: Log) -> None:
    """Raise what is too low; where this machine does not let us, the log says so."""
    for name, wanted in _AT_LEAST.items():
        file = Path("/proc/sys") / name
        if file.exists() and int(file.read_text()) < wanted:
            try:
                file.write_text(str(wanted))
            except OSError as error:
                sysctl = name.replace("/", ".")
                log(f"{sysctl} cannot be raised to {wanted} ({error.strerror}): run few containers")

"""Where a private mount namespace puts its mounts. Standard library only."""

from pathlib import Path

STAGE = Path("/run/netns")
"""Covered by a mount inside private mount namespaces only; nothing of it is seen outside.

It is there on every machine with named network namespaces, every user may walk down to it (an
unprivileged container must), and nothing that runs in such a namespace wants its content.
"""

PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation", "slave")
"""Command prefix: what is mounted after it goes away with the last process that it started."""

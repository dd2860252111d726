"""Command lines that run something inside the lab's network."""

from collections.abc import Sequence
from pathlib import Path

from lab.host.stage import PRIVATE_MOUNTS
from lab.paths import LabPaths

_INSIDE = Path(__file__).with_name("scripts") / "inside.sh"


def namespace_file(paths: LabPaths) -> Path:
    """The lab's network namespace, where `ip netns` keeps it."""
    return Path("/run/netns") / paths.namespace


def resolver_directory(paths: LabPaths) -> Path:
    """The lab's own resolv.conf, hosts and nsswitch.conf, in place of the machine's."""
    return paths.root / "etc"


def in_network(paths: LabPaths, command: Sequence[str]) -> list[str]:
    """`command` in the lab's network namespace, with this machine's files and names."""
    return ["nsenter", f"--net={namespace_file(paths)}", "--", *command]


def command_inside(paths: LabPaths, command: Sequence[str]) -> list[str]:
    """`command` as a user's: in the lab's network, and names are the lab's, too."""
    script = [str(_INSIDE), str(resolver_directory(paths))]
    return in_network(paths, [*PRIVATE_MOUNTS, *script, *command])

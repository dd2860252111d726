"""The command that serves each double, for whoever puts plugins in place."""

from pathlib import Path

from lab.doubles.install import start_command

_DOUBLES = ("cloudflare", "command", "tailscale")


def double_commands(python: Path) -> dict[str, list[str]]:
    """By plugin name; run by `python`. Nothing of a double is imported for it."""
    return {name: start_command(python, f"lab.doubles.{name}.plugin") for name in _DOUBLES}

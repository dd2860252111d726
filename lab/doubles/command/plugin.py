"""The plugin itself: what the executable runs, and how it comes to the engine."""

from pathlib import Path

from lab.doubles.command.command import Command
from lab.doubles.command.copy_file import CopyFile
from lab.doubles.command.copy_to_remote import CopyToRemote
from lab.doubles.install import install, start_command
from lab.doubles.provider import Double
from lab.doubles.serve import serve

NAME = "command"
VERSION = "1.2.1"


def main() -> None:
    """Serve one engine."""
    serve(
        Double(
            NAME,
            VERSION,
            {
                "command:remote:Command": Command(),
                "command:remote:CopyToRemote": CopyToRemote(),
                "command:remote:CopyFile": CopyFile(),
            },
        )
    )


def plugin_command(python: Path) -> list[str]:
    """The command that serves the double, run by `python`."""
    return start_command(python, __name__)


def install_plugin(plugins: Path, python: Path) -> Path:
    """Put the double below `plugins`, to be run by `python`; returns its executable."""
    return install(plugins, NAME, VERSION, plugin_command(python))

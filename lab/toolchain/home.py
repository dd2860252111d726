"""Lays out the lab's own PULUMI_HOME: programs in `bin`, plugins in `plugins`."""

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.toolchain.installed import LANGUAGE_HOST, InstalledPulumi
from lab.toolchain.pins import PULUMI, Plugin

LANGUAGE_HOST_PROGRAM = Path(__file__).with_name("language_host.py")


def place_engine(home: Path, built: Path) -> Path:
    """Put the built engine and its language host into `bin`; return the engine.

    The engine looks for its language host beside its own real path, and warns about any other
    place: so it is a file of its own here, a link to the same data where the disk allows it.
    """
    binaries = home / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    engine = binaries / PULUMI.executable
    _same_file(built / PULUMI.executable, engine)
    executor = binaries / f"{LANGUAGE_HOST}-exec"
    _same_file(built / executor.name, executor)
    launch = [sys.executable, "-P", "-s", str(LANGUAGE_HOST_PROGRAM), str(executor)]
    # The shell knows its parent long before Python has started and the parent may be gone.
    _place_launcher(binaries / LANGUAGE_HOST, f'{shlex.join(launch)} "$PPID"')
    return engine


def place_language_host(home: Path, engine: InstalledPulumi) -> None:
    """Let an installed engine find its language host, wherever that is.

    Told to pass over what lies about on PATH, it looks in its home and beside itself only, and
    what is called `pulumi` may be a script that starts it somewhere else.
    """
    remove_language_host(home)
    directory = home / "plugins" / f"language-python-v{engine.version}"
    directory.mkdir(parents=True, exist_ok=True)
    _link_all(directory, {LANGUAGE_HOST: engine.language_host.absolute()})


def remove_language_host(home: Path) -> None:
    """Forget the one that was placed for another engine."""
    for placed in (home / "plugins").glob("language-python-v*"):
        if placed.is_dir():
            shutil.rmtree(placed)
        else:  # where the engine notes when it was used
            placed.unlink()


def place_plugin(home: Path, plugin: Plugin, source: Path) -> Path:
    """Make everything in the directory `source` available as this plugin; return its executable."""
    directory = _plugin_directory(home, plugin)
    _link_all(directory, {entry.name: entry for entry in source.iterdir()})
    return directory / plugin.executable


def place_double(home: Path, plugin: Plugin, command: Sequence[str]) -> Path:
    """Make a command available as this plugin; return its executable."""
    directory = _plugin_directory(home, plugin)
    _link_all(directory, {})
    launcher = directory / plugin.executable
    _place_launcher(launcher, shlex.join(command))
    return launcher


def remove_plugin(home: Path, plugin: Plugin) -> None:
    """Make this plugin unavailable, if it ever was."""
    directory = home / "plugins" / plugin.directory
    if directory.exists():
        shutil.rmtree(directory)


def _plugin_directory(home: Path, plugin: Plugin) -> Path:
    # The engine passes over a plugin directory that is a link: only what is in it may be links.
    directory = home / "plugins" / plugin.directory
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _link_all(directory: Path, targets: Mapping[str, Path]) -> None:
    for present in directory.iterdir():
        if present.is_symlink() and present.name not in targets:
            present.unlink()
    for name, target in targets.items():
        link = directory / name
        if link.is_symlink() and link.readlink() == target:
            continue
        unfinished = _beside(link)
        unfinished.symlink_to(target)
        unfinished.replace(link)


def _place_launcher(path: Path, command: str) -> None:
    # A shell, since "#!" takes neither blanks in the path nor more than one argument.
    text = f'#!/bin/sh\nexec {command} "$@"\n'
    if path.is_file() and not path.is_symlink() and path.read_text(encoding="utf-8") == text:
        return
    unfinished = _beside(path)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(0o755)
    unfinished.replace(path)


def _same_file(source: Path, target: Path) -> None:
    if target.exists() and _has_same_data(source, target):
        return
    unfinished = _beside(target)
    try:
        os.link(source, unfinished)
    except OSError:
        shutil.copy2(source, unfinished)
    unfinished.replace(target)


def _has_same_data(source: Path, target: Path) -> bool:
    first, second = source.stat(), target.stat()
    if (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino):
        return True
    return (first.st_size, first.st_mtime_ns) == (second.st_size, second.st_mtime_ns)


def _beside(path: Path) -> Path:
    """A name in the same directory that nothing has."""
    return Path(tempfile.mktemp(prefix=f".{path.name}-", dir=path.parent))  # noqa: S306

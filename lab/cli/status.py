"""`lab status`: the same facts as a table or as JSON."""

from typing import Any

from rich.console import Console
from rich.table import Table

from lab.cli.suggest import suggest
from lab.host.enter import namespace_file
from lab.paths import LabPaths
from lab.process.ask import ask

_WIDE = 250


def read_status(paths: LabPaths) -> dict[str, Any]:
    """The process's answer; `running` false when there is none."""
    answer = ask(paths, "GET", "/status")
    if answer is None:
        return {
            "name": paths.name,
            "running": False,
            "files": paths.root.exists(),
            "network": namespace_file(paths).exists(),
        }
    return {"running": True, **answer}


def print_table(status: dict[str, Any]) -> None:
    """For people."""
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        # Read by a program or kept in a file: nothing is cut off to fit a screen.
        console.width = _WIDE
    if not status["running"]:
        console.print(suggest(f"lab {status['name']}: {_what_is_left(status)}"))
        return
    memory = status["memory_bytes"] / 1e6
    console.print(
        f"lab {status['name']}: {status['phase']}, process {status['pid']}, {memory:.0f} MB, "
        f"Proxmox API at {status['endpoint']}"
    )
    node = next((m for m in status["machines"] if m["kind"] == "node"), None)
    if status["ready"] and node is not None and not node["running"]:
        console.print(suggest(node_is_off(node["name"])))
    if status["containers"]:
        limits = status["memory_controller"] or "nothing: this machine has no memory controller"
        console.print(f"containers: real; memory is limited by {limits}")
        if not status["packages"]:
            console.print(suggest("packages: cut off; `bin/lab packages on`"))
    else:
        console.print(f"containers: none, {'; '.join(status['missing'])}")
    _print_machines(console, status["machines"])
    _print_published(console, status.get("published", []))
    _print_programs(console, status["programs"])


def node_is_off(name: str) -> str:
    """What that means, and what to do."""
    return f"the node is off, and the API with it; `bin/lab start {name}`"


def _what_is_left(status: dict[str, Any]) -> str:
    if status["network"]:
        return (
            "its process has ended, its machines may still run; `bin/lab up` takes them up "
            "again, `bin/lab down` removes them"
        )
    left = "; files of it are left, `bin/lab down` removes them" if status["files"] else ""
    return f"is not running{left}"


def _print_machines(console: Console, machines: list[dict[str, Any]]) -> None:
    table = Table("machine", "kind", "VM id", "address", "state", box=None)
    for machine in machines:
        table.add_row(
            machine["name"],
            machine["kind"],
            str(machine.get("vm_id", "")),
            machine["address"],
            "running" if machine["running"] else "off",
        )
    console.print(table)


def _print_published(console: Console, published: list[dict[str, Any]]) -> None:
    if not published:
        return
    table = Table("public name", "tunnel", "connectors", box=None)
    for entry in published:
        table.add_row(entry["name"], entry["tunnel"], str(entry["connectors"]))
    console.print(table)


def _print_programs(console: Console, programs: list[dict[str, str]]) -> None:
    table = Table("program", "version", "origin", "path", box=None)
    for program in programs:
        table.add_row(program["name"], program["version"], program["origin"], program["path"])
    console.print(table)

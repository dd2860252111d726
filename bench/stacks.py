"""Stack files and projects that the bench runs, written into a scratch directory."""

from pathlib import Path

import yaml

_EMPTY = "name: empty\nruntime: python\n"


def empty_project(directory: Path) -> Path:
    """A project whose program declares nothing: what the engine itself costs."""
    project = directory / "empty"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(_EMPTY)
    (project / "Pulumi.dev.yaml").write_text("config: {}\n")
    (project / "__main__.py").write_text("import pulumi\n")
    return project


def container_stack(directory: Path, count: int) -> Path:
    """A stack file with `count` small containers, from VM id 300 on."""
    hosts = {
        f"c{number}": {
            "container": {
                "node": "pve",
                "vm_id": 300 + number,
                "address": f"192.168.1.{150 + number}/24",
                "gateway": "192.168.1.1",
                "bridge": "vmbr0",
                "cores": 1,
                "memory_mb": 512,
                "swap_mb": 0,
                "disk_gb": 4,
                "storage": "local-lvm",
                "template": {"volume": "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"},
            }
        }
        for number in range(count)
    }
    file = directory / f"Pulumi.bench{count}.yaml"
    file.write_text(yaml.safe_dump({"config": {"berth:id": "b3nchb3n", "berth:hosts": hosts}}))
    return file

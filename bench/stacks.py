"""Stack files and projects that the bench runs, written into a scratch directory."""

from pathlib import Path

import yaml

from bench.measure import CHECKOUT

_EMPTY = "name: empty\nruntime: python\n"


def empty_project(directory: Path) -> Path:
    """A project whose program declares nothing: what the engine itself costs."""
    project = directory / "empty"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(_EMPTY)
    (project / "Pulumi.dev.yaml").write_text("config: {}\n")
    (project / "__main__.py").write_text("import pulumi\n")
    return project


def public_stack(directory: Path, names: list[str]) -> Path:
    """A stack file with the application in a container, public under `names`."""
    container = _container(390, 190) | {"memory_mb": 1024}
    routes = [{"hostname": name, "origin": {"no_tls_verify": True}} for name in names]
    config = {
        "berth:id": "b3nchpub",
        "berth:hosts": {"bench": {"container": container}},
        "berth:services": {
            "bench": {
                "host": "bench",
                "source": str(CHECKOUT / "app"),
                "app": "app:app",
                "tls": {"self_signed": True},
                "routes": routes,
            }
        },
        "berth:cloudflare": {
            "account": "0123456789abcdef0123456789abcdef",
            "zone": "jackshome.com",
            "tunnel": "bench",
            "connector": {"host": "bench"},
        },
    }
    file = directory / "Pulumi.benchpublic.yaml"
    file.write_text(yaml.safe_dump({"config": config}))
    return file


def container_stack(directory: Path, count: int) -> Path:
    """A stack file with `count` small containers, from VM id 300 on."""
    hosts = {
        f"c{number}": {"container": _container(300 + number, 150 + number)}
        for number in range(count)
    }
    file = directory / f"Pulumi.bench{count}.yaml"
    file.write_text(yaml.safe_dump({"config": {"berth:id": "b3nchb3n", "berth:hosts": hosts}}))
    return file


def _container(vm_id: int, octet: int) -> dict[str, object]:
    return {
        "node": "pve",
        "vm_id": vm_id,
        "address": f"192.168.1.{octet}/24",
        "gateway": "192.168.1.1",
        "bridge": "vmbr0",
        "cores": 1,
        "memory_mb": 512,
        "swap_mb": 0,
        "disk_gb": 4,
        "storage": "local-lvm",
        "template": {"volume": "local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst"},
    }

"""What the program declares is what the provider's own schema knows."""

import json
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.unit.infra.recording import Recorded, container, run_program, stack

pytestmark = pytest.mark.shared
FULL = {
    "vlan": 20,
    "start_order": 3,
    "tags": ["web"],
    "pool": "production",
    "hostname": "chat.example",
    "nameservers": ["192.168.1.1"],
    "root_password": "chat-root",
}


def wrong(value: Any, wanted: dict[str, Any], types: dict[str, Any], path: str) -> list[str]:
    """Where `value` does not fit; enough of JSON Schema for the extract."""
    if "$ref" in wanted:
        wanted = types[wanted["$ref"].removeprefix("#/types/")]
    if isinstance(value, float) and value.is_integer():
        # The engine knows numbers only.
        value = int(value)
    kinds: dict[str, Any] = {
        "integer": int,
        "number": (int, float),
        "string": str,
        "boolean": bool,
        "array": list,
    }
    if wanted.get("type") in kinds:
        fits = isinstance(value, kinds[wanted["type"]])
        if not fits or (wanted["type"] != "boolean" and isinstance(value, bool)):
            return [f"{path}: {value!r} is no {wanted['type']}"]
    if wanted.get("type") == "array":
        each = enumerate(value)
        return [w for i, v in each for w in wrong(v, wanted["items"], types, f"{path}[{i}]")]
    if "properties" not in wanted:
        return []
    missing = [f"{path}.{key} is missing" for key in wanted.get("required", []) if key not in value]
    unknown = [f"{path}.{key} is unknown" for key in value if key not in wanted["properties"]]
    known = {k: v for k, v in value.items() if k in wanted["properties"]}
    return [
        *missing,
        *unknown,
        *(
            w
            for k, v in known.items()
            for w in wrong(v, wanted["properties"][k], types, f"{path}.{k}")
        ),
    ]


def test_every_input_fits_the_schema_of_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = json.loads((SHARED / "contracts" / "proxmoxve-schema.json").read_text())
    template = {"url": "https://example.org/debian-13.tar.zst", "checksum": "a" * 64}
    hosts = {
        "chat": container(**FULL),
        "web": container(vm_id=112, address="192.168.1.112/24", template=template),
    }
    config = stack(hosts)
    config["berth:secrets"] |= {"chat-root": {"secure": "hunter2hunter2"}}
    program = run_program(config, monkeypatch)
    of_provider: list[Recorded] = [r for r in program.recorded if r.kind.startswith("proxmoxve:")]
    assert len(of_provider) == 3
    for resource in of_provider:
        wanted = schema["resources"][resource.kind]
        shape = {
            "properties": wanted["inputProperties"],
            "required": wanted["requiredInputs"],
        }
        assert wrong(resource.inputs, shape, schema["types"], resource.name) == []

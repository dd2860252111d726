"""The double accepts, requires, hides and replaces what the real plugin's schema says."""

import json
from typing import Any

import pytest

from lab.doubles.command import schema
from lab.doubles.shapes import Field, Scalar, Shape
from tests.conftest import SHARED

pytestmark = pytest.mark.shared

RESOURCES = {
    "command:remote:Command": schema.COMMAND_INPUTS,
    "command:remote:CopyToRemote": schema.COPY_TO_REMOTE_INPUTS,
    "command:remote:CopyFile": schema.COPY_FILE_INPUTS,
}
TYPES: dict[Scalar, dict[str, Any]] = {
    Scalar.STRING: {"type": "string"},
    Scalar.NUMBER: {"type": "number"},
    Scalar.INTEGER: {"type": "integer"},
    Scalar.BOOL: {"type": "boolean"},
    Scalar.LIST: {"type": "array", "items": {"$ref": "pulumi.json#/Any"}},
    Scalar.STRINGS: {"type": "object", "additionalProperties": {"type": "string"}},
    Scalar.SOURCE: {"$ref": "pulumi.json#/Asset"},
    Scalar.LOGGING: {"$ref": "#/types/command:remote:Logging"},
}


def as_schema(field: Field) -> dict[str, Any]:
    if isinstance(field.type, Shape):
        told: dict[str, Any] = {"$ref": f"#/types/command:{field.type.name.replace('.', ':')}"}
    else:
        told = dict(TYPES[field.type])
    if field.secret:
        told["secret"] = True
    if field.replaces:
        told["replaceOnChanges"] = True
    if field.default is not None:
        told["default"] = field.default
    return told


def required(shape: Shape) -> set[str]:
    return {key for key, field in shape.fields.items() if field.required}


@pytest.fixture(scope="module")
def extract() -> Any:
    return json.loads((SHARED / "contracts" / "command-schema.json").read_text())


@pytest.mark.parametrize("token", sorted(RESOURCES))
def test_a_resource_takes_exactly_the_real_inputs(token: str, extract: Any) -> None:
    real = extract["resources"][token]
    shape = RESOURCES[token]

    assert {k: as_schema(f) for k, f in shape.fields.items()} == real["inputProperties"]
    assert required(shape) == set(real["requiredInputs"])


@pytest.mark.parametrize("name", ["Connection", "ProxyConnection"])
def test_a_connection_takes_exactly_the_real_properties(name: str, extract: Any) -> None:
    connection = schema.COMMAND_INPUTS.fields["connection"].type
    assert isinstance(connection, Shape)
    proxy = connection.fields["proxy"].type
    assert isinstance(proxy, Shape)
    shape = connection if name == "Connection" else proxy
    real = extract["types"][f"command:remote:{name}"]

    assert {k: as_schema(f) for k, f in shape.fields.items()} == real["properties"]
    assert required(shape) == set(real["required"])

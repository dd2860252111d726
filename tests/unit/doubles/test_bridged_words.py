"""What a bridged double says of values that have no place: users search for the real one's words."""

import sys
from pathlib import Path
from typing import Any

import pytest

from lab.doubles.bridged.attributes import Attribute, Kind, Many, Nested
from lab.doubles.bridged.convert import EncodeError, encode
from lab.doubles.cloudflare.plugin import plugin_command
from tests.unit.doubles.provider_client import Plugin

ATTRIBUTES = (
    Attribute("tags", Many(Kind.STRING, unordered=True)),
    Attribute("paths", Many(Kind.STRING)),
    Attribute("ttl", Kind.NUMBER),
    Attribute("name"),
    Attribute("settings", Nested((Attribute("flatten_cname", Kind.BOOL),))),
)
FAILED = "objectEncoder failed on property"


VALUE = "resource.PropertyValue"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("tags", "a", f"set encoder failed: expected an Array PropertyValue, got a {VALUE}"),
        (
            "tags",
            ["a", {"b": 1.0}],
            (
                "set encoder failed: encoding element 1 ({map[b:{1}]}): "
                "Expected a string, got: {map[b:{1}]}"
            ),
        ),
        ("paths", 5.0, "Expected an Array PropertyValue"),
        (
            "paths",
            [["a", True]],
            (
                "encList failed while encoding element 0 ({[{a} {true}]}): "
                "Expected a string, got: {[{a} {true}]}"
            ),
        ),
        ("ttl", "soon", f'Expected a Number, got {VALUE}{{V:"soon"}} true'),
        ("ttl", [1.5], f"Expected a Number, got {VALUE}{{V:[]{VALUE}{{{VALUE}{{V:1.5}}}}}} false"),
        ("ttl", True, f"Expected a Number, got {VALUE}{{V:true}} false"),
        (
            "ttl",
            {"a": "b"},
            f'Expected a Number, got {VALUE}{{V:resource.PropertyMap{{"a":{VALUE}{{V:"b"}}}}}} false',
        ),
        ("settings", "off", 'Expected an Object PropertyValue, found string ("{off}")'),
        ("settings", {"flattenCname": "yes"}, f'{FAILED} "flatten_cname": Expected a Boolean'),
    ],
)
def test_a_value_without_a_place_is_told_as_the_bridge_tells_it(
    name: str, value: Any, words: str
) -> None:
    with pytest.raises(EncodeError) as told:
        encode(ATTRIBUTES, {name: value})
    assert str(told.value) == f'{FAILED} "{name}": {words}'


def test_simple_values_of_another_type_are_taken() -> None:
    made = encode(ATTRIBUTES, {"name": 5.0, "ttl": "300", "tags": [True]})
    assert (made["name"], made["ttl"], made["tags"]) == ("5", 300.0, ["true"])


def test_a_look_up_is_named_as_upstream_names_it() -> None:
    plugin = Plugin(plugin_command(Path(sys.executable)))
    plugin.ask("Configure", args={"baseUrl": "http://127.0.0.1:9"})
    of_two = plugin.ask("Invoke", tok="cloudflare:index/getZone:getZone", args={})
    assert of_two["error"] == (
        "Missing Attribute Configuration: Exactly one of these attributes must be configured: "
        "[zone_id,filter]"
    )
    name = "getZeroTrustTunnelCloudflareds"
    answer = plugin.ask("Invoke", tok=f"cloudflare:index/{name}:{name}", args={"maxItems": "x"})
    assert plugin.end() == ""
    assert answer["error"] == (
        'cannot encode config to call ReadDataSource for "cloudflare_zero_trust_tunnel_cloudflareds'
        f'": {FAILED} "max_items": Expected a Number, got resource.PropertyValue{{V:"x"}} true'
    )

"""Every case in which the real tailscale provider was asked, asked of the double."""

import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.doubles.tailscale.plugin import plugin_command
from tests.conftest import SHARED
from tests.unit.doubles.bridged_contract import Case, Subject, comparable, steps
from tests.unit.doubles.provider_client import Plugin
from tests.unit.doubles.recorder import Answer, Recorder

pytestmark = pytest.mark.shared

CONTRACT = SHARED / "contracts" / "tailscale-behaviour.json"
CASES: dict[str, Any] = json.loads(CONTRACT.read_text())["cases"] if CONTRACT.is_file() else {}
TOKENS = {
    name: f"tailscale:index/{kind[:1].lower()}{kind[1:]}:{kind}"
    for name, kind in (
        ("key", "TailnetKey"),
        ("acl", "Acl"),
        ("device-tags", "DeviceTags"),
        ("device-key", "DeviceKey"),
    )
}
KEY_INPUTS = {
    "reusable": False,
    "ephemeral": False,
    "preauthorized": True,
    "tags": ["tag:web"],
    "expiry": 3600,
    "description": "berth chat",
}
MONTHS_3_S = 7776000


class Api:
    """Tailscale as the measurements had it: it keeps what it is told and refuses nothing."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self._ids = itertools.count(1)

    def answer(self, method: str, path: str, body: Any) -> Answer:  # noqa: PLR0911
        bare = path.partition("?")[0]
        if bare.endswith("/oauth/token"):
            return 200, {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        if bare.endswith("/devices"):
            return 200, {"devices": []}
        if "/device/" in bare:
            return (404, {"message": "no such device"}) if "/9/" in bare else (200, {})
        if bare.endswith("/acl"):
            return 200, body
        if method == "POST":
            made = f"k{next(self._ids)}CNTRL"
            key = {
                "id": made,
                "keyType": "auth",
                "created": "2026-01-01T00:00:00Z",
                "expires": "2026-04-01T00:00:00Z",
                "invalid": False,
                **body,
            }
            key["expirySeconds"] = body["expirySeconds"] or MONTHS_3_S
            self.kept[f"{bare}/{made}"] = key
            return 200, {**key, "key": f"tskey-auth-{made}-SECRET"}
        if bare not in self.kept:
            return 404, {"message": "key not found"}
        return 200, self.kept.pop(bare) if method == "DELETE" else self.kept[bare]


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def recorder(api: Api) -> Iterator[Recorder]:
    made = Recorder(api.answer)
    yield made
    made.close()


@pytest.fixture(scope="module")
def running() -> Iterator[Plugin]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("API_KEY", "TAILNET", "BASE_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"):
            patch.delenv(f"TAILSCALE_{name}", raising=False)
        plugin = Plugin(plugin_command(Path(sys.executable)))
    yield plugin
    assert plugin.end() == ""


@pytest.fixture
def subject(recorder: Recorder, running: Plugin) -> Subject:
    return Subject("tailscale", running, recorder, f"http://{recorder.address}", {})


def use(subject: Subject) -> Any:
    return subject.create(TOKENS["key"], {"description": "d"})


def special(name: str, subject: Subject, api: Api) -> Any:
    """The cases whose question is told in words."""
    if name.startswith("invoke-device-"):
        asked = {
            "invoke-device-none": {"hostname": "nobody"},
            "invoke-device-wait": {"hostname": "nobody", "waitFor": "3s"},
            "invoke-device-both": {"hostname": "h", "name": "n"},
            "invoke-device-empty": {},
        }
        return subject.invoke("getDevice", asked[name])
    token = TOKENS["key"]
    state = subject.made(token, KEY_INPUTS)
    if name == "key-import":
        return subject.read(token, state["id"])
    if name == "key-update-recreate":
        return subject.update(token, state, {**KEY_INPUTS, "recreateIfInvalid": "never"})
    if name == "key-read-invalid":
        (key,) = api.kept.values()
        key["invalid"] = True
    if name.endswith("-gone"):
        api.kept.clear()
    if name.startswith("key-delete"):
        return subject.delete(token, state)
    if name.startswith("key-read"):
        return subject.read(token, state["id"], state, KEY_INPUTS)
    raise LookupError(f"{name}: nobody has said how this case is asked")


@pytest.mark.parametrize("name", CASES)
def test_the_double_answers_as_the_real_provider_did(name: str, subject: Subject, api: Api) -> None:
    case = Case(name, CASES[name])
    subject.force(case.asked)
    config = case.configuration(CASES) or {"apiKey": "tskey-api-x", "baseUrl": "<URL>"}
    subject.configure(config)
    token = next((TOKENS[key] for key in TOKENS if name.startswith(key)), "")
    answer = steps(subject, case, token, config, use)
    if answer is None:
        answer = special(name, subject, api)
    assert alike(comparable(subject, answer, case)) == alike(case.expected)


def alike(told: Any) -> Any:
    """The measurements' own ids made one."""
    text = re.sub(r"\bk\d+CNTRL\b", "<KEY>", json.dumps(told))
    return json.loads(re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<UUID>", text))


def test_a_machine_is_found_with_everything_that_the_api_leaves_out_empty(
    subject: Subject,
) -> None:
    found = {"id": "1", "nodeId": "n1", "name": "a.lab.ts.net", "lastSeen": None}
    subject.recorder.forced.append(["GET", "/devices", (200, {"devices": [found]}), None])
    subject.configure({"apiKey": "k", "baseUrl": "<URL>"})
    told = subject.invoke("getDevice", {"name": "a.lab.ts.net"})["return"]
    assert (told["nodeId"], told["tags"], told["lastSeen"]) == ("n1", [], "")
    assert (told["authorized"], told["expires"]) == (False, "0001-01-01T00:00:00Z")


def test_a_key_that_is_imported_has_no_secret_to_show(subject: Subject) -> None:
    subject.configure({"apiKey": "k", "baseUrl": "<URL>"})
    made = subject.made(TOKENS["key"], KEY_INPUTS)
    told = subject.read(TOKENS["key"], made["id"])
    assert made["key"]
    assert "key" not in told["properties"]
    assert told["properties"]["expiry"] == KEY_INPUTS["expiry"]


def test_a_client_is_not_imported_as_a_key(subject: Subject) -> None:
    client = {"id": "k1", "keyType": "client"}
    subject.recorder.forced.append(["GET", "/keys/", (200, client), None])
    subject.configure({"apiKey": "k", "baseUrl": "<URL>"})
    told = subject.read(TOKENS["key"], "k1")
    assert told["error"] == (
        "Invalid key type 'client': Only 'auth' keys are supported by this resource"
    )


def test_machines_are_filtered_by_each_value(subject: Subject) -> None:
    subject.configure({"apiKey": "k", "baseUrl": "<URL>"})
    filters = [{"name": "tags", "values": ["tag:x", "tag:y"]}]
    assert subject.invoke("getDevices", {"filters": filters})["return"]["devices"] == []
    (asked,) = subject.recorder.requests
    assert asked["path"].endswith("/devices?tags=tag%3Ax&tags=tag%3Ay")


def test_a_policy_that_somebody_changed_is_not_overwritten(subject: Subject) -> None:
    refusal = 412, {"message": "precondition failed, invalid old hash"}
    subject.recorder.forced.append(["POST", "/acl", refusal, None])
    subject.configure({"apiKey": "k", "baseUrl": "<URL>"})
    answer = subject.create(TOKENS["acl"], {"acl": "{}"})
    assert answer["error"].startswith("Overwrite Protected: ")
    state = {"id": "x", "acl": "{}"}
    assert "error" not in subject.delete(TOKENS["acl"], state)
    assert subject.recorder.requests == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("DeviceTags", {"tags": ["tag:x"]}),
        ("DeviceKey", {"keyExpiryDisabled": True}),
        ("DeviceAuthorization", {"authorized": True}),
    ],
)
def test_what_is_said_of_a_machine_that_is_gone_leaves_the_state(
    subject: Subject, kind: str, said: dict[str, Any]
) -> None:
    gone = 404, {"message": "no manageable device matching this ID found"}
    subject.recorder.forced.append(["GET", "/device/", gone, None])
    subject.configure({"apiKey": "k", "baseUrl": "<URL>"})
    state = {"id": "1", "deviceId": "1", **said}
    token = f"tailscale:index/{kind[0].lower()}{kind[1:]}:{kind}"
    answer = subject.read(token, "1", state, said)
    assert (answer["properties"], answer["inputs"]) == ({}, {})


def test_an_empty_tailnet_is_told_and_not_looked_up_elsewhere(subject: Subject) -> None:
    answer = subject.configure({"apiKey": "k", "tailnet": "", "baseUrl": "<URL>"})
    assert answer["error"].startswith("Missing Tailnet ID: While configuring the provider")


def test_no_credentials_are_told_when_the_provider_is_configured(subject: Subject) -> None:
    answer = subject.configure({"baseUrl": "<URL>"})
    assert answer["error"].startswith("Provider credentials error: tailscale provider credentials")

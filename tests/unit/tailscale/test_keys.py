"""Auth keys and their life, and who may make them."""

from typing import Any

import aiohttp
import pytest

from lab.tailscale.errors import ApiError
from tests.unit.tailscale.conftest import TAILNET, Api, Start

KEYS = "/tailnet/-/keys"
HOUR = 3600


def wanted(**more: Any) -> dict[str, Any]:
    create = {"reusable": False, "ephemeral": False, "preauthorized": True, "tags": ["tag:server"]}
    create |= {k: v for k, v in more.items() if k in create}
    said = {k: v for k, v in more.items() if k not in create}
    body = {"capabilities": {"devices": {"create": create}}, "description": "berth chat"}
    return {**body, "expirySeconds": HOUR, **said}


async def make(api: Api, **more: Any) -> dict[str, Any]:
    status, key = await api.ask("POST", KEYS, wanted(**more))
    assert status == 200, key
    assert isinstance(key, dict)
    return key


async def read(api: Api, key: dict[str, Any]) -> dict[str, Any]:
    status, found = await api.ask("GET", f"{KEYS}/{key['id']}")
    assert status == 200
    assert isinstance(found, dict)
    return found


async def test_the_secret_of_a_key_is_answered_once(api: Api) -> None:
    made = await make(api)
    assert made["key"].startswith(f"tskey-auth-{made['id']}-")
    assert (made["keyType"], made["invalid"], made["expirySeconds"]) == ("auth", False, HOUR)
    found = await read(api, made)
    assert "key" not in found
    assert found == {k: v for k, v in made.items() if k != "key"}


async def test_a_key_without_an_expiry_lives_90_days(api: Api) -> None:
    made = await make(api, expirySeconds=0)
    assert made["expirySeconds"] == 90 * 24 * HOUR


async def test_a_key_is_invalid_once_it_has_expired(api: Api) -> None:
    made = await make(api, reusable=True)
    api.clock.now += HOUR - 1
    assert (await read(api, made))["invalid"] is False
    api.clock.now += 1
    assert (await read(api, made))["invalid"] is True
    with pytest.raises(ApiError):
        api.tailnets.join(made["key"], "late")


async def test_a_single_use_key_lets_one_machine_in(api: Api) -> None:
    made = await make(api)
    device = api.tailnets.join(made["key"], "chat")
    assert (device.tags, device.authorized) == (["tag:server"], True)
    assert (await read(api, made))["invalid"] is True
    with pytest.raises(ApiError):
        api.tailnets.join(made["key"], "second")


async def test_a_reusable_key_lets_many_in_until_it_is_deleted(api: Api) -> None:
    made = await make(api, reusable=True)
    for name in ("one", "two"):
        api.tailnets.join(made["key"], name)
    assert (await read(api, made))["invalid"] is False
    assert (await api.ask("DELETE", f"{KEYS}/{made['id']}"))[0] == 200
    with pytest.raises(ApiError):
        api.tailnets.join(made["key"], "three")
    for method in ("GET", "DELETE"):
        status, body = await api.ask(method, f"{KEYS}/{made['id']}")
        assert (status, body["message"]) == (404, "key not found")
    assert len(api.tailnets.devices(TAILNET)) == 2


async def test_an_ephemeral_machine_is_forgotten_when_it_leaves(api: Api) -> None:
    passing = api.tailnets.join((await make(api, ephemeral=True))["key"], "ci")
    staying = api.tailnets.join((await make(api))["key"], "chat")
    for device in (passing, staying):
        api.tailnets.leave(TAILNET, device.id)
    assert [device.hostname for device in api.tailnets.devices(TAILNET)] == ["chat"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"tags": ["tag:nobody"]}, "requested tags [tag:nobody] are invalid or not permitted"),
        ({"tags": ["server"]}, "requested tags [server] are invalid or not permitted"),
        ({"expirySeconds": 90 * 24 * HOUR + 1}, "expirySeconds must be between"),
        ({"expirySeconds": -1}, "expirySeconds must be between"),
        ({"description": "x" * 51}, "at most 50 characters"),
        ({"description": "a_b"}, "alphanumeric"),
        ({"reusable": "yes"}, "reusable must be true or false"),
        ({"keyType": "moon"}, "invalid keyType"),
        ({"capabilities": {}}, "capabilities.devices.create is required"),
    ],
)
async def test_a_key_that_cannot_be_is_refused(api: Api, more: dict[str, Any], said: str) -> None:
    status, body = await api.ask("POST", KEYS, wanted(**more))
    assert status == 400
    assert said in body["message"]
    assert (await api.ask("GET", KEYS))[1] == {"keys": []}


@pytest.mark.parametrize("auth", ["", "Bearer nonsense", "Basic nonsense", "Basic dHNrZXk6"])
async def test_a_credential_that_nobody_made_is_refused(api: Api, auth: str) -> None:
    status, body = await api.ask("GET", KEYS, auth=auth)
    assert (status, body["message"]) == (401, "API token invalid")


async def test_an_api_key_is_taken_as_a_user_name_and_as_a_bearer(api: Api) -> None:
    assert (await api.ask("GET", KEYS, auth=f"Bearer {api.key}"))[0] == 200
    assert (await api.ask("GET", "/tailnet/example.org/keys"))[0] == 200
    assert (await api.ask("GET", "/tailnet/lab.ts.net/keys"))[0] == 200
    assert (await api.ask("GET", "/tailnet/other.org/keys"))[0] == 404


async def test_an_oauth_client_makes_keys_with_tags_that_its_own_own(api: Api) -> None:
    token = await api.token(scope="auth_keys")
    status, made = await api.ask("POST", KEYS, wanted(), auth=token)
    assert (status, made["userId"]) == (200, "")
    status, body = await api.ask("POST", KEYS, wanted(tags=[]), auth=token)
    assert (status, body["message"]) == (400, "tailnet-owned auth key must have tags set")
    status, body = await api.ask("GET", "/tailnet/-/devices", auth=token)
    assert (status, "enough permissions" in body["message"]) == (403, True)
    api.clock.now += HOUR
    assert (await api.ask("GET", KEYS, auth=token))[0] == 401


async def test_a_tag_that_the_client_does_not_own_is_refused(api: Api) -> None:
    policy = '{"tagOwners": {"tag:deploy": [], "tag:server": ["tag:deploy"], "tag:db": []}}'
    assert (await api.ask("POST", "/tailnet/-/acl", policy))[0] == 200
    token = await api.token()
    assert (await api.ask("POST", KEYS, wanted(tags=["tag:server"]), auth=token))[0] == 200
    assert (await api.ask("POST", KEYS, wanted(tags=["tag:db"]), auth=token))[0] == 400
    assert (await api.ask("POST", KEYS, wanted(tags=["tag:db"])))[0] == 200


async def test_a_scope_that_the_client_does_not_have_is_not_granted(api: Api) -> None:
    said = {"grant_type": "client_credentials", "scope": "dns"}
    url = f"{api.url}/api/v2/oauth/token"
    headers = {"Authorization": aiohttp.encode_basic_auth(*api.client)}
    async with api.session.post(url, data=said, headers=headers) as answer:
        assert answer.status == 400
    said = {"client_id": api.client[0], "client_secret": "wrong"}
    async with api.session.post(url, data=said) as answer:
        assert answer.status == 401
    said["client_secret"] = api.client[1]
    async with api.session.post(url, data=said) as answer:
        assert (await answer.json())["scope"] == "auth_keys"


async def test_a_client_that_is_made_through_the_api_works_until_it_is_deleted(api: Api) -> None:
    body = {"keyType": "client", "scopes": ["devices:core:read"], "description": "reader"}
    status, made = await api.ask("POST", KEYS, body)
    assert (status, made["keyType"], made["scopes"]) == (200, "client", ["devices:core:read"])
    api.client = made["id"], made["key"]
    token = await api.token()
    assert (await api.ask("GET", "/tailnet/-/devices", auth=token))[0] == 200
    assert (await api.ask("POST", KEYS, wanted(), auth=token))[0] == 403
    await api.ask("DELETE", f"{KEYS}/{made['id']}")
    assert (await api.ask("GET", "/tailnet/-/devices", auth=token))[0] == 401


async def test_keys_and_machines_survive_a_restart(api: Api, start: Start) -> None:
    made = await make(api)
    api.tailnets.join(made["key"], "chat")
    again = await start()
    assert (await read(again, made))["invalid"] is True
    assert [device.hostname for device in again.tailnets.devices(TAILNET)] == ["chat"]
    assert again.key == api.key


@pytest.mark.parametrize(
    "subject", ['"u\\ud800"', "[" * 210 + "]" * 210, "NaN", "1e400", "[" * 100_000]
)
async def test_what_could_not_be_kept_is_refused_and_harms_nothing(
    api: Api, start: Start, subject: str
) -> None:
    identity = '{"keyType": "federated", "scopes": ["auth_keys"], "issuer": "https://i", '
    status, _ = await api.ask("POST", KEYS, identity + f'"subject": {subject}}}')
    assert status == 400
    kept = (await make(api))["id"]
    found = await (await start()).ask("GET", f"{KEYS}?all=true")
    assert [key["id"] for key in found[1]["keys"]] == [kept]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        (b"grant_type=password", (400, "unsupported_grant_type")),
        (b"client_id=\xff&client_secret=\xff", (400, "invalid request body")),
        (b"client_id=%ff&client_secret=%ed%a0%80", (401, "API token invalid")),
    ],
)
async def test_a_token_is_given_for_a_clients_own_credentials_only(
    api: Api, form: bytes, wanted: tuple[int, str]
) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if b"grant_type" in form:
        headers["Authorization"] = aiohttp.encode_basic_auth(*api.client)
    place = f"{api.url}/api/v2/oauth/token"
    async with api.session.post(place, data=form, headers=headers) as answer:
        told = await answer.json()
    assert (answer.status, told["message"].partition(":")[0]) == wanted

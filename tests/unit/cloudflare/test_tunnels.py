"""Tunnels through the official SDK, whose models are held to every answer."""

import base64
import errno
import json
from typing import Any

import aiohttp
import pytest
from cloudflare import (
    APIStatusError,
    BadRequestError,
    ConflictError,
    InternalServerError,
    NotFoundError,
)
from cloudflare.types.shared import CloudflareTunnel

from lab import durable
from lab.cloudflare.tunnels import Connection
from tests.unit.cloudflare.conftest import HOME, Api, Start

CATCH_ALL: Any = {"hostname": "", "service": "http_status:404"}
ROUTE = {
    "hostname": "chat.jackshome.com",
    "service": "https://192.168.1.111:8000",
    "originRequest": {"noTLSVerify": True},
}


def code(error: pytest.ExceptionInfo[Any]) -> int:
    body = json.loads(error.value.response.text)
    assert body["success"] is False
    assert body["result"] is None
    return int(body["errors"][0]["code"])


def message(error: pytest.ExceptionInfo[Any]) -> str:
    return str(json.loads(error.value.response.text)["errors"][0]["message"])


async def make(api: Api, name: str = "berth", **more: Any) -> CloudflareTunnel:
    made = await api.client.zero_trust.tunnels.cloudflared.create(
        account_id=HOME, name=name, **{"config_src": "cloudflare", **more}
    )
    assert made is not None
    return made


async def named(api: Api, **query: Any) -> list[str]:
    pages = api.client.zero_trust.tunnels.cloudflared.list(account_id=HOME, **query)
    return sorted([str(tunnel.name) async for tunnel in pages])


async def test_a_new_tunnel_is_inactive_and_configured_from_here(api: Api) -> None:
    made = await make(api)
    assert (made.status, made.remote_config, made.connections) == ("inactive", True, [])
    assert made.account_tag == HOME
    assert made.deleted_at is None
    read = await api.client.zero_trust.tunnels.cloudflared.get(str(made.id), account_id=HOME)
    assert read == made


async def test_a_tunnel_without_a_source_is_configured_where_it_runs(api: Api) -> None:
    made = await api.client.zero_trust.tunnels.cloudflared.create(account_id=HOME, name="n")
    assert made is not None
    assert (made.config_src, made.remote_config) == ("local", False)


async def test_a_name_that_is_taken_is_refused(api: Api) -> None:
    await make(api)
    with pytest.raises(ConflictError) as refused:
        await make(api)
    assert code(refused) == 1013
    other = await make(api, "other")
    with pytest.raises(ConflictError) as refused:
        await api.client.zero_trust.tunnels.cloudflared.edit(
            str(other.id), account_id=HOME, name="berth"
        )
    assert code(refused) == 1013


async def test_a_deleted_tunnel_is_still_answered_and_its_name_is_free(api: Api) -> None:
    cloudflared = api.client.zero_trust.tunnels.cloudflared
    made = await make(api)
    deleted = await cloudflared.delete(str(made.id), account_id=HOME)
    assert deleted is not None
    assert deleted.deleted_at is not None
    read = await cloudflared.get(str(made.id), account_id=HOME)
    assert read is not None
    assert read.deleted_at == deleted.deleted_at
    assert (await make(api)).id != made.id
    assert await named(api, is_deleted=True) == ["berth"]
    assert await named(api) == ["berth", "berth"]


async def test_nothing_can_be_done_with_a_deleted_tunnel(api: Api) -> None:
    cloudflared = api.client.zero_trust.tunnels.cloudflared
    made = str((await make(api)).id)
    await cloudflared.delete(made, account_id=HOME)
    for attempt in (
        cloudflared.delete(made, account_id=HOME),
        cloudflared.edit(made, account_id=HOME, name="m"),
        cloudflared.token.get(made, account_id=HOME),
        cloudflared.configurations.update(made, account_id=HOME, config={"ingress": []}),
    ):
        with pytest.raises(NotFoundError):
            await attempt


async def test_a_tunnel_with_a_live_connection_is_not_deletable(api: Api) -> None:
    cloudflared = api.client.zero_trust.tunnels.cloudflared
    made = str((await make(api)).id)
    client = "0b9a3f60-44f5-4a43-9f2c-3f6ad1d3b5c5"
    api.tunnels.connected(made, Connection("c1", client, "2026.11.0", "192.168.1.11"))
    read = await cloudflared.get(made, account_id=HOME)
    assert read is not None
    assert read.connections is not None
    assert (read.status, len(read.connections)) == ("healthy", 1)
    assert read.conns_active_at is not None
    (connector,) = [c async for c in cloudflared.connections.get(made, account_id=HOME)]
    assert (connector.id, connector.version) == (client, "2026.11.0")
    assert await cloudflared.connectors.get(client, account_id=HOME, tunnel_id=made) == connector
    with pytest.raises(BadRequestError) as refused:
        await cloudflared.delete(made, account_id=HOME)
    assert code(refused) == 1022
    api.tunnels.disconnected(made, "c1")
    gone = await cloudflared.delete(made, account_id=HOME)
    assert gone is not None
    assert gone.conns_inactive_at is not None
    assert gone.status == "down"


async def test_connections_can_be_dropped_through_the_api(api: Api) -> None:
    cloudflared = api.client.zero_trust.tunnels.cloudflared
    made = str((await make(api)).id)
    for number in ("1", "2"):
        api.tunnels.connected(made, Connection(f"c{number}", f"k{number}", "1", "10.0.0.1"))
    heard: list[str] = []
    api.tunnels.subscribe(heard.append)
    await cloudflared.connections.delete(made, account_id=HOME, client_id="k1")
    assert [c.id for c in api.tunnels.connections(made)] == ["c2"]
    assert heard == [made]
    await cloudflared.connections.delete(made, account_id=HOME)
    assert api.tunnels.connections(made) == []


async def test_the_token_is_what_a_connector_proves_itself_with(api: Api) -> None:
    made = await make(api)
    token = await api.client.zero_trust.tunnels.cloudflared.token.get(str(made.id), account_id=HOME)
    said = json.loads(base64.b64decode(token))
    assert (said["a"], said["t"]) == (HOME, made.id)
    assert len(base64.b64decode(said["s"])) == 32
    assert api.tunnels.by_token(token) == made.id
    forged = base64.b64encode(
        json.dumps({**said, "s": base64.b64encode(bytes(32)).decode()}).encode()
    ).decode()
    foreign = base64.b64encode(json.dumps({**said, "s": "\ud800ß"}).encode()).decode()
    for wrong in (
        forged,
        foreign,
        f" {token}",
        "",
        "eyJ",
        "not base64",
        base64.b64encode(b"[]").decode(),
    ):
        assert api.tunnels.by_token(wrong) is None
    await api.client.zero_trust.tunnels.cloudflared.delete(str(made.id), account_id=HOME)
    assert api.tunnels.by_token(token) is None


@pytest.mark.parametrize(
    "more", [{"config_src": ["x"]}, {"config_src": {}}, {"tunnel_secret": [1]}, {"name": {}}]
)
async def test_a_value_of_a_wrong_type_is_no_fault_of_the_api(
    api: Api, more: dict[str, Any]
) -> None:
    with pytest.raises(BadRequestError) as refused:
        await make(api, **more)
    assert code(refused) == 1001
    assert await named(api) == []


async def test_another_secret_shuts_out_the_old_token(api: Api) -> None:
    cloudflared = api.client.zero_trust.tunnels.cloudflared
    own = base64.b64encode(b"k" * 32).decode()
    made = str((await make(api, tunnel_secret=own)).id)
    old = await cloudflared.token.get(made, account_id=HOME)
    assert json.loads(base64.b64decode(old))["s"] == own
    other = base64.b64encode(b"l" * 32).decode()
    await cloudflared.edit(made, account_id=HOME, tunnel_secret=other)
    assert api.tunnels.by_token(old) is None
    with pytest.raises(BadRequestError):
        await make(api, "short", tunnel_secret=base64.b64encode(b"short").decode())


async def test_a_configuration_is_kept_counted_and_told_to_the_edge(api: Api) -> None:
    configurations = api.client.zero_trust.tunnels.cloudflared.configurations
    made = str((await make(api)).id)
    with pytest.raises(NotFoundError) as refused:
        await configurations.get(made, account_id=HOME)
    assert code(refused) == 1055
    heard: list[str] = []
    end = api.tunnels.subscribe(heard.append)
    wanted: Any = {"ingress": [ROUTE, CATCH_ALL], "originRequest": {"connectTimeout": 5}}
    put = await configurations.update(made, account_id=HOME, config=wanted)
    assert put is not None
    assert (put.version, put.source, put.tunnel_id) == (1, "cloudflare", made)
    got = await configurations.get(made, account_id=HOME)
    assert got is not None
    assert got.config is not None
    assert got.config.to_dict() == wanted
    assert heard == [made]
    assert api.tunnels.configuration(made).config == wanted
    end()
    again = await configurations.update(made, account_id=HOME, config=wanted)
    assert again is not None
    assert again.version == 2
    assert heard == [made]


async def test_the_configuration_of_a_local_tunnel_reaches_no_connector(api: Api) -> None:
    made = str((await make(api, config_src="local")).id)
    await api.client.zero_trust.tunnels.cloudflared.configurations.update(
        made,
        account_id=HOME,
        config={"ingress": [CATCH_ALL]},
    )
    assert api.tunnels.configuration(made).config == {}


@pytest.mark.parametrize(
    ("ingress", "said"),
    [
        ([ROUTE], "The last ingress rule must match all URLs"),
        ([{**CATCH_ALL, "path": "^/x"}], "The last ingress rule must match all URLs"),
        ([CATCH_ALL, CATCH_ALL], "this will match every hostname"),
        ([], "at least one rule"),
        ([{"hostname": "a.b"}, CATCH_ALL], "service is missing"),
        ([{"hostname": "a.b", "service": "10.0.0.1:80"}, CATCH_ALL], "invalid address"),
        ([{"hostname": "a.b", "service": "http://h/path"}, CATCH_ALL], "different path"),
        ([{"hostname": "a.b", "service": "http://h/"}, CATCH_ALL], "different path"),
        ([{"hostname": "a.b", "service": "http_status:9"}, CATCH_ALL], "invalid HTTP status"),
        ([{"hostname": "a.*.b", "service": "http://h"}, CATCH_ALL], "one wildcard"),
        ([{"hostname": "a.b:443", "service": "http://h"}, CATCH_ALL], "contain a port"),
        ([{"hostname": "a.b", "path": "(", "service": "http://h"}, CATCH_ALL], "invalid regex"),
        (
            [{"hostname": "a.b", "service": "http://h", "originRequest": {"noTLSVerify": "yes"}}],
            "must match all URLs",
        ),
        (
            [{"service": "http://h", "originRequest": {"connectTimeout": "5s"}}],
            "connectTimeout has a value of a wrong type",
        ),
    ],
)
async def test_a_configuration_that_connectors_cannot_follow_is_refused(
    api: Api, ingress: list[Any], said: str
) -> None:
    made = str((await make(api)).id)
    with pytest.raises(BadRequestError) as refused:
        await api.client.zero_trust.tunnels.cloudflared.configurations.update(
            made, account_id=HOME, config={"ingress": ingress}
        )
    assert code(refused) == 1056
    assert message(refused).startswith("Bad Configuration: ")
    assert said in message(refused)
    with pytest.raises(NotFoundError):
        await api.client.zero_trust.tunnels.cloudflared.configurations.get(made, account_id=HOME)


async def test_lists_are_filtered_and_cut_into_pages(api: Api) -> None:
    for name in ("prod-a", "prod-b", "test-a"):
        await make(api, name)
    assert await named(api, name="prod-a") == ["prod-a"]
    assert await named(api, include_prefix="prod-") == ["prod-a", "prod-b"]
    assert await named(api, exclude_prefix="prod-") == ["test-a"]
    assert await named(api, is_deleted=True) == []
    assert await named(api, per_page=1) == ["prod-a", "prod-b", "test-a"]
    assert await named(api, status="healthy") == []


async def test_state_survives_a_restart_and_connections_do_not(api: Api, start: Start) -> None:
    made = await make(api)
    put = await api.client.zero_trust.tunnels.cloudflared.configurations.update(
        str(made.id),
        account_id=HOME,
        config={"ingress": [CATCH_ALL]},
    )
    token = await api.client.zero_trust.tunnels.cloudflared.token.get(str(made.id), account_id=HOME)
    again = await start()
    read = await again.client.zero_trust.tunnels.cloudflared.get(str(made.id), account_id=HOME)
    assert read == made
    kept = await again.client.zero_trust.tunnels.cloudflared.configurations.get(
        str(made.id), account_id=HOME
    )
    assert kept is not None
    assert put is not None
    assert kept.to_dict() == put.to_dict()
    assert again.tunnels.by_token(token) == made.id


async def test_a_crash_with_live_connections_leaves_no_tunnel_undeletable(
    api: Api, start: Start
) -> None:
    made = str((await make(api)).id)
    api.tunnels.connected(made, Connection("c1", "k1", "1", "10.0.0.1"))
    again = await start()
    read = await again.client.zero_trust.tunnels.cloudflared.get(made, account_id=HOME)
    assert read is not None
    assert (read.status, read.connections, read.conns_active_at) == ("down", [], None)
    await again.client.zero_trust.tunnels.cloudflared.delete(made, account_id=HOME)


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("name", ["u\ud800", nested(210), nested(100)])
async def test_what_could_not_be_kept_is_refused_and_harms_nothing(
    api: Api, start: Start, name: Any
) -> None:
    made = str((await make(api)).id)
    place = f"/accounts/{HOME}/cfd_tunnel"
    said = {"config": {"ingress": [CATCH_ALL], "originRequest": {"x": name}}}
    for method, path, body in (
        ("PUT", f"{place}/{made}/configurations", said),
        ("POST", place, {"name": name, "config_src": "cloudflare"}),
        ("PATCH", f"{place}/{made}", {name if isinstance(name, str) else "x": name}),
    ):
        headers = {"Authorization": f"Bearer {api.client.api_token}"}
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, api.url + path, data=json.dumps(body), headers=headers) as told,
        ):
            assert (told.status, (await told.json())["errors"][0]["code"]) == (400, 6007)
    assert await named(api) == ["berth"]
    await make(api, "after")
    assert await named(await start()) == ["after", "berth"]


async def test_a_change_that_cannot_be_written_did_not_happen(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make(api)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(durable, "write_whole", full)
        with pytest.raises(InternalServerError):
            await make(api, "lost")
    assert await named(api) == ["berth"]
    await make(api, "lost")


async def test_what_the_lab_does_not_serve_is_refused_and_says_so(api: Api) -> None:
    with pytest.raises(APIStatusError) as refused:
        await api.client.get(f"/accounts/{HOME}/access/apps", cast_to=object)
    assert code(refused) == 7003
    assert "the lab's Cloudflare has no GET" in refused.value.response.text

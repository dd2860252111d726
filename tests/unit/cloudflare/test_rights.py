"""Who may do what: tokens, their rights, and how many requests they have."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from cloudflare import (
    APIStatusError,
    AsyncCloudflare,
    AuthenticationError,
    PermissionDeniedError,
    RateLimitError,
)

from lab.cloudflare.credentials import api_token
from lab.world import World
from lab.world.cloudflare import Cloudflare
from tests.unit.cloudflare.conftest import HOME, Api, Start
from tests.unit.cloudflare.test_tunnels import code

OTHER = "00000000000000000000000000000001"
UNKNOWN = "x" * 40
TUNNEL = "6ff42ae2-765d-4adf-8112-31c55c1551ef"


def with_tokens(world: World, **tokens: Any) -> World:
    """The world with another account and other tokens."""
    cloudflare = {
        "accounts": {"home": {"id": HOME}, "other": {"id": OTHER}},
        "zones": {"jackshome.com": {"account": "home"}, "other.org": {"account": "other"}},
        "tokens": tokens,
    }
    return world.model_copy(update={"cloudflare": Cloudflare.model_validate(cloudflare)})


async def client(start: Start, world: World, **rights: Any) -> AsyncCloudflare:
    tokens = {"deploy": {"rights": {}}, "tried": {"rights": rights}}
    api = await start(with_tokens(world, **tokens))
    return await api.as_token(api_token(api.paths, "tried"))


async def test_a_token_that_nobody_made_is_refused_everywhere(api: Api) -> None:
    stranger = await api.as_token(UNKNOWN)
    with pytest.raises(AuthenticationError) as refused:
        await stranger.user.tokens.verify()
    assert code(refused) == 1000
    with pytest.raises(PermissionDeniedError) as denied:
        await stranger.zero_trust.tunnels.cloudflared.create(account_id=HOME, name="n")
    assert code(denied) == 10000
    with pytest.raises(PermissionDeniedError) as denied:
        [zone async for zone in stranger.zones.list()]
    assert code(denied) == 9109


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({}, 9106),
        ({"Authorization": "Basic eDp5"}, 6003),
        ({"Authorization": "Bearer "}, 6003),
        ({"Authorization": "Bearer two words"}, 6003),
        ({"X-Auth-Key": "short", "X-Auth-Email": "a@b.c"}, 6003),
        ({"X-Auth-Key": "0" * 37}, 6003),
        ({"X-Auth-Key": "0" * 37, "X-Auth-Email": "a@b.c"}, 9103),
    ],
)
async def test_a_missing_or_ill_formed_token_is_told_apart(
    api: Api, headers: dict[str, str], wanted: int
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{api.url}/zones", headers=headers) as answer,
    ):
        body = await answer.json()
    assert answer.status in {400, 403}
    assert (body["success"], body["errors"][0]["code"]) == (False, wanted)


async def test_a_token_of_a_user_is_verified(api: Api) -> None:
    verified = await api.client.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"
    with pytest.raises(AuthenticationError):
        await api.client.accounts.tokens.verify(account_id=HOME)


async def test_a_token_of_an_account_is_verified_there_only(start: Start, world: World) -> None:
    tokens = {"deploy": {"account": "home"}}
    api = await start(with_tokens(world, **tokens))
    verified = await api.client.accounts.tokens.verify(account_id=HOME)
    assert verified is not None
    assert verified.status == "active"
    with pytest.raises(AuthenticationError) as refused:
        await api.client.user.tokens.verify()
    assert code(refused) == 1000
    with pytest.raises(PermissionDeniedError):
        await api.client.accounts.tokens.verify(account_id=OTHER)


Attempt = Callable[[AsyncCloudflare, str], Awaitable[Any]]


async def _list_tunnels(c: AsyncCloudflare, _: str) -> None:
    [t async for t in c.zero_trust.tunnels.cloudflared.list(account_id=HOME)]


async def _create_tunnel(c: AsyncCloudflare, _: str) -> None:
    await c.zero_trust.tunnels.cloudflared.create(account_id=HOME, name="n")


async def _token(c: AsyncCloudflare, _: str) -> None:
    await c.zero_trust.tunnels.cloudflared.token.get(TUNNEL, account_id=HOME)


async def _list_records(c: AsyncCloudflare, zone: str) -> None:
    [r async for r in c.dns.records.list(zone_id=zone)]


async def _create_record(c: AsyncCloudflare, zone: str) -> None:
    await c.dns.records.create(zone_id=zone, name="a", type="A", content="10.0.0.1", ttl=1)


async def _read_zone(c: AsyncCloudflare, zone: str) -> None:
    await c.zones.get(zone_id=zone)


async def _read_account(c: AsyncCloudflare, _: str) -> None:
    await c.accounts.get(account_id=HOME)


@pytest.mark.parametrize(
    ("right", "place", "attempt"),
    [
        ("Cloudflare Tunnel Read", "home", _list_tunnels),
        ("Cloudflare Tunnel Write", "home", _list_tunnels),
        ("Cloudflare Tunnel Write", "home", _create_tunnel),
        ("Cloudflare Tunnel Write", "home", _token),
        ("DNS Read", "jackshome.com", _list_records),
        ("DNS Write", "jackshome.com", _list_records),
        ("DNS Write", "jackshome.com", _create_record),
        ("DNS Write", "home", _create_record),
        ("Zone Read", "jackshome.com", _read_zone),
        ("Zone Write", "home", _read_zone),
        ("Account Settings Read", "home", _read_account),
    ],
)
async def test_a_right_grants_what_it_names_there_and_nothing_else(
    start: Start, world: World, right: str, place: str, attempt: Attempt
) -> None:
    zone = world.cloudflare.zone_id("jackshome.com")
    granted = await client(start, world, **{right: [place]})
    try:
        await attempt(granted, zone)
    except APIStatusError as error:
        assert error.status_code == 404  # the tunnel that is asked for is not there
    others = {
        "Cloudflare Tunnel Read": ["home"],
        "Cloudflare Tunnel Write": ["home"],
        "DNS Read": ["jackshome.com"],
        "DNS Write": ["jackshome.com"],
        "Zone Read": ["jackshome.com"],
        "Account Settings Read": ["home"],
    }
    kind = right.rpartition(" ")[0]
    fewer: dict[str, list[str]] = {k: v for k, v in others.items() if not k.startswith(kind)}
    if attempt in {_create_tunnel, _create_record, _token}:
        fewer[f"{kind} Read"] = others[f"{kind} Read"]
    fewer[right] = ["other"]
    denied = await client(start, world, **fewer)
    with pytest.raises(PermissionDeniedError):
        await attempt(denied, zone)


async def test_lists_show_only_what_the_token_may_see(start: Start, world: World) -> None:
    seeing = await client(start, world, **{"Zone Read": ["other"]})
    assert [zone.name async for zone in seeing.zones.list()] == ["other.org"]
    assert [account.id async for account in seeing.accounts.list()] == [OTHER]
    blind = await client(start, world, **{"DNS Write": ["home"]})
    assert [zone.name async for zone in blind.zones.list()] == []


async def test_zones_are_found_by_name(api: Api, world: World) -> None:
    async def found(**query: Any) -> list[str]:
        return [zone.name async for zone in api.client.zones.list(**query)]

    assert await found() == ["example.com", "jackshome.com"]
    assert await found(name="jackshome.com", match="all") == ["jackshome.com"]
    assert await found(name="contains:home") == ["jackshome.com"]
    assert await found(name="jackshome") == []
    assert await found(account={"id": OTHER}) == []
    assert await found(status="pending") == []
    zone = await api.client.zones.get(zone_id=world.cloudflare.zone_id("jackshome.com"))
    assert zone is not None
    assert (zone.name, zone.account.id, zone.status) == ("jackshome.com", HOME, "active")


async def test_too_many_requests_are_refused_and_say_when_to_come_back(
    start: Start, world: World
) -> None:
    few = world.cloudflare.model_copy(update={"requests_per_5_minutes": 3})
    api = await start(world.model_copy(update={"cloudflare": few}))
    for _ in range(3):
        await api.client.user.tokens.verify()
    with pytest.raises(RateLimitError) as refused:
        await api.client.user.tokens.verify()
    assert code(refused) == 971
    assert 290 <= int(refused.value.response.headers["Retry-After"]) <= 300


async def test_tokens_survive_a_restart(api: Api, start: Start) -> None:
    before = api_token(api.paths, "deploy")
    again = await start()
    assert api_token(again.paths, "deploy") == before
    assert len(before) == 40
    await (await api.as_token(before)).user.tokens.verify()

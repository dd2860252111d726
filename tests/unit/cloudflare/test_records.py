"""DNS records through the official SDK."""

from typing import Any

import aiohttp
import pytest
from cloudflare import BadRequestError, NotFoundError
from cloudflare.types.dns import RecordResponse

from lab.cloudflare.credentials import api_token
from lab.world import World
from tests.unit.cloudflare.conftest import Api, Start
from tests.unit.cloudflare.test_tunnels import code

TUNNEL = "6ff42ae2-765d-4adf-8112-31c55c1551ef"
TARGET = f"{TUNNEL}.cfargotunnel.com"


@pytest.fixture
def zone(world: World) -> str:
    return world.cloudflare.zone_id("jackshome.com")


async def make(api: Api, zone: str, name: str = "chat.jackshome.com", **more: Any) -> Any:
    said = {"type": "CNAME", "content": TARGET, "ttl": 1, "proxied": True, **more}
    return await api.client.dns.records.create(zone_id=zone, name=name, **said)


async def names(api: Api, zone: str, **query: Any) -> list[str]:
    found: list[RecordResponse] = [
        record async for record in api.client.dns.records.list(zone_id=zone, **query)
    ]
    return [str(record.name) for record in found]


async def test_a_record_is_answered_as_it_was_made(api: Api, zone: str) -> None:
    made = await make(api, zone, comment="ours")
    read = await api.client.dns.records.get(made.id, zone_id=zone)
    assert read == made
    assert (made.content, made.proxied, made.proxiable, made.ttl) == (TARGET, True, True, 1)
    assert (made.comment, made.tags) == ("ours", [])


async def test_a_comment_that_stays_keeps_its_time(api: Api, zone: str) -> None:
    made = await make(api, zone, comment="ours", tags=["a:b"])

    async def put(**more: Any) -> Any:
        said = {"type": "CNAME", "name": made.name, "ttl": 1, "content": "x.org", **more}
        return await api.client.dns.records.update(made.id, zone_id=zone, **said)

    kept = await put(comment="ours", tags=["a:b"])
    assert kept.modified_on > made.modified_on
    assert kept.comment_modified_on == made.comment_modified_on
    assert kept.tags_modified_on == made.tags_modified_on
    other = await put(comment="theirs")
    assert other.comment_modified_on > made.comment_modified_on
    assert other.tags_modified_on is None


async def test_names_are_whole_in_lower_case_and_below_the_zone(api: Api, zone: str) -> None:
    assert (await make(api, zone, "A.B.jackshome.com.")).name == "a.b.jackshome.com"
    assert (await make(api, zone, "@")).name == "jackshome.com"
    assert (await make(api, zone, "*.dev")).name == "*.dev.jackshome.com"
    # Not an error there either: it is taken for a name below the zone.
    assert (await make(api, zone, "chat.example.org")).name == "chat.example.org.jackshome.com"


@pytest.mark.parametrize("kind", ["A", "AAAA", "CNAME"])
async def test_a_host_that_exists_is_refused(api: Api, zone: str, kind: str) -> None:
    content = {"A": "10.0.0.1", "AAAA": "fd00::1", "CNAME": "other.example.org"}[kind]
    await make(api, zone, type=kind, content=content, proxied=False)
    with pytest.raises(BadRequestError) as refused:
        await make(api, zone)
    assert code(refused) == 81053


async def test_an_address_beside_a_cname_is_refused(api: Api, zone: str) -> None:
    await make(api, zone)
    with pytest.raises(BadRequestError) as refused:
        await make(api, zone, type="A", content="10.0.0.1")
    assert code(refused) == 81054
    await make(api, zone, type="TXT", content="anything", proxied=False)


async def test_the_same_record_twice_is_refused(api: Api, zone: str) -> None:
    await make(api, zone, type="A", content="10.0.0.1")
    await make(api, zone, type="A", content="10.0.0.2")
    with pytest.raises(BadRequestError) as refused:
        await make(api, zone, type="A", content="10.0.0.2")
    assert code(refused) == 81058


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"ttl": 10, "proxied": False}, 9021),
        ({"ttl": 90000, "proxied": False}, 9021),
        ({"content": "https://x"}, 9007),
        ({"content": "chat.jackshome.com"}, 9039),
        ({"type": "A", "content": "10.0.0"}, 9005),
        ({"type": "AAAA", "content": "10.0.0.1"}, 9006),
        ({"type": "TXT", "content": "x"}, 9041),
        ({"name": "chat..jackshome.com"}, 9000),
        ({"name": ""}, 9000),
        ({"type": "MOON"}, 1004),
        ({"comment": "x" * 101}, 9300),
    ],
)
async def test_a_record_that_cannot_be_is_refused(
    api: Api, zone: str, more: dict[str, Any], wanted: int
) -> None:
    with pytest.raises(BadRequestError) as refused:
        await make(api, zone, **{"name": "chat.jackshome.com", **more})
    assert code(refused) == wanted
    assert await names(api, zone) == []


async def test_a_proxied_record_has_the_automatic_ttl(api: Api, zone: str) -> None:
    assert (await make(api, zone, ttl=300)).ttl == 1


async def test_a_record_can_be_replaced_changed_and_deleted(api: Api, zone: str) -> None:
    records = api.client.dns.records
    made = await make(api, zone, comment="ours")
    put = await records.update(
        made.id, zone_id=zone, name="b.jackshome.com", type="CNAME", content=TARGET, ttl=1
    )
    assert put is not None
    assert (put.id, put.name, put.comment, put.proxied) == (made.id, "b.jackshome.com", None, False)
    patched = await records.edit(
        made.id, zone_id=zone, comment="again", name="b.jackshome.com", type="CNAME", ttl=1
    )
    assert patched is not None
    assert (patched.content, patched.comment) == (TARGET, "again")
    assert (await records.delete(made.id, zone_id=zone)).id == made.id  # type: ignore[union-attr]
    for attempt in (
        records.get(made.id, zone_id=zone),
        records.delete(made.id, zone_id=zone),
    ):
        with pytest.raises(NotFoundError) as refused:
            await attempt
        assert code(refused) == 81044


async def test_a_change_onto_a_host_that_exists_is_refused(api: Api, zone: str) -> None:
    await make(api, zone, "a")
    other = await make(api, zone, "b")
    with pytest.raises(BadRequestError) as refused:
        await api.client.dns.records.edit(
            other.id, zone_id=zone, name="a", type="CNAME", ttl=1, content=TARGET
        )
    assert code(refused) == 81053


async def test_lists_are_filtered_ordered_and_cut_into_pages(api: Api, zone: str) -> None:
    await make(api, zone, "a", comment="ours", tags=["owner:berth"])
    await make(api, zone, "b", content="x.example.org", proxied=False)
    await make(api, zone, "c", type="A", content="10.0.0.1", comment="Theirs")
    a, b, c = (f"{n}.jackshome.com" for n in "abc")
    assert await names(api, zone) == [a, b, c]
    assert await names(api, zone, per_page=1) == [a, b, c]
    assert await names(api, zone, direction="desc") == [c, b, a]
    assert await names(api, zone, name={"exact": b.upper()}) == [b]
    assert await names(api, zone, name={"endswith": "jackshome.com", "startswith": "c"}) == [c]
    assert await names(api, zone, content={"contains": "argotunnel"}) == [a]
    assert await names(api, zone, comment={"present": "true"}) == [a, c]
    assert await names(api, zone, comment={"absent": "true"}) == [b]
    assert await names(api, zone, comment={"exact": "theirs"}) == [c]
    assert await names(api, zone, type="A") == [c]
    assert await names(api, zone, proxied=False) == [b]
    assert await names(api, zone, match="any", type="A", comment={"exact": "ours"}) == [a, c]
    assert await names(api, zone, tag={"exact": "owner:berth"}) == [a]
    assert await names(api, zone, tag={"absent": "owner"}) == [b, c]
    assert await names(api, zone, search="theirs") == [c]
    assert await names(api, zone, order="type") == [c, a, b]


async def test_names_are_published_by_proxied_cnames_to_tunnels_only(api: Api, zone: str) -> None:
    await make(api, zone, "chat")
    await make(api, zone, "*.dev")
    await make(api, zone, "plain", proxied=False)
    await make(api, zone, "else", content="other.example.org")
    await make(api, zone, "address", type="A", content="10.0.0.1")
    assert api.tunnels.published() == {
        "chat.jackshome.com": TUNNEL,
        "*.dev.jackshome.com": TUNNEL,
    }


async def test_records_survive_a_restart(api: Api, start: Start, zone: str) -> None:
    made = await make(api, zone, comment="ours")
    again = await start()
    assert await again.client.dns.records.get(made.id, zone_id=zone) == made
    assert again.tunnels.published() == {"chat.jackshome.com": TUNNEL}


async def test_zones_do_not_see_each_others_records(api: Api, zone: str, world: World) -> None:
    made = await make(api, zone)
    other = world.cloudflare.zone_id("example.com")
    assert await names(api, other) == []
    with pytest.raises(NotFoundError):
        await api.client.dns.records.get(made.id, zone_id=other)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "[" * 100_000, "tru"])
async def test_what_is_no_json_is_no_fault_of_the_api(api: Api, zone: str, number: str) -> None:
    headers = {"Authorization": f"Bearer {api_token(api.paths, 'deploy')}"}
    body = f'{{"type": "CNAME", "name": "a", "content": "{TARGET}", "ttl": {number}}}'
    place = f"{api.url}/zones/{zone}/dns_records"
    async with (
        aiohttp.ClientSession() as session,
        session.post(place, data=body, headers=headers) as answer,
    ):
        told = await answer.json()
    assert (answer.status, told["errors"][0]["code"]) == (400, 6007)


@pytest.mark.parametrize(
    "more",
    [
        {"type": ["A"]},
        {"type": {}},
        {"type": "SRV", "content": "x", "data": [1]},
        {"type": "SRV", "content": "x", "data": "x"},
        {"name": ["a"]},
        {"content": {}},
        {"ttl": "soon"},
        {"ttl": [1]},
        {"proxied": "yes"},
        {"tags": {}},
        {"settings": [1]},
        {"priority": "x", "type": "MX"},
        {"comment": [1]},
    ],
)
async def test_a_value_of_a_wrong_type_is_no_fault_of_the_api(
    api: Api, zone: str, more: dict[str, Any]
) -> None:
    with pytest.raises(BadRequestError):
        await make(api, zone, **{"proxied": False, **more})
    assert await names(api, zone) == []


@pytest.mark.parametrize("query", ["page", "per_page"])
@pytest.mark.parametrize("number", ["9" * 400, "1e9", "-1", "x"])
async def test_a_page_that_cannot_be_is_no_fault_of_the_api(
    api: Api, zone: str, query: str, number: str
) -> None:
    headers = {"Authorization": f"Bearer {api_token(api.paths, 'deploy')}"}
    place = f"{api.url}/zones/{zone}/dns_records?{query}={number}"
    async with aiohttp.ClientSession() as session, session.get(place, headers=headers) as answer:
        assert (answer.status, (await answer.json())["errors"][0]["code"]) == (400, 1001)

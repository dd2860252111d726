"""Connectors come, go, are killed and come back, and visitors notice as little as can be."""

import asyncio
import io
import signal

import pytest

from tests.unit.edge.ways import NAME, TUNNEL, Lab, Origin, eventually, terminate


async def test_a_killed_connector_that_comes_back_serves_within_5_s(
    lab: Lab, origin: Origin
) -> None:
    lab.route(origin.service())
    first = await lab.connector()
    assert (await lab.fetch("/"))[0] == 200
    await first.kill()
    assert (await lab.fetch("/"))[0] == 530

    async def answers() -> bool:
        return (await lab.fetch("/"))[0] == 200

    await lab.connector(wait=False)
    await eventually(answers, "an answer", limit_s=5)


async def test_a_connector_finds_back_when_the_edge_was_gone(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    connector = await lab.connector()
    await lab.restart()

    async def answers() -> bool:
        return (await lab.fetch("/"))[0] == 200

    await eventually(answers, "the connector to be back", limit_s=5)
    assert "Retrying connection" in connector.log()
    assert len(lab.tunnels.connections(TUNNEL)) == 1


async def test_losing_one_of_two_loses_no_new_request(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    first = await lab.connector()
    await lab.connector()
    failed = []
    stop = asyncio.Event()
    count = 0

    async def keep_asking(method: str, path: str, data: bytes | None) -> None:
        nonlocal count
        async with lab.visitor() as visitor:
            while not stop.is_set():
                async with visitor.request(method, lab.url(path), data=data) as answer:
                    if answer.status != 200:
                        failed.append((method, answer.status, await answer.text()))
                    else:
                        await answer.read()
                count += 1

    async def asked_again(times: int) -> None:
        enough = count + times
        await eventually(lambda: count >= enough, f"{times} more requests to be answered")

    asking = [asyncio.create_task(keep_asking("GET", "/", None)) for _ in range(8)]
    await asked_again(30)
    await first.kill()
    await asked_again(30)
    stop.set()
    await asyncio.gather(*asking)
    assert failed == []
    for data in (io.BytesIO(), io.BytesIO(b"x" * 3_000_000)):
        assert (await lab.fetch("/x", method="POST", data=data))[0] == 200


async def test_what_a_dying_connector_had_not_taken_is_done_by_another(
    lab: Lab, origin: Origin
) -> None:
    lab.route(origin.service())
    frozen = await lab.connector()
    (replica,) = lab.edge._replicas.of(TUNNEL)
    await eventually(lambda: len(replica._idle) == 4, "a line for each request")
    frozen.process.send_signal(signal.SIGSTOP)
    asking = [
        asyncio.create_task(lab.fetch("/up", method="POST", data=io.BytesIO(b"x" * size)))
        for size in (0, 10, 3_000_000)
    ]
    asking.append(asyncio.create_task(lab.fetch("/stream?pieces=1")))
    await eventually(lambda: replica.load == 4 and not replica._idle, "the requests to be sent")
    await lab.connector()
    await frozen.kill()
    answers = await asyncio.gather(*asking)
    assert [text for _, text in answers] == ["0", "10", "3000000", "piece 0\n"]
    assert origin.asked == len(asking)


async def test_what_may_have_been_done_is_not_done_twice(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    first, second = await lab.connector(), await lab.connector()
    asking = asyncio.create_task(lab.fetch("/once", method="POST", data=b"pay"))
    await eventually(lambda: origin.asked == 1, "the request to be at the service")
    await first.kill()
    await second.kill()
    status, text = await asking
    assert (status, origin.asked) == (502, 1), text


async def test_both_replicas_serve(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    both = [await lab.connector(), await lab.connector()]
    for _ in range(6):
        await lab.fetch("/")
    for connector in both:
        assert "cloudflared_tunnel_total_requests 3" in await connector.text("/metrics")


async def test_a_connector_that_is_told_to_end_finishes_what_it_began(
    lab: Lab, origin: Origin
) -> None:
    lab.route(origin.service())
    connector = await lab.connector()
    begun = asyncio.create_task(lab.fetch("/slow"))
    await eventually(lambda: origin.asked == 1, "the request to be at the service")
    ending = asyncio.create_task(terminate(connector))
    await eventually(lambda: "graceful shutdown" in connector.log(), "the drain to begin")
    assert await eventually(lambda: _status(lab, 530), "new requests to be refused")
    assert await connector.ready() is None
    assert not begun.done()
    origin.go_on.set()
    assert await begun == (200, "at last")
    assert await ending == 0


async def _status(lab: Lab, status: int) -> bool:
    return (await lab.fetch("/"))[0] == status


async def test_the_grace_period_ends_a_drain(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    connector = await lab.connector("--grace-period", "300ms")
    begun = asyncio.create_task(lab.fetch("/once", method="POST", data=b"x"))
    await eventually(lambda: origin.asked == 1, "the request to be at the service")
    async with asyncio.timeout(5):
        assert await terminate(connector) == 0
    assert (await begun)[0] == 502


async def test_a_drained_replica_hands_over_without_an_error(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    first = await lab.connector()
    await lab.connector()
    stop = asyncio.Event()

    async def keep_asking() -> set[int]:
        seen = set()
        async with lab.visitor() as visitor:
            while not stop.is_set():
                async with visitor.post(lab.url("/x"), data=b"y" * 10) as answer:
                    await answer.read()
                    seen.add(answer.status)
        return seen

    asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
    await asyncio.sleep(0.2)
    assert await terminate(first) == 0
    await asyncio.sleep(0.2)
    stop.set()
    assert await asyncio.gather(*asking) == [{200}] * 4


async def test_a_wrong_token_is_refused_and_serves_nothing(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    lab.store.state.tunnels[TUNNEL].secret = "b3RoZXI="
    right = lab.token
    connector = await lab.connector("--retries", "0", TUNNEL_TOKEN=right, wait=False)
    async with asyncio.timeout(10):
        assert await connector.process.wait() == 1
    assert "Unauthorized" in connector.log()
    assert "b3RoZXI=" not in connector.log()
    assert right not in connector.log()
    assert (await lab.fetch("/"))[0] == 530


async def test_the_connector_of_a_deleted_tunnel_is_sent_away(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    connector = await lab.connector("--retries", "1")
    lab.store.state.tunnels[TUNNEL].deleted_at = "2026-01-01T00:00:00Z"
    lab.tunnels.changed(TUNNEL)
    async with asyncio.timeout(10):
        assert await connector.process.wait() == 1
    assert (await lab.fetch("/", NAME))[0] == 530


async def test_the_api_shows_a_connection_while_it_lasts(lab: Lab) -> None:
    connector = await lab.connector()
    ready = await connector.ready()
    shown = lab.tunnels.connections(TUNNEL)
    assert ready is not None
    assert [c.client_id for c in shown] == [ready["connectorId"]]
    assert shown[0].origin_ip == "127.0.0.1"
    await connector.kill()
    await eventually(lambda: not lab.tunnels.connections(TUNNEL), "the connection to be gone")


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\n\r\n", b'{"protocol":1,"kind":"line"}\n']
)
async def test_whoever_is_no_connector_gets_nowhere(lab: Lab, said: bytes) -> None:
    import ssl

    context = ssl.create_default_context(cafile=str(lab.paths.ca_certificate))
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.door_port, ssl=context)
    writer.write(said)
    if not said:
        writer.close()
    async with asyncio.timeout(5):
        answer = await reader.read()
    assert b"key" not in answer
    writer.close()
    assert (await lab.fetch("/"))[0] == 530


async def test_a_metrics_address_without_a_port_is_an_error_as_in_go(lab: Lab) -> None:
    connector = await lab.connector("--metrics", "2000", "--url", "http://x", wait=False)
    assert await connector.process.wait() == 1
    await eventually(lambda: "metrics server" in connector.log(), "its words")
    assert "listen tcp: address 2000: missing port in address" in connector.log()
    assert "WRN --url: taken and ignored" in connector.log()

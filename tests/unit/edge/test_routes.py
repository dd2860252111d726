"""Which service a request goes to: the first rule that fits, as it is configured now."""

from tests.unit.edge.ways import NAME, Lab, Origin, eventually, parsed, running_origin


async def test_the_first_rule_that_fits_wins_and_the_last_takes_the_rest(
    lab: Lab, origin: Origin
) -> None:
    async with running_origin() as api, running_origin() as rest:
        lab.publish("*.example.org")
        lab.route(
            {"hostname": NAME, "path": "^/api/", "service": api.service()},
            {"hostname": NAME, "service": origin.service()},
            {"hostname": "*.example.org", "service": rest.service()},
        )
        await lab.connector()

        async def port(path: str, name: str = NAME) -> int:
            number: int = parsed((await lab.fetch(path, name))[1])["port"]
            return number

        assert await port("/api/x") == api.port
        assert await port("/x/api/") == origin.port
        assert await port("/api/", "a.b.example.org") == rest.port
        lab.publish("elsewhere.test")
        assert await lab.fetch("/", "elsewhere.test") == (404, "")


async def test_a_new_configuration_is_followed_without_a_restart(lab: Lab, origin: Origin) -> None:
    lab.route("http_status:404")
    connector = await lab.connector()
    assert (await lab.fetch("/"))[0] == 404
    lab.route(origin.service())

    async def answers() -> bool:
        return (await lab.fetch("/"))[0] == 200

    await eventually(answers, "the new route", limit_s=2)
    assert connector.process.returncode is None
    assert '"version":2' in await connector.text("/config")


async def test_a_configuration_that_cannot_be_followed_changes_nothing(
    lab: Lab, origin: Origin
) -> None:
    lab.route(origin.service())
    connector = await lab.connector()
    lab.route({"hostname": NAME, "service": "ftp://127.0.0.1"})
    await eventually(lambda: "Failed to update" in connector.log(), "the complaint")
    assert "service 'ftp://127.0.0.1'" in connector.log()
    assert (await lab.fetch("/"))[0] == 200


async def test_a_tunnel_without_routes_says_503(lab: Lab) -> None:
    await lab.connector()
    assert (await lab.fetch("/"))[0] == 503


async def test_the_host_header_is_what_the_route_says(lab: Lab, origin: Origin) -> None:
    lab.route(
        {"hostname": NAME, "service": origin.service(),
         "originRequest": {"httpHostHeader": "inside.example.org"}},
    )  # fmt: skip
    await lab.connector()
    headers = parsed((await lab.fetch("/"))[1])["headers"]
    assert headers["host"] == "inside.example.org"
    assert headers["x-forwarded-host"].split(":")[0] == NAME


async def test_a_kept_connection_is_closed_when_its_time_is_over(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service(), keepAliveTimeout="0.1ms")
    await lab.connector()
    for _ in range(3):
        await lab.fetch("/")
    assert len(origin.connections) == 3


async def test_a_limit_of_0_is_none(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service(), connectTimeout=0, tlsTimeout=0, keepAliveTimeout=0)
    await lab.connector()
    for _ in range(3):
        assert (await lab.fetch("/"))[0] == 200
    assert len(origin.connections) == 1


async def test_a_route_that_leads_back_to_its_own_name_ends(lab: Lab) -> None:
    lab.route(
        f"https://127.0.0.1:{lab.port}",
        caPool=str(lab.paths.ca_certificate), originServerName=NAME,
    )  # fmt: skip
    connector = await lab.connector()
    status, text = await lab.fetch("/")
    assert (status, text.partition(" (")[0]) == (403, "error code: 1000")
    requests = "cloudflared_tunnel_total_requests"
    said = dict(line.rsplit(" ", 1) for line in (await connector.text("/metrics")).splitlines())
    assert int(said[requests]) < 10

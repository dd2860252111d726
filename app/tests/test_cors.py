"""Other sites get in only if they are listed; the front end in development is."""

import httpx
import pytest

from tests.server import served

FRONT_END = "http://localhost:5173"


def preflight(client: httpx.Client, origin: str, **asked: str) -> httpx.Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    headers |= {f"Access-Control-Request-{name.title()}": value for name, value in asked.items()}
    return client.options("/api/chat", headers=headers)


def test_the_front_end_in_development_may_chat(client: httpx.Client) -> None:
    allowed = preflight(client, FRONT_END, headers="content-type,x-request-id")
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert "POST" in allowed.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in allowed.headers["Access-Control-Allow-Headers"]

    answer = client.post("/api/chat", json={"message": "hello"}, headers={"Origin": FRONT_END})
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert answer.headers["Access-Control-Expose-Headers"] == "X-Request-Id"
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://localhost:5173",
        "http://localhost:5174",
        "http://localhost:5173.evil.example",
        "http://LOCALHOST:5173",
        "http://localhost:5173/",
    ],
)
def test_another_origin_is_let_in_by_no_answer(client: httpx.Client, origin: str) -> None:
    refused = preflight(client, origin)
    assert refused.status_code == 400
    answers = [refused, client.get("/healthz", headers={"Origin": origin})]
    for answer in answers:
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("asked", [{"method": "DELETE"}, {"headers": "authorization"}])
def test_more_than_the_api_needs_is_not_granted(
    client: httpx.Client, asked: dict[str, str]
) -> None:
    assert preflight(client, FRONT_END, **asked).status_code == 400


def test_cookies_are_never_asked_for(client: httpx.Client) -> None:
    assert "Access-Control-Allow-Credentials" not in preflight(client, FRONT_END).headers


def test_a_front_end_can_read_errors_too(client: httpx.Client) -> None:
    answers = [
        client.get("/nothing", headers={"Origin": FRONT_END}),
        client.post("/api/chat", content=b"x" * 20_000, headers={"Origin": FRONT_END}),
        client.post("/api/chat", json={}, headers={"Origin": FRONT_END}),
    ]
    assert [answer.status_code for answer in answers] == [404, 413, 422]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END


def test_the_listed_origins_count_and_no_default_beside_them() -> None:
    with (
        served(CORS_ORIGINS="https://chat.example,https://b.example") as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        assert preflight(client, "https://chat.example").status_code == 200
        assert preflight(client, "https://b.example").status_code == 200
        assert preflight(client, FRONT_END).status_code == 400

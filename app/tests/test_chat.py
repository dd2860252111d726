"""The stream: whole, spread in time, ended when nobody listens; and what is refused."""

import time
from itertools import pairwise

import httpx
import pytest

from app.chat import PLACEHOLDER_TEXT, chunks
from tests.conftest import CHAT_DELAY_MS
from tests.server import Server, served


def test_the_answer_is_the_placeholder_as_chunked_plain_text(client: httpx.Client) -> None:
    response = client.post("/api/chat", json={"message": "hello"})
    assert response.status_code == 200
    assert response.text == PLACEHOLDER_TEXT
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert "Content-Length" not in response.headers


def test_no_proxy_is_allowed_to_collect_the_stream(client: httpx.Client) -> None:
    response = client.post("/api/chat", json={"message": "hello"})
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.headers["Cache-Control"] == "no-store, no-transform"


def test_chunks_arrive_one_by_one_with_the_delay_between_them(client: httpx.Client) -> None:
    arrivals: list[float] = []
    texts: list[str] = []
    with client.stream("POST", "/api/chat", json={"message": "hello"}) as response:
        for text in response.iter_text():
            arrivals.append(time.monotonic())
            texts.append(text)
    words = len(PLACEHOLDER_TEXT.split())
    assert len(texts) > words / 2
    assert arrivals[-1] - arrivals[0] >= 0.9 * (words - 1) * CHAT_DELAY_MS / 1000
    gaps = [after - before for before, after in pairwise(arrivals)]
    assert max(gaps) < (arrivals[-1] - arrivals[0]) / 2


def test_without_a_delay_the_answer_is_there_at_once() -> None:
    with served(DELAY_MS="0") as server:
        began = time.monotonic()
        response = httpx.post(f"{server.url}/api/chat", json={"message": "hi"}, trust_env=False)
        assert response.text == PLACEHOLDER_TEXT
        assert time.monotonic() - began < 1


def test_a_stream_ends_when_its_client_goes_away_and_the_log_says_so() -> None:
    with served(DELAY_MS="1000") as server:
        with (
            httpx.Client(base_url=server.url, trust_env=False) as client,
            client.stream("POST", "/api/chat", json={"message": "hello"}) as response,
        ):
            next(response.iter_raw())
            identity = response.headers["X-Request-Id"]
        line = server.logged(request_id=identity, path="/api/chat")
    assert (line["aborted"], line["aborted_by"], line["status"]) == (True, "client", 200)
    assert line["duration_ms"] < 5000  # the whole stream takes more than 20 s


def test_a_client_that_leaves_in_the_middle_of_its_upload_is_logged(service: Server) -> None:
    with service.connect() as connection:
        connection.sendall(
            b"POST /api/chat HTTP/1.1\r\nHost: x\r\nX-Request-Id: left-early\r\n"
            b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
    line = service.logged(request_id="left-early")
    assert (line["aborted_by"], line["status"]) == ("client", 499)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"message": ""}',
        b'{"message": " \\n "}',
        b'{"message": 1}',
        b'{"message": NaN}',
        b'{"message": null}',
        b'{"message": "\\ud800"}',
        b'["message"]',
        b'{"message": "hello"',
        b"",
    ],
)
def test_a_body_without_a_message_is_refused_with_its_place(
    client: httpx.Client, body: bytes
) -> None:
    response = client.post("/api/chat", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    problem = response.json()
    assert problem["request_id"] == response.headers["X-Request-Id"]
    assert all(set(found) == {"loc", "msg", "type"} for found in problem["detail"])


@pytest.mark.parametrize("body", [b'{"message": "\xff"}', b"[" * 10_000])
def test_what_cannot_be_read_as_json_is_the_clients_error(
    client: httpx.Client, body: bytes
) -> None:
    response = client.post("/api/chat", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["detail"] == "There was an error parsing the body"


def test_a_form_from_another_site_is_no_message(client: httpx.Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        response = client.post(
            "/api/chat", content=b'{"message": "hello"}', headers={"Content-Type": kind}
        )
        assert response.status_code == 422


def test_the_description_tells_the_body_and_every_error(client: httpx.Client) -> None:
    api = client.get("/openapi.json").json()
    chat = api["paths"]["/api/chat"]["post"]
    assert set(chat["responses"]) == {"200", "400", "413", "422", "500", "503"}
    assert set(chat["responses"]["200"]["content"]) == {"text/plain"}
    assert "10240" in chat["responses"]["413"]["description"]
    body = chat["requestBody"]["content"]["application/json"]["schema"]["$ref"].split("/")[-1]
    assert api["components"]["schemas"][body]["required"] == ["message"]
    assert set(api["paths"]["/healthz"]["get"]["responses"]) == {"200", "503"}


def test_the_chunks_of_a_text_are_the_text() -> None:
    assert "".join(chunks(PLACEHOLDER_TEXT)) == PLACEHOLDER_TEXT

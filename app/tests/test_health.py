"""Health is answered alike on both paths; what happens while draining is in test_draining."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/healthz", "/health"])
def test_a_running_service_is_live_and_ready(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.json() == {"status": "healthy", "live": True, "ready": True}
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/healthz", "/health"])
def test_a_probe_that_asks_for_the_head_only_is_answered(client: httpx.Client, path: str) -> None:
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")

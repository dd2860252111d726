"""One server for all tests that do not stop or reconfigure it."""

from collections.abc import Iterator

import httpx
import pytest

from tests.server import Server, served

CHAT_DELAY_MS = 20


@pytest.fixture(scope="session")
def service() -> Iterator[Server]:
    with served(DELAY_MS=str(CHAT_DELAY_MS)) as server:
        yield server


@pytest.fixture(scope="session")
def client(service: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=15, trust_env=False) as client:
        yield client

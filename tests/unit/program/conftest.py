"""What the tests of the whole program share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.infra.recording import TAILSCALE_KEY, own_event_loop
from tests.unit.program.cloud import Cloudflare, running_cloudflare

loop = pytest.fixture(autouse=True)(own_event_loop)


@pytest.fixture(autouse=True)
def cloudflare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloudflare]:
    """The lab's Cloudflare, which every program of these tests asks."""
    monkeypatch.setenv("BERTH_CACHE", str(tmp_path))
    monkeypatch.setenv("TAILSCALE_API_KEY", TAILSCALE_KEY)
    with running_cloudflare(tmp_path / "lab") as api:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", api.url)
        monkeypatch.setenv("CLOUDFLARE_API_TOKEN", api.token)
        yield api

"""An edge on the loopback address, connectors as processes, and a service behind them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.edge.ways import Lab, Origin, running_lab, running_origin


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """With one tunnel that `chat.example.org` leads to, and no connector."""
    async with running_lab(tmp_path) as lab:
        yield lab


@pytest.fixture
async def origin() -> AsyncIterator[Origin]:
    async with running_origin() as origin:
        yield origin

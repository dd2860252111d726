"""A lab with a Debian 12 and a Debian 13 machine, and small services to put on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab.world.load import DEFAULT_WORLD
from tests.e2e.guest.steps import Machine
from tests.labs import CHECKOUT, TestLab, running_lab

MACHINES = {"bookworm": "192.168.200.37/24", "trixie": "192.168.200.38/24"}


@pytest.fixture(scope="session")
def guest_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    world = yaml.safe_load(DEFAULT_WORLD.read_text())
    world["hosts"] = {
        name: {
            "address": address,
            "gateway": "192.168.200.1",
            "bridge": "vmbr0",
            "release": name,
            "disk_gb": 4,
        }
        for name, address in MACHINES.items()
    }
    path = tmp_path_factory.mktemp("world") / "world.yaml"
    path.write_text(yaml.safe_dump(world))
    with running_lab("guestprog", "--containers", "--world", str(path)) as lab:
        yield lab


@pytest.fixture(scope="session", params=sorted(MACHINES))
def each(
    request: pytest.FixtureRequest, guest_lab: TestLab, tmp_path_factory: pytest.TempPathFactory
) -> Machine:
    """Both machines in turn."""
    return Machine(guest_lab, request.param, tmp_path_factory.mktemp("archives"))


@pytest.fixture(scope="session")
def machine(guest_lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The Debian 13 machine."""
    return Machine(guest_lab, "trixie", tmp_path_factory.mktemp("archives"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An application that tells its environment, and streams for three seconds."""
    (tmp_path / "main.py").write_text(
        "import asyncio, os\n"
        "from fastapi import FastAPI\n"
        "from fastapi.responses import StreamingResponse\n"
        "app = FastAPI()\n"
        "@app.get('/healthz')\n"
        "async def healthz(): return {'status': 'healthy'}\n"
        "@app.get('/environment')\n"
        "async def environment(): return dict(os.environ)\n"
        "@app.get('/stream')\n"
        "async def stream():\n"
        "    async def parts():\n"
        "        for _ in range(30):\n"
        "            yield 'x'\n"
        "            await asyncio.sleep(0.1)\n"
        "    return StreamingResponse(parts())\n"
    )
    (tmp_path / "requirements.txt").write_bytes(
        (CHECKOUT / "app" / "requirements.txt").read_bytes()
    )
    return tmp_path

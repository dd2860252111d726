"""One network and one cache of templates for these tests; containers are made for each."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lab.host.templates import ensure_templates
from lab.paths import LabPaths
from lab.world.load import DEFAULT_WORLD, load_world
from lab.world.models import World
from tests.e2e.host.real import Host, lab_called


@pytest.fixture(scope="session")
def world() -> World:
    return load_world(DEFAULT_WORLD)


@pytest.fixture(scope="session")
def templates() -> dict[str, Path]:
    return ensure_templates(["trixie", "bookworm"])


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[LabPaths]:
    with lab_called(f"t{os.getpid()}", tmp_path_factory.mktemp("labs"), world) as made:
        yield made


@pytest.fixture
async def host(paths: LabPaths, world: World, templates: dict[str, Path]) -> AsyncIterator[Host]:
    made = Host(paths, world, templates["trixie"])
    yield made
    await made.clean()

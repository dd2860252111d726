"""The built engine and its language host, without a lab."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.toolchain import Toolchain, ensure
from tests.engine.toolchain.project import Project, clean_path, project_of


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toolchain]:
    """The built one, also where a Pulumi is installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", clean_path())
        patch.setenv("PULUMI_HOME", str(tmp_path_factory.mktemp("empty")))
        yield ensure(tmp_path_factory.mktemp("home"))


@pytest.fixture
def project(toolchain: Toolchain, tmp_path: Path) -> Project:
    return project_of(toolchain, tmp_path / "project")

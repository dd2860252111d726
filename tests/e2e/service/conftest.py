"""One container with the application of this checkout on it, for all tests of services."""

import shutil
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.e2e.service.site import Site
from tests.labs import TestLab, container, stack_file

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "tools")


def copy_of_app(directory: Path) -> Path:
    """The application of this checkout, to be edited."""
    return Path(shutil.copytree(REPO / "app", directory / "app", ignore=LEFT_OUT))


@pytest.fixture(scope="session")
def deployed(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A container with `chat` on it; its first `up` is over."""
    directory = tmp_path_factory.mktemp("site")
    stack = stack_file(directory, {"one": container(740, 140)}, identity="s3rv1ces")
    site = Site(lab, stack, copy_of_app(directory))
    site.services["chat"] = {"host": "one", "source": str(site.source), "app": "app:app"}
    site.up()
    yield site
    lab.pulumi(stack, "cancel", "--yes", check=False)
    lab.pulumi(stack, "destroy", "--run-program", "--yes", "--skip-preview")


@pytest.fixture
def going(deployed: Site) -> Site:
    """The site as the test before left it, for tests that leave it well."""
    return deployed


@pytest.fixture
def site(deployed: Site, tmp_path: Path) -> Iterator[Site]:
    """The site as it was deployed; what a test made of it, the next `up` puts right."""
    document = deepcopy(deployed.stack.document)
    kept = Path(shutil.copytree(deployed.source, tmp_path / "kept"))
    yield deployed
    deployed.stack.document = document
    shutil.rmtree(deployed.source)
    shutil.copytree(kept, deployed.source)
    deployed.lab.pulumi(deployed.stack, "cancel", "--yes", check=False)
    deployed.up()
    assert "healthy" in deployed.get("/healthz")

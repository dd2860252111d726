"""One container with the application of this checkout on it, for all tests of services."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import pytest

from tests.conftest import REPO
from tests.e2e.service.site import Site
from tests.labs import TestLab, container, stack_file, wait_for

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
    lab.remove_guests({740})


@pytest.fixture(scope="module")
def going(deployed: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site as the test before left it, for tests of one file that leave it well."""
    with put_right(deployed, tmp_path_factory.mktemp("going")):
        yield deployed


@pytest.fixture
def site(deployed: Site, tmp_path: Path) -> Iterator[Site]:
    """The site as it was deployed; what a test made of it, the next `up` puts right."""
    with put_right(deployed, tmp_path):
        yield deployed


@contextmanager
def put_right(site: Site, scratch: Path) -> Iterator[None]:
    """Afterwards the stack file and the source are as before, and an `up` has followed."""
    document = deepcopy(site.stack.document)
    kept = Path(shutil.copytree(site.source, scratch / "kept"))
    yield
    site.stack.document = document
    shutil.rmtree(site.source)
    shutil.copytree(kept, site.source)
    if site.up(check=False).code != 0:
        site.lab.pulumi(site.stack, "cancel", "--yes", check=False)
        site.up()
    # Where a mounted disk cannot grow, the lab starts the container anew, which `up` does not see.
    wait_for(lambda: "healthy" in site.get("/healthz", check=False), "the service to be well")

"""Three containers that these tests share, and labs of a test's own."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.labs import StackFile, TestLab, container, stack_file

SECRET = {"secure": "v1:cGxhY2Vob2xkZXI=:cGxhY2Vob2xkZXI="}
"""The lab puts a throw-away value of its own in its place."""


@pytest.fixture(scope="session")
def trio(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackFile]:
    """`early` and `late` start with the node, in this order and not in that of their ids; `idle`
    does not."""
    stack = stack_file(
        tmp_path_factory.mktemp("trio"),
        {
            "early": container(
                803, 203, onboot=True, start_order=1, root_password="console", memory_mb=192
            ),
            "late": container(802, 202, onboot=True, start_order=2),
            "idle": container(804, 204, onboot=False),
        },
        identity="tr1otr1o",
    )
    stack.document["config"]["berth:secrets"] = {"console": SECRET}
    stack.write()
    lab.pulumi(stack, "up", "--yes", "--skip-preview")
    yield stack
    lab.pulumi(stack, "cancel", "--yes", check=False)
    lab.pulumi(stack, "destroy", "--run-program", "--yes", "--skip-preview")


@pytest.fixture
def own_lab() -> Iterator[Callable[..., TestLab]]:
    """A lab that is up, of the test's own; whatever the test does to it, it is removed."""
    made: list[TestLab] = []

    def make(*up: str | Path) -> TestLab:
        lab = unused_lab()
        made.append(lab)
        lab.cli("up", *up)
        return lab

    yield make
    for lab in made:
        lab.cli("down")


def unused_lab() -> TestLab:
    """A name that no lab has."""
    return TestLab(f"e{uuid.uuid4().hex[:8]}")

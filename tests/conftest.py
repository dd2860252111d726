"""What all tests share: where things are, and what is left out where the specification is not."""

import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.process.service import RECORD
from tests.labs import StackFile, TestLab, running_lab, stack_file

REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"

TESTS = REPO / "tests"
# Shells let what they run in the background ignore Ctrl-C, and so would all that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
_SLOW_FIRST = ("engine", "e2e", "unit")
_left_out = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The slow ones first; leave out what reads the specification where that is absent."""
    # Run side by side, the many quick files fill up the end.
    items.sort(key=lambda item: _SLOW_FIRST.index(item.path.relative_to(TESTS).parts[0]))
    if SHARED.is_dir():
        return
    kept = [item for item in items if item.get_closest_marker("shared") is None]
    config.stash[_left_out] = len(items) - len(kept)
    if (worker := getattr(config, "workeroutput", None)) is not None:
        worker["left_out"] = len(items) - len(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker has seen all tests: what one of them left out, all did."""
    node.config.stash[_left_out] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """One line that says how many were left out, and why."""
    if number := config.stash.get(_left_out, 0):
        terminalreporter.write_line(
            f"{number} tests left out: they read the specification, "
            f"which is not beside this checkout"
        )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestLab]:
    """One lab for the whole run; what a test makes in it, it takes away.

    Every request to its API and every answer is held to Proxmox's own schema in the end, where
    the specification is beside the checkout.
    """
    record = tmp_path_factory.mktemp("api") / "exchanges.jsonl"
    record.touch()
    with running_lab("tests", "--containers", environment={RECORD: str(record)}) as running:
        yield running
    if SHARED.is_dir():
        from tests.contract_check import file_faults

        assert file_faults(record) == []


@pytest.fixture
def make_stack(lab: TestLab, tmp_path: Path) -> Iterator[Callable[[Mapping[str, Any]], StackFile]]:
    """Makes stack files; every container that is new is gone in the end."""
    before = lab.guests()
    made: list[StackFile] = []

    def make(hosts: Mapping[str, Any]) -> StackFile:
        directory = tmp_path / f"stack{len(made)}"
        directory.mkdir()
        made.append(stack_file(directory, hosts))
        return made[-1]

    yield make
    lab.remove_guests(lab.guests() - before)

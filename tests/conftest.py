"""What all tests share: where things are, and what is left out where the specification is not."""

from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
SHARED = REPO.parent / "shared"

_left_out = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what reads the specification where that is absent."""
    if SHARED.is_dir():
        return
    kept = [item for item in items if item.get_closest_marker("shared") is None]
    config.stash[_left_out] = len(items) - len(kept)
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """One line that says how many were left out, and why."""
    if number := config.stash.get(_left_out, 0):
        terminalreporter.write_line(
            f"{number} tests left out: they read the specification, "
            f"which is not beside this checkout"
        )

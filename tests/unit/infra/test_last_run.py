"""What the last run exported is read even while the engine writes its state."""

from typing import Any, ClassVar

import pulumi
import pytest

from infra import last_run


class Answer:
    value: ClassVar[dict[str, Any]] = {"outputs": {"login_key": "old"}}


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """What the engine answers before it answers: a double of its builtin provider."""
    left: list[Exception] = []

    def invoke(_token: str, _arguments: dict[str, Any]) -> type[Answer]:
        if left:
            raise left.pop()
        return Answer

    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    monkeypatch.setattr(pulumi, "get_organization", lambda: "organization")
    monkeypatch.setattr(last_run, "_PAUSE_S", 0)
    return left


def test_a_state_that_is_being_written_is_read_again(failures: list[Exception]) -> None:
    failures += [Exception("failed to load checkpoint: EOF")] * 3
    assert last_run.outputs("berth", "prod") == {"login_key": "old"}


def test_a_state_that_cannot_be_read_at_all_ends_the_run_in_words(
    failures: list[Exception],
) -> None:
    failures += [Exception("no such bucket")] * 1000
    with pytest.raises(pulumi.RunError, match=r"state of stack organization/berth/prod .*bucket"):
        last_run.outputs("berth", "prod")

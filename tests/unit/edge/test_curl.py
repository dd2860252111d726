"""`lab curl` says why it cannot fetch, before anything is asked."""

from pathlib import Path

import pytest

from lab.cli import curl
from lab.errors import LabError
from lab.paths import LabPaths


def test_a_lab_without_containers_publishes_nothing_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status = {"containers": False, "missing": ["containers need root"]}
    monkeypatch.setattr(curl, "ask_running", lambda *_: status)
    with pytest.raises(LabError) as error:
        curl.fetch(LabPaths("t", tmp_path), ["https://chat.example.org/"])
    assert str(error.value) == (
        "lab curl: nothing is published in a lab without containers (containers need root)"
    )

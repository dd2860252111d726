"""Keys of a tailnet: made, kept secret, exchanged and revoked; nothing runs because of one."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labs import StackFile, TestLab, stack_file

UP = ("up", "--yes", "--skip-preview")
HOST = {"homebot": {"existing": {"address": "192.168.200.37"}}}


@pytest.fixture
def stack(lab: TestLab, tmp_path: Path) -> Iterator[StackFile]:
    """A stack with a host and two keys."""
    made = stack_file(tmp_path, HOST, identity="ta1lneta")
    made.document["config"]["berth:tailnet"] = {
        "keys": {
            "join": {"tags": ["tag:server"], "hosts": ["homebot"], "expiry_s": 600},
            "delivery": {"tags": ["tag:ci"], "reusable": True, "ephemeral": True},
        }
    }
    made.write()
    yield made
    lab.pulumi(made, "destroy", "--run-program", "--yes", "--skip-preview", check=False)


@pytest.fixture
def keys(lab: TestLab, stack: StackFile) -> Callable[[], dict[str, dict[str, Any]]]:
    """The keys that the tailnet has, by description."""

    def ask() -> dict[str, dict[str, Any]]:
        script = 'curl -sS -u "$TAILSCALE_API_KEY:" "$TAILSCALE_BASE_URL/api/v2/tailnet/-/keys$1"'

        def get(path: str) -> Any:
            said = lab.cli("run", "--stack", stack.path, "--", "sh", "-c", script, "sh", path).text
            return json.loads(said.splitlines()[-1])

        rows = [get(f"/{row['id']}") for row in get("")["keys"]]
        return {r["description"]: r for r in rows if r["description"].startswith("berth test")}

    return ask


def test_keys_are_made_kept_secret_exchanged_and_revoked(
    lab: TestLab, stack: StackFile, keys: Callable[[], dict[str, dict[str, Any]]]
) -> None:
    said = lab.pulumi(stack, *UP, "--diff").text
    made = keys()
    assert set(made) == {"berth test join homebot", "berth test delivery"}
    create = made["berth test join homebot"]["capabilities"]["devices"]["create"]
    assert (create["reusable"], create["ephemeral"], create["tags"]) == (
        False,
        False,
        ["tag:server"],
    )
    shown = lab.pulumi(stack, "stack", "output", "--json", "--show-secrets").text
    secrets = json.loads(shown[shown.index("{") :])["tailnet_keys"]
    state = lab.pulumi(stack, "stack", "export").text
    for secret in secrets.values():
        assert secret.startswith("tskey-auth-")
        assert secret not in said
        assert secret not in state
    lab.pulumi(stack, "preview", "--expect-no-changes")

    # Exchanged: another one is made, the old one revoked, and no step runs.
    before = made["berth test delivery"]["id"]
    exchanged = lab.pulumi(stack, *UP, "--replace", "**::delivery-key").text
    assert "command:remote" not in exchanged
    assert keys()["berth test delivery"]["id"] != before
    assert keys()["berth test join homebot"]["id"] == made["berth test join homebot"]["id"]

    lab.pulumi(stack, "destroy", "--run-program", "--yes", "--skip-preview")
    assert keys() == {}


def test_a_key_that_has_expired_runs_nothing(
    lab: TestLab, stack: StackFile, keys: Callable[[], dict[str, dict[str, Any]]]
) -> None:
    tailnet = stack.document["config"]["berth:tailnet"]
    tailnet["keys"] = {"join": {"tags": ["tag:server"], "expiry_s": 1}}
    stack.write()
    lab.pulumi(stack, *UP)
    lab.pulumi(stack, "refresh", "--yes")
    lab.pulumi(stack, "preview", "--expect-no-changes")


def test_a_tag_that_nobody_may_give_is_refused(lab: TestLab, stack: StackFile) -> None:
    stack.document["config"]["berth:tailnet"]["keys"] = {"join": {"tags": ["tag:nobody"]}}
    stack.write()
    refused = lab.pulumi(stack, *UP, check=False)
    assert refused.code != 0
    assert "requested tags [tag:nobody] are invalid or not permitted" in refused.text

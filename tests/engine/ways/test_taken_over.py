"""A tunnel of this name is there already: refused at once, and taken over by what is printed."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engine.ways.conftest import TUNNELS, UP, Public
from tests.labs import wait_for

SLOW_API = Path(__file__).parent / "slow_api.py"
PORT = 18443
HAND = {"hostname": "hand.jackshome.com", "service": "http://10.1.1.1:80"}


def printed_import(text: str) -> str:
    found = re.search(r"pulumi up --yes --skip-preview --target .* && pulumi import [^\n]*", text)
    assert found is not None, text
    return found[0]


def run_printed(public: Public, command: str) -> str:
    """What a person does: copies the line."""
    return public.lab.cli("run", "--stack", public.stack.path, "--", "sh", "-c", command).text


def test_a_tunnel_of_somebody_else_is_refused_at_preview_and_can_be_taken_over(
    public: Public,
) -> None:
    body = {"name": public.tunnel, "config_src": "cloudflare"}
    theirs = public.ask("POST", TUNNELS, body)["id"]
    public.write_rules(theirs, HAND)
    began = time.monotonic()
    refused = public.pulumi("preview", check=False)
    assert refused.code != 0
    # The provider alone would ask again for minutes, and only at `up`.
    assert time.monotonic() - began < 60
    assert (
        f"account 0123456789abcdef0123456789abcdef has a tunnel of this name already, {theirs}"
        in (refused.text)
    )
    run_printed(public, printed_import(refused.text))
    assert "is kept, though this stack did not make it" in public.up()
    assert public.the_tunnel() == theirs
    assert [r.get("hostname") for r in public.rules(theirs)] == [
        "site.jackshome.com", "hand.jackshome.com", None,
    ]  # fmt: skip
    public.pulumi("preview", "--expect-no-changes")


@contextmanager
def ended(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """A command that is killed in the end: `bin/lab run` becomes what it runs."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def test_a_run_that_was_killed_after_the_tunnel_was_made_is_taken_up_again(public: Public) -> None:
    public.stack.write()
    slow = public.lab.command("run", "--", "python", SLOW_API, str(PORT))
    with ended(slow) as api:
        assert api.stdout is not None
        assert any("ready" in line for line in api.stdout)
        run = public.lab.command(
            "run", "--stack", public.stack.path, "--",
            "env", f"CLOUDFLARE_BASE_URL=http://127.0.0.1:{PORT}/client/v4",
            "pulumi", *UP, "--non-interactive",
        )  # fmt: skip
        with ended(run) as engine:
            wait_for(public.tunnels, "the tunnel to be made", limit_s=90)
            engine.kill()
            engine.communicate(timeout=60)
    made = public.the_tunnel()
    public.pulumi("cancel", "--yes")
    refused = public.pulumi(*UP, check=False)
    assert refused.code != 0
    assert f"has a tunnel of this name already, {made}" in refused.text
    run_printed(public, printed_import(refused.text))
    assert "https://site.jackshome.com/healthz: answers" in public.up()
    assert public.the_tunnel() == made
    public.pulumi("preview", "--expect-no-changes")

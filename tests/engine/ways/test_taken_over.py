"""A tunnel of this name is there already: refused at once, and taken over by what is printed."""

import re
import time

from tests.engine.ways.conftest import TUNNELS, Public

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

"""The rights that the documentation asks for are those that every test of the program has."""

import re

from lab.world.load import DEFAULT_WORLD, load_world
from tests.conftest import REPO

_ROW = re.compile(r"^\| (?:Account|Zone), ([A-Za-z ]+), (Edit|Read) \|", re.MULTILINE)


def test_the_token_of_the_lab_has_the_documented_rights_and_no_others() -> None:
    page = (REPO / "docs" / "cloudflare.md").read_text(encoding="utf-8")
    world = load_world(DEFAULT_WORLD)
    token = world.cloudflare.tokens[world.stack.cloudflare_token or ""]
    asked = {f"{what} {'Write' if how == 'Edit' else how}" for what, how in _ROW.findall(page)}
    assert asked == set(token.rights)

"""A stack's Cloudflare and Tailscale are the lab's: nothing real is reached from it."""

import re
from pathlib import Path

import pytest
import yaml

from lab.paths import LabPaths
from lab.stack.copy import LabSide, lab_copy
from lab.stack.environment import Place, lab_environment
from lab.stack.roles import Roles
from tests.unit.stack.conftest import Decrypter

FULL = """\
encryptionsalt: v1:AAAAAAAAAAA=:v1:AAAAAAAAAAAAAAAA:AAAA
config:
  berth:cloudflare:
    api_token: cf
    base_url: https://api.cloudflare.com/client/v4   # the real one
    account: 0123456789abcdef0123456789abcdef
  berth:tailnet:
    oauth_client_id: kReal1CNTRL
    oauth_client_secret: ts
    base_url: https://api.tailscale.com
  berth:secrets:
    cf:
      secure: v1:real:cloudflare
    ts:
      secure: v1:real:tailscale
"""
KEYED = """\
config:
  berth:tailnet:
    api_key: key
  berth:secrets:
    key:
      secure: v1:real:key
"""


def environment(side: LabSide, roles: Roles, tmp_path: Path, **caller: str) -> dict[str, str]:
    place = Place(LabPaths("t", tmp_path), (), "prod", tmp_path / "copy", tmp_path / "state")
    return lab_environment(caller, place, side, roles)


def test_urls_client_and_secrets_are_exchanged_and_nothing_else(
    side: LabSide, decrypt: Decrypter
) -> None:
    copy = lab_copy(FULL.encode(), side)
    config = yaml.safe_load(copy.content)["config"]
    assert config["berth:cloudflare"] == {
        "api_token": "cf",
        "base_url": "https://cloudflare.lab/client/v4",
        "account": "0123456789abcdef0123456789abcdef",
    }
    assert config["berth:tailnet"] == {
        "oauth_client_id": "lab-client",
        "oauth_client_secret": "ts",
        "base_url": "https://tailscale.lab",
    }
    secrets = config["berth:secrets"]
    assert decrypt(secrets["cf"]["secure"]) == "lab-cloudflare-token"
    assert decrypt(secrets["ts"]["secure"]) == "tskey-client-lab"
    assert b"# the real one" in copy.content


def test_an_api_key_of_a_tailnet_is_the_labs(side: LabSide, decrypt: Decrypter) -> None:
    copy = lab_copy(KEYED.encode(), side)
    secrets = yaml.safe_load(copy.content)["config"]["berth:secrets"]
    assert decrypt(secrets["key"]["secure"]) == "tskey-api-lab"


@pytest.mark.parametrize("stack", ["", "config: {}\n", "config:\n  berth:cloudflare: 7\n"])
def test_what_a_stack_leaves_open_comes_from_the_environment(
    side: LabSide, tmp_path: Path, stack: str
) -> None:
    roles = lab_copy(stack.encode(), side).roles
    found = environment(
        side,
        roles,
        tmp_path,
        CLOUDFLARE_API_TOKEN="real",
        TAILSCALE_API_KEY="real",
        OAUTH_CLIENT_SECRET="real",
    )
    clouds = {k: v for k, v in found.items() if re.match("CLOUDFLARE|TAILSCALE|OAUTH", k)}
    assert clouds == {
        "CLOUDFLARE_BASE_URL": "https://cloudflare.lab/client/v4",
        "CLOUDFLARE_API_TOKEN": "lab-cloudflare-token",
        "TAILSCALE_BASE_URL": "https://tailscale.lab",
        "TAILSCALE_API_KEY": "tskey-api-lab",
    }


def test_what_a_stack_states_is_not_in_the_environment_too(side: LabSide, tmp_path: Path) -> None:
    found = environment(side, lab_copy(FULL.encode(), side).roles, tmp_path)
    assert not [key for key in found if re.match("CLOUDFLARE|TAILSCALE", key)]


def test_half_an_oauth_client_is_completed_with_the_labs_other_half(
    side: LabSide, tmp_path: Path
) -> None:
    half = "config:\n  berth:tailnet: {oauth_client_secret: s}\n  berth:secrets: {}\n"
    found = environment(side, lab_copy(half.encode(), side).roles, tmp_path)
    assert found["TAILSCALE_OAUTH_CLIENT_ID"] == "lab-client"
    assert "TAILSCALE_API_KEY" not in found
    assert "TAILSCALE_OAUTH_CLIENT_SECRET" not in found

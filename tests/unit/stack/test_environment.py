"""A command in the lab meets the lab's providers and state, and nothing of the caller's."""

from pathlib import Path

import pytest

from lab.paths import LabPaths
from lab.stack.copy import LabSide
from lab.stack.environment import Place, lab_environment
from lab.stack.roles import Roles
from tests.unit.stack.conftest import TOKEN

PATHS = LabPaths("t", Path("/lab/t"))
PLACE = Place(PATHS, (Path("/tools"),), "prod", Path("/lab/t/stacks/p/c.yaml"), Path("/lab/t/b"))
ALL_STATED = Roles("https://192.168.1.11:8006/", "token", None, None, "ssh-key")


@pytest.mark.parametrize(
    "name",
    [
        "PULUMI_ACCESS_TOKEN",
        "PULUMI_API",
        "PULUMI_CONFIG_PASSPHRASE_FILE",
        "PULUMI_DEBUG_PROVIDERS",
        "PULUMI_OPTION_CWD",
        "PULUMI_OPTION_SECRETS_PROVIDER",
        "PROXMOX_VE_API_TOKEN",
        "PROXMOX_VE_USERNAME",
        "PROXMOX_VE_ENDPOINT",
        "CLOUDFLARE_API_TOKEN",
        "CF_API_TOKEN",
        "TAILSCALE_API_KEY",
        "TS_AUTHKEY",
        "BERTH_SSH_PRIVATE_KEY",
        "SSH_AUTH_SOCK",
        "HTTPS_PROXY",
        "http_proxy",
    ],
)
def test_a_real_login_or_address_of_the_caller_never_enters(side: LabSide, name: str) -> None:
    environment = lab_environment({name: "real", "PATH": "/bin"}, PLACE, side, ALL_STATED)
    assert "real" not in environment.values()


@pytest.mark.parametrize(
    "name", ["HOME", "TERM", "PULUMI_OPTION_PARALLEL", "PULUMI_RUN_PROGRAM", "BERTH_CACHE"]
)
def test_how_a_command_behaves_stays_the_callers_choice(side: LabSide, name: str) -> None:
    assert lab_environment({name: "mine"}, PLACE, side, ALL_STATED)[name] == "mine"


def test_a_plain_destroy_works(side: LabSide) -> None:
    assert lab_environment({}, PLACE, side, ALL_STATED)["PULUMI_RUN_PROGRAM"] == "true"


def test_the_callers_own_pulumi_is_found_behind_the_labs(side: LabSide) -> None:
    environment = lab_environment({"PATH": "/usr/bin:/bin"}, PLACE, side, ALL_STATED)
    assert environment["PATH"] == "/tools:/usr/bin:/bin"


def test_every_client_trusts_the_labs_authority_whatever_the_caller_set(side: LabSide) -> None:
    caller = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "/machine")
    environment = lab_environment(caller, PLACE, side, ALL_STATED)
    assert {environment[name] for name in caller} == {"/lab/t/tls/bundle.pem"}


def _filled(side: LabSide, roles: Roles) -> dict[str, str]:
    environment = lab_environment({}, PLACE, side, roles)
    names = ("PROXMOX_VE_", "BERTH_SSH_")
    return {name: value for name, value in environment.items() if name.startswith(names)}


def test_a_stack_that_states_everything_gets_no_second_value(side: LabSide) -> None:
    assert _filled(side, ALL_STATED) == {}


def test_a_stack_that_states_nothing_gets_everything(side: LabSide) -> None:
    assert _filled(side, Roles()) == {
        "PROXMOX_VE_ENDPOINT": "https://192.168.1.11:8006/",
        "PROXMOX_VE_API_TOKEN": TOKEN,
        "BERTH_SSH_PRIVATE_KEY_FILE": "/lab/t/ssh/id_ed25519",
    }


def test_half_a_login_is_completed_with_its_other_half(side: LabSide) -> None:
    stated = Roles("https://192.168.1.11:8006/", private_key="ssh-key")
    with_user = Roles(stated.endpoint, None, "berth@pve", None, "ssh-key")
    with_password = Roles(stated.endpoint, None, None, "pw", "ssh-key")
    assert _filled(side, with_user) == {"PROXMOX_VE_PASSWORD": "password of berth@pve"}
    assert _filled(side, with_password) == {"PROXMOX_VE_USERNAME": "root@pam"}

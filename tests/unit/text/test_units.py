"""The text of units, whole: what reaches a host is reviewed here."""

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from infra.release.project import Project
from infra.settings.service import Sandbox, Service
from infra.settings.service_places import places
from infra.text.document import Sent, deploy
from infra.text.units import units

OWNER = "berth/prod/chat/k7q2m9xw"
LEAST = {"host": "chat", "source": "app", "app": "app:app"}


def rendered(**changes: Any) -> dict[str, str]:
    service = Service.model_validate(LEAST | changes)
    return units(places("chat", service), service, owner=OWNER, import_path="src")


def test_units_of_the_plainest_service(snapshot: SnapshotAssertion) -> None:
    assert rendered() == snapshot


def test_units_with_every_setting(snapshot: SnapshotAssertion) -> None:
    assert (
        rendered(
            app=None,
            factory="shop.main:create_app",
            workers=4,
            log_level="warning",
            drain_s=5,
            listen="::",
            port=8443,
            user="web",
            unit="shop-prod",
            install_path="/srv/shop",
            env_file="/etc/shop/prod.env",
            writable=["data", "/var/log/shop"],
            limits={"memory_mb": 512, "files": 4096},
            health={"path": "/health", "limit_s": 400},
        )
        == snapshot
    )


def test_units_of_a_command_of_ones_own(snapshot: SnapshotAssertion) -> None:
    assert rendered(app=None, command=["python", "serve.py", "50%"]) == snapshot


def test_units_of_a_service_below_home_hide_every_other_home(snapshot: SnapshotAssertion) -> None:
    changes = {"install_path": "/home/ada/chat", "writable": ["data", "/home/ada/shared"]}
    text = rendered(**changes)["chat.service"]
    assert [line for line in text.splitlines() if "/home" in line or "Home" in line] == snapshot


def lines(text: str) -> set[str]:
    return {line for line in text.splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize(
    ("relaxation", "lost"),
    [
        ("executable_memory", {"MemoryDenyWriteExecute=yes"}),
        ("system_info", {"ProtectProc=invisible", "ProcSubset=pid"}),
        ("namespaces", {"RestrictNamespaces=yes"}),
        ("devices", {"PrivateDevices=yes", "DevicePolicy=closed"}),
        ("home", {"ProtectHome=yes"}),
        ("shared_tmp", {"PrivateTmp=yes"}),
        (
            "all_system_calls",
            {
                "SystemCallFilter=@system-service",
                "SystemCallFilter=~@privileged @resources",
                "SystemCallErrorNumber=EPERM",
            },
        ),
        ("all_address_families", {"RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX"}),
        ("new_privileges", {"NoNewPrivileges=yes", "RestrictSUIDSGID=yes"}),
    ],
)
def test_each_relaxation_takes_away_its_own_lines_alone(relaxation: str, lost: set[str]) -> None:
    strict, relaxed = rendered(), rendered(sandbox={relaxation: True})
    assert lines(strict["chat.service"]) - lines(relaxed["chat.service"]) == lost
    assert strict["chat.socket"] == relaxed["chat.socket"]


def test_every_relaxation_is_tried_above() -> None:
    tried = next(
        mark
        for mark in test_each_relaxation_takes_away_its_own_lines_alone.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    )
    assert {case[0] for case in tried.args[1]} == set(Sandbox.model_fields)


def test_an_edit_of_code_changes_no_unit() -> None:
    service = Service.model_validate(LEAST)
    here = places("chat", service)
    sent = [Sent("chat", digit * 64, "again") for digit in "12"]
    project = Project(".", "uv.lock", "3" * 64)
    first, second = (
        deploy(here, service, project, one, owner=OWNER, secrets={"A": "1"}) for one in sent
    )
    assert first["units"] == second["units"]
    assert first["env_file"] == second["env_file"]


def test_no_secret_is_in_a_unit() -> None:
    service = Service.model_validate(LEAST)
    document = deploy(
        places("chat", service),
        service,
        Project(".", "uv.lock", "3" * 64),
        Sent("chat", "1" * 64, "again"),
        owner=OWNER,
        secrets={"TOKEN": "s3cret"},
    )
    assert "s3cret" in document["env_file"]["text"]
    assert "s3cret" not in str(document["units"])
    assert document["secrets"] == ["s3cret"]

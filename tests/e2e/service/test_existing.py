"""A machine that is there already: what is ours comes and goes, what is its own stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.service.conftest import copy_of_app
from tests.e2e.service.site import Site
from tests.labs import TestLab, stack_file

HOME = {"existing": {"address": "192.168.200.37"}}
OWN = "find /opt/chat/.env /opt/chat/data /etc/passwd -printf '%p %m %u %g %T@ %i\\n' -type f -exec sha256sum {} +"
LEFT = (
    "ls -A /opt/chat /etc/chat /var/lib/berth /opt/two 2>&1; "
    "systemctl list-unit-files --no-legend 'chat*' 'two*'"
)


@pytest.fixture(params=["root", "deploy"])
def home(request: pytest.FixtureRequest, lab: TestLab, tmp_path: Path) -> Iterator[Site]:
    """The Debian 12 machine of the lab, with files of its own, as root and as a sudo user."""
    existing = {"existing": {**HOME["existing"], "user": request.param}}
    stack = stack_file(tmp_path, {"homebot": existing}, identity="ex1st1ng")
    site = Site(lab, stack, copy_of_app(tmp_path), host="homebot")
    site.services["chat"] = {"host": "homebot", "source": str(site.source), "app": "app:app"}
    site.run("mkdir -p /opt/chat/data && echo 'OWN=theirs' > /opt/chat/.env && "
             "chmod 600 /opt/chat/.env && echo kept > /opt/chat/data/file")  # fmt: skip
    yield site
    lab.pulumi(stack, "cancel", "--yes", check=False)
    lab.pulumi(stack, "destroy", "--run-program", "--yes", "--skip-preview")
    site.run("rm -rf /opt/chat; userdel chat; userdel two; true")


def test_what_is_ours_leaves_with_its_service_or_with_the_stack_and_nothing_else_does(
    home: Site, tmp_path: Path
) -> None:
    (tmp_path / "second").mkdir()
    second = copy_of_app(tmp_path / "second")
    home.services["two"] = {
        "host": "homebot", "source": str(second), "app": "app:app", "port": 8001, "workers": 2,
    }  # fmt: skip
    home.up()
    assert "healthy" in home.get("/healthz")
    own, before = home.run(OWN), home.look()

    del home.services["two"]
    assert "stays: user two" in home.up().text
    assert home.look().units["chat.service"] == before.units["chat.service"]
    left = home.run(LEFT, check=False)
    assert "cannot access '/opt/two'" in left
    assert "two.service" not in left
    assert home.run("ss -Hltn 'sport = :8001'") == ""
    assert "healthy" in home.get("/healthz")

    said = home.lab.pulumi(home.stack, "destroy", "--run-program", "--yes", "--skip-preview").text
    assert home.run(OWN) == own
    for line in ("stays: /opt/chat/.env", "stays: /opt/chat/data", "stays: user chat"):
        assert line in said
    assert home.run("id chat").startswith("uid=")
    assert home.run("ls -A /opt/chat").split() == [".env", "data"]
    left = home.run(LEFT, check=False)
    assert "cannot access '/etc/chat'" in left
    assert "cannot access '/var/lib/berth'" in left
    assert "chat.service" not in left
    assert home.run("ls -A ~deploy | grep berth; true") == ""


def test_a_key_that_is_in_the_servers_own_file_too_is_refused(home: Site) -> None:
    home.service["environment"] = {"OWN": "ours"}
    said = home.refused()
    assert "OWN: set in /opt/chat/.env on the host and in the stack file" in said
    assert home.run("ls -A /opt/chat").split() == [".env", "data"]

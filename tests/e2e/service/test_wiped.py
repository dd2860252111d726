"""A host that lost everything: the step says the one command that sends it again."""

import re
import shlex

from tests.e2e.service.site import Site

WIPE = (
    "systemctl disable --now -q chat.socket chat.service; "
    "rm -rf /opt/chat /etc/chat /var/lib/berth /etc/systemd/system/chat.*; "
    "systemctl daemon-reload; userdel chat"
)


def test_the_command_that_it_says_sends_everything_again(site: Site) -> None:
    site.run(WIPE)
    site.service["environment"] = {"DELAY_MS": "50"}
    said = site.refused()
    assert "was emptied or made anew" in said
    command = re.search(r"send all of it again: (pulumi up [^\n\"]*)", said)
    assert command is not None
    _, _, *words = shlex.split(command[1])
    assert "healthy" not in site.run("systemctl is-active chat", check=False)
    site.up(*words)
    assert "healthy" in site.get("/healthz")
    assert 'DELAY_MS="50"' in site.run("cat /etc/chat/chat.env")


def test_without_its_archives_alone_too(site: Site) -> None:
    site.run(WIPE.replace("/var/lib/berth ", "/var/lib/berth/incoming /var/lib/berth/services "))
    site.service["environment"] = {"DELAY_MS": "60"}
    said = site.refused()
    assert "is not there" in said
    command = re.search(r"send it again: (pulumi up [^\n\"]*)", said)
    assert command is not None
    site.up(*shlex.split(command[1])[2:])
    assert "healthy" in site.get("/healthz")

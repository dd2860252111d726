"""A service in a container is public over HTTPS, survives what happens, and goes without a trace."""

import subprocess
import time

import pytest

from tests.e2e.ways.conftest import DESTROY, NAME, UP, Story
from tests.labs import wait_for
from tests.unit.infra.certificates import new_pair

pytestmark = pytest.mark.root
CHAT = ["--no-buffer", "-X", "POST", "-H", "Content-Type: application/json",
        "-d", '{"message": "hello"}', "--max-time", "60"]  # fmt: skip


def streaming(story: Story) -> subprocess.Popen[str]:
    """A visitor whose answer comes piece by piece."""
    command = story.lab.command("curl", f"https://{NAME}/api/chat", *CHAT)
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_a_visitor_is_answered_and_the_stream_comes_in_pieces(story: Story) -> None:
    assert '"status":"healthy"' in story.curl("/healthz").text
    assert "<html" in story.curl("/").text.lower()
    with streaming(story) as visitor:
        assert visitor.stdout is not None
        arrived = []
        while visitor.stdout.read(1):
            arrived.append(time.monotonic())
    assert arrived[-1] - arrived[0] > 1


def test_the_service_speaks_https_with_a_certificate_of_its_own(story: Story) -> None:
    shown = story.lab.ssh(
        "web", "openssl s_client -connect 127.0.0.1:8000 </dev/null 2>/dev/null"
        " | openssl x509 -noout -ext subjectAltName",
    ).text  # fmt: skip
    assert "DNS:web, IP Address:192.168.1.160" in shown
    timers = story.lab.ssh("web", "systemctl is-active site-certificate.timer").text
    assert "active" in timers


def test_up_twice_changes_and_restarts_nothing(story: Story) -> None:
    look = "systemctl show -P InvocationID cloudflared"
    before = story.lab.ssh("pve", look).text
    assert "unchanged" in story.pulumi(*UP).text
    story.pulumi("preview", "--expect-no-changes")
    assert story.lab.ssh("pve", look).text == before


def test_a_connector_that_is_killed_is_back_within_five_seconds(story: Story) -> None:
    story.lab.ssh("pve", "systemctl kill -s KILL cloudflared")
    began = time.monotonic()
    wait_for(lambda: story.status() == "200", "the public name to answer again", limit_s=10)
    assert time.monotonic() - began < 5


def test_a_service_that_is_down_is_told_from_a_connector_that_is(story: Story) -> None:
    story.lab.ssh("web", "systemctl stop site.socket site.service")
    assert story.status() == "502"
    story.lab.ssh("web", "systemctl start site.socket site.service")
    wait_for(lambda: story.status() == "200", "the service to be back")
    story.lab.ssh("pve", "systemctl stop cloudflared")
    wait_for(lambda: story.status() == "530", "the edge to notice")
    story.lab.ssh("pve", "systemctl start cloudflared")
    wait_for(lambda: story.status() == "200", "the connector to be back")


def test_a_certificate_that_nobody_trusts_is_refused_by_the_gate_in_words(story: Story) -> None:
    crt, key = new_pair("192.168.1.160")
    files = {}
    for name, text in (("certificate", crt), ("key", key)):
        path = story.stack.path.parent / f"{name}.pem"
        path.write_text(text)
        files[name] = str(path)
    service = story.config["berth:services"]["site"]
    kept = service["tls"], service["routes"]
    service["tls"] = {"files": files}
    service["routes"] = [{"hostname": NAME}]
    refused = story.pulumi(*UP, check=False)
    assert refused.code != 0
    assert (
        f"https://{NAME}/healthz: origin certificate: cloudflared does not accept" in refused.text
    )
    assert "BEGIN" not in refused.text
    assert story.status() == "502"
    service["tls"], service["routes"] = kept
    story.pulumi(*UP)
    assert story.status() == "200"


def test_the_gate_speaks_for_the_connector_that_is_left(story: Story) -> None:
    crt, key = new_pair("192.168.1.160")
    files = {}
    for name, text in (("certificate", crt), ("key", key)):
        path = story.stack.path.parent / f"moved-{name}.pem"
        path.write_text(text)
        files[name] = str(path)
    service = story.config["berth:services"]["site"]
    connector = story.config["berth:cloudflare"]["connector"]
    kept = service["tls"], service["routes"]
    service["tls"], service["routes"] = {"files": files}, [{"hostname": NAME}]
    trusted = "/usr/local/share/ca-certificates/story.crt"
    story.lab.ssh(
        "pve", f"printf '%s' '{crt}' > {trusted}; update-ca-certificates; "
        "systemctl restart cloudflared",
    )  # fmt: skip
    story.pulumi(*UP)
    assert story.status() == "200"

    # The node trusts the service, the container to which the connector moves does not.
    connector["host"] = "web"
    for _ in range(2):
        refused = story.pulumi(*UP, check=False)
        assert refused.code != 0
        assert "once the connector that was replaced had stopped" in refused.text
        assert f"https://{NAME}/healthz: origin certificate:" in refused.text
        left = story.lab.ssh("pve", "ls /etc/cloudflared /var/lib/berth", check=False).text
        assert left.count("No such file or directory") == 2
        assert story.status() == "502"
    service["tls"], service["routes"] = kept
    assert "answers" in story.pulumi(*UP).text
    assert story.status() == "200"

    connector["host"] = "node"
    assert "/healthz: answers without the connector that was replaced" in story.pulumi(*UP).text
    story.lab.ssh("pve", f"rm {trusted}; update-ca-certificates")
    left = story.lab.ssh("web", "ls /etc/cloudflared /var/lib/berth/services", check=False).text
    assert "cannot access '/etc/cloudflared'" in left
    assert "site" in left.splitlines()
    assert "cloudflared" not in left.splitlines()
    story.pulumi("preview", "--expect-no-changes")


def test_a_destroy_lets_a_visitor_finish_and_leaves_nothing(story: Story) -> None:
    with streaming(story) as visitor:
        assert visitor.stdout is not None
        first = visitor.stdout.read(1)
        gone = story.pulumi(*DESTROY)
        text = first + visitor.stdout.read()
    assert text.rstrip().endswith("when ready.")
    assert "error" not in gone.text
    assert story.published() == []
    left = story.lab.ssh("pve", "ls /etc/cloudflared /var/lib/berth", check=False).text
    assert left.count("No such file or directory") == 2

"""A service in a container: it answers and streams, survives a reboot, and leaves nothing."""

import base64
import json
import subprocess
import threading
import time

from tests.e2e.service.site import UP, Site
from tests.labs import wait_for

STREAM = """
import http.client, sys, time
connection = http.client.HTTPConnection(sys.argv[1], timeout=20)
connection.request("POST", "/api/chat", '{"message": "hello"}', {"Content-Type": "application/json"})
response = connection.getresponse()
times = []
while response.read1(65536):
    times.append(time.monotonic())
print(len(times), times[-1] - times[0])
"""


def test_it_answers_and_its_stream_comes_in_chunks_spread_in_time(site: Site) -> None:
    assert '"status":"healthy"' in site.get("/healthz")
    address = site.url.partition("://")[2]
    said = site.lab.inside("python", "-c", STREAM, address).text.splitlines()[-1]
    chunks, seconds = said.split()
    assert int(chunks) >= 10
    assert float(seconds) > 1


def test_greet_shows_what_the_service_answers(site: Site) -> None:
    said = site.lab.cli("greet", "--stack", site.stack.path).text
    assert f"chat: GET {site.url}/healthz 200" in said


def test_the_container_is_rebooted_and_the_service_is_back(site: Site) -> None:
    boot = site.run("cat /proc/sys/kernel/random/boot_id")
    upid = site.lab.api("POST", "/nodes/pve/lxc/740/status/reboot")
    assert site.lab.finish_task(upid) == "OK"
    wait_for(
        lambda: site.run("cat /proc/sys/kernel/random/boot_id", check=False) not in {boot, ""},
        "the container to boot",
    )
    wait_for(
        lambda: "active" in site.run("systemctl is-active chat.service", check=False).split(),
        "the service to be back",
    )
    assert "healthy" in site.get("/healthz")


def test_the_state_holds_the_hash_of_the_code_and_not_its_bytes(site: Site) -> None:
    exported = site.lab.pulumi(site.stack, "stack", "export").text
    state = json.loads(exported[exported.index("{") :])
    copies = [
        resource
        for resource in state["deployment"]["resources"]
        if resource["type"] == "command:remote:CopyToRemote"
    ]
    assert len(copies) == 2
    for copy in copies:
        assert len(copy["inputs"]["source"]["hash"]) == 64
        assert "text" not in copy["inputs"]["source"]
        # No copy without a time limit, in seconds.
        assert copy["customTimeouts"] == {"create": 1800, "update": 1800}
    assert "placeholder response" not in exported
    assert len(exported) < 150_000


def test_a_secret_is_in_the_environment_file_and_nowhere_else(site: Site) -> None:
    site.config["berth:secrets"] = {"api-key": {"secure": "v1:aaaa:bbbb"}}
    site.service["secrets"] = {"API_KEY": "api-key"}
    site.edit("app/__init__.py", '"""', 'import sys\nprint("started", file=sys.stderr)\n"""')
    sampled: list[str] = []
    over = threading.Event()

    def sample() -> None:
        while not over.is_set():
            # Processes of this machine and of all containers on it: they share its kernel.
            listed = subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True)
            sampled.append(listed.stdout)
            over.wait(0.1)

    thread = threading.Thread(target=sample)
    thread.start()
    site.stack.write()
    said = site.lab.pulumi(site.stack, *UP).text
    over.set()
    thread.join()
    line = site.run("grep ^API_KEY= /etc/chat/chat.env").strip()
    value = line.partition('"')[2].rstrip('"')
    assert len(value) == 32

    texts = {
        "the engine's output": said,
        "ps": "\n".join(sampled),
        "the state": site.lab.pulumi(site.stack, "stack", "export").text,
        "the journal": site.run("journalctl --no-pager -o export"),
        "the lab's log": site.lab.paths.log.read_text(encoding="utf-8"),
    }
    shapes = [value, *(encoded(value, shift) for shift in range(3))]
    found = [(where, shape) for where, text in texts.items() for shape in shapes if shape in text]
    assert found == []
    for shape in shapes:
        files = site.run(
            "grep -rlFs --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev -e "
            f"'{shape}' / ; true"
        ).split()
        assert files == (["/etc/chat/chat.env"] if shape == value else [])
    assert site.run("stat -c '%a %U:%G' /etc/chat/chat.env").strip() == "640 root:chat"


def encoded(value: str, shift: int) -> str:
    """What of `value` shows in base64, wherever in a longer text it begins."""
    text = base64.b64encode(b"x" * shift + value.encode()).decode()
    return text[4 if shift else 0 : len(text) // 4 * 4 - 4]


def test_a_destroy_touches_no_service_until_all_of_it_may_go(site: Site) -> None:
    tags = "/nodes/pve/lxc/740/config"
    ours = site.lab.api("GET", tags)["tags"]
    site.stack.hosts.clear()
    del site.config["berth:services"]
    site.stack.write()
    would = "one is no longer one of berth:hosts, which would destroy container 740"
    assert would in site.refused()

    destroy = ("destroy", "--run-program", "--yes", "--skip-preview")
    site.lab.api("PUT", tags, tags="somebody-elses")
    refused = site.lab.pulumi(site.stack, *destroy, check=False)
    assert refused.code != 0
    assert "container 740 no longer carries the tag" in refused.text
    assert site.run("systemctl is-active chat.service") == "active\n"
    site.lab.api("PUT", tags, tags=ours)
    site.lab.pulumi(site.stack, *destroy)
    assert 740 not in site.lab.guests()


def test_a_container_made_anew_gets_everything_again(site: Site) -> None:
    site.stack.container("one")["disk_gb"] = 3
    site.config["berth:replace"] = ["one"]
    started = time.monotonic()
    said = site.up().text
    assert "one: destroys container 740 and makes it anew" in said
    assert "healthy" in site.get("/healthz")
    assert time.monotonic() - started < 120

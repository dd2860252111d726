"""What a reboot of a container, of the node, and a node that is off mean for what runs there."""

import time

import pytest

from tests.labs import StackFile, TestLab, wait_for

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]

EARLY, LATE, IDLE = 803, 802, 804


@pytest.fixture
def all_on(lab: TestLab, trio: StackFile) -> StackFile:
    for name in ("pve", "early", "late", "idle"):
        lab.cli("start", name)
    return trio


BEGIN = "cut -d' ' -f22 /proc/1/stat"


def boot(lab: TestLab, host: str) -> str:
    """Another one after each boot: when its init began."""
    return lab.ssh(host, BEGIN).text


def is_back(lab: TestLab, host: str, before: str) -> bool:
    """Whether a login succeeds after another boot than `before`; meanwhile there may be none."""
    login = lab.ssh(host, BEGIN, check=False)
    return login.code == 0 and login.text != before


def running(lab: TestLab) -> set[int]:
    rows = [m for m in lab.status()["machines"] if m["kind"] == "container" and m["running"]]
    return {row["vm_id"] for row in rows} & {EARLY, LATE, IDLE}


def started_since(lab: TestLab, moment: float) -> list[int]:
    """Containers in the order in which the node has started them."""
    tasks = lab.api(
        "GET", "/nodes/pve/tasks", typefilter="vzstart", since=int(moment), limit=500, source="all"
    )
    newest_first = [int(task["id"]) for task in tasks]
    return [vm_id for vm_id in reversed(newest_first) if vm_id in {EARLY, LATE, IDLE}]


@pytest.mark.parametrize("way", ["inside", "api"])
@pytest.mark.usefixtures("all_on")
def test_a_container_comes_back_from_a_reboot_with_its_files(lab: TestLab, way: str) -> None:
    before = boot(lab, "early")
    lab.ssh("early", f"echo kept > /root/{way} && sync")
    if way == "inside":
        lab.ssh("early", "reboot", check=False)
    else:
        assert lab.finish_task(lab.api("POST", f"/nodes/pve/lxc/{EARLY}/status/reboot")) == "OK"
    wait_for(lambda: is_back(lab, "early", before), "another boot of early")
    assert lab.ssh("early", f"cat /root/{way}").text == "kept\n"
    assert LATE in running(lab)


@pytest.mark.parametrize("way", ["inside", "api"])
@pytest.mark.usefixtures("all_on")
def test_a_reboot_of_the_node_ends_its_guests_and_starts_those_that_start_with_it(
    lab: TestLab, way: str
) -> None:
    before = {host: boot(lab, host) for host in ("pve", "early", "late", "idle", "homebot")}
    moment = time.time()
    if way == "inside":
        lab.ssh("pve", "reboot", check=False)
    else:
        lab.api("POST", "/nodes/pve/status", command="reboot")
    wait_for(lambda: IDLE not in running(lab), "the end of idle", limit_s=60)
    wait_for(lambda: running(lab) == {EARLY, LATE}, "early and late to be back", limit_s=60)
    wait_for(lambda: lab.cli("ssh", "pve", "--", "true", check=False).code == 0, "the node")
    after = {host: boot(lab, host) for host in ("pve", "early", "late", "homebot")}
    assert {host for host in after if after[host] != before[host]} == {"pve", "early", "late"}
    assert started_since(lab, moment) == [EARLY, LATE]
    assert IDLE not in running(lab)


def test_a_node_that_is_off_is_one_clear_message_and_no_harm(
    lab: TestLab, all_on: StackFile
) -> None:
    lab.cli("stop", "pve")
    assert running(lab) == set()
    told = f"the node is off, and the API with it; `bin/lab start --name {lab.name} pve`"
    assert told in lab.cli("status").text
    assert told in lab.cli("up").text
    off = lab.cli("ssh", "early", "--", "true", check=False)
    start = f"`bin/lab start --name {lab.name}"
    assert (off.code, off.text) == (1, f"error: early: is off; {start} early`\n")
    first = lab.cli("start", "early", check=False)
    assert first.text == f"error: early: its node is off; {start} pve` first\n"

    all_on.hosts["fourth"] = {"container": {**all_on.container("late"), "vm_id": 805}}
    all_on.container("fourth")["address"] = "192.168.1.205/24"
    all_on.write()
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        failed = lab.pulumi(all_on, *command, check=False)
        assert failed.code != 0
        summary = failed.text.partition("Diagnostics:")[2]
        assert summary.count("https://192.168.1.11:8006") == 1, failed.text
        assert "Traceback" not in failed.text

    lab.cli("start", "pve")
    wait_for(lambda: running(lab) == {EARLY, LATE}, "early and late to be back", limit_s=60)
    del all_on.hosts["fourth"]
    all_on.write()
    lab.pulumi(all_on, "up", "--yes", "--skip-preview")
    assert "unchanged" in lab.pulumi(all_on, "preview", "--expect-no-changes").text

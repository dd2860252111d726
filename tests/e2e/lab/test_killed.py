"""A lab whose process is killed loses nothing; one that is removed leaves nothing."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.host import groups
from tests.e2e.lab import machine
from tests.labs import StackFile, TestLab, container, stack_file, wait_for

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def kill_process(lab: TestLab) -> int:
    pid: int = lab.status()["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not lab.status()["running"], "the end of the lab's process")
    return pid


def one_container(directory: Path) -> StackFile:
    return stack_file(directory, {"one": container(821, 221, onboot=True)}, identity="k1llk1ll")


def test_two_labs_with_the_same_addresses_do_not_meet_and_one_goes_without_the_other(
    lab: TestLab, own_lab: Callable[..., TestLab], trio: StackFile, tmp_path: Path
) -> None:
    outside = machine.interfaces()
    other = own_lab()
    twin = StackFile(tmp_path / trio.path.name, trio.document)
    twin.write()
    assert other.status()["endpoint"] == lab.status()["endpoint"]
    assert "3 to create" not in other.pulumi(twin, "preview").text
    other.pulumi(twin, "up", "--yes", "--skip-preview")
    lab.cli("start", "idle")
    for place, name in ((lab, "shared"), (other, "own")):
        place.ssh("early", f"echo {name} > /root/whose")
    assert lab.ssh("early", "cat /root/whose").text == "shared\n"
    assert other.ssh("early", "cat /root/whose").text == "own\n"
    met = "ssh-keyscan -t ed25519 192.168.1.203 2>/dev/null | cut -d' ' -f3"
    keys = {place.ssh("late", met).text for place in (lab, other)}
    assert len(keys) == 2

    with machine.namespaces(other) as visited:
        kill_process(other)
        other.cli("down")
        assert machine.traces(other, inodes=visited) == []
    assert machine.interfaces() <= outside
    assert lab.ssh("early", "cat /root/whose").text == "shared\n"
    assert "unchanged" in lab.pulumi(trio, "preview", "--expect-no-changes").text


def test_containers_state_and_trust_outlive_the_labs_process(
    own_lab: Callable[..., TestLab], tmp_path: Path
) -> None:
    lab = own_lab()
    stack = one_container(tmp_path)
    lab.pulumi(stack, "up", "--yes", "--skip-preview")
    lab.ssh("one", "systemd-run --quiet --unit=witness sleep 1000")
    trusted, config = lab.paths.known_hosts.read_text(), lab.api("GET", "/nodes/pve/lxc/821/config")
    lab.cli("packages", "off")
    lab.cli("stop", "homebot")
    before = kill_process(lab)

    assert lab.cli("status").text == (
        f"lab {lab.name}: its process has ended, its machines may still run; "
        f"`bin/lab up --name {lab.name}` takes them up again, "
        f"`bin/lab down --name {lab.name}` removes them\n"
    )
    lab.cli("up")
    after = lab.status()
    assert after["pid"] != before
    assert not after["packages"]
    assert [m["name"] for m in after["machines"] if m["running"]] == ["pve", "one"]
    assert lab.ssh("one", "systemctl is-active witness").text == "active\n"
    assert lab.paths.known_hosts.read_text() == trusted
    assert lab.api("GET", "/nodes/pve/lxc/821/config") == config
    assert "unchanged" in lab.pulumi(stack, "preview", "--expect-no-changes").text

    # The machine is switched off: what lives in memory is gone, the files are there.
    like_after_a_power_cut(lab)
    assert [trace.split()[0] for trace in machine.traces(lab)] == ["file"]
    lab.cli("up")
    wait_for(lambda: lab.cli("ssh", "one", "--", "true", check=False).code == 0, "one to be back")
    assert lab.ssh("one", "systemctl is-active witness", check=False).text == "inactive\n"
    assert "unchanged" in lab.pulumi(stack, "preview", "--expect-no-changes").text

    like_after_a_power_cut(lab)
    lab.cli("down")
    assert machine.traces(lab) == []
    assert lab.cli("status").text == f"lab {lab.name}: is not running\n"


def test_a_reboot_that_was_asked_for_comes_though_the_labs_process_is_killed(
    own_lab: Callable[..., TestLab], tmp_path: Path
) -> None:
    lab = own_lab()
    lab.pulumi(one_container(tmp_path), "up", "--yes", "--skip-preview")
    begin = "cut -d' ' -f22 /proc/1/stat"
    before = {host: lab.ssh(host, begin).text for host in ("pve", "one")}
    lab.api("POST", "/nodes/pve/status", command="reboot")
    kill_process(lab)
    lab.cli("up")

    def is_back(host: str) -> bool:
        login = lab.ssh(host, begin, check=False)
        return login.code == 0 and login.text != before[host]

    for host in before:
        wait_for(lambda host=host: is_back(host), f"another boot of {host}", limit_s=60)  # type: ignore[misc]
    assert lab.api("GET", "/nodes/pve/status")["uptime"] < 300


def like_after_a_power_cut(lab: TestLab) -> None:
    root = groups.unified_root()
    assert root
    with machine.namespaces(lab) as inodes:
        group = root / lab.paths.namespace
        groups.kill(group)
        assert groups.wait_empty(group, 20)
        groups.remove(group)
        for directory in ("memory", "cpuset", "cpu"):
            remove = (
                'mount -t cgroup -o "$2" c /mnt && find "/mnt/$1" -depth -type d -exec rmdir {} +'
            )
            inside = ["unshare", "--mount", "sh", "-c", remove, "sh", lab.paths.namespace]
            subprocess.run([*inside, directory], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "delete", lab.paths.namespace], check=True)

        def only_files_are_left() -> bool:
            return all(t.startswith("file") for t in machine.traces(lab, inodes=inodes))

        wait_for(only_files_are_left, "the kernel to let go of everything")
    lab.paths.pid_file.write_text(str(os.getpid()))  # by now the number is somebody else's


def test_a_killed_pulumi_and_a_killed_lab_leave_nothing_behind(
    own_lab: Callable[..., TestLab], tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    lab = own_lab()
    stack = one_container(tmp_path)
    run = subprocess.Popen(
        lab.command("run", "--stack", stack.path, "--", "pulumi", "up", "--yes", "--skip-preview"),
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    wait_for((lab.paths.guests / "ct-821").exists, "the container to be begun")
    run.kill()  # `bin/lab run` has become pulumi itself by now, in the lab's network
    run.communicate(timeout=20)
    with machine.namespaces(lab) as visited:
        kill_process(lab)
        lab.cli("down")
        assert machine.traces(lab, inodes=visited) == []
    assert list(scratch.iterdir()) == []

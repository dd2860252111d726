"""Each trouble ends with one clear message, and a state from which the next `up` recovers."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.host.enter import command_inside
from tests.e2e.service.site import UP, Site
from tests.labs import wait_for

# Ends the session that the step runs in, and no other.
CUT = (
    "p=$(pgrep -of '^python3 -I /var/lib/berth'); "
    'while [ "$(ps -o comm= -p $p)" != sshd-session ]; do p=$(ps -o ppid= -p $p); done; kill $p'
)
GO = "/opt/chat/go"
# Starts when it is told to.
HELD = f"""import os, time
while not os.path.exists("{GO}"):
    time.sleep(0.05)
\"\"\""""


def test_an_application_that_does_not_import_leaves_the_old_one_serving(site: Site) -> None:
    site.edit("app/__init__.py", '"""', 'import no_such_module\n"""')
    said = site.refused()
    assert "chat.service did not start; release " in said
    assert "serves again" in said
    assert "ModuleNotFoundError: No module named 'no_such_module'" in said
    assert "next: no_such_module is not among the dependencies in the lock" in said
    assert "healthy" in site.get("/healthz")


def test_one_that_never_gets_healthy_is_told_what_it_answers(site: Site) -> None:
    site.service["health"] = {"path": "/no-such-path", "limit_s": 10}
    said = site.refused()
    assert "/no-such-path on 127.0.0.1 port 8000 was not right within 10 s: status 404" in said
    assert "serves again" in said


def test_one_that_listens_elsewhere_is_told_where(site: Site) -> None:
    del site.service["app"]
    site.service["command"] = ["uvicorn", "app:app", "--port", "9999"]
    site.service["health"] = {"limit_s": 15}
    said = site.refused()
    assert "the service listens on 127.0.0.1:9999, not on 8000" in said
    assert "healthy" in site.get("/healthz")


def test_a_port_that_a_stranger_has_is_refused_before_anything_changes(site: Site) -> None:
    site.run("systemd-run --quiet --unit=stranger python3 -m http.server 8200")
    wait_for(lambda: ":8200" in site.run("ss -Hltn"), "the stranger to listen")
    site.service["port"] = 8200
    before = site.look()
    said = site.refused()
    assert "port 8200: taken by python3 (process " in said
    assert "next: stop that one, or give the service another `port`" in said
    assert site.look().files == before.files
    site.run("systemctl stop stranger")


def test_without_a_package_index_the_step_says_so(site: Site) -> None:
    site.edit("requirements.txt", "#", "# Another environment.\n#")
    site.run("rm -rf /var/lib/berth/cache")
    site.lab.cli("packages", "off")
    try:
        said = site.refused()
    finally:
        site.lab.cli("packages", "on")
    assert "check that the host reaches its package index" in said
    assert "healthy" in site.get("/healthz")
    site.up()


def test_a_full_disk_leaves_the_old_one_serving(site: Site) -> None:
    site.edit("requirements.txt", "#", "# Yet another environment.\n#")
    free = "$(($(df --output=avail -k / | tail -1) - 2000))k"
    site.run(f"fallocate -l {free} /filler")
    try:
        said = site.refused()
    finally:
        site.run("rm -f /filler")
    assert "No space left on device" in said
    assert "healthy" in site.get("/healthz")
    site.up()


@contextmanager
def other_host_key(site: Site) -> Iterator[None]:
    """Another host key for a while, as an impostor would have it."""
    keys = "/etc/ssh/ssh_host_ed25519_key"
    address = site.url.partition("://")[2].partition(":")[0]
    site.run(f"cp -a {keys} /root/kept; cp -a {keys}.pub /root/kept.pub")
    site.run(f"yes | ssh-keygen -q -t ed25519 -N '' -f {keys} >/dev/null; systemctl restart ssh")
    try:
        yield
    finally:
        site.lab.inside(
            "ssh", "-F", "/dev/null", "-i", site.lab.paths.ssh_key,
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            f"root@{address}",
            f"mv /root/kept {keys}; mv /root/kept.pub {keys}.pub; systemctl restart ssh",
        )  # fmt: skip


def test_another_host_key_is_refused_with_the_words_to_check_it(site: Site) -> None:
    site.service["environment"] = {"DELAY_MS": "30"}
    with other_host_key(site):
        said = site.refused()
    assert "ssh: host key mismatch" in said
    assert "`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`" in said
    assert "pulumi up --replace '**::one-host-key'" in said
    assert "one-host-key" not in site.up().text


@pytest.fixture
def held(site: Site) -> Iterator[Site]:
    """The site with an edit whose start waits until it is let go."""
    site.edit("app/__init__.py", '"""', HELD)
    site.service["health"] = {"limit_s": 300}
    yield site
    let_go(site)
    site.run(f"rm {GO}")


def let_go(site: Site) -> None:
    site.run(f"touch {GO}")


@contextmanager
def running_up(site: Site, sign: str) -> Iterator["subprocess.Popen[str]"]:
    """An `up` that is at work, and has said `sign`; killed in the end if it is still there."""
    site.stack.write()
    command = site.lab.command("run", "--stack", site.stack.path, "--", "pulumi", *UP)
    with subprocess.Popen(
        [*command, "--color", "never", "--non-interactive"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if sign in line:
                break
        else:
            raise AssertionError(f"never said {sign!r}: {''.join(said)}")
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            rest(process)


def rest(process: "subprocess.Popen[str]") -> str:
    """What else it says until its end."""
    assert process.stdout is not None
    said = process.stdout.read()
    process.wait(timeout=60)
    return said


STARTING = "starting chat.service"
WAITING = "waiting for another step on chat"


def test_a_connection_that_is_cut_is_told_and_the_step_goes_on(held: Site) -> None:
    with running_up(held, STARTING) as process:
        held.run(CUT)
        said = rest(process)
    assert process.returncode != 0
    assert "the connection was lost while the step ran" in said
    with running_up(held, WAITING) as process:
        let_go(held)
        rest(process)
    assert process.returncode == 0
    assert GO in held.run("cat /opt/chat/current/app/__init__.py")


def test_a_second_up_at_the_same_time_changes_nothing(held: Site) -> None:
    with running_up(held, STARTING) as process:
        second = held.up(check=False)
        let_go(held)
        said = rest(process)
    assert second.code != 0
    assert "the stack is currently locked" in second.text
    assert process.returncode == 0, said


def test_an_engine_that_was_killed_leaves_a_step_that_the_next_up_waits_for(held: Site) -> None:
    with running_up(held, STARTING) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    held.lab.pulumi(held.stack, "cancel", "--yes")
    with running_up(held, WAITING) as process:
        let_go(held)
        rest(process)
    assert process.returncode == 0
    assert GO in held.run("cat /opt/chat/current/app/__init__.py")


def test_what_a_killed_engine_began_is_taken_back_with_the_edit(site: Site) -> None:
    before = (site.source / "app" / "__init__.py").read_text(encoding="utf-8")
    site.edit("app/__init__.py", '"""', '"""Began. ')
    with running_up(site, STARTING) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    site.lab.pulumi(site.stack, "cancel", "--yes")
    (site.source / "app" / "__init__.py").write_text(before, encoding="utf-8")
    site.up()
    assert site.run("cat /opt/chat/current/app/__init__.py") == before


def test_a_host_that_does_not_answer_is_named_with_what_to_do(site: Site) -> None:
    site.service["environment"] = {"DELAY_MS": "40"}
    address = site.url.partition("://")[2].partition(":")[0]
    cut, back = (["ip", "route", verb, "unreachable", address] for verb in ("add", "del"))
    subprocess.run(command_inside(site.lab.paths, cut), check=True)
    try:
        said = site.refused()
    finally:
        subprocess.run(command_inside(site.lab.paths, back), check=True)
    assert "the host cannot be reached over SSH" in said

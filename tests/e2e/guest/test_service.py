"""A service on a real machine: systemd, its journal, its sandbox, its reboots."""

import json
import re
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from infra.settings.service import Sandbox, Service
from infra.settings.service_places import places
from infra.text.units import units
from tests.e2e.guest.steps import PROGRAM, Machine
from tests.labs import CHECKOUT, TestLab, wait_for

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]
ODD = "a\"b`c$d\\e%f #g; \t é 💥 'q' ${HOME} \\n \r|"
SECRET = 's3cret \\"$$` value'


def test_a_deploy_serves_and_a_second_one_touches_nothing(each: Machine, source: Path) -> None:
    first = each.deploy("one", source, {"TOKEN": SECRET}, app="main:app", port=8001)
    assert (first.code, first.answer.get("result")) == (0, "changed"), first.said
    started = each.run("systemctl show -p ExecMainPID one")
    second = each.deploy("one", source, {"TOKEN": SECRET}, app="main:app", port=8001)
    assert second.answer["result"] == "unchanged"
    assert each.run("systemctl show -p ExecMainPID one") == started


def test_the_units_are_sound_and_the_sandbox_is_tight(each: Machine, source: Path) -> None:
    assert each.deploy("one", source, app="main:app", port=8001).code == 0
    units = "/etc/systemd/system/one.service /etc/systemd/system/one.socket"
    assert each.run(f"systemd-analyze verify {units} 2>&1") == ""
    shown = each.run("systemd-analyze security one --no-pager")
    found = re.search(r"Overall exposure level for one.service: ([\d.]+)", shown)
    assert found is not None
    assert float(found[1]) < 2.0


def test_the_page_says_what_each_relaxation_costs(guest_lab: TestLab, tmp_path: Path) -> None:
    machine = Machine(guest_lab, "bookworm", tmp_path)
    page = (CHECKOUT / "docs" / "services.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+): true` \|[^|]*\| ([\d.]+) \|$", page, re.MULTILINE))
    told[""] = re.findall(r"^\| nothing \|[^|]*\| ([\d.]+) \|$", page, re.MULTILINE)[0]
    assert told.keys() == {*Sandbox.model_fields, ""}
    assert exposures(machine, told) == told


ASK = r"""
import json, re, subprocess, sys
found = {}
for name, text in json.load(sys.stdin).items():
    open("/tmp/chat.service", "w").write(text)
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", "/tmp/chat.service"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found[name] = re.findall(r"exposure level for chat.service: ([\d.]+)", said)[0]
print(json.dumps(found))
"""


def exposures(machine: Machine, relaxations: Iterable[str]) -> dict[str, str]:
    texts = {}
    for relaxation in relaxations:
        sandbox = {relaxation: True} if relaxation else {}
        settings: dict[str, Any] = {"host": "h", "source": ".", "app": "a:app", "sandbox": sandbox}
        spec = Service.model_validate(settings)
        rendered = units(places("chat", spec), spec, owner="x", import_path=".")
        texts[relaxation] = rendered["chat.service"]
    said = machine.run(f"python3 -c '{ASK}'", json.dumps(texts).encode())
    found: dict[str, str] = json.loads(said)
    return found


def test_values_arrive_exactly_and_secrets_are_in_the_environment_file_alone(
    each: Machine, source: Path
) -> None:
    done = each.deploy(
        "one", source, {"TOKEN": SECRET}, app="main:app", port=8001,
        environment={"ODD": ODD, "EMPTY": "", "SPACES": "  "},
    )  # fmt: skip
    assert done.code == 0, done.said
    seen = json.loads(each.run("python3 -c 'import urllib.request as u;"
                               'print(u.urlopen("http://127.0.0.1:8001/environment")'
                               ".read().decode())'"))  # fmt: skip
    assert (seen["ODD"], seen["EMPTY"], seen["SPACES"]) == (ODD, "", "  ")
    assert seen["TOKEN"] == SECRET
    assert SECRET not in done.said + json.dumps(done.answer)
    holders = each.run("grep -rlF s3cret /etc /opt /var /run /tmp || test $? = 1").split()
    assert holders == ["/etc/one/one.env"]
    assert each.run("stat -c '%a %U:%G' /etc/one/one.env") == "640 root:one\n"


def test_a_stream_outlives_a_restart_and_nobody_is_refused(machine: Machine, source: Path) -> None:
    assert machine.deploy("one", source, app="main:app", port=8001).code == 0
    script = (
        "import http.client, subprocess, threading\n"
        "def get(path):\n"
        "    c = http.client.HTTPConnection('127.0.0.1', 8001, timeout=60)\n"
        "    c.request('GET', path); return c.getresponse().read().decode()\n"
        "found = []\n"
        "stream = threading.Thread(target=lambda: found.append(get('/stream')))\n"
        "stream.start()\n"
        "restart = subprocess.Popen(['systemctl', 'restart', 'one'])\n"
        "number = 0\n"
        "while restart.poll() is None: get('/healthz'); number += 1\n"
        "stream.join()\n"
        "assert found == ['x' * 30], found\n"
        "print(number, 'answered')\n"
    )
    assert "answered" in machine.run("python3 -", script.encode())


def test_a_reboot_brings_the_service_back(machine: Machine, source: Path) -> None:
    assert machine.deploy("one", source, app="main:app", port=8001).code == 0
    boot = machine.run("cat /proc/1/stat | cut -d' ' -f22")
    machine.run("systemctl reboot", check=False)

    def serves() -> bool:
        ask = "cat /proc/1/stat | cut -d' ' -f22; systemctl is-active one one.socket"
        done = subprocess.run(machine.command(ask), capture_output=True, check=False)
        return done.stdout.decode().split()[1:] == ["active", "active"] and (
            done.stdout.decode().split()[0] != boot.strip()
        )

    wait_for(serves, "the service after a reboot", limit_s=60)


def test_a_failed_release_leaves_the_old_one_serving(machine: Machine, source: Path) -> None:
    first = machine.deploy("one", source, app="main:app", port=8001)
    assert first.code == 0
    (source / "main.py").write_text("import nothing_here\n\ndef __getattr__(name): ...\n")
    failed = machine.deploy("one", source, app="main:app", port=8001)
    assert failed.code == 1
    assert "one.service did not start" in failed.said
    assert "ModuleNotFoundError: No module named 'nothing_here'" in failed.said
    assert f"release {first.answer['release']} serves again" in failed.said
    assert machine.run("systemctl is-active one") == "active\n"


def test_a_service_that_listens_elsewhere_is_told_where(machine: Machine, source: Path) -> None:
    command = ["uvicorn", "main:app", "--port", "8099"]
    done = machine.deploy(
        "elsewhere", source, command=command, port=8098, health={"path": "/healthz", "limit_s": 15}
    )
    assert done.code == 1
    assert "the service listens on 127.0.0.1:8099, not on 8098" in done.said


def test_a_port_of_a_stranger_is_refused_and_names_it(machine: Machine, source: Path) -> None:
    machine.run("systemd-run -q --unit stranger python3 -m http.server 8055")
    try:
        wait_for(lambda: ":8055" in machine.run("ss -ltn"), "the stranger")
        done = machine.deploy("late", source, app="main:app", port=8055)
        assert done.code == 1
        assert re.search(r"port 8055: taken by python3 \(process \d+\)", done.said)
        assert "late" not in machine.run("ls /opt")
    finally:
        machine.run("systemctl stop stranger")


def test_files_of_the_server_cannot_be_written_by_a_step(machine: Machine) -> None:
    script = (
        "import sys, pathlib\n"
        f"sys.path.insert(0, '{PROGRAM}')\n"
        "from guest.host import Host\n"
        "from guest.kept import protect\n"
        "paths = [pathlib.Path('/opt/kept/data'), pathlib.Path('/opt/kept/.env')]\n"
        "paths[0].mkdir(parents=True, exist_ok=True); paths[1].write_text('A=1')\n"
        "protect(paths, Host())\n"
        "for path in (paths[0] / 'x', paths[1]):\n"
        "    try: path.write_text('spoilt')\n"
        "    except OSError as error: print(error.strerror)\n"
    )
    assert machine.run("python3 -", script.encode()) == "Read-only file system\n" * 2
    machine.run("echo more >> /opt/kept/.env && touch /opt/kept/data/x")


def test_a_step_whose_engine_was_killed_goes_on_and_holds_off_the_next(
    machine: Machine, source: Path
) -> None:
    held = "import os, time\nwhile not os.path.exists('/opt/go'):\n    time.sleep(0.05)\n"
    (source / "main.py").write_text(held + (source / "main.py").read_text())
    given = machine.document("killed", source, {}, app="main:app", port=8066)
    with started(machine, given) as (engine, said):
        wait_for(lambda: any("starting" in line for line in said), "the step to start the service")
        engine.kill()
    with started(machine, given) as (engine, said):
        waits = "waiting for another step on killed"
        wait_for(lambda: any(waits in line for line in said), "the next step to wait")
        machine.run("touch /opt/go")
        assert engine.wait(timeout=60) == 0, said
    assert machine.step("deploy", given).answer["result"] == "unchanged"
    assert machine.remove("killed").code == 0
    machine.run("rm /opt/go")


@contextmanager
def started(
    machine: Machine, given: dict[str, Any]
) -> Iterator[tuple["subprocess.Popen[str]", list[str]]]:
    """A deploy that goes on, and the lines that it says meanwhile."""
    with subprocess.Popen(
        machine.command(f"python3 {PROGRAM} deploy"),
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        said: list[str] = []
        stderr = process.stderr
        reader = threading.Thread(target=lambda: said.extend(iter(stderr.readline, "")))
        reader.start()
        yield process, said
        process.wait()
        reader.join()


def test_removing_leaves_what_belongs_to_the_server_byte_for_byte(
    each: Machine, source: Path
) -> None:
    each.run("mkdir -p /opt/one/data /opt/one/certs; echo KEY=1 > /opt/one/.env;"
             "echo token > /opt/one/data/t; echo key > /opt/one/certs/k")  # fmt: skip
    look = "cd /opt/one && find .env data certs -exec stat -c '%n %a %U %Y %i' {} + | sort"
    before = each.run(look)
    assert each.deploy("one", source, app="main:app", port=8001).code == 0
    done = each.remove("one")
    assert done.answer["stays"] == [
        "/opt/one/.env", "/opt/one/certs", "/opt/one/data", "user one",
    ]  # fmt: skip
    assert each.run(look) == before
    assert each.run("ls -A /opt/one").split() == [".env", "certs", "data"]
    assert each.run("ls -d /etc/one /var/lib/berth/services/one 2>/dev/null", check=False) == ""
    assert each.run("systemctl show -p LoadState --value one") == "not-found\n"
    assert each.remove("one").answer["result"] == "absent"


def test_without_a_package_index_the_step_says_so_and_recovers(
    machine: Machine, source: Path
) -> None:
    (source / "requirements.txt").write_bytes(
        (source / "requirements.txt").read_bytes() + b"# never seen\n"
    )
    machine.run("rm -rf /var/lib/berth/cache")
    machine.lab.cli("packages", "off")
    try:
        done = machine.deploy("offline", source, app="main:app", port=8077)
    finally:
        machine.lab.cli("packages", "on")
    assert done.code == 1
    assert "check that the host reaches its package index" in done.said
    assert machine.deploy("offline", source, app="main:app", port=8077).code == 0
    assert machine.remove("offline").code == 0

"""The real provider, and a Pulumi that somebody has installed."""

import hashlib
import json
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pulumi_proxmoxve
import pytest

from lab.toolchain import Toolchain, ensure
from lab.toolchain.installed import LANGUAGE_HOST
from tests.engine.toolchain.project import (
    Project,
    clean_path,
    project_of,
)

pytestmark = pytest.mark.timeout(900)


def state_of(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        about = path.lstat()
        digest.update(f"{path} {about.st_mode} {about.st_mtime_ns} {about.st_size}".encode())
    return digest.hexdigest()


def sdk_tokens() -> set[str]:
    found: set[str] = set()
    package = Path(pulumi_proxmoxve.__file__).parent
    for module in package.rglob("*.py"):
        found.update(re.findall(r"'(proxmoxve:[\w/]+:\w+)'", module.read_text()))
    return found


def provider_info(toolchain: Toolchain) -> dict[str, dict[str, dict[str, object]]]:
    plugin = next(program for program in toolchain.programs if program.name == "proxmoxve")
    answer = subprocess.check_output([plugin.path, "-get-provider-info"], text=True)
    info: dict[str, dict[str, dict[str, object]]] = json.loads(answer)
    return info


def test_the_provider_serves_every_resource_and_function_of_the_sdk(toolchain: Toolchain) -> None:
    info = provider_info(toolchain)
    served = {
        str(one["tok"]) for kind in ("resources", "dataSources") for one in info[kind].values()
    }

    assert len(served) > 200
    assert served == sdk_tokens()


PLAN = """
import pulumi, pulumi_proxmoxve as p
node = p.Provider("node", endpoint="https://127.0.0.1:1/", api_token="a@pve!b=c")
o = pulumi.ResourceOptions(provider=node)
eth = {"name": "eth0", "bridge": "vmbr0"}
p.ContainerLegacy("chat", node_name="n", vm_id=111, network_interfaces=[eth], opts=o)
p.download.File("template", node_name="n", datastore_id="local", content_type="vztmpl",
                url="https://example.org/debian.tar.zst", opts=o)
p.PoolLegacy("pool", pool_id="web", opts=o)
p.pool.Membership("member", pool_id="web", vm_id=111, opts=o)
p.firewall.OptionsLegacy("firewall", node_name="n", container_id=111, opts=o)
p.firewall.RulesLegacy("rules", node_name="n", container_id=111,
                       rules=[{"action": "ACCEPT", "type": "in"}], opts=o)
p.storage.Directory("storage", resource_id="more", path="/srv", opts=o)
p.cluster.firewall.security.GroupLegacy("group", opts=o)
"""


def test_the_provider_plans_what_stacks_are_made_of(project: Project) -> None:
    project.write(PLAN)

    preview = project.run("preview", "--json")
    plan = json.loads(preview.stdout)

    assert preview.returncode == 0, preview.stdout
    created = [step["urn"].rsplit("::", 1)[1] for step in plan["steps"] if step["op"] == "create"]
    assert set(created) >= {"node", "chat", "template", "pool", "member", "firewall", "rules"}
    assert set(created) >= {"storage", "group"}


def test_a_vm_id_that_proxmox_reserves_is_refused_at_preview(project: Project) -> None:
    project.write(PLAN.replace('node_name="n", vm_id=111, ', 'node_name="n", vm_id=7, '))

    preview = project.run("preview")

    assert preview.returncode != 0
    assert "vmId" in preview.stdout or "vm_id" in preview.stdout


@pytest.mark.parametrize("host", ["bin", "elsewhere"])
def test_an_installed_pulumi_runs_the_project_and_its_home_stays_as_it_was(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    theirs = tmp_path / "theirs"
    shutil.copytree(toolchain.pulumi.parent, theirs / "bin")
    (theirs / host).mkdir(exist_ok=True)
    (theirs / "bin" / LANGUAGE_HOST).rename(theirs / host / LANGUAGE_HOST)
    their_home = tmp_path / "their-home"
    plugin = Path("plugins") / "resource-proxmoxve-v8.3.0"
    shutil.copytree(toolchain.home / plugin, their_home / plugin)
    (their_home / "credentials.json").write_text("{}")
    search = [str(theirs / "bin"), str(theirs / host), clean_path()]
    monkeypatch.setenv("PATH", os.pathsep.join(search))
    monkeypatch.setenv("PULUMI_HOME", str(their_home))
    before = state_of(their_home)

    found = ensure(tmp_path / "home")
    project = project_of(found, tmp_path / "project")
    project.write(PLAN)
    preview = project.run("preview")

    assert preview.returncode == 0, preview.stdout + preview.stderr
    assert found.pulumi == theirs / "bin" / "pulumi"
    origins = {program.name: program.origin for program in found.programs}
    assert (origins["pulumi"], origins["language-python"]) == ("installed", "installed")
    assert origins["proxmoxve"] == "linked"
    assert state_of(their_home) == before


def test_a_second_run_of_the_builder_does_less_than_a_second_of_work(toolchain: Toolchain) -> None:
    command = [sys.executable, "-m", "lab.toolchain", "--home", str(toolchain.home)]
    # Processor time: the same however busy the machine is, and it waits for nothing.
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    assert done.stderr == ""

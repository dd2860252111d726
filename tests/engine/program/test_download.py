"""A template by URL: downloaded by the node, and never taken without its checksum."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.labs import TEMPLATE, StackFile, TestLab, container, wait_for

PORT = 8097
FILE = "debian-13-own.tar.zst"
ROLE = "Downloads"


@pytest.fixture
def url(lab: TestLab, tmp_path: Path) -> Iterator[str]:
    """Where a server in the lab's network hands out a template."""
    archive = lab.paths.storages / "local" / "template" / "cache" / TEMPLATE.rpartition("/")[2]
    (tmp_path / FILE).symlink_to(archive)
    address = f"http://192.168.1.1:{PORT}/{FILE}"
    serve = ["python", "-m", "http.server", "--bind", "192.168.1.1", str(PORT)]
    server = subprocess.Popen(
        lab.command("run", "--", *serve, "--directory", tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: lab.inside("curl", "-sfI", address, check=False).code == 0, "the server")
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def may_download(lab: TestLab) -> Iterator[None]:
    """The rights that docs/proxmox.md asks for, for as long as they are needed."""
    rights = "Datastore.AllocateTemplate,Sys.AccessNetwork"
    lab.api("POST", "/access/roles", roleid=ROLE, privs=rights)
    given = {"path": "/", "roles": ROLE}
    lab.api("PUT", "/access/acl", **given, users="berth@pve")
    lab.api("PUT", "/access/acl", **given, tokens="berth@pve!deploy")
    yield
    lab.api("PUT", "/access/acl", **given, users="berth@pve", delete=1)
    lab.api("PUT", "/access/acl", **given, tokens="berth@pve!deploy", delete=1)
    lab.api("DELETE", f"/access/roles/{ROLE}")


def names(lab: TestLab) -> list[str]:
    rows = lab.api("GET", "/nodes/pve/storage/local/content", content="vztmpl")
    return [row["volid"] for row in rows]


def test_a_template_with_another_checksum_never_becomes_a_container(
    lab: TestLab,
    make_stack: Callable[[Mapping[str, Any]], StackFile],
    url: str,
    may_download: None,
    tmp_path: Path,
) -> None:
    with (tmp_path / FILE).open("rb") as file:
        right = hashlib.file_digest(file, "sha256").hexdigest()
    wrong = hashlib.sha256(b"something else").hexdigest()
    template = {"url": url, "checksum": wrong, "checksum_algorithm": "sha256", "storage": "local"}
    stack = make_stack({"one": container(746, 96, template=template)})

    refused = lab.pulumi(stack, "up", "--yes", "--skip-preview", check=False)
    assert refused.code != 0
    assert "checksum mismatch" in refused.text, refused.text
    assert f"local:vztmpl/{FILE}" not in names(lab)
    assert 746 not in lab.guests()

    template["checksum"] = right
    stack.write()
    lab.pulumi(stack, "up", "--yes", "--skip-preview")
    assert f"local:vztmpl/{FILE}" in names(lab)
    assert lab.api("GET", "/nodes/pve/lxc/746/status/current")["status"] == "running"
    unchanged = lab.pulumi(stack, "preview", "--expect-no-changes")
    assert "create" not in unchanged.text

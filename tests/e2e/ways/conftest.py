"""The first deployment: HTTPS in a container, the connector on the Proxmox node, a public name."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import REPO
from tests.labs import Result, StackFile, TestLab, container, stack_file

ACCOUNT = "0123456789abcdef0123456789abcdef"
NAME = "story.jackshome.com"
UP = ("up", "--yes", "--skip-preview")
DESTROY = ("destroy", "--run-program", "--yes", "--skip-preview")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "tools")


@dataclass
class Story:
    """The stack and its lab."""

    lab: TestLab
    stack: StackFile

    @property
    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = self.stack.document["config"]
        return found

    def pulumi(self, *words: str, check: bool = True) -> Result:
        self.stack.write()
        return self.lab.pulumi(self.stack, *words, check=check)

    def curl(self, path: str, *options: str) -> Result:
        return self.lab.cli(
            "curl", f"https://{NAME}{path}", "--max-time", "20", *options, check=False
        )

    def status(self, path: str = "/healthz") -> str:
        """The status that a visitor gets."""
        return self.curl(path, "-o", "/dev/null", "-w", "%{http_code}").text.strip()

    def published(self) -> list[Any]:
        found: list[Any] = json.loads(self.lab.cli("status", "--json").text)["published"]
        return [entry for entry in found if NAME in json.dumps(entry)]


@pytest.fixture(scope="module")
def story(lab: TestLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The stack, up; gone afterwards."""
    directory = tmp_path_factory.mktemp("story")
    source = shutil.copytree(REPO / "app", directory / "app", ignore=LEFT_OUT)
    hosts = {
        "web": container(760, 160),
        "node": {"existing": {"address": "192.168.1.11"}},
    }
    stack = stack_file(directory, hosts, identity="st0ryst0")
    story = Story(lab, stack)
    story.config["berth:services"] = {
        "site": {
            "host": "web",
            "source": str(source),
            "app": "app:app",
            "environment": {"DELAY_MS": "150"},
            "tls": {"self_signed": True},
            "routes": [{"hostname": NAME, "origin": {"no_tls_verify": True}}],
        }
    }
    story.config["berth:cloudflare"] = {
        "account": ACCOUNT,
        "zone": "jackshome.com",
        "tunnel": "story",
        "connector": {"host": "node"},
    }
    said = story.pulumi(*UP).text
    assert f"https://{NAME}/healthz: answers" in said
    yield story
    lab.pulumi(stack, "cancel", "--yes", check=False)
    lab.pulumi(stack, *DESTROY, check=False)

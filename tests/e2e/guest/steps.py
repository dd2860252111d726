"""Steps of the guest program on machines of a lab, by hand: what the engine's step will do."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import guest_bundle
from infra.release import archive
from infra.release.application import Named
from infra.release.project import Wanted, inspect
from infra.release.tree import select
from infra.settings.service import Service
from infra.settings.service_places import places
from infra.text import document
from tests.labs import TestLab

PROGRAM = "/var/lib/berth/guest.pyz"
OWNER = "berth/test/{}/k7q2m9xw"
LIMIT_S = 300


@dataclass(frozen=True)
class Done:
    """How a step ended."""

    code: int
    answer: dict[str, Any]
    said: str


@dataclass
class Machine:
    """One machine of the lab; `cache` is where archives are made."""

    lab: TestLab
    name: str
    cache: Path

    def command(self, command: str) -> list[str]:
        return self.lab.command("ssh", self.name, "--", command)

    def run(self, command: str, given: bytes = b"", *, check: bool = True) -> str:
        """A command as root; its stdout."""
        done = subprocess.run(
            self.command(command), input=given, capture_output=True, timeout=LIMIT_S, check=False
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: {done.stderr.decode()}")
        return done.stdout.decode()

    def document(
        self, name: str, source: Path, secrets: dict[str, str], **settings: Any
    ) -> dict[str, Any]:
        """What a deploy sends; the archive and the guest program are on the machine afterwards."""
        service = Service.model_validate({"host": self.name, "source": str(source), **settings})
        here = places(name, service)
        tree = select(source, here.server_only)
        text = service.app or service.factory
        named = Named(text, service.factory is not None, service.import_path) if text else None
        project, findings = inspect(tree, Wanted(named))
        assert project is not None, findings
        packed = archive.pack(tree, self.cache)
        sent = document.Sent(name, packed.name.removesuffix(".tar.gz"), "SEND")
        self.put(PROGRAM, guest_bundle.bundle())
        self.put(sent.path, packed.read_bytes())
        owner = OWNER.format(name)
        return document.deploy(here, service, project, sent, owner=owner, secrets=secrets)

    def put(self, path: str, content: bytes) -> None:
        self.run(f"mkdir -p $(dirname {path}) && cat > {path}", content)

    def step(self, verb: str, given: dict[str, Any]) -> Done:
        """One step to its end."""
        done = subprocess.run(
            self.command(f"python3 {PROGRAM} {verb}"),
            input=json.dumps(given).encode(),
            capture_output=True,
            timeout=LIMIT_S,
            check=False,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        return Done(done.returncode, answer, done.stderr.decode())

    def deploy(
        self, name: str, source: Path, secrets: dict[str, str] | None = None, **settings: Any
    ) -> Done:
        """A deploy that may fail."""
        return self.step("deploy", self.document(name, source, secrets or {}, **settings))

    def remove(self, name: str) -> Done:
        here = places(name, {})
        return self.step("remove", document.named(here, owner=OWNER.format(name)))

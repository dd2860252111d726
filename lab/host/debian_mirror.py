"""Where this machine gets Debian from: templates are made from there, and guests use the same."""

import subprocess
from dataclasses import dataclass

from lab.apt import index_targets
from lab.errors import LabError

_SUITES = {
    "bullseye", "bookworm", "trixie", "forky", "sid",
    "oldoldstable", "oldstable", "stable", "testing", "unstable",
}  # fmt: skip
_FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
_OPTIONS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


@dataclass(frozen=True)
class Mirror:
    """Addresses of Debian and of its security updates, and apt settings that they need."""

    main: str
    security: str | None
    options: tuple[str, ...]

    def sources(self, release: str) -> str:
        """The text of a guest's debian.sources."""
        parts = [_source(self.main, f"{release} {release}-updates")]
        if self.security:
            parts.append(_source(self.security, f"{release}-security"))
        return "\n".join(parts)


def find_mirror() -> Mirror:
    """Ask apt; LabError when it has no source of Debian's."""
    rows = [line.split() for line in _apt(*index_targets(_FORMAT))]
    targets = [row for row in rows if len(row) == 3 and row[2] == "main"]
    main = next((uri for uri, suite, _ in targets if suite in _SUITES), None)
    security = {f"{suite}-security" for suite in _SUITES}
    if main is None:
        raise LabError(
            "container templates: apt on this machine has no Debian source to make them from; "
            "add one (a line `deb <your Debian mirror> trixie main` in /etc/apt/sources.list)"
        )
    dump = _apt("apt-config", "dump")
    return Mirror(
        main=main.rstrip("/"),
        security=next((u.rstrip("/") for u, suite, _ in targets if suite in security), None),
        options=tuple(line for line in dump if line.partition(" ")[0] in _OPTIONS),
    )


def _apt(*command: str) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise LabError(
            f"container templates: {command[0]} is not on this machine; they can be made on "
            f"Debian and what is derived from it"
        ) from None
    if done.returncode != 0:
        raise LabError(f"container templates: `{command[0]}` failed: {done.stderr.strip()}")
    return done.stdout.splitlines()


def _source(uri: str, suites: str) -> str:
    return f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {_KEYRING}\n"

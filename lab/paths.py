"""Where one lab keeps its files. Pure: nothing here touches the disk."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError

CHECKOUT = Path(__file__).resolve().parent.parent
DEFAULT_NAME = "default"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,11}\Z")


def cache_dir() -> Path:
    """Built programs, packages and templates: shared by all labs, kept by `lab down`."""
    if explicit := os.environ.get("BERTH_CACHE"):
        return Path(explicit).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base).absolute() if base else _home("BERTH_CACHE") / ".cache") / "berth"


def _state_dir() -> Path:
    if explicit := os.environ.get("BERTH_STATE"):
        return Path(explicit).absolute()
    if os.geteuid() == 0:
        # Unprivileged containers must be able to walk down to their root file system;
        # root's home is usually closed to them.
        return Path("/var/lib/berth")
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base).absolute() if base else _home("BERTH_STATE") / ".local/state") / "berth"


def _home(instead: str) -> Path:
    try:
        return Path.home()
    except RuntimeError as error:
        raise LabError(f"this user has no home directory; name a place in {instead}") from error


@dataclass(frozen=True)
class LabPaths:
    """Every path of the lab called `name`; all of them below `root`."""

    name: str
    root: Path

    @classmethod
    def of(cls, name: str) -> "LabPaths":
        """Paths of the lab `name`; raises LabError when that is no lab name."""
        if not _NAME.match(name):
            raise LabError(
                f"lab name: {name!r} is none; use up to 12 of a-z, 0-9 and -, a letter first"
            )
        return cls(name=name, root=_state_dir() / "labs" / name)

    @property
    def environment(self) -> dict[str, str]:
        """What leads another process to the same places, wherever it stands."""
        return {"BERTH_CACHE": str(cache_dir()), "BERTH_STATE": str(self.root.parent.parent)}

    @property
    def namespace(self) -> str:
        """Name of the network namespace, and of the lab's control groups."""
        return f"berth-{self.name}"

    @property
    def world(self) -> Path:
        """The world file as it was when the lab was made."""
        return self.root / "world.yaml"

    @property
    def proxmox_state(self) -> Path:
        return self.root / "proxmox.json"

    @property
    def switches(self) -> Path:
        return self.root / "switches.json"

    @property
    def cloudflare_state(self) -> Path:
        return self.root / "cloudflare.json"

    @property
    def tailscale_state(self) -> Path:
        return self.root / "tailscale.json"

    @property
    def storages(self) -> Path:
        """One directory a storage: `<storage>/images/*.raw`, `<storage>/template/cache/*`."""
        return self.root / "storages"

    @property
    def guests(self) -> Path:
        """LXC's own path: one directory a container."""
        return self.root / "guests"

    @property
    def ca_certificate(self) -> Path:
        return self.root / "tls" / "ca.pem"

    @property
    def ca_key(self) -> Path:
        return self.root / "tls" / "ca.key"

    @property
    def ca_bundle(self) -> Path:
        """The machine's certificates and the lab's CA: what SSL_CERT_FILE names in the lab."""
        return self.root / "tls" / "bundle.pem"

    @property
    def connector_key(self) -> Path:
        """What signs the lab's packages of the connector."""
        return self.root / "tls" / "connector-packages.key"

    @property
    def ssh_key(self) -> Path:
        """The lab's throw-away login key (ed25519); `.pub` beside it."""
        return self.root / "ssh" / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """Host keys of everything in the lab, kept current by the lab's process."""
        return self.root / "ssh" / "known_hosts"

    @property
    def existing_known_hosts(self) -> Path:
        """Host keys of the node and the hosts that exist already: what a stack is given."""
        return self.root / "ssh" / "known_hosts.existing"

    @property
    def pulumi_home(self) -> Path:
        return self.root / "pulumi"

    @property
    def backend(self) -> Path:
        """The state backend: a file:// directory."""
        return self.root / "backend"

    @property
    def stacks(self) -> Path:
        """The lab's copies of stack files."""
        return self.root / "stacks"

    @property
    def scratch(self) -> Path:
        """Temporary files of commands that run in the lab."""
        return self.root / "tmp"

    @property
    def control(self) -> Path:
        """The socket on which the lab's process answers the command line."""
        return self.root / "control.sock"

    @property
    def pid_file(self) -> Path:
        """The lab's process writes its id there, and holds the lock on it while it lives."""
        return self.root / "lab.pid"

    @property
    def log(self) -> Path:
        return self.root / "lab.log"

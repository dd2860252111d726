"""Values of options as they come and as they are kept: networks, tags, volumes."""

import re
import secrets
from dataclasses import dataclass, replace

from lab.proxmox import property_string
from lab.proxmox.errors import died
from lab.proxmox.formats import FormatError, size_bytes, split_list
from lab.proxmox.parameters.containers import DEVICE, FEATURES, MOUNT, NETWORK, ROOTFS

_GIBIBYTES = re.compile(r"\d+(?:\.\d+)?\Z", re.ASCII)
_UNITS = (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10))


def network(text: str) -> dict[str, str]:
    """Keys of a netX value."""
    return property_string.split(NETWORK, text)


def kept_network(text: str) -> str:
    """A netX value with an address of its own and its type, in Proxmox's order."""
    values = network(text)
    values.setdefault("hwaddr", _new_address())
    values["type"] = "veth"
    return property_string.join(values, first="name")


def _new_address() -> str:
    return "BC:24:11:" + ":".join(f"{byte:02X}" for byte in secrets.token_bytes(3))


def features(text: str) -> dict[str, str]:
    """Flags of a features value."""
    return property_string.split(FEATURES, text)


def device(text: str) -> dict[str, str]:
    """Keys of a devX value."""
    return property_string.split(DEVICE, text)


def kept_tags(text: str) -> str:
    """Lower case, each once, sorted."""
    return ";".join(sorted({tag.lower() for tag in split_list(text)}))


def kept(key: str, text: str) -> str:
    """The text that a configuration holds for an option that was sent."""
    if key == "tags":
        return kept_tags(text)
    return kept_network(text) if key.startswith("net") else text


def is_volume_key(key: str) -> bool:
    """Whether an option is a root file system or a mount point."""
    return key == "rootfs" or (key.startswith("mp") and key[2:].isdigit())


def size_text(size: int) -> str:
    """A size in the largest unit that divides it."""
    for unit, factor in _UNITS:
        if size >= factor and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


@dataclass(frozen=True)
class Mount:
    """A rootfs or mpX value. `volume` is a volume id, a path, or `STORAGE:GIB` for a new one."""

    key: str
    values: dict[str, str]

    @classmethod
    def parse(cls, key: str, text: str) -> "Mount":
        table = ROOTFS if key == "rootfs" else MOUNT
        return cls(key, property_string.split(table, text))

    @property
    def volume(self) -> str:
        return self.values["volume"]

    @property
    def kind(self) -> str:
        """volume, device or bind."""
        if self.volume.startswith("/dev/"):
            return "device"
        return "bind" if self.volume.startswith("/") else "volume"

    @property
    def storage(self) -> str:
        return self.volume.partition(":")[0]

    @property
    def new_bytes(self) -> int | None:
        """The size of the volume to make; None when it exists."""
        wanted = self.volume.partition(":")[2]
        if not _GIBIBYTES.match(wanted):
            return None
        size = int(float(wanted) * (1 << 20)) << 10
        if size < 1 << 20:
            raise died(f"{self.key}: a volume of {wanted} GiB is too small for a file system")
        return size

    @property
    def size(self) -> int:
        """Bytes that the value states; 0 when it states none."""
        try:
            return size_bytes(self.values.get("size", "0"))
        except FormatError:
            return 0

    @property
    def path(self) -> str:
        return "/" if self.key == "rootfs" else self.values["mp"]

    @property
    def read_only(self) -> bool:
        return self.values.get("ro") == "1"

    def with_volume(self, volid: str, size: int) -> "Mount":
        """The same mount of a volume that exists now."""
        return replace(self, values={**self.values, "volume": volid, "size": size_text(size)})

    def __str__(self) -> str:
        return property_string.join(self.values, first="volume", bare=True)

"""The names of volumes: which file each means, by the type of its storage."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lab.proxmox.errors import died

Content = Literal["rootdir", "vztmpl", "iso", "import", "snippets", "backup"]
StorageType = Literal["dir", "lvmthin", "zfspool"]

TEMPLATE_NAME = re.compile(r"[^/\s]+\.(?:tar\.(?:gz|xz|zst|bz2)|tar|tgz)\Z")
FOLDERS: dict[str, str] = {
    "vztmpl": "template/cache",
    "iso": "template/iso",
    "import": "import",
    "snippets": "snippets",
    "backup": "dump",
}
_WORDS = {"dir": "directory", "lvmthin": "lvm", "zfspool": "zfs"}
_FILES = re.compile(rf"(?P<content>{'|'.join(FOLDERS)})/(?P<file>[^/]+)\Z")
_IMAGES: dict[str, re.Pattern[str]] = {
    "dir": re.compile(r"(?P<owner>\d+)/(?P<file>vm-(?P=owner)-[^/\s]+\.raw)\Z"),
    "lvmthin": re.compile(r"(?P<file>vm-(?P<owner>\d+)-[^/\s]+)\Z"),
    "zfspool": re.compile(r"(?P<file>subvol-(?P<owner>\d+)-[^/\s]+)\Z"),
}


@dataclass(frozen=True)
class VolumeId:
    """A volume's storage and name, and where its file is below the storage's directory."""

    storage: str
    name: str
    content: Content
    file: Path
    owner: int | None = None

    def __str__(self) -> str:
        return f"{self.storage}:{self.name}"

    @property
    def format(self) -> str:
        """What Proxmox calls its format."""
        if self.content == "rootdir":
            return "subvol" if self.name.startswith("subvol-") else "raw"
        name = self.file.name
        if match := re.search(r"\.(?:tar\.)?(gz|xz|zst|bz2)\Z", name):
            return f"t{'bz' if match[1] == 'bz2' else match[1]}" if match[1] != "gz" else "tgz"
        return name.rpartition(".")[2]


def parse_volume(storage: str, kind: StorageType, name: str) -> VolumeId:
    """The volume called `name`; raises a 500 with the storage type's own words."""
    if kind == "dir" and (match := _FILES.match(name)):
        content, file = match["content"], match["file"]
        if content != "vztmpl" or TEMPLATE_NAME.match(file):
            folder = Path(FOLDERS[content])
            return VolumeId(storage, name, content, folder / file)  # type: ignore[arg-type]
    if match := _IMAGES[kind].match(name):
        file = match["file"].removesuffix(".raw")
        return VolumeId(
            storage, name, "rootdir", Path("images") / f"{file}.raw", int(match["owner"])
        )
    raise died(f"unable to parse {_WORDS[kind]} volume name '{name}'")


def image_name(kind: StorageType, vmid: int, index: int) -> str:
    """The name of a container's disk number `index`."""
    if kind == "dir":
        return f"{vmid}/vm-{vmid}-disk-{index}.raw"
    return f"{'subvol' if kind == 'zfspool' else 'vm'}-{vmid}-disk-{index}"

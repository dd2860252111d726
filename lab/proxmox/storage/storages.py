"""The storages of the world as directories: find volumes, count bytes."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.paths import LabPaths
from lab.proxmox.errors import ApiError, died
from lab.proxmox.storage.volumes import FOLDERS, VolumeId, image_name, parse_volume
from lab.world.models import Storage, World

GIB = 1 << 30


@dataclass(frozen=True)
class Stored:
    """A volume whose file is there; bytes, and seconds since the epoch."""

    id: VolumeId
    size: int
    used: int
    ctime: int


class Storages:
    """Looks at the files below the lab's storage directories."""

    def __init__(self, world: World, paths: LabPaths) -> None:
        self._node = world.proxmox.node.name
        self.all = world.proxmox.storages
        self._root = paths.storages

    def find(self, name: str) -> Storage:
        """The storage; raises a 500 when there is none."""
        if name not in self.all:
            raise died(f"storage '{name}' does not exist")
        return self.all[name]

    def usable(self, name: str) -> Storage:
        """The storage; raises a 500 also when it is switched off."""
        storage = self.find(name)
        if not storage.enabled:
            raise died(f"storage '{name}' is disabled")
        return storage

    def volume(self, volid: str) -> VolumeId:
        """What a full volume id means; raises a 500 when it means nothing."""
        storage, _, name = volid.partition(":")
        return parse_volume(storage, self.usable(storage).type, name)

    def path(self, volume: VolumeId) -> Path:
        return self._root / volume.storage / volume.file

    def volumes(self, name: str) -> list[Stored]:
        """Everything that is on a storage."""
        root = self._root / name
        kind = self.all[name].type
        names = [self._image_id(kind, path) for path in _files(root / "images")]
        if kind == "dir":
            for content, folder in FOLDERS.items():
                names += [f"{content}/{path.name}" for path in _files(root / folder)]
        return [self._stored(volume) for volume in self._parsed(name, names)]

    def stored(self, volume: VolumeId) -> Stored | None:
        """A volume's figures; None when its file is missing."""
        return self._stored(volume) if self.path(volume).is_file() else None

    def total(self, name: str) -> int:
        return self.all[name].size_gb * GIB

    def used(self, name: str) -> int:
        """Bytes that the files really take: sparse images count what was written."""
        root = self._root / name
        folders = ("images", *FOLDERS.values())
        return sum(_allocated(path) for folder in folders for path in _files(root / folder))

    def next_image(self, name: str, vmid: int, taken: Iterable[str]) -> VolumeId:
        """The first disk of a guest that is neither a file nor in `taken` (volume ids)."""
        kind = self.usable(name).type
        reserved = set(taken)
        index = 0
        while True:
            volume = parse_volume(name, kind, image_name(kind, vmid, index))
            if str(volume) not in reserved and not self.path(volume).exists():
                return volume
            index += 1

    @staticmethod
    def _image_id(kind: str, path: Path) -> str:
        if kind != "dir":
            return path.stem
        owner = path.name.split("-")[1] if path.name.count("-") > 1 else "0"
        return f"{owner}/{path.name}"

    def _parsed(self, storage: str, names: Iterable[str]) -> Iterator[VolumeId]:
        for name in sorted(names):
            with suppress(ApiError):  # a file that is no volume is not content
                yield parse_volume(storage, self.all[storage].type, name)

    def _stored(self, volume: VolumeId) -> Stored:
        path = self.path(volume)
        stat = path.stat()
        return Stored(volume, stat.st_size, _allocated(path), int(stat.st_mtime))


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]


def _allocated(path: Path) -> int:
    return path.stat().st_blocks * 512

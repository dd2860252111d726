"""Disk images: sparse ext4 files of exactly the declared size, mounted over loop devices."""

import asyncio
import functools
import hashlib
import os
import shutil
import threading
from pathlib import Path

from lab.guests import GuestError, Log
from lab.host.commands import run
from lab.host.stage import PRIVATE_MOUNTS, STAGE
from lab.paths import cache_dir
from lab.toolchain.store import Store

_SCRIPTS = Path(__file__).with_name("scripts")
_GIB = 1024**3
_ROOM_TO_UNPACK = 64 * _GIB
# Most tables are made when first used, so that an image starts small; the checksum seed lets each
# copy get an identity of its own in no time.
_MKFS = (
    "mkfs.ext4", "-q", "-F", "-m", "0", "-O", "metadata_csum_seed",
    "-E", f"nodiscard,lazy_itable_init=1,lazy_journal_init=1,resize={16 * 1024 * _GIB // 4096}",
)  # fmt: skip
_COMPRESSION = {
    b"\x28\xb5\x2f\xfd": "--zstd",
    b"\x1f\x8b": "--gzip",
    b"\xfd7zXZ\x00": "--xz",
    b"BZh": "--bzip2",
}
_LAYOUT = "1"
"""Part of the key of a cached base image: to be changed with the way it is made."""
_KEPT_BASES = 6
_DETACHED_WITHIN_S = 15.0
_POLL_S = 0.01
_CAP_SYS_RESOURCE = 24


async def make_empty(image: Path, size_bytes: int, shift: int) -> None:
    """An empty file system of `size_bytes` whose root belongs to the container's root."""
    _allocate(image, size_bytes)
    try:
        await run([*_MKFS, "-E", f"root_owner={shift}:{shift}", str(image)])
    except GuestError:
        image.unlink()
        raise


async def make_from(template: Path, image: Path, size_bytes: int, shift: int, log: Log) -> None:
    """A copy of the unpacked `template`, grown to `size_bytes`, with an identity of its own."""
    base = await asyncio.to_thread(_find_base, template, shift, log)
    if base.stat().st_size > size_bytes:
        raise GuestError(
            f"the template needs {-(-base.stat().st_size // 1024**2)} MiB, the disk has only "
            f"{size_bytes // 1024**2}; make it larger"
        )
    image.parent.mkdir(parents=True, exist_ok=True)
    try:
        await run(["cp", "--sparse=always", "--reflink=auto", str(base), str(image)])
        await run(["tune2fs", "-U", "random", str(image)])
        await _enlarge(image, size_bytes)
    except BaseException:
        image.unlink(missing_ok=True)
        raise


async def grow(image: Path, size_bytes: int) -> None:
    """Grow an image that is mounted nowhere."""
    await wait_detached(image)
    # 1 is "errors corrected": after a kill the journal is replayed.
    await run(["sh", "-c", 'e2fsck -f -p "$1" || [ $? -eq 1 ]', "e2fsck", str(image)])
    await _enlarge(image, size_bytes)


def may_grow_mounted() -> bool:
    """Whether this process may grow a mounted ext4; some containers and sandboxes may not."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) & (1 << _CAP_SYS_RESOURCE))


async def grow_mounted(image: Path, size_bytes: int, monitor: int) -> None:
    """Grow an image while the mount namespace of `monitor` has it mounted."""
    _set_size(image, size_bytes)
    for device in loop_devices(image.resolve()):
        await run(["losetup", "--set-capacity", f"/dev/{device}"])
        namespace = f"--mount=/proc/{monitor}/ns/mnt"
        await run(["nsenter", namespace, "resize2fs", f"/dev/{device}"])


async def _enlarge(image: Path, size_bytes: int) -> None:
    _set_size(image, size_bytes)
    await run(["resize2fs", str(image)])


def used_bytes(image: Path) -> int:
    """What an image really takes on this machine's disk."""
    return image.stat().st_blocks * 512


def loop_devices(below: Path) -> list[str]:
    """Loop devices (`loop3`) of images that are, or lie below, this path."""
    found = []
    for backing in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            # The kernel writes " (deleted)" behind the path of a file that is gone.
            path = Path(backing.read_text().rstrip("\n").removesuffix(" (deleted)"))
        except OSError:
            continue  # it was just detached
        if path == below or below in path.parents:
            found.append(backing.parts[3])
    return found


async def wait_detached(image: Path) -> None:
    """Wait until no loop device has the image: the kernel lets go of it after the last mount."""
    waited = 0.0
    while loop_devices(image.resolve()):
        if waited > _DETACHED_WITHIN_S:
            raise GuestError(f"{image.name}: still in use after {_DETACHED_WITHIN_S:.0f} s")
        await asyncio.sleep(_POLL_S)
        waited += _POLL_S


def _allocate(image: Path, size_bytes: int) -> None:
    image.parent.mkdir(parents=True, exist_ok=True)
    image.touch(exist_ok=False)
    try:
        _set_size(image, size_bytes)
    except GuestError:
        image.unlink()
        raise


def _set_size(image: Path, size_bytes: int) -> None:
    try:
        os.truncate(image, size_bytes)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "too large"
        raise GuestError(f"{image.name}: cannot have {size_bytes} bytes here ({why})") from error


def _find_base(template: Path, shift: int, log: Log) -> Path:
    """The unpacked template, from the cache or made now: once for each content and shift."""
    option = _compression(template)
    found = template.stat()
    digest = _digest(template, found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
    store = Store(cache_dir() / "images")
    key = f"{digest[:32]}-{shift}-{_LAYOUT}"

    def fill(directory: Path) -> None:
        log(f"extracting archive '{template}'")
        asyncio.run(_unpack(template, option, directory / "root.raw", shift))

    def waits(holder: str) -> None:
        log(f"process {holder} unpacks this template already, waiting for it")

    made = store.make("base", key, fill, waits_for=waits, stopped=threading.Event())
    os.utime(made)
    _forget_oldest(made.parent)
    return made / "root.raw"


@functools.lru_cache(maxsize=64)
def _digest(template: Path, *_identity: int) -> str:
    """The hash of a file, read once for as long as it is the same file."""
    with template.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _forget_oldest(shelf: Path) -> None:
    """Keep the images that were used last: a template by URL may be another one each time."""
    made = [path for path in shelf.iterdir() if not path.name.startswith(".")]
    for path in sorted(made, key=lambda p: p.stat().st_mtime, reverse=True)[_KEPT_BASES:]:
        shutil.rmtree(path, ignore_errors=True)


def _compression(template: Path) -> str:
    try:
        with template.open("rb") as file:
            head = file.read(300)
    except OSError as error:
        raise GuestError(f"{template.name}: cannot be read ({error.strerror})") from error
    for magic, option in _COMPRESSION.items():
        if head.startswith(magic):
            return option
    if head[257:262] == b"ustar":
        return "--format=gnu"
    raise GuestError(f"{template.name}: is no tar archive (zstd, gzip, xz, bzip2 or plain)")


async def _unpack(template: Path, option: str, image: Path, shift: int) -> None:
    _allocate(image, _ROOM_TO_UNPACK)
    await run([*_MKFS, "-J", "size=32", str(image)])
    script = _SCRIPTS / "unpack.sh"
    arguments = [str(image), str(STAGE), str(shift), str(template.resolve()), option]
    await run([*PRIVATE_MOUNTS, str(script), *arguments])
    await run(["sh", "-c", 'e2fsck -f -p "$1" || [ $? -eq 1 ]', "e2fsck", str(image)])
    await run(["resize2fs", "-M", str(image)])
    await run(["e2fsck", "-f", "-p", str(image)])

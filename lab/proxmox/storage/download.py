"""Downloads to a storage: into a temporary file, checked, then put in its place."""

import asyncio
import hashlib
import re
from contextlib import suppress
from pathlib import Path

from lab.guests import Log
from lab.proxmox.call import Request, Values
from lab.proxmox.core import Core
from lab.proxmox.errors import TaskError, bad_parameters, died
from lab.proxmox.storage.volumes import FOLDERS, TEMPLATE_NAME, VolumeId

_EXTENSIONS = {
    "vztmpl": re.compile(r".+\.tar(?:\.(?:gz|xz|zst|bz2))?\Z"),
    "iso": re.compile(r".+\.(?:iso|img)\Z", re.IGNORECASE),
    "import": re.compile(r".+\.(?:ova|qcow2|raw|vmdk)\Z"),
}
_NODE_FOLDER = "/var/lib/vz"


class Downloads:
    """The calls that reach out for files."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def metadata(self, request: Request) -> Values:
        """GET query-url-metadata."""
        verify = request.flag("verify-certificates", default=True)
        facts = await self._core.hooks.head(request["url"], verify)
        known = {"filename": facts.filename, "size": facts.size, "mimetype": facts.mimetype}
        return {key: value for key, value in known.items() if value is not None}

    async def download(self, request: Request) -> str:
        """POST download-url: the UPID of the task that fetches the file."""
        name, content = request["storage"], request["content"]
        storage = self._core.storages.usable(name)
        if storage.type != "dir":
            raise died(f"can't upload to storage type '{storage.type}', not a file based storage!")
        if content not in storage.content:
            raise died(f"storage '{name}' is not configured for content-type '{content}'")
        filename = re.sub(r"[^A-Za-z0-9_.\-]", "_", request["filename"].rpartition("/")[2])
        if not _EXTENSIONS[content].match(filename) or (
            content == "vztmpl" and not TEMPLATE_NAME.match(filename)
        ):
            raise bad_parameters({"filename": "wrong file extension"})
        volume = self._core.storages.volume(f"{name}:{content}/{filename}")

        async def work(log: Log) -> None:
            await self._fetch(request, volume, log)

        return self._core.tasks.start("download", filename, request.caller.auth_id, work)

    async def _fetch(self, request: Request, volume: VolumeId, log: Log) -> None:
        if request.get("compression") is not None:
            raise TaskError("decompression not supported for " + volume.content)
        path = self._core.storages.path(volume)
        shown = f"{_NODE_FOLDER}/{FOLDERS[volume.content]}/{path.name}"
        checksum = request.get("checksum")
        algorithm = request.get("checksum-algorithm", "")
        log(f"downloading {request['url']} to {shown}")
        if path.exists():
            if checksum is None:
                raise TaskError(f"refusing to override existing file '{shown}'")
            found = await _digest(path, algorithm)
            if found != checksum.lower():
                raise TaskError(
                    f"checksum mismatch: got '{found}' != expect '{checksum}', aborting"
                )
            log("OK, got correct file already, no need to download")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.tmp_dwnl.{id(request)}")
        try:
            verify = request.flag("verify-certificates", default=True)
            await self._core.hooks.fetch(request["url"], fresh, verify, log)
            if checksum is not None:
                found = await _digest(fresh, algorithm)
                if found != checksum.lower():
                    raise TaskError(f"checksum mismatch: got '{found}' != expect '{checksum}'")
                log("checksum verified")
            self._require_room(volume, fresh.stat().st_size)
            fresh.replace(path)
        finally:
            with suppress(FileNotFoundError):
                fresh.unlink()
        log(f"download of '{request['url']}' to '{shown}' finished")

    def _require_room(self, volume: VolumeId, needed: int) -> None:
        storages = self._core.storages
        if storages.used(volume.storage) + needed > storages.total(volume.storage):
            raise TaskError("download failed: exit code 3: No space left on device")


async def _digest(path: Path, algorithm: str) -> str:
    def work() -> str:
        with path.open("rb") as file:
            return hashlib.file_digest(file, algorithm).hexdigest()

    return await asyncio.to_thread(work)

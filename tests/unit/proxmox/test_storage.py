"""Storages, their content, and downloads from a server that the test runs."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.unit.proxmox.conftest import TEMPLATE, Api, write_template

ON = "/nodes/pve/storage"
FILE = b"a small template"
SHA256 = hashlib.sha256(FILE).hexdigest()


async def test_templates_of_the_world_are_content(api: Api) -> None:
    rows = await api.get(f"{ON}/local/content", content="vztmpl")
    path = api.core.paths.storages / "local" / "template" / "cache" / TEMPLATE.partition("/")[2]
    assert rows == [
        {
            "volid": TEMPLATE,
            "content": "vztmpl",
            "format": "tzst",
            "size": path.stat().st_size,
            "ctime": int(path.stat().st_mtime),
        }
    ]
    assert await api.get(f"{ON}/local/content", content="iso") == []


async def test_unknown_storages_are_refused_in_two_ways(api: Api) -> None:
    content = await api("GET", f"{ON}/nope/content")
    assert content.refusal == (500, "storage 'nope' does not exist")
    assert (await api("GET", f"{ON}/nope/status")).errors == {"storage": "No such storage."}


async def test_a_status_counts_what_is_really_written(api: Api) -> None:
    assert await api.create(rootfs="local-lvm:30") == "OK"
    status = await api.get(f"{ON}/local-lvm/status")
    assert (status["type"], status["content"]) == ("lvmthin", "rootdir,images")
    assert (status["total"], status["active"], status["enabled"]) == (40 << 30, 1, 1)
    assert status["used"] < 1 << 20
    assert status["avail"] == status["total"] - status["used"]
    assert await api.create(112, rootfs="local-lvm:30") == "OK"


async def test_lists_hold_only_what_the_caller_may_see(api: Api) -> None:
    plain = api.as_token("plain@pve!tok")
    assert await plain.get(ON) == []
    refused = await plain("GET", f"{ON}/local/content")
    assert refused.reason == (
        "Permission check failed (/storage/local, Datastore.Audit|Datastore.AllocateSpace)"
    )
    await api.grant("plain@pve", "/storage/local-lvm", "Datastore.AllocateSpace")
    assert [row["storage"] for row in await plain.get(ON)] == ["local-lvm"]
    assert await api.create() == "OK"
    assert await plain.get(f"{ON}/local-lvm/content") == []
    await api.grant("plain@pve", "/vms/111", "VM.Audit")
    assert len(await plain.get(f"{ON}/local-lvm/content")) == 1


async def test_storages_are_chosen_by_content_and_switch(api: Api) -> None:
    rootdir = await api.get(ON, content="rootdir", enabled=1)
    assert [row["storage"] for row in rootdir] == ["local-lvm", "local-zfs", "files"]
    off = next(row for row in await api.get(ON) if row["storage"] == "off")
    assert (off["enabled"], off["active"]) == (0, 0)
    assert [row["storage"] for row in await api.get("/storage", type="zfspool")] == ["local-zfs"]


async def test_a_volume_of_a_container_cannot_be_pulled_away(api: Api) -> None:
    assert await api.create() == "OK"
    answer = await api("DELETE", f"{ON}/local-lvm/content/vm-111-disk-0")
    assert answer.status == 500
    assert "in use by CT 111" in answer.reason


async def test_a_missing_file_on_a_directory_is_no_error(api: Api) -> None:
    path = f"{ON}/local/content/{TEMPLATE}"
    assert await api.task("DELETE", path) == "OK"
    assert await api.task("DELETE", path) == "OK"
    upid = (await api.get("/nodes/pve/tasks"))[0]["upid"]
    log = await api.get(f"/nodes/pve/tasks/{upid}/log")
    assert log[0]["t"].startswith("disk image '")
    assert log[0]["t"].endswith("' does not exist")
    assert upid.split(":")[5:7] == ["imgdel", "local"]


async def test_names_that_are_no_volumes_are_refused(api: Api) -> None:
    bad = await api("DELETE", f"{ON}/local/content/vztmpl/readme.txt")
    assert bad.refusal == (500, "unable to parse directory volume name 'vztmpl/readme.txt'")
    other = await api("GET", f"{ON}/local/content/files:111/vm-111-disk-0.raw")
    assert other.errors == {"volume": "storage ID mismatch (files != local)"}
    assert (await api("DELETE", f"{ON}/local-lvm/content/odd")).reason == (
        "unable to parse lvm volume name 'odd'"
    )


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def file(_: web.Request) -> web.Response:
        return web.Response(body=FILE, content_type="application/x-tar")

    app = web.Application()
    app.router.add_get("/t.tar.gz", file)
    server = TestServer(app)
    await server.start_server()
    yield str(server.make_url("/t.tar.gz"))
    await server.close()


def _wanted(url: str, **more: Any) -> dict[str, Any]:
    return {"url": url, "content": "vztmpl", "filename": "t.tar.gz"} | more


def _checked(checksum: str, algorithm: str = "sha256") -> dict[str, str]:
    return {"checksum": checksum, "checksum_algorithm": algorithm}


async def test_a_url_is_described(api: Api, url: str) -> None:
    found = await api.get("/nodes/pve/query-url-metadata", url=url)
    assert found == {"filename": "t.tar.gz", "size": len(FILE), "mimetype": "application/x-tar"}
    missing = await api("GET", "/nodes/pve/query-url-metadata", url=f"{url}.not")
    assert missing.refusal == (500, "invalid server response: '404 Not Found'")


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
async def test_a_download_with_the_right_checksum_is_content(
    api: Api, url: str, algorithm: str
) -> None:
    checksum = hashlib.new(algorithm, FILE).hexdigest()
    status = await api.task(
        "POST", f"{ON}/local/download-url", **_wanted(url), **_checked(checksum, algorithm)
    )
    assert status == "OK"
    rows = await api.get(f"{ON}/local/content")
    assert ("local:vztmpl/t.tar.gz", len(FILE)) in [(row["volid"], row["size"]) for row in rows]
    task = (await api.get("/nodes/pve/tasks"))[0]
    assert (task["type"], task["id"]) == ("download", "t.tar.gz")


async def test_a_download_with_a_wrong_checksum_leaves_nothing(api: Api, url: str) -> None:
    wrong = "0" * 64
    failed = await api.task("POST", f"{ON}/local/download-url", **_wanted(url), **_checked(wrong))
    assert failed == f"checksum mismatch: got '{SHA256}' != expect '{wrong}'"
    folder = api.core.paths.storages / "local" / "template" / "cache"
    assert [path.name for path in folder.iterdir()] == [TEMPLATE.partition("/")[2]]


async def test_an_existing_file_is_kept(api: Api, url: str) -> None:
    path = f"{ON}/local/download-url"
    assert await api.task("POST", path, **_wanted(url)) == "OK"
    again = await api.task("POST", path, **_wanted(url))
    assert again == ("refusing to override existing file '/var/lib/vz/template/cache/t.tar.gz'")
    assert await api.task("POST", path, **_wanted(url), **_checked(SHA256)) == "OK"
    wrong = "0" * 64
    other = await api.task("POST", path, **_wanted(url), **_checked(wrong))
    assert other == f"checksum mismatch: got '{SHA256}' != expect '{wrong}', aborting"


async def test_a_download_that_cannot_be_had_fails_in_its_task(api: Api, url: str) -> None:
    failed = await api.task("POST", f"{ON}/local/download-url", **_wanted(f"{url}.not"))
    assert failed == "download failed: exit code 8"
    closed = await api.task("POST", f"{ON}/local/download-url", **_wanted("http://127.0.0.1:9/x"))
    assert closed == "download failed: exit code 4"


async def test_a_download_that_does_not_fit_leaves_nothing(
    api: Api, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = api.core.storages.used("local")
    monkeypatch.setattr(api.core.storages, "total", lambda _: used + len(FILE) - 1)
    failed = await api.task("POST", f"{ON}/local/download-url", **_wanted(url))
    assert failed == "download failed: exit code 3: No space left on device"
    assert api.core.storages.used("local") == used


async def test_odd_characters_of_a_name_become_underscores(api: Api, url: str) -> None:
    wanted = _wanted(url, filename="a b+c.tar.gz")
    assert await api.task("POST", f"{ON}/local/download-url", **wanted) == "OK"
    volids = [row["volid"] for row in await api.get(f"{ON}/local/content")]
    assert "local:vztmpl/a_b_c.tar.gz" in volids


async def test_a_download_that_makes_no_sense_is_refused_before_its_task(
    api: Api, url: str
) -> None:
    lvm = await api("POST", f"{ON}/local-lvm/download-url", **_wanted(url))
    assert lvm.refusal == (
        500,
        "can't upload to storage type 'lvmthin', not a file based storage!",
    )
    files = await api("POST", f"{ON}/files/download-url", **_wanted(url))
    assert files.refusal == (500, "storage 'files' is not configured for content-type 'vztmpl'")
    name = await api("POST", f"{ON}/local/download-url", **_wanted(url, filename="t.txt"))
    assert name.errors == {"filename": "wrong file extension"}
    half = await api("POST", f"{ON}/local/download-url", **_wanted(url, checksum="00"))
    assert half.errors == {"checksum-algorithm": "missing property required by 'checksum'"}
    scheme = await api("POST", f"{ON}/local/download-url", **_wanted("ftp://x/t.tar.gz"))
    assert scheme.errors == {"url": "value does not match the regex pattern"}


async def test_a_downloader_needs_the_network_right_too(api: Api, url: str) -> None:
    plain = api.as_token("plain@pve!tok")
    path = f"{ON}/local/download-url"
    assert (await plain("POST", path, **_wanted(url))).reason == (
        "Permission check failed (/storage/local, Datastore.AllocateTemplate)"
    )
    await api.grant("plain@pve", "/storage/local", "Datastore.AllocateTemplate")
    assert (await plain("POST", path, **_wanted(url))).reason == "Permission check failed"
    await api.grant("plain@pve", "/nodes/pve", "Sys.AccessNetwork")
    assert (await plain("POST", path, **_wanted(url))).status == 200
    await api.core.tasks.wait_all()


async def test_a_downloaded_archive_makes_a_container(api: Api) -> None:
    folder = api.core.paths.storages / "local" / "template" / "cache"
    write_template(folder / "own.tar.gz", 'NAME="x"\nID="ubuntu"\n')
    assert await api.create(ostemplate="local:vztmpl/own.tar.gz") == "OK"
    assert (await api.config())["ostype"] == "ubuntu"

"""A second client, over TLS: proxmoxer, as its users call it."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from proxmoxer import AuthenticationError, ProxmoxAPI, ResourceException
from proxmoxer.tools import Tasks

from lab.paths import LabPaths
from lab.proxmox.app import make_app
from lab.proxmox.credentials import token_secret
from lab.world import World
from tests.unit.proxmox.conftest import FAST, ROOT_PASSWORD, TEMPLATE, WORLD
from tests.unit.proxmox.double import GuestsDouble


def _write_certificate(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab test")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture
async def server(tmp_path: Path, paths: LabPaths, guests: GuestsDouble) -> AsyncIterator[int]:
    """A port on which the API answers over TLS 1.3; the CA is `tmp_path/ca.pem`."""
    _write_certificate(tmp_path / "ca.pem", tmp_path / "ca.key")
    runner = web.AppRunner(make_app(World.model_validate(WORLD), paths, guests, FAST))
    await runner.setup()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "ca.key")
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


def _client(port: int, ca: Path, **credentials: str) -> ProxmoxAPI:
    return ProxmoxAPI("127.0.0.1", port=port, verify_ssl=str(ca), **credentials)


def _whole_life(api: ProxmoxAPI) -> list[str]:
    node = api.nodes("pve")
    new = {
        "vmid": int(api.cluster.nextid.get()),
        "ostemplate": TEMPLATE,
        "rootfs": "local-lvm:4",
        "net0": "name=eth0,bridge=vmbr0",
    }
    seen = [Tasks.blocking_status(api, node.lxc.create(**new), 5, 0.02)["exitstatus"]]
    guest = node.lxc(new["vmid"])
    seen.append(Tasks.blocking_status(api, guest.status.start.post(), 5, 0.02)["exitstatus"])
    guest.config.put(memory=1024)
    seen.append(str(guest.config.get()["memory"]))
    seen.append(guest.status.current.get()["status"])
    seen.append(Tasks.blocking_status(api, guest.delete(force=1), 5, 0.02)["exitstatus"])
    seen += [row["volid"] for row in node.storage("local").content.get()]
    try:
        guest.config.get()
    except ResourceException as error:
        seen.append(f"{error.status_code} {error.content}")
    return seen


EXPECTED = [
    "OK",
    "OK",
    "1024",
    "running",
    "OK",
    TEMPLATE,
    "500 Configuration file 'nodes/pve/lxc/100.conf' does not exist",
]


async def test_proxmoxer_with_a_token(server: int, tmp_path: Path, paths: LabPaths) -> None:
    secret = token_secret(paths, "admin@pve!full")
    token = {"user": "admin@pve", "token_name": "full", "token_value": secret}
    api = _client(server, tmp_path / "ca.pem", **token)
    assert await asyncio.to_thread(_whole_life, api) == EXPECTED


async def test_proxmoxer_with_a_password(server: int, tmp_path: Path) -> None:
    def work() -> list[str]:
        login = {"user": "root@pam", "password": ROOT_PASSWORD}
        return _whole_life(_client(server, tmp_path / "ca.pem", **login))

    assert await asyncio.to_thread(work) == EXPECTED


async def test_proxmoxer_with_a_wrong_password(server: int, tmp_path: Path) -> None:
    def work() -> None:
        _client(server, tmp_path / "ca.pem", user="root@pam", password="wrong")

    with pytest.raises(AuthenticationError):
        await asyncio.to_thread(work)

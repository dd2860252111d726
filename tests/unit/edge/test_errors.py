"""A name that does not work says where it broke: the name, the tunnel, the connector, the service."""

import datetime
import io
import ssl
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.process.tls import server_context
from tests.unit.edge.ways import NAME, TUNNEL, Lab, Origin, eventually, running_origin


async def test_a_name_that_nobody_published_is_told_so(lab: Lab, origin: Origin) -> None:
    lab.route(origin.service())
    await lab.connector()
    status, text = await lab.fetch("/", "other.example.org")
    assert status == 409
    assert text == ("error code: 1001 (other.example.org: nothing is published under this name)\n")
    assert origin.asked == 0


async def test_a_tunnel_without_a_connector_is_told_apart(lab: Lab) -> None:
    status, text = await lab.fetch("/")
    assert status == 530
    assert text == f"error code: 1033 (tunnel {TUNNEL}: no connector is connected)\n"


@pytest.mark.parametrize(
    ("kind", "content"),
    [("A", "192.0.2.1"), ("TXT", "v=spf1"), ("NS", "ns.elsewhere.test"), ("CNAME", "a.test")],
)
async def test_a_name_with_records_of_its_own_is_not_served_by_a_wildcard(
    lab: Lab, kind: str, content: str
) -> None:
    lab.publish("*.example.org")
    assert (await lab.fetch("/", "db.example.org"))[0] == 530
    lab.record("db.example.org", kind, content, proxied=False)
    lab.record("_acme.mail.example.org", "TXT", "x", proxied=False)
    for name in ("db.example.org", "a.b.db.example.org", "mail.example.org", "x.mail.example.org"):
        assert (await lab.fetch("/", name))[0] == 409
    assert (await lab.fetch("/", "a.b.example.org"))[0] == 530


async def test_a_wildcard_ends_where_another_zone_begins(lab: Lab) -> None:
    lab.publish("*.test")
    assert (await lab.fetch("/", "x.other.test"))[0] == 409


async def test_a_name_of_another_account_does_not_reach_the_tunnel(
    lab: Lab, origin: Origin
) -> None:
    lab.route(origin.service())
    await lab.connector()
    lab.publish("chat.other.test", zone="other.test")
    status, text = await lab.fetch("/", "chat.other.test")
    assert status == 530
    assert text.startswith(f"error code: 1033 (tunnel {TUNNEL}: is of another account")
    assert [each["connectors"] for each in lab.edge.published()] == [1, 0]
    assert origin.asked == 0


async def test_a_service_that_is_down_is_502_and_comes_back_by_itself(
    lab: Lab, origin: Origin
) -> None:
    lab.route(origin.service())
    connector = await lab.connector()
    assert (await lab.fetch("/"))[0] == 200
    await origin.stop()
    status, text = await lab.fetch("/")
    assert status == 502
    assert text.count("\n") == 1
    assert "service behind the tunnel could not be reached" in text
    assert "connection refused" in connector.log()
    assert (await lab.fetch("/", method="POST", data=io.BytesIO(b"x" * 3_000_000)))[0] == 502
    await origin.start_again()
    assert (await lab.fetch("/"))[0] == 200


async def test_a_502_of_the_service_is_its_own(lab: Lab, origin: Origin) -> None:
    lab.route({"hostname": NAME, "service": "http_status:502"})
    await lab.connector()
    assert await lab.fetch("/") == (502, "")


@pytest.fixture
def own_certificate(lab: Lab, tmp_path: Path) -> ssl.SSLContext:
    """Signed by an authority that nobody's system knows, for chat.internal."""
    return server_context(lab.paths, "own", ["chat.internal"])


async def test_an_untrusted_certificate_is_refused_and_the_log_says_why(
    lab: Lab, own_certificate: ssl.SSLContext
) -> None:
    async with running_origin(own_certificate) as origin:
        lab.route(origin.service("https"))
        connector = await lab.connector()
        assert (await lab.fetch("/"))[0] == 502
        assert origin.asked == 0
        assert "tls: failed to verify certificate" in connector.log()


async def test_no_tls_verify_lets_an_untrusted_certificate_pass(
    lab: Lab, own_certificate: ssl.SSLContext
) -> None:
    async with running_origin(own_certificate) as origin:
        lab.route(origin.service("https"), noTLSVerify=True)
        await lab.connector()
        assert (await lab.fetch("/"))[0] == 200


async def test_a_pool_and_a_name_make_a_certificate_trusted(
    lab: Lab, own_certificate: ssl.SSLContext
) -> None:
    async with running_origin(own_certificate) as origin:
        pool = str(lab.paths.ca_certificate)
        lab.route(origin.service("https"), caPool=pool, originServerName="chat.internal")
        connector = await lab.connector()
        assert (await lab.fetch("/"))[0] == 200
        lab.route(origin.service("https"), caPool=pool, originServerName="other.internal")
        await eventually(lambda: "other.internal" in connector.log(), "the new configuration")
        assert (await lab.fetch("/"))[0] == 502


@pytest.fixture
def nameless_certificate(tmp_path: Path) -> Path:
    """Signed by itself, with its key; its only name is the subject's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chat.internal")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = tmp_path / "nameless.pem"
    file.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return file


async def test_a_certificate_without_alternative_names_is_refused_as_go_refuses_it(
    lab: Lab, nameless_certificate: Path
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(nameless_certificate)
    async with running_origin(context) as origin:
        pool = str(nameless_certificate)
        lab.route(origin.service("https"), caPool=pool, originServerName="chat.internal")
        connector = await lab.connector()
        assert (await lab.fetch("/"))[0] == 502
        legacy = "x509: certificate relies on legacy Common Name field, use SANs instead"
        assert legacy in connector.log()
        lab.route(origin.service("https"), caPool=pool, originServerName="other.internal")
        await eventually(lambda: "other.internal" in connector.log(), "the new configuration")
        assert (await lab.fetch("/"))[0] == 502
        assert connector.log().count(legacy) == 1


async def test_a_service_that_says_nothing_is_524(lab: Lab, origin: Origin) -> None:
    await lab.restart(silence_s=0.3)
    lab.route(origin.service())
    await lab.connector()
    assert (await lab.fetch("/slow"))[0] == 524
    assert (await lab.fetch("/once", method="POST", data=b"x"))[0] == 524
    assert (await lab.fetch("/stream?every_s=0.5&pieces=2"))[0] == 200


async def test_no_certificate_is_shown_for_a_name_that_the_lab_does_not_sign(lab: Lab) -> None:
    async with (
        aiohttp.ClientSession() as stranger,
    ):
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await stranger.get(f"https://127.0.0.1:{lab.port}/")

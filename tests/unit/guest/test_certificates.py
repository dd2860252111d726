"""Certificates on a host: made, renewed in time, read again by whoever serves with them."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from infra.guest import certificate, renewal
from infra.guest.failure import StepFailed
from tests.unit.guest.conftest import Box
from tests.unit.infra.certificates import new_pair

NAMES = ["chat", "192.168.1.111", "localhost"]


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_a_certificate_is_made_for_its_names_and_only_once(tmp_path: Path) -> None:
    crt, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    assert certificate.ensure(crt, key, 0, NAMES)
    made = load(crt)
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["chat", "localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.111"]
    assert key.stat().st_mode & 0o777 == 0o640
    assert not certificate.ensure(crt, key, 0, NAMES)
    assert load(crt) == made
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tls.crt", "tls.key"]


@pytest.mark.parametrize("ends_d", [29, -1])
def test_one_that_is_soon_over_is_made_anew(tmp_path: Path, ends_d: int) -> None:
    crt, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    old, its_key = new_pair(*NAMES, begins_d=-400, ends_d=ends_d)
    crt.write_text(old)
    key.write_text(its_key)
    assert certificate.ensure(crt, key, 0, NAMES)
    assert not certificate.expires_within(crt, 300 * 24 * 3600)


def test_one_for_other_names_is_made_anew(tmp_path: Path) -> None:
    crt, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.ensure(crt, key, 0, NAMES)
    assert certificate.ensure(crt, key, 0, [*NAMES, "more"])


async def test_a_new_certificate_is_served_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "LOOK_S", 0.02)
    crt, key = tmp_path / "tls.crt", tmp_path / "tls.key"

    def put(pair: tuple[str, str]) -> None:
        for path, text in zip((key, crt), reversed(pair), strict=True):
            partial = path.with_suffix(".partial")
            partial.write_text(text)
            partial.replace(path)

    put(new_pair("old"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    following = asyncio.create_task(renewal.follow(context, str(crt), str(key)))

    async def served() -> str:
        nobody = ssl.create_default_context()
        nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=nobody)
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.close()
        names = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        return str(names.value.get_values_for_type(x509.DNSName)[0])

    assert await served() == "old"
    # One that does not fit its key is left out; the old one goes on.
    crt.write_text(new_pair("misfit")[0])
    await asyncio.sleep(0.2)
    assert await served() == "old"
    put(new_pair("new"))
    async with asyncio.timeout(5):
        while await served() != "new":
            pass
    following.cancel()
    server.close()


def tls(box: Box, **changes: Any) -> dict[str, Any]:
    given = {"certificate": "/etc/chat/tls.crt", "key": "/etc/chat/tls.key", "texts": None,
             "names": [], "verified": [], **changes}  # fmt: skip
    return {**box.document(), "tls": given}


@pytest.fixture
def plain(box: Box, monkeypatch: pytest.MonkeyPatch) -> Box:
    """The double of the service speaks plain HTTP; what is asked of it is not the matter here."""
    from infra.guest import health

    monkeypatch.setattr(health, "probe", lambda *_args, **_kwargs: None)
    box.doubles.installed.append("openssl")
    return box


def test_one_that_was_sent_is_written_for_the_service_alone(plain: Box) -> None:
    crt, key = new_pair("chat")
    document = tls(plain, texts={"certificate": crt, "key": key})
    assert "certificate" in plain.deploy(document)["changed"]
    assert plain.at("/etc/chat/tls.crt").read_text() == crt
    assert plain.at("/etc/chat/tls.key").stat().st_mode & 0o777 == 0o640
    plain.forget()
    again = new_pair("chat")
    document["tls"]["texts"] = {"certificate": again[0], "key": again[1]}
    assert plain.deploy(document)["changed"] == ["certificate"]
    assert plain.calls("systemctl restart") == []


def test_one_of_the_hosts_own_must_be_there_and_good(plain: Box) -> None:
    own = tls(plain, certificate="/etc/own/a.crt", key="/etc/own/a.key")
    plain.at("/etc/own").mkdir(parents=True)

    def put(crt: str, key: str) -> None:
        plain.at("/etc/own/a.crt").write_text(crt)
        plain.at("/etc/own/a.key").write_text(key)

    with pytest.raises(StepFailed, match="is not on the host"):
        plain.deploy(own)
    put(new_pair("a")[0], new_pair("a")[1])
    with pytest.raises(StepFailed, match="is not the key of"):
        plain.deploy(own)
    put(*new_pair("a", begins_d=-9, ends_d=-1))
    with pytest.raises(StepFailed, match="has expired"):
        plain.deploy(own)
    assert not plain.at("/opt/chat/current").exists()
    put(*new_pair("a"))
    plain.deploy(own)
    plain.remove()
    assert plain.at("/etc/own/a.crt").exists()


@pytest.mark.parametrize(
    ("names", "wanted", "has"),
    [
        (["a.lan"], "b.lan", "a.lan"),
        (["*.lan"], "a.b.lan", r"\*.lan"),
        ([], "a.lan", "no name at all"),
        # The common name of a test's certificate is no name of its host.
        ([], "a test", "no name at all"),
        (["a.lan"], "192.168.1.111", "a.lan"),
        (["192.168.1.111"], "192.168.1.112", "192.168.1.111"),
    ],
)
def test_one_of_the_hosts_own_that_does_not_name_what_is_verified_changes_nothing(
    plain: Box, names: list[str], wanted: str, has: str
) -> None:
    plain.at("/etc/own").mkdir(parents=True)
    crt, key = new_pair(*names)
    plain.at("/etc/own/a.crt").write_text(crt)
    plain.at("/etc/own/a.key").write_text(key)
    own = tls(plain, certificate="/etc/own/a.crt", key="/etc/own/a.key", verified=[wanted])
    before = plain.files()
    with pytest.raises(StepFailed, match=f"a.crt: does not name {wanted}; it names {has}"):
        plain.deploy(own)
    assert plain.files() == before
    assert plain.calls() == []


def test_one_of_the_hosts_own_that_names_all_that_is_verified_is_taken(plain: Box) -> None:
    plain.at("/etc/own").mkdir(parents=True)
    crt, key = new_pair("*.lan", "192.168.1.111", "fd00::1")
    plain.at("/etc/own/a.crt").write_text(crt)
    plain.at("/etc/own/a.key").write_text(key)
    names = ["A.lan", "192.168.1.111", "fd00::1"]
    plain.deploy(tls(plain, certificate="/etc/own/a.crt", key="/etc/own/a.key", verified=names))


def test_one_of_the_hosts_own_is_looked_at_without_installing_anything(
    plain: Box,
) -> None:
    plain.doubles.installed.remove("openssl")
    plain.at("/etc/own").mkdir(parents=True)
    crt, key = new_pair("a", begins_d=2)
    plain.at("/etc/own/a.crt").write_text(crt)
    plain.at("/etc/own/a.key").write_text(key)
    with pytest.raises(StepFailed, match="is not valid yet"):
        plain.deploy(tls(plain, certificate="/etc/own/a.crt", key="/etc/own/a.key"))
    assert plain.calls() == []


def test_a_renewal_that_was_ended_half_way_is_done_again(tmp_path: Path) -> None:
    crt, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.ensure(crt, key, 0, NAMES)
    key.write_text(new_pair(*NAMES)[1])
    assert certificate.ensure(crt, key, 0, NAMES)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(crt, key)


def test_what_was_made_here_goes_with_the_service(plain: Box) -> None:
    plain.deploy(tls(plain, names=NAMES))
    assert plain.at("/etc/chat/tls.crt").exists()
    plain.remove()
    assert not plain.at("/etc/chat").exists()

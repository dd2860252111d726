"""The lab's own certificate authority, and certificates signed by it."""

import datetime
import os
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.errors import LabError
from lab.paths import LabPaths

_LIFE = datetime.timedelta(days=825)
_MACHINE_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
)


def ensure_authority(paths: LabPaths) -> None:
    """Make the CA and the bundle that trusts it, unless they are there."""
    if paths.ca_bundle.exists():
        return
    paths.ca_key.parent.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"berth lab {paths.name}")
    certificate = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_ca_usage(), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_private(paths.ca_key, key)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    paths.ca_certificate.write_bytes(pem)
    paths.ca_bundle.write_bytes(machine_bundle() + b"\n" + pem)


def machine_bundle() -> bytes:
    """The certificates that this machine trusts; SSL_CERT_FILE wins, as it does for Go."""
    explicit = os.environ.get("SSL_CERT_FILE")
    for candidate in (explicit, *_MACHINE_BUNDLES, ssl.get_default_verify_paths().cafile):
        if candidate and Path(candidate).is_file():
            return Path(candidate).read_bytes()
    raise LabError(
        "this machine's CA certificates: not found; install them (Debian: apt-get install "
        "ca-certificates) or name the file in SSL_CERT_FILE"
    )


def fingerprint(paths: LabPaths, name: str) -> str:
    """SHA-256 of the certificate that `server_context` made for `name`: AB:CD:..."""
    chain = paths.ca_key.with_name(f"{name}.pem").read_bytes()
    digest = x509.load_pem_x509_certificates(chain)[0].fingerprint(hashes.SHA256())
    return digest.hex(":").upper()


def server_context(paths: LabPaths, name: str, hosts: Iterable[str]) -> ssl.SSLContext:
    """TLS 1.3 for a server that answers at `hosts` (names or addresses), made anew each start."""
    authority_key = serialization.load_pem_private_key(paths.ca_key.read_bytes(), None)
    if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
        raise LabError(f"{paths.ca_key}: is not the lab's key; run `lab down`, then `lab up`")
    authority = x509.load_pem_x509_certificate(paths.ca_certificate.read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(name), authority.subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName([_general(h) for h in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    chain = paths.ca_key.with_name(f"{name}.pem")
    _write_private(chain, key)
    with chain.open("ab") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(chain)
    return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

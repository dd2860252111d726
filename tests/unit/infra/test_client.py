"""The client that asks the node: trust, credentials, and what it says when it cannot ask."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.node.client import ApiError, CannotAskError, Credentials, NodeClient

TOKEN = Credentials(api_token="berth@pve!deploy=01234567-89ab-cdef-0123-456789abcdef")
Answer = Callable[[BaseHTTPRequestHandler], tuple[int, str, dict[str, Any]]]


class Server:
    """A TLS server on loopback that answers whatever `answer` says; it is not a Proxmox."""

    def __init__(self, certificate: Path) -> None:
        self.answer: Answer = lambda _request: (200, "OK", {"data": "yes"})
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, reason, body = outer.answer(self)
                self.send_response(status, reason)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Says nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        self.endpoint = f"https://127.0.0.1:{self.server.server_port}/"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, with its key. As in Proxmox's CA its basic constraints are not critical."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.public_bytes(Encoding.PEM)
    )
    return path


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    running = Server(certificate)
    yield running
    running.close()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def client(
    server: Server, credentials: Credentials = TOKEN, *, insecure: bool = False
) -> NodeClient:
    return NodeClient(server.endpoint, credentials, insecure=insecure)


@pytest.mark.usefixtures("trusted")
def test_the_token_and_the_trust_are_those_of_the_provider(server: Server) -> None:
    server.answer = lambda request: (
        200,
        "OK",
        {"data": [request.path, request.headers["Authorization"]]},
    )
    assert client(server).get("cluster/nextid", vmid=111) == [
        "/api2/json/cluster/nextid?vmid=111",
        f"PVEAPIToken={TOKEN.api_token}",
    ]


def test_a_certificate_that_nobody_vouches_for_is_refused(server: Server) -> None:
    with pytest.raises(CannotAskError, match=r"is not trusted .*add the node's CA to this machine"):
        client(server).get("version")
    assert client(server, insecure=True).get("version") == "yes"


@pytest.mark.usefixtures("trusted")
def test_a_password_is_exchanged_for_a_ticket(server: Server) -> None:
    def answer(request: BaseHTTPRequestHandler) -> tuple[int, str, dict[str, Any]]:
        if request.command == "POST":
            length = int(request.headers["Content-Length"])
            form = request.rfile.read(length).decode()
            assert form == "username=root%40pam&password=pa+ss"
            return 200, "OK", {"data": {"ticket": "PVE:root@pam:1::a+b="}}
        return 200, "OK", {"data": request.headers["Cookie"]}

    server.answer = answer
    login = Credentials(username="root@pam", password="pa ss")
    assert client(server, login).get("version") == "PVEAuthCookie=PVE:root%40pam:1::a%2Bb%3D"


@pytest.mark.usefixtures("trusted")
def test_a_refused_token_is_not_repeated(server: Server) -> None:
    server.answer = lambda _request: (401, "Authentication failed!", {})
    with pytest.raises(CannotAskError) as caught:
        client(server).get("version")
    assert str(caught.value) == (
        f"proxmox/api_token: {server.endpoint[:-1]} does not accept it (401 Authentication "
        "failed!); check that it is complete and not expired (docs/proxmox.md)"
    )


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"errors": {"vmid": "VM 111 already exists\n"}}, "vmid: VM 111 already exists"),
        ({"message": "CT is locked (create)\n"}, "CT is locked (create)"),
        ({}, "Parameter verification failed."),
    ],
)
def test_proxmoxs_own_words_are_kept(server: Server, body: dict[str, Any], said: str) -> None:
    server.answer = lambda _request: (400, "Parameter verification failed.", body)
    with pytest.raises(ApiError) as caught:
        client(server).get("cluster/nextid")
    assert (caught.value.status, str(caught.value)) == (400, said)


@pytest.mark.usefixtures("trusted")
def test_a_server_that_is_no_proxmox_is_told(server: Server) -> None:
    server.answer = lambda _request: (200, "OK", {"hello": "world"})
    with pytest.raises(CannotAskError, match="answers, but not as Proxmox does"):
        client(server).get("version")


@pytest.mark.usefixtures("trusted")
def test_a_node_that_is_away_is_told() -> None:
    away = NodeClient("https://127.0.0.1:1/", TOKEN, insecure=False)
    with pytest.raises(CannotAskError, match="cannot be reached: "):
        away.get("version")

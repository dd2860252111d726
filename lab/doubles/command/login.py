"""One SSH handshake: host key, then the ways to log in, in the real plugin's order."""

import asyncio
import socket
from dataclasses import dataclass

import asyncssh

from lab.doubles.command import go_text
from lab.doubles.command.endpoint import Endpoint
from lab.doubles.provider import Refused

KEEPALIVE_S = 15
KEEPALIVES_MISSED = 4
_HANDSHAKE_LIMIT_S = 15
_RSA = ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")


class Failed(Exception):  # noqa: N818 - one attempt; the next may succeed
    """One attempt to connect failed; its text is what Go would say."""


@dataclass(frozen=True)
class Credentials:
    """An endpoint with its keys read."""

    endpoint: Endpoint
    host_key: asyncssh.SSHKey | None
    login_key: asyncssh.SSHKey | None
    agent: asyncssh.SSHAgentClient | None

    @classmethod
    async def of(cls, endpoint: Endpoint) -> "Credentials":
        """Read the keys and reach the agent; raises Refused."""
        host_key, login_key = endpoint.pinned_host_key(), endpoint.login_key()
        agent = None
        if endpoint.agent_socket:
            try:
                agent = await asyncssh.connect_agent(endpoint.agent_socket)
            except OSError as error:
                raise Refused(
                    f"dial unix {endpoint.agent_socket}: connect: {go_text.errno_text(error)}"
                ) from None
        return cls(endpoint, host_key, login_key, agent)


class _Client(asyncssh.SSHClient):
    """Offers each way to log in once, and remembers which the server let it try."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._keys: list[asyncssh.SSHKey | asyncssh.SSHKeyPair] | None = None
        self.attempted = ["none"]

    async def public_key_auth_requested(self) -> asyncssh.SSHKey | asyncssh.SSHKeyPair | None:
        if self._keys is None:
            self._keys = await self._all_keys()
            if self._keys:
                self.attempted.append("publickey")
        return self._keys.pop(0) if self._keys else None

    def password_auth_requested(self) -> str | None:
        return self._password_once("password")

    def kbdint_auth_requested(self) -> str | None:
        return "" if self._password_once("keyboard-interactive") is not None else None

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: object
    ) -> list[str] | None:
        del name, instructions, lang
        password = self._credentials.endpoint.password
        if password is None or not isinstance(prompts, list | tuple):
            return None
        return [password] * len(prompts)

    async def _all_keys(self) -> list[asyncssh.SSHKey | asyncssh.SSHKeyPair]:
        # As in Go: a way is tried once, so an agent's keys only without a private key.
        if self._credentials.login_key is not None:
            return [self._credentials.login_key]
        if self._credentials.agent is not None:
            return list(await self._credentials.agent.get_keys())
        return []

    def _password_once(self, way: str) -> str | None:
        password = self._credentials.endpoint.password
        if password is None or way in self.attempted:
            return None
        self.attempted.append(way)
        return password


async def handshake(
    credentials: Credentials,
    *,
    sock: socket.socket | None = None,
    tunnel: asyncssh.SSHClientConnection | None = None,
) -> asyncssh.SSHClientConnection:
    """Log in over `sock` or through `tunnel`. Raises Failed, or Refused where Go would hang.

    asyncssh.ChannelOpenError: the tunnel's server could not reach the endpoint.
    """
    endpoint = credentials.endpoint
    client = _Client(credentials)
    host_key = credentials.host_key
    limit_s = endpoint.per_dial_timeout_s or _HANDSHAKE_LIMIT_S
    try:
        async with asyncio.timeout(limit_s):
            return await asyncssh.connect(
                endpoint.host,
                endpoint.port,
                sock=sock,
                tunnel=tunnel if tunnel is not None else (),
                config=None,
                username=endpoint.user,
                client_factory=lambda: client,
                known_hosts=None if host_key is None else ([host_key], [], []),
                server_host_key_algs=() if host_key is None else _algorithms(host_key),
                client_keys=None,
                agent_path=None,
                x509_trusted_certs=None,
                preferred_auth="publickey,password,keyboard-interactive",
                gss_kex=False,
                gss_auth=False,
                compression_algs=None,
                keepalive_interval=KEEPALIVE_S,
                keepalive_count_max=KEEPALIVES_MISSED,
            )
    except TimeoutError:
        raise Refused(
            f"ssh: handshake failed: {endpoint.address} accepted the connection and did not finish "
            f"the handshake within {limit_s} s; the real pulumi-command has no limit here and hangs"
        ) from None
    except asyncssh.HostKeyNotVerifiable:
        raise Failed("ssh: handshake failed: ssh: host key mismatch") from None
    except asyncssh.PermissionDenied:
        raise Failed(
            "ssh: handshake failed: ssh: unable to authenticate, attempted methods "
            f"[{' '.join(client.attempted)}], no supported methods remain"
        ) from None
    except asyncssh.ConnectionLost:
        raise Failed("ssh: handshake failed: EOF") from None
    except asyncssh.KeyExchangeFailed as error:
        raise Failed(f"ssh: handshake failed: ssh: {error.reason}") from None
    except asyncssh.DisconnectError as error:
        raise Failed(
            f"ssh: handshake failed: ssh: disconnect, reason {error.code}: {error.reason}"
        ) from None
    except OSError as error:
        raise Failed(f"ssh: handshake failed: {go_text.errno_text(error)}") from None


def _algorithms(key: asyncssh.SSHKey) -> list[str]:
    """The signatures by which the server may prove that it has `key`: a pin is of one kind."""
    name = key.get_algorithm()
    return list(_RSA) if name == "ssh-rsa" else [name]

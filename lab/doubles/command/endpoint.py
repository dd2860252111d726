"""Where a step logs in and with what, read from a resource's `connection`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.doubles.provider import Refused
from lab.doubles.values import Value, has_unknown

if TYPE_CHECKING:
    import asyncssh

_AGENT_VARIABLE = "SSH_AUTH_SOCK"
_PUBLIC_KEY = re.compile(r"((?:ssh-|ecdsa-|sk-)\S+\s+[A-Za-z0-9+/=]+)")


@dataclass(frozen=True)
class Endpoint:
    """One SSH server and how to log in to it. `per_dial_timeout_s` 0 means no limit."""

    host: str
    port: int
    user: str
    password: str | None
    private_key: str | None
    private_key_password: str | None
    agent_socket: str | None
    dial_error_limit: int
    per_dial_timeout_s: int
    host_key: str | None
    proxy: "Endpoint | None"

    @classmethod
    def of(cls, connection: Mapping[str, Value]) -> "Endpoint":
        """Read a checked `connection` without secret wrappers."""
        if has_unknown(dict(connection)):
            raise Refused(
                "connection: holds a value that is not known, in a run that is no preview"
            )
        proxy = connection.get("proxy")
        return cls(
            host=_text(connection, "host") or "",
            port=_number(connection, "port", 22),
            user="root" if (user := _text(connection, "user")) is None else user,
            password=_text(connection, "password"),
            private_key=_text(connection, "privateKey"),
            private_key_password=_text(connection, "privateKeyPassword"),
            agent_socket=_text(connection, "agentSocketPath")
            or os.environ.get(_AGENT_VARIABLE)
            or None,
            dial_error_limit=_number(connection, "dialErrorLimit", 10),
            per_dial_timeout_s=_number(connection, "perDialTimeout", 15),
            host_key=_text(connection, "hostKey"),
            proxy=cls.of(proxy) if isinstance(proxy, dict) else None,
        )

    @property
    def address(self) -> str:
        """`host:port`, as messages show it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def pinned_host_key(self) -> "asyncssh.SSHKey | None":
        """The host key that the server must have; raises Refused when it is none."""
        import asyncssh  # half a second; a preview never needs it

        if self.host_key is None:
            return None
        found = _PUBLIC_KEY.search(self.host_key)
        try:
            if found:
                return asyncssh.import_public_key(found[1])
        except asyncssh.KeyImportError:
            found = None
        raise Refused("failed to parse host key: ssh: no key found")

    def login_key(self) -> "asyncssh.SSHKey | None":
        """The private key to log in with; raises Refused when it cannot be read."""
        import asyncssh

        if self.private_key is None:
            return None
        passphrase = self.private_key_password
        try:
            plain_key = asyncssh.import_private_key(self.private_key)
        except asyncssh.KeyImportError as error:
            if "Passphrase must be specified" not in str(error):
                raise Refused("ssh: no key found") from None
        else:
            if passphrase is not None:
                raise Refused("ssh: key is not password protected")
            return plain_key
        if passphrase is None:
            raise Refused("ssh: this private key is passphrase protected")
        try:
            return asyncssh.import_private_key(self.private_key, passphrase)
        except asyncssh.KeyEncryptionError as error:
            if "bcrypt" in str(error):
                raise Refused(
                    "privateKeyPassword: this key's encryption needs the Python package bcrypt, "
                    "which the lab's interpreter has not; install it, or use a key without password"
                ) from None
            raise Refused("x509: decryption password incorrect") from None
        except asyncssh.KeyImportError:
            raise Refused("x509: decryption password incorrect") from None


def _text(connection: Mapping[str, Value], key: str) -> str | None:
    value = connection.get(key)
    return value if isinstance(value, str) else None


def _number(connection: Mapping[str, Value], key: str, default: int) -> int:
    value = connection.get(key)
    return int(value) if isinstance(value, float) else default

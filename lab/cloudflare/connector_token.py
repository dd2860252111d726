"""The token with which a connector proves that it may serve a tunnel. Pure."""

import base64
import binascii
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class ConnectorToken:
    """Account, tunnel and the tunnel's secret, in base64 as the API has it."""

    account: str
    tunnel: str
    secret: str

    def text(self) -> str:
        """As cloudflared takes it: base64 of a JSON object with one-letter keys."""
        said = {"a": self.account, "t": self.tunnel, "s": self.secret}
        return base64.b64encode(json.dumps(said, separators=(",", ":")).encode()).decode()

    @classmethod
    def parse(cls, text: str) -> "ConnectorToken | None":
        """The token that `text` is; None where it is none."""
        try:
            # Go's decoder skips line breaks, and nothing else.
            plain = text.replace("\n", "").replace("\r", "")
            said = json.loads(base64.b64decode(plain, validate=True))
        except (binascii.Error, ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        account, tunnel, secret = said.get("a"), said.get("t"), said.get("s")
        if not (isinstance(account, str) and isinstance(tunnel, str) and isinstance(secret, str)):
            return None
        return cls(account, tunnel, secret)

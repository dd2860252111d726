"""One small read-only client of the Proxmox API, with the provider's endpoint, token and trust."""

import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TIMEOUT_S = 15.0
# Where Go programs look, and so the provider, when SSL_CERT_FILE is not set.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class ApiError(Exception):
    """The API answered, but not with what was asked for. The text is Proxmox's own."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class CannotAskError(Exception):
    """The API cannot be asked at all; the text says what to put right."""


@dataclass(frozen=True)
class Credentials:
    """A token, or a user with a password; in clear, so only ever short-lived."""

    api_token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class NodeClient:
    """Blocking; one connection a call. Raises ApiError and CannotAskError."""

    def __init__(self, endpoint: str, credentials: Credentials, *, insecure: bool) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._credentials = credentials
        self._insecure = insecure
        self._headers: dict[str, str] | None = None
        self._opener: urllib.request.OpenerDirector | None = None

    def get(self, path: str, /, **query: str | int) -> Any:  # noqa: ANN401 (as the API answers)
        """`data` of the answer to GET /api2/json/PATH."""
        if self._headers is None:
            self._headers = self._log_in()
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        return self._ask(f"{path}{asked}", self._headers, None)

    def _log_in(self) -> dict[str, str]:
        if self._credentials.api_token:
            return {"Authorization": f"PVEAPIToken={self._credentials.api_token}"}
        form = {
            "username": self._credentials.username or "",
            "password": self._credentials.password or "",
        }
        answer = self._ask("access/ticket", {}, urllib.parse.urlencode(form).encode())
        return {"Cookie": f"PVEAuthCookie={urllib.parse.quote(answer['ticket'], safe=':')}"}

    def _ask(self, path: str, headers: Mapping[str, str], body: bytes | None) -> Any:  # noqa: ANN401
        if self._opener is None:
            context = trust(insecure=self._insecure)
            self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        request = urllib.request.Request(  # noqa: S310 (the settings admit https only)
            f"{self._endpoint}/api2/json/{path}", data=body, headers=dict(headers)
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except (urllib.error.URLError, OSError) as error:
            raise CannotAskError(self._unreachable(error)) from None
        except (ValueError, KeyError, TypeError):
            raise CannotAskError(
                f"proxmox/endpoint: {self._endpoint} answers, but not as Proxmox does; "
                "is it the address and port of the Proxmox API (8006)?"
            ) from None

    def _refusal(self, error: urllib.error.HTTPError) -> ApiError | CannotAskError:
        text = _text_of(error)
        if error.code == 401:
            who = "password" if self._credentials.api_token is None else "api_token"
            return CannotAskError(
                f"proxmox/{who}: {self._endpoint} does not accept it ({error.code} {text}); "
                "check that it is complete and not expired (docs/proxmox.md)"
            )
        return ApiError(error.code, text)

    def _unreachable(self, error: Exception) -> str:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return (
                f"proxmox/endpoint: the certificate of {self._endpoint} is not trusted "
                f"({reason.verify_message}); add the node's CA to this machine's trust "
                "(docs/proxmox.md)"
            )
        return (
            f"proxmox/endpoint: {self._endpoint} cannot be reached: {reason}; check that the node "
            "is on, and that this is the address of its API"
        )


def trust(*, insecure: bool) -> ssl.SSLContext:
    """Whom the provider trusts: SSL_CERT_FILE if it is set, else the machine's bundle."""
    context = ssl.create_default_context()
    # Python 3.13 wants more of a CA than Go does, and than the one has that Proxmox makes itself.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif not os.environ.get("SSL_CERT_FILE") and not context.cert_store_stats()["x509"]:
        # A Python that was built elsewhere looks in places that this machine does not have.
        for bundle in _BUNDLES:
            if Path(bundle).exists():
                context.load_verify_locations(cafile=bundle)
                break
    return context


def _text_of(error: urllib.error.HTTPError) -> str:
    """What Proxmox says: each wrong parameter, else its message, else the reason phrase."""
    try:
        body = json.load(error)
    except ValueError:
        body = {}
    if isinstance(body, dict) and isinstance(body.get("errors"), dict):
        return "; ".join(f"{name}: {str(text).strip()}" for name, text in body["errors"].items())
    message = body.get("message") if isinstance(body, dict) else None
    return str(message).strip() if message else error.reason

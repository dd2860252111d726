"""One small client of Cloudflare's API: looks up, and undoes what the provider leaves behind."""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from infra.node.client import trust

API = "https://api.cloudflare.com/client/v4"
TIMEOUT_S = 15.0
AGAIN_S = (0.5, 1.0, 2.0, 4.0, 8.0)
BUSY = frozenset({429, 500, 502, 503, 504})
LONGEST_WAIT_S = 10.0
# What Cloudflare says of a token that is no token of theirs.
_BAD_TOKEN = frozenset({1000, 6003, 6111, 9109, 10000, 10001})

Json = dict[str, Any]


class CloudError(Exception):
    """The API answered, but not with what was asked for; `codes` are Cloudflare's own."""

    def __init__(self, status: int, codes: tuple[int, ...], text: str) -> None:
        self.status, self.codes = status, codes
        super().__init__(text)


class CannotAskCloudError(Exception):
    """The API cannot be asked at all, or refuses the token; the text says what to put right."""


class CloudClient:
    """Blocking; one connection a call. Raises CloudError and CannotAskCloudError."""

    def __init__(
        self,
        base_url: str | None,
        token: str,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = (base_url or API).rstrip("/")
        self._token = token
        self._pause = pause
        self._opener: urllib.request.OpenerDirector | None = None

    def get(self, path: str, /, **query: str | int) -> Any:  # noqa: ANN401 (as the API answers)
        """`result` of the answer."""
        return self._ask("GET", path, query)["result"]

    def every(self, path: str, /, **query: str | int) -> list[Json]:
        """All pages of a list."""
        found: list[Json] = []
        page = 1
        while True:
            answer = self._ask("GET", path, {**query, "page": page, "per_page": 100})
            rows = answer["result"] or []
            found += rows
            info = answer.get("result_info") or {}
            if not rows or page >= int(info.get("total_pages") or 1):
                return found
            page += 1

    def put(self, path: str, body: Json) -> Any:  # noqa: ANN401
        """`result` of the answer."""
        return self._ask("PUT", path, {}, body)["result"]

    def delete(self, path: str) -> None:
        """CloudError where it does not succeed, also where it is not there."""
        self._ask("DELETE", path, {})

    def _ask(
        self, method: str, path: str, query: Mapping[str, str | int], body: Json | None = None
    ) -> Json:
        for wait in (*AGAIN_S, None):
            try:
                return self._once(method, path, query, body)
            except urllib.error.HTTPError as error:
                if error.code in BUSY and wait is not None:
                    self._pause(_asked_to_wait(error) or wait)
                    continue
                raise self._refusal(method, path, error) from None
            except (urllib.error.URLError, OSError) as error:
                raise CannotAskCloudError(self._unreachable(error)) from None
            except (ValueError, KeyError, TypeError, http.client.HTTPException):
                raise CannotAskCloudError(
                    f"cloudflare/base_url: {self._base} answers, but not as Cloudflare's API does"
                ) from None
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, method: str, path: str, query: Mapping[str, str | int], body: Json | None
    ) -> Json:
        if self._opener is None:
            context = trust(insecure=False)
            self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
        asked = f"?{urllib.parse.urlencode(query)}" if query else ""
        request = urllib.request.Request(  # noqa: S310 (the settings admit http and https only)
            f"{self._base}/{path}{asked}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
                "User-Agent": "berth",
            },
        )
        with self._opener.open(request, timeout=TIMEOUT_S) as answer:
            found: Json = json.load(answer)
        found["result"]  # an answer of something else has none
        return found

    def _refusal(
        self, method: str, path: str, error: urllib.error.HTTPError
    ) -> CloudError | CannotAskCloudError:
        codes, text = _said(error)
        if error.code == 401 or (error.code in {400, 403} and _BAD_TOKEN & set(codes)):
            return CannotAskCloudError(
                f"cloudflare/api_token: Cloudflare refuses it for {method} {_place(path)} "
                f"({error.code} {text}); check that it is complete, not expired, and allowed what "
                "docs/cloudflare.md lists"
            )
        if error.code == 403:
            return CannotAskCloudError(
                f"cloudflare/api_token: is not allowed {method} {_place(path)} ({text}); "
                "docs/cloudflare.md lists what it needs"
            )
        return CloudError(error.code, codes, text)

    def _unreachable(self, error: Exception) -> str:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            return (
                f"cloudflare/base_url: the certificate of {self._base} is not trusted "
                f"({reason.verify_message})"
            )
        return (
            f"cloudflare/base_url: {self._base} cannot be reached: {reason}; "
            "is this machine online?"
        )


def _asked_to_wait(error: urllib.error.HTTPError) -> float | None:
    text = error.headers.get("Retry-After", "")
    return min(float(text), LONGEST_WAIT_S) if text.isdigit() else None


def _said(error: urllib.error.HTTPError) -> tuple[tuple[int, ...], str]:
    try:
        body = json.load(error)
        rows = [row for row in body.get("errors") or () if isinstance(row, dict)]
    except (ValueError, AttributeError):
        rows = []
    chained = [inner for row in rows for inner in row.get("error_chain") or ()]
    given = [str(row.get("code")) for row in [*rows, *chained]]
    codes = tuple(int(code) for code in given if code.isdecimal())
    text = "; ".join(str(row.get("message")) for row in [*rows, *chained])
    return codes, text or str(error.reason)


def _place(path: str) -> str:
    """A path without its ids, which say nothing to a person."""
    names = [part for part in path.split("/") if not (len(part) >= 32 and "-" not in part[:8])]
    return "/".join(name for name in names if len(name) != 36)

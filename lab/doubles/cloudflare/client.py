"""Requests to Cloudflare's API, sent, tried again and refused as the real provider does."""

import asyncio
import json
import os
import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lab.doubles.provider import Refused

if TYPE_CHECKING:
    import aiohttp  # a quiet preview asks nothing, and would wait for it

Json = dict[str, Any]
_USUAL_URL = "https://api.cloudflare.com/client/v4"
_UPSTREAM = "5.22.0"
_AGENT = (
    f"terraform-provider-cloudflare/{_UPSTREAM} terraform-plugin-framework/1.19.0 "
    "terraform/1.0.0+pulumi-terraform-bridge"
)
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": _AGENT,
    "X-Stainless-Arch": "x64",
    "X-Stainless-Lang": "Terraform",
    "X-Stainless-Os": "Linux",
    "X-Stainless-Package-Version": _UPSTREAM,
    "X-Stainless-Runtime": "terraform-plugin-framework",
    "X-Stainless-Runtime-Version": "1.19.0",
}
_TRIES_AGAIN = 10
_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 8.0
_LONGEST_ASKED_WAIT_S = 60.0


class HttpRefused(Refused):
    """The API answered with an error."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(f"failed to make http request: {text}")
        self.status = status


class Client:
    """One account's way to the API; its connection is made with the first request."""

    def __init__(self, base_url: str, headers: Mapping[str, str]) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {**_HEADERS, **headers}
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Client":
        """A client of the provider's configuration, and of the environment where that is silent."""

        def said(name: str, variable: str) -> str:
            return str(config.get(name) or os.environ.get(variable, ""))

        token = said("api_token", "CLOUDFLARE_API_TOKEN")
        key = said("api_key", "CLOUDFLARE_API_KEY")
        email = said("email", "CLOUDFLARE_EMAIL")
        service = said("api_user_service_key", "CLOUDFLARE_API_USER_SERVICE_KEY")
        headers: dict[str, str] = {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key:
            headers["X-Auth-Key"] = key
        if email:
            headers["X-Auth-Email"] = email
        if service:
            headers["X-Auth-User-Service-Key"] = service
        return cls(said("base_url", "CLOUDFLARE_BASE_URL") or _USUAL_URL, headers)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
    ) -> Json:
        """The whole answer; raises HttpRefused for what is no success."""
        import aiohttp

        url = self._base_url + path
        if query:
            url += "?" + urlencode({key: _text(query[key]) for key in sorted(query)})
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(_TRIES_AGAIN + 1):
            last = attempt == _TRIES_AGAIN
            try:
                status, reason, text, wait = await self._send(method, url, data, attempt)
            except (aiohttp.ClientError, OSError) as error:
                if last:
                    raise HttpRefused(f'{method.title()} "{url}": {error}', 0) from error
                await asyncio.sleep(_pause(attempt))
                continue
            if status < 400:
                return _read(text)
            if last or not (status in {408, 409, 429} or status >= 500):
                raise HttpRefused(f'{method} "{url}": {status} {reason} {text.strip()}', status)
            await asyncio.sleep(_pause(attempt) if wait is None else wait)
        raise AssertionError("the last attempt returns or raises")

    async def result(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401
        """The `result` of an answer."""
        return (await self.ask(method, path, **more)).get("result")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _send(
        self, method: str, url: str, data: bytes | None, attempt: int
    ) -> tuple[int, str, str, float | None]:
        import aiohttp

        headers = {**self._headers, "X-Stainless-Retry-Count": str(attempt)}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self._session is None:
            # A proxy of the caller's is not to stand between the lab and its API.
            self._session = aiohttp.ClientSession(
                skip_auto_headers=["Accept", "User-Agent", "Content-Type"]
            )
        async with self._session.request(method, url, data=data, headers=headers) as answer:
            text = await answer.text()
            return answer.status, answer.reason or "", text, _asked_wait(answer.headers)


def _asked_wait(headers: Mapping[str, str]) -> float | None:
    try:
        wait = float(headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return wait if 0 <= wait < _LONGEST_ASKED_WAIT_S else None


def _pause(attempt: int) -> float:
    longest = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * float(2**attempt))
    return longest * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load, hides nothing


def _read(text: str) -> Json:
    try:
        answer = json.loads(text) if text else {}
    except ValueError as error:
        raise Refused(f"failed to deserialize http request: {error}") from error
    return answer if isinstance(answer, dict) else {}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)

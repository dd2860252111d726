"""Requests to Tailscale's API, sent and refused as the real provider does: each only once."""

import base64
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from lab.doubles.provider import Refused

if TYPE_CHECKING:
    import aiohttp  # a quiet preview asks nothing, and would wait for it

Json = dict[str, Any]
HUJSON = "application/hujson"
_USUAL_URL = "https://api.tailscale.com"
_OWN_TAILNET = "-"
_AGENT = "terraform-provider-tailscale/v0.29.2"
_EARLY_S = 10.0
_NOT_FOUND = 404
_ERROR = 400
_CREDENTIALS = "Provider credentials error: "
_NO_TAILNET = (
    "Missing Tailnet ID: While configuring the provider, a Tailnet ID was not found in the "
    "TAILSCALE_TAILNET environment variable or provider configuration block tailnet attribute."
)
_VARIABLES = {
    "api_key": ("TAILSCALE_API_KEY",),
    "oauth_client_id": ("TAILSCALE_OAUTH_CLIENT_ID", "OAUTH_CLIENT_ID"),
    "oauth_client_secret": ("TAILSCALE_OAUTH_CLIENT_SECRET", "OAUTH_CLIENT_SECRET"),
    "identity_token": ("TAILSCALE_IDENTITY_TOKEN", "IDENTITY_TOKEN"),
    "audience": ("TAILSCALE_AUDIENCE",),
    "tailnet": ("TAILSCALE_TAILNET",),
    "base_url": ("TAILSCALE_BASE_URL",),
}


class HttpRefused(Refused):
    """The API answered with an error."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(f"{message} ({status})")
        self.status = status

    @property
    def is_not_found(self) -> bool:
        """Whether there is no such thing."""
        return self.status == _NOT_FOUND


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Puts `what` in front of a refusal."""
    try:
        yield
    except Refused as error:
        raise Refused(f"{what}: {error}") from error


class Client:
    """One configuration's way to the API; its connection is made with the first request."""

    def __init__(self, base_url: str, tailnet: str, login: "ApiKey | OauthLogin") -> None:
        self._root = f"{base_url.rstrip('/')}/api/v2"
        self._login = login
        self._session: aiohttp.ClientSession | None = None
        self.tailnet = f"/tailnet/{quote(tailnet, safe='')}"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Client":
        """A client of the provider's configuration, and of the environment where that is silent.

        Raises Refused for credentials that do not go together.
        """
        said = {name: _said(config, name, variables) for name, variables in _VARIABLES.items()}
        variable = config.get("identity_token_environment_variable_name")
        if variable and not said["identity_token"]:
            said["identity_token"] = os.environ.get(str(variable), "")
        if config.get("tailnet") == "":
            raise Refused(_NO_TAILNET)
        _require_one_login(said)
        if said["api_key"]:
            login: ApiKey | OauthLogin = ApiKey(said["api_key"])
        elif said["oauth_client_secret"]:
            scopes = [str(scope) for scope in config.get("scopes") or []]
            login = OauthLogin(said["oauth_client_id"], said["oauth_client_secret"], scopes)
        else:
            raise Refused(f"{_CREDENTIALS}this double has no workload identities")
        return cls(said["base_url"] or _USUAL_URL, said["tailnet"] or _OWN_TAILNET, login)

    async def ask(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        query: Iterable[tuple[str, str]] = (),
    ) -> Any:  # noqa: ANN401 - any JSON
        """The answer; raises HttpRefused for what is no success."""
        url = self._root + path + (f"?{urlencode(sorted(query))}" if query else "")
        data = None if body is None else json.dumps(body, separators=(",", ":"))
        text = await self._send(method, url, data, {"Content-Type": "application/json"})
        return _read(text)

    async def policy(self) -> str:
        """The policy as it is written."""
        url = f"{self._root}{self.tailnet}/acl"
        return await self._send("GET", url, None, {"Accept": HUJSON})

    async def set_policy(self, text: str, mark: str | None) -> None:
        """Replace the policy, where it still is the one that `mark` names."""
        headers = {"Accept": HUJSON, "Content-Type": HUJSON}
        if mark is not None:
            headers["If-Match"] = f'"{mark}"'
        await self._send("POST", f"{self._root}{self.tailnet}/acl", text, headers)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _send(
        self, method: str, url: str, data: str | None, headers: Mapping[str, str]
    ) -> str:
        import aiohttp
        from yarl import URL

        if self._session is None:
            # A proxy of the caller's is not to stand between the lab and its API.
            self._session = aiohttp.ClientSession(skip_auto_headers=["Content-Type"])
        try:
            login = await self._login.header(self._session, self._root)
            sent = {"Authorization": login, "User-Agent": _AGENT, **headers}
            if data is None:
                sent.pop("Content-Type", None)
            async with self._session.request(
                method, URL(url, encoded=True), data=data, headers=sent
            ) as answer:
                text = await answer.text()
                status = answer.status
        except (aiohttp.ClientError, OSError, Refused) as error:
            raise Refused(f'{method.title()} "{url}": {error}') from error
        if status >= _ERROR:
            raise HttpRefused(_message(text), status)
        return text


class ApiKey:
    """Logs in with a key."""

    def __init__(self, key: str) -> None:
        self._header = _basic(key, "")

    async def header(self, session: "aiohttp.ClientSession", root: str) -> str:
        """The value of Authorization."""
        del session, root
        return self._header


class OauthLogin:
    """Exchanges a client's secret for a token that holds a while."""

    def __init__(self, client: str, secret: str, scopes: list[str]) -> None:
        self._client, self._secret = client, secret
        self._form = {"grant_type": "client_credentials"}
        if scopes:
            self._form["scope"] = " ".join(scopes)
        self._token, self._good_until = "", 0.0

    async def header(self, session: "aiohttp.ClientSession", root: str) -> str:
        """The value of Authorization; raises Refused where there is no token to be had."""
        if time.monotonic() >= self._good_until:
            await self._exchange(session, f"{root}/oauth/token")
        return f"Bearer {self._token}"

    async def _exchange(self, session: "aiohttp.ClientSession", url: str) -> None:
        headers = {
            "Authorization": _basic(quote(self._client), quote(self._secret)),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        # What the header cannot do, the client's library tries once more in the form.
        named = {"client_id": self._client, "client_secret": self._secret}
        for form, sent in ((self._form, True), (named | self._form, False)):
            more = headers if sent else {"Content-Type": headers["Content-Type"]}
            async with session.post(url, data=urlencode(form), headers=more) as answer:
                status, reason, text = answer.status, answer.reason, await answer.text()
            if status < _ERROR:
                found = _read(text)
                self._token = str(found.get("access_token", ""))
                lasts_s = float(found.get("expires_in") or 0)
                self._good_until = time.monotonic() + (lasts_s - _EARLY_S if lasts_s else 0)
                return
        raise Refused(f"oauth2: cannot fetch token: {status} {reason}\nResponse: {text}")


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _said(config: Mapping[str, Any], name: str, variables: tuple[str, ...]) -> str:
    if config.get(name) is not None:
        # An empty text is said, too: it wins over the environment.
        return str(config[name])
    return next((os.environ[each] for each in variables if os.environ.get(each)), "")


def _require_one_login(said: Mapping[str, str]) -> None:
    key, client = said["api_key"], said["oauth_client_id"]
    secret, identity, audience = (
        said[name] for name in ("oauth_client_secret", "identity_token", "audience")
    )
    if not (key or client or secret or identity or audience):
        fault = (
            "tailscale provider credentials are empty - set `api_key` or 'oauth_client_id' and "
            "one of 'oauth_client_secret', 'identity_token', or 'audience'"
        )
    elif key and (client or secret or identity or audience):
        fault = (
            "tailscale provider credentials are conflicting - `api_key` conflicts with "
            "'oauth_client_id', 'oauth_client_secret', 'identity_token', and 'audience'"
        )
    elif audience and (secret or identity):
        fault = (
            "tailscale provider argument 'audience' conflicts with 'oauth_client_secret' and "
            "'identity_token'"
        )
    elif not key and not client:
        fault = "tailscale provider argument 'oauth_client_id' is empty"
    elif not key and not (secret or identity or audience):
        fault = (
            "one of tailscale provider arguments 'oauth_client_secret', 'identity_token', or "
            "'audience' are mandatory with 'oauth_client_id'"
        )
    else:
        return
    raise Refused(_CREDENTIALS + fault)


def _read(text: str) -> Any:  # noqa: ANN401
    try:
        return json.loads(text) if text else {}
    except ValueError as error:
        raise Refused(str(error)) from error


def _message(text: str) -> str:
    try:
        found = json.loads(text)
    except ValueError:
        return text.strip()
    return str(found.get("message", "")) if isinstance(found, dict) else text.strip()

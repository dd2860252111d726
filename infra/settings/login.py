"""Who asks the Proxmox API: the stack file wins, the environment fills what it leaves open."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from infra.settings.named import Named, find_secret
from infra.settings.problems import Problem, at
from infra.settings.scalars import Endpoint
from infra.settings.source import Source

_TOKEN = re.compile(
    r"[^\s:/!@=]+@[A-Za-z][A-Za-z0-9._-]+![A-Za-z][A-Za-z0-9._-]+="
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)


@dataclass(frozen=True)
class Login:
    """As much as is known; complete when no problem was found."""

    endpoint: str | None
    insecure: bool
    api_token: Named | None
    username: str | None
    password: Named | None


@dataclass(frozen=True)
class _Merge:
    """One setting after another from both places; what contradicts goes to `problems`."""

    source: Source
    proxmox: Mapping[str, Any]
    environment: Mapping[str, str]
    problems: list[Problem]

    def plain(self, key: str, variable: str, outside: object) -> object:
        inside = self.proxmox.get(key)
        if inside is None:
            return outside
        if outside is not None and outside != inside:
            self.add(
                at("proxmox", key),
                f"is {_text(inside)}, but {variable} in the environment is {_text(outside)}; "
                "unset one of them",
            )
        return inside

    def secret(self, key: str, variable: str) -> Named | None:
        name, outside = self.proxmox.get(key), self.environment.get(variable)
        if name is None:
            # A stack that states its own user must not be given somebody else's token.
            taken = key == "api_token" and self.proxmox.get("username") is not None
            return Named(variable, variable, outside, None) if outside and not taken else None
        inside = find_secret(self.source, at("proxmox", key), name, self.problems)
        if inside and outside and inside.value != outside:
            self.add(
                at("proxmox", key),
                f"{inside.called} and {variable} in the environment differ; unset one of them",
            )
        return inside

    def add(self, path: str, text: str) -> None:
        self.problems.append(Problem(path, text))


def check(
    source: Source,
    proxmox: Mapping[str, Any],
    environment: Mapping[str, str],
    problems: list[Problem],
) -> Login:
    """Merge stack file and environment; what is missing, doubtful or ill-formed is a problem."""
    merge = _Merge(source, proxmox, environment, problems)
    known = len(problems)
    endpoint = merge.plain("endpoint", "PROXMOX_VE_ENDPOINT", _endpoint(environment, problems))
    if endpoint is None and "endpoint" in proxmox and len(problems) == known:
        merge.add(
            at("proxmox", "endpoint"),
            "missing; give the address of the Proxmox API, such as "
            "https://192.168.1.11:8006/, or set PROXMOX_VE_ENDPOINT",
        )
    insecure = merge.plain("insecure", "PROXMOX_VE_INSECURE", _insecure(environment, problems))
    token = merge.secret("api_token", "PROXMOX_VE_API_TOKEN")
    if token and not _TOKEN.fullmatch(token.value):
        merge.add(
            token.path,
            "is no API token; the form is USER@REALM!ID=UUID, such as "
            "berth@pve!deploy=01234567-89ab-cdef-0123-456789abcdef",
        )
    # Beside a token the provider does not look at a user, wherever it comes from.
    outside = environment.get("PROXMOX_VE_USERNAME") if token is None else None
    username = merge.plain("username", "PROXMOX_VE_USERNAME", outside)
    password = merge.secret("password", "PROXMOX_VE_PASSWORD")
    found = Login(
        endpoint if isinstance(endpoint, str) else None,
        insecure is True,
        token,
        username if isinstance(username, str) else None,
        password,
    )
    problems += _complete(proxmox, environment, found)
    return found


def _complete(
    proxmox: Mapping[str, Any], environment: Mapping[str, str], found: Login
) -> list[Problem]:
    own_token, own_user = proxmox.get("api_token"), proxmox.get("username")
    if own_token and (own_user or proxmox.get("password")):
        return [Problem("proxmox", "has both an api_token and a username with password; keep one")]
    if own_user:
        # The provider itself reads these, and takes them before any password.
        winning = ("PROXMOX_VE_API_TOKEN", "PROXMOX_VE_AUTH_TICKET")
        return [
            Problem(
                at("proxmox", "username"),
                f"{own_user} logs in with a password, but {variable} in the environment would "
                "be used instead; unset it",
            )
            for variable in winning
            if environment.get(variable)
        ] + _password_missing(proxmox, found)
    if found.api_token or {"api_token", "username"} - set(proxmox) or own_token:
        return []
    if found.username:
        return _password_missing(proxmox, found)
    return [
        Problem(
            at("proxmox", "api_token"),
            "missing; make a token (docs/proxmox.md), store it: pulumi config set --secret --path "
            "'berth:secrets.proxmox-token', and write proxmox-token here; or set "
            "PROXMOX_VE_API_TOKEN",
        )
    ]


def _password_missing(proxmox: Mapping[str, Any], found: Login) -> list[Problem]:
    if found.password or proxmox.get("password") or "password" not in proxmox:
        return []
    return [
        Problem(
            at("proxmox", "password"),
            f"missing; name the entry of berth:secrets that holds the password of "
            f"{found.username}, or set PROXMOX_VE_PASSWORD",
        )
    ]


def _endpoint(environment: Mapping[str, str], problems: list[Problem]) -> str | None:
    variable = "PROXMOX_VE_ENDPOINT"
    if not (text := environment.get(variable)):
        return None
    try:
        return str(TypeAdapter(Endpoint).validate_python(text))
    except ValidationError as error:
        problems.append(Problem(variable, str(error.errors()[0]["ctx"]["error"])))
        return None


def _insecure(environment: Mapping[str, str], problems: list[Problem]) -> bool | None:
    variable = "PROXMOX_VE_INSECURE"
    if not (text := environment.get(variable)):
        return None
    if text.lower() in ("1", "t", "true"):
        return True
    if text.lower() in ("0", "f", "false"):
        return False
    problems.append(Problem(variable, f"must be true or false, got {text}"))
    return None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

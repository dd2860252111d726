"""The settings: read from the environment, checked, frozen. The only door for configuration."""

import os
import re
import sys
from typing import Annotated, Any, Literal, NoReturn
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LogLevel = Literal["critical", "error", "warning", "info", "debug"]
DEFAULT_PORTS = {"http": 80, "https": 443}
WHOLE_NUMBER = re.compile(r"\s*-?[0-9]+\s*")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
LONGEST_SHOWN = 80


def origin_as_browsers_send_it(text: str) -> str:
    """`https://Chat.example:443/` is `https://chat.example`. ValueError if it is no web origin."""
    parts = urlsplit(text)
    host = (parts.netloc.rsplit("@", 1)[-1]).lower()
    if parts.port is not None:
        host = host.rpartition(":")[0]
    if parts.scheme not in DEFAULT_PORTS or parts.port == 0 or not HOST.fullmatch(host):
        raise ValueError(text)
    port = "" if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def checked_origin(text: str) -> str:
    """The origin itself. ValueError with the remedy if no browser would ever send it so."""
    if not text:
        raise ValueError("has an empty entry; separate the origins with single commas")
    if text == "*":
        raise ValueError("must list its origins; '*' would let every site in")
    try:
        canonical = origin_as_browsers_send_it(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is not a web origin; write it as 'https://chat.example'"
        ) from None
    if text != canonical:
        raise ValueError(f"{text!r} would match no browser; write it as {canonical!r}")
    return text


def split_origins(value: object) -> object:
    """The comma-separated text of the environment as a tuple; empty text allows no origin."""
    if isinstance(value, str):
        entries = value.split(",") if value.strip() else []
        value = tuple(entry.strip() for entry in entries)
    if isinstance(value, tuple | list):
        return tuple(checked_origin(str(entry)) for entry in value)
    return value


def whole_number(value: object) -> object:
    """Keeps out what pydantic takes for a number too, such as `8_000` and `8000.0`."""
    if isinstance(value, str) and not WHOLE_NUMBER.fullmatch(value):
        raise PydanticCustomError("whole_number", "must be a whole number")
    return value


def lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


Whole = Annotated[int, BeforeValidator(whole_number)]


class Settings(BaseSettings):
    """Each field is the variable of the same name in capitals; its description is its rule."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        case_sensitive=True,
        alias_generator=str.upper,
        populate_by_name=True,
    )

    port: Whole = Field(
        default=8000, ge=1, le=65535, description="must be a whole number from 1 to 65535"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_origins)] = Field(
        default=("http://localhost:5173",),
        description="must be comma-separated origins such as 'https://chat.example'",
    )
    log_level: Annotated[LogLevel, BeforeValidator(lower)] = Field(
        default="info", description="must be one of critical, error, warning, info, debug"
    )
    delay_ms: Whole = Field(
        default=80, ge=0, le=60_000, description="must be a whole number from 0 to 60000"
    )
    max_message_bytes: Whole = Field(
        default=10_240, ge=1, description="must be a whole number of at least 1"
    )
    drain_limit_s: Whole = Field(
        default=30, ge=1, le=3600, description="must be a whole number from 1 to 3600"
    )


def problems(error: ValidationError) -> list[str]:
    """One line for each wrong setting: its name, what is wrong, what was given."""
    lines = []
    for detail in error.errors(include_url=False):
        name = str(detail["loc"][0]).upper()
        field = Settings.model_fields.get(name.lower())
        if detail["type"] == "value_error":
            lines.append(f"{name}: {detail['ctx']['error']}")
        else:
            rule = field.description if field else "is not a setting"
            lines.append(f"{name}: {rule}, got {shown(detail['input'])}")
    return lines


def shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def settings_from_environment() -> Settings:
    """The settings, or the end of the process with one line on stderr for each wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        refuse(problems(error))


def refuse(lines: list[str]) -> NoReturn:
    sys.stderr.writelines(f"{line}\n" for line in lines)
    sys.stderr.flush()
    raise SystemExit(os.EX_CONFIG)

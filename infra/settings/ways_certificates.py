"""The certificates of services: found, looked at, and held to the names that are verified."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.settings.certificates import Certificate, Key, today
from infra.settings.named import Named, find_secret
from infra.settings.problems import Problem, at
from infra.settings.service import Service
from infra.settings.service_sources import PROJECT
from infra.settings.shape import Partial
from infra.settings.sound import Values, part
from infra.settings.source import Source
from infra.settings.ways_rules import Placed, placed_routes


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, looked at."""

    certificate: Named
    key: Named


def check(
    source: Source, partial: Partial, problems: list[Problem], warnings: list[str]
) -> dict[str, Pair]:
    """Those that this machine has, by service; what is wrong goes to `problems`."""
    pairs = {}
    for name, values in partial.services.items():
        pair = _pair(at("services", name, "tls"), part(values, "tls"), source, problems)
        if pair is not None:
            pairs[name] = pair
            verified = [one for one in placed_routes({name: values}) if is_verified(one)]
            problems += _problems(pair, verified, _asked_at(values, partial), warnings)
    return pairs


def is_verified(placed: Placed) -> bool:
    """Whether cloudflared looks at the certificate behind a route."""
    return "origin" in placed.sound and not placed.route.origin.no_tls_verify


def verified_names(service: Service, asked_at: str) -> tuple[str, ...]:
    """What the certificate of a service must name; `asked_at` is where cloudflared asks."""
    routes = placed_routes({"": {"routes": service.routes}})
    names = [one.route.origin.server_name or asked_at for one in routes if is_verified(one)]
    return tuple(dict.fromkeys(names))


def reached_at(address: str, listen: str) -> str:
    """Where a service of a host is asked."""
    return listen if listen not in {"0.0.0.0", "::"} else address  # noqa: S104


def _pair(spot: str, tls: Values, source: Source, problems: list[Problem]) -> Pair | None:
    if tls.get("secrets") is not None:
        both = [
            find_secret(source, at(spot, "secrets", key), getattr(tls["secrets"], key), problems)
            for key in ("certificate", "key")
        ]
    elif tls.get("files") is not None:
        both = [
            _file(at(spot, "files", key), getattr(tls["files"], key), problems)
            for key in ("certificate", "key")
        ]
    else:
        return None
    certificate, key = both
    return Pair(certificate, key) if certificate and key else None


def _file(path: str, file: str, problems: list[Problem]) -> Named | None:
    try:
        text = (PROJECT / Path(file).expanduser()).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        reason = str(error).lower()
        if isinstance(error, OSError):
            reason = str(error.strerror)
        elif isinstance(error, UnicodeDecodeError):
            reason = "it is no text; PEM is wanted (openssl x509 -inform der, openssl pkey)"
        problems.append(Problem(path, f"cannot read {file}: {reason}"))
        return None
    return Named(path, file, text, None)


def _problems(
    pair: Pair, verified: list[Placed], asked_at: str | None, warnings: list[str]
) -> Iterator[Problem]:
    key: Key | None = None
    try:
        key = Key(pair.key.value)
    except ValueError as error:
        yield Problem(pair.key.path, str(error))
    try:
        certificate = Certificate(pair.certificate.value)
    except ValueError as error:
        yield Problem(pair.certificate.path, str(error))
        return
    for text in certificate.problems(today()):
        yield Problem(pair.certificate.path, text)
    if warning := certificate.warning(today()):
        warnings.append(f"{pair.certificate.path}: {warning}")
    if key and (misfit := certificate.fits(key)):
        yield Problem(pair.key.path, misfit)
    for placed in verified:
        wanted = placed.route.origin.server_name or asked_at
        if wanted is not None and not certificate.covers(wanted):
            names = ", ".join(certificate.names()) or "no name at all"
            yield Problem(
                pair.certificate.path,
                f"does not name {wanted}, where cloudflared asks for it ({placed.path}); it names "
                f"{names}: give the route origin/server_name or no_tls_verify: true, or take "
                "another certificate",
            )


def _asked_at(values: Mapping[str, Any], partial: Partial) -> str | None:
    draft = partial.hosts.get(str(values.get("host")))
    address = draft.values.get("address") if draft else None
    if address is None or "listen" not in values:
        return None
    return reached_at(str(getattr(address, "ip", address)), values["listen"])

"""Tunnel, routes, certificates and tailnet as the rest of the program sees them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from infra.settings import ways_certificates, ways_logins
from infra.settings.models import StackFile
from infra.settings.problems import Problem
from infra.settings.service import Service
from infra.settings.service_places import Places, places
from infra.settings.shape import Partial
from infra.settings.source import Source
from infra.settings.ways_certificates import Pair, reached_at, verified_names
from infra.settings.ways_logins import CloudflareLogin, TailscaleLogin
from infra.settings.ways_result import (
    CloudflareAccess,
    RouteSettings,
    TailnetSettings,
    TlsSettings,
    TunnelSettings,
)
from infra.settings.ways_rules import in_order, placed_routes

CLOUDFLARED_KEY = "BERTH_CLOUDFLARED_KEY_FINGERPRINT"


@dataclass
class Ways:
    """What was found; `warnings` are said at each preview."""

    cloudflare: CloudflareLogin | None = None
    tailscale: TailscaleLogin | None = None
    pairs: dict[str, Pair] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def check(
    source: Source, partial: Partial, environment: Mapping[str, str], problems: list[Problem]
) -> Ways:
    """Look up and check what the stack file names; what is wrong goes to `problems`."""
    found = Ways()
    if partial.cloudflare is not None:
        found.cloudflare = ways_logins.check_cloudflare(
            source, partial.cloudflare, environment, problems
        )
        other = environment.get(CLOUDFLARED_KEY)
        if other and not re.fullmatch(r"[0-9A-Fa-f]{40}", other):
            problems.append(
                Problem(
                    CLOUDFLARED_KEY, f"must be the fingerprint of a key, 40 hex digits, got {other}"
                )
            )
        elif other:
            found.warnings.append(
                f"{CLOUDFLARED_KEY}: cloudflared is installed from packages that the key {other} "
                "has signed, in place of Cloudflare's own; unset it outside of a lab"
            )
    if partial.tailnet is not None:
        found.tailscale = ways_logins.check_tailscale(
            source, partial.tailnet, environment, problems
        )
    found.pairs = ways_certificates.check(source, partial, problems, found.warnings)
    return found


def access(source: Source, login: CloudflareLogin | None) -> CloudflareAccess | None:
    """How to ask Cloudflare; None where nothing says it."""
    if login is None or login.api_token is None:
        return None
    return CloudflareAccess(login.api_token.output(source), login.base_url)


def tunnel(
    stack_file: StackFile, found: CloudflareAccess | None, fingerprint: str | None
) -> TunnelSettings | None:
    """The tunnel with all routes in the order in which they are tried; None without any."""
    spec = stack_file.cloudflare
    services = {name: {"routes": one.routes} for name, one in stack_file.services.items()}
    routes = in_order(placed_routes(services))
    if spec is None or found is None or not routes:
        return None
    return TunnelSettings(
        access=found,
        account=spec.account,
        zone=spec.zone,
        name=spec.tunnel,
        host=spec.connector.host,
        unit=spec.connector.unit,
        key_fingerprint=fingerprint,
        routes=tuple(
            RouteSettings(
                service=one.service,
                hostname=one.route.hostname,
                path=one.route.path,
                fallback=one.route.fallback,
                url=_url(stack_file, one.service),
                origin=one.route.origin,
                health=stack_file.services[one.service].health,
                settings_path=one.path,
            )
            for one in routes
        ),
    )


def _url(stack_file: StackFile, name: str) -> str:
    service = stack_file.services[name]
    asked_at = _asked_at(stack_file, service)
    shown = f"[{asked_at}]" if ":" in asked_at else asked_at
    return f"{'https' if service.tls else 'http'}://{shown}:{service.port}"


def _asked_at(stack_file: StackFile, service: Service) -> str:
    host = stack_file.hosts[service.host]
    if host.container is not None:
        return reached_at(str(host.container.address.ip), service.listen)
    assert host.existing is not None
    return reached_at(host.existing.address, service.listen)


def tls(name: str, stack_file: StackFile, pair: Pair | None, source: Source) -> TlsSettings | None:
    """The certificate of a service, and where it lies on the host."""
    service = stack_file.services[name]
    if service.tls is None:
        return None
    here: Places = places(name, service)
    if service.tls.on_host is not None:
        certificate, key = (
            str(Path(here.root) / path)
            for path in (service.tls.on_host.certificate, service.tls.on_host.key)
        )
        named = verified_names(service, _asked_at(stack_file, service))
        return TlsSettings(certificate, key, verified=named)
    certificate, key = f"/etc/{name}/tls.crt", f"/etc/{name}/tls.key"
    if pair is not None:
        return TlsSettings(
            certificate,
            key,
            texts=(pair.certificate.output(source), pair.key.output(source)),
        )
    return TlsSettings(certificate, key, names=tuple(dict.fromkeys(_own_names(name, stack_file))))


def _own_names(name: str, stack_file: StackFile) -> Iterator[str]:
    service = stack_file.services[name]
    host = stack_file.hosts[service.host]
    if host.container is not None:
        yield from (host.container.hostname or service.host, str(host.container.address.ip))
    elif host.existing is not None:
        yield host.existing.address
    yield from ("localhost", "127.0.0.1")


def tailnet(
    stack_file: StackFile, login: TailscaleLogin | None, source: Source
) -> TailnetSettings | None:
    """The tailnet and its keys; None where the stack has none."""
    spec = stack_file.tailnet
    if spec is None or login is None:
        return None
    return replace(tailnet_access(spec.name, login, source), keys=spec.keys)


def tailnet_access(name: str, login: TailscaleLogin, source: Source) -> TailnetSettings:
    """How to ask for the tailnet; without any keys."""
    secret = login.oauth_client_secret
    return TailnetSettings(
        api_key=login.api_key.output(source) if login.api_key else None,
        oauth_client_id=login.oauth_client_id,
        oauth_client_secret=secret.output(source) if secret else None,
        base_url=login.base_url,
        name=name,
        keys={},
    )

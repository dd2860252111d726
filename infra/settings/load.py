"""From the engine's configuration to settings: reads, checks everything, then resolves."""

import os
from collections.abc import Callable, Mapping

import pulumi

from infra.settings import resolve, rules, service_rules, ways_logins, ways_resolve, ways_rules
from infra.settings.identity import new_stack_id
from infra.settings.problems import Problem, SettingsError
from infra.settings.result import ProxmoxAccess, Settings
from infra.settings.shape import check_shape
from infra.settings.source import read_source
from infra.settings.ways_result import CloudflareAccess, TailnetSettings


def load(
    environment: Mapping[str, str] = os.environ, make_id: Callable[[], str] = new_stack_id
) -> Settings:
    """Settings of the running stack; raises SettingsError with all that is wrong."""
    source = read_source(environment)
    shape = check_shape(source, make_id)
    partial = shape.partial
    resolved = resolve.check(source, partial, environment)
    found = [
        *rules.check(partial),
        *service_rules.check(partial.services, frozenset(partial.kinds)),
        *ways_rules.check(partial),
        *resolved.problems,
    ]
    found = source.without_refused([*shape.problems, *source.without_secrets(found)])
    problems = [*source.problems, *found]
    if problems or shape.stack_file is None:
        raise SettingsError(pulumi.get_stack(), problems)
    return resolve.settings(source, shape.stack_file, resolved)


def load_access(environment: Mapping[str, str] = os.environ) -> ProxmoxAccess | None:
    """How to reach Proxmox, whatever else is wrong with the stack file; None if that is, too."""
    source = read_source(environment)
    return resolve.access(source, check_shape(source, new_stack_id).partial, environment)


def load_cloudflare_access(
    environment: Mapping[str, str] = os.environ,
) -> CloudflareAccess | None:
    """How to ask Cloudflare, whatever else is wrong with the stack file; None if that is, too."""
    source = read_source(environment)
    values = check_shape(source, new_stack_id).partial.cloudflare
    problems: list[Problem] = []
    login = ways_logins.check_cloudflare(source, values or {}, environment, problems)
    return None if problems else ways_resolve.access(source, login)


def load_tailnet_access(environment: Mapping[str, str] = os.environ) -> TailnetSettings | None:
    """How to ask Tailscale, whatever else is wrong with the stack file; None if that is, too."""
    source = read_source(environment)
    values = check_shape(source, new_stack_id).partial.tailnet or {}
    problems: list[Problem] = []
    login = ways_logins.check_tailscale(source, {**values, "keys": {}}, environment, problems)
    if problems or not (login.api_key or login.oauth_client_secret):
        return None
    return ways_resolve.tailnet_access(values.get("name", "-"), login, source)

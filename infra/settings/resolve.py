"""From sound values to settings: secrets by name, and what the environment fills."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from infra.settings import login, service_sources, ways_resolve
from infra.settings.known_hosts import check_host_key, find_host_key
from infra.settings.login import Login
from infra.settings.models import StackFile
from infra.settings.named import Named, find_secret
from infra.settings.problems import Problem, at
from infra.settings.result import ProxmoxAccess, ServiceSettings, Settings, SshKeys
from infra.settings.service_places import places
from infra.settings.service_sources import Looked
from infra.settings.shape import Partial
from infra.settings.source import Source
from infra.settings.ssh_keys import public_half
from infra.settings.ways_resolve import CLOUDFLARED_KEY, Ways


@dataclass(frozen=True)
class Resolved:
    """What the names in the stack file stand for, and all that is wrong with it."""

    login: Login | None
    private_key: Named | None
    public_keys: tuple[str, ...]
    host_keys: Mapping[str, str]
    services: Mapping[str, Looked]
    ways: Ways
    cloudflared_key: str | None
    problems: tuple[Problem, ...]


def check(source: Source, partial: Partial, environment: Mapping[str, str]) -> Resolved:
    """Look up and check every secret, key and default of the environment."""
    problems: list[Problem] = []
    containers = partial.of_kind("container")
    # What left the file is deleted with these credentials too.
    needed = bool(containers or partial.remove or source.values.get("proxmox"))
    found = login.check(source, partial.proxmox, environment, problems) if needed else None
    for name, values in containers.items():
        if isinstance(values.get("root_password"), str):
            path = at("hosts", name, "container", "root_password")
            find_secret(source, path, values["root_password"], problems)
        if found:
            problems += _privileged(name, values, found)
    private_key, public_keys = _ssh(source, partial, environment, problems)
    host_keys = _host_keys(partial, environment, problems)
    services = service_sources.check(partial.likely, source, problems)
    ways = ways_resolve.check(source, partial, environment, problems)
    return Resolved(
        found,
        private_key,
        public_keys,
        host_keys,
        services,
        ways,
        environment.get(CLOUDFLARED_KEY) or None,
        tuple(problems),
    )


def settings(source: Source, stack_file: StackFile, resolved: Resolved) -> Settings:
    """The settings, once nothing is wrong with them."""
    assert resolved.private_key is not None
    containers = {n: h.container for n, h in stack_file.hosts.items() if h.container}
    existing = {
        name: host.existing.model_copy(update={"host_key": resolved.host_keys[name]})
        for name, host in stack_file.hosts.items()
        if host.existing
    }
    proxmox = _access(source, resolved.login) if resolved.login else None
    ways = resolved.ways
    cloudflare = ways_resolve.access(source, ways.cloudflare)
    return Settings(
        id=stack_file.id,
        proxmox=proxmox,
        ssh=SshKeys(resolved.private_key.output(source), resolved.public_keys),
        containers=containers,
        existing=existing,
        services={
            name: _service(name, stack_file, resolved, source) for name in stack_file.services
        },
        root_passwords={
            name: source.secret(container.root_password)
            for name, container in containers.items()
            if container.root_password is not None
        },
        replace=frozenset(stack_file.replace),
        remove=frozenset(stack_file.remove),
        cloudflare=cloudflare,
        tunnel=ways_resolve.tunnel(stack_file, cloudflare, resolved.cloudflared_key),
        tailnet=ways_resolve.tailnet(stack_file, ways.tailscale, source),
        warnings=(*_warnings(stack_file, proxmox, resolved.services), *ways.warnings),
    )


def _service(
    name: str, stack_file: StackFile, resolved: Resolved, source: Source
) -> ServiceSettings:
    spec, looked = stack_file.services[name], resolved.services[name]
    return ServiceSettings(
        spec=spec,
        places=places(name, spec),
        tree=looked.tree,
        project=looked.project,
        secrets={variable: named.output(source) for variable, named in looked.secrets.items()},
        tls=ways_resolve.tls(name, stack_file, resolved.ways.pairs.get(name), source),
    )


def access(
    source: Source, partial: Partial, environment: Mapping[str, str]
) -> ProxmoxAccess | None:
    """How to reach Proxmox; None as soon as anything about it is missing or doubtful."""
    problems: list[Problem] = []
    found = login.check(source, partial.proxmox, environment, problems)
    usable = found.endpoint and (found.api_token or found.password) and not problems
    return _access(source, found) if usable else None


def _access(source: Source, found: Login) -> ProxmoxAccess:
    assert found.endpoint is not None
    return ProxmoxAccess(
        endpoint=found.endpoint,
        insecure=found.insecure,
        api_token=found.api_token.output(source) if found.api_token else None,
        username=found.username if not found.api_token else None,
        password=found.password.output(source) if found.password and not found.api_token else None,
    )


def _warnings(
    stack_file: StackFile, proxmox: ProxmoxAccess | None, services: Mapping[str, Looked]
) -> list[str]:
    warnings = []
    if proxmox and proxmox.insecure:
        warnings.append(
            f"proxmox/insecure: the certificate of {proxmox.endpoint} is not checked, so anyone in "
            "between can read the credentials; add the node's CA to this machine's trust instead "
            "(docs/proxmox.md)"
        )
    warnings += [
        f"replace: allows to destroy {name} and to make it anew; take {name} out once that is done"
        for name in sorted(set(stack_file.replace))
    ]
    warnings += [
        f"services/{name}/server_only: {', '.join(looked.tree.kept_back)} is in the source and "
        "stays behind, because it is the host's own; name other paths in server_only if the "
        "application needs it, or ignore it in .gitignore"
        for name, looked in services.items()
        if looked.tree.kept_back
    ]
    return warnings


def _privileged(name: str, values: Mapping[str, object], found: Login) -> list[Problem]:
    if values.get("unprivileged") is not False or values.get("nesting") is not True:
        return []
    if found.username == "root@pam" and not found.api_token:
        return []
    return [
        Problem(
            at("hosts", name, "container", "nesting"),
            "Proxmox lets nobody but root@pam with a password set features of a privileged "
            "container; set nesting: false, or unprivileged: true, or log in as root@pam",
        )
    ]


def _ssh(
    source: Source,
    partial: Partial,
    environment: Mapping[str, str],
    problems: list[Problem],
) -> tuple[Named | None, tuple[str, ...]]:
    key = _private_key(source, partial, environment, problems)
    public_keys: list[str] = []
    if key:
        try:
            public_keys.append(public_half(key.value))
        except ValueError as error:
            problems.append(Problem(key.path, str(error)))
    public_keys += partial.ssh.get("authorized_keys", ())
    return key, tuple(dict.fromkeys(public_keys))


def _private_key(
    source: Source,
    partial: Partial,
    environment: Mapping[str, str],
    problems: list[Problem],
) -> Named | None:
    path = at("ssh", "private_key")
    if "private_key" not in partial.ssh:
        return None
    before = len(problems)
    outside = [
        Named(variable, variable, value, secret_name=None)
        for variable, value in _environment_keys(environment, problems)
    ]
    name = partial.ssh["private_key"]
    inside = find_secret(source, path, name, problems) if name is not None else None
    candidates = [*([inside] if inside else []), *outside]
    for first, second in pairwise(candidates):
        if first.value.strip() != second.value.strip():
            problems.append(
                Problem(path, f"{first.called} and {second.called} differ; unset one of them")
            )
    if candidates:
        return candidates[0]
    if name is None and len(problems) == before:
        problems.append(
            Problem(
                path,
                "missing; name an entry of berth:secrets that holds the key "
                "(ssh-keygen -t ed25519 -N '' -f KEYFILE; pulumi config set --secret --path "
                "'berth:secrets.ssh-key' < KEYFILE), or set BERTH_SSH_PRIVATE_KEY_FILE",
            )
        )
    return None


def _environment_keys(
    environment: Mapping[str, str], problems: list[Problem]
) -> list[tuple[str, str]]:
    found = []
    if value := environment.get("BERTH_SSH_PRIVATE_KEY"):
        found.append(("BERTH_SSH_PRIVATE_KEY", value))
    variable = "BERTH_SSH_PRIVATE_KEY_FILE"
    if file := environment.get(variable):
        try:
            found.append((variable, _expanded(file).read_text(encoding="utf-8-sig")))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(variable, _unreadable(file, error)))
    return found


def _host_keys(
    partial: Partial, environment: Mapping[str, str], problems: list[Problem]
) -> dict[str, str]:
    keys: dict[str, str] = {}
    file = environment.get("BERTH_KNOWN_HOSTS")
    for name, values in partial.of_kind("existing").items():
        path = at("hosts", name, "existing", "host_key")
        if "host_key" not in values:
            continue
        if values["host_key"] is not None:
            keys[name] = values["host_key"]
            try:
                check_host_key(keys[name])
            except ValueError as error:
                problems.append(Problem(path, str(error)))
        elif "address" in values and "port" in values:
            try:
                looked_in = _expanded(file) if file else None
                known = (values["address"], values["port"])
                key = find_host_key(looked_in, *known) if looked_in else None
            except (OSError, UnicodeDecodeError) as error:
                problems.append(Problem("BERTH_KNOWN_HOSTS", _unreadable(str(file), error)))
                return keys
            if key:
                keys[name] = key
            else:
                problems.append(Problem(path, _no_host_key(values["address"], file)))
    return keys


def _expanded(file: str) -> Path:
    try:
        return Path(file).expanduser()
    except RuntimeError:  # ~NAME of a user whom this machine does not know
        return Path(file)


def _unreadable(file: str, error: OSError | UnicodeDecodeError) -> str:
    reason = error.strerror if isinstance(error, OSError) else "it is no text"
    return f"cannot read {file}: {reason}"


def _no_host_key(address: str, file: str | None) -> str:
    looked = (
        f"{file} (BERTH_KNOWN_HOSTS) has none for it"
        if file
        else ("or name a known_hosts file in BERTH_KNOWN_HOSTS")
    )
    return (
        f"missing; state the public host key of {address} "
        f"(on the host: cat /etc/ssh/ssh_host_ed25519_key.pub); {looked}"
    )

"""Rules across fields and hosts. Each looks at sound values only, so all can speak at once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.settings.problems import Problem, at
from infra.settings.shape import Partial
from infra.settings.template_names import EXTENSIONS, SYSTEMS, file_of, guess_system

Rule = Callable[[Partial], Iterator[Problem]]
_DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}


def check(partial: Partial) -> list[Problem]:
    """Every rule's problems."""
    rules: tuple[Rule, ...] = (
        ensure_a_host_is_one_thing,
        ensure_unique_vm_ids,
        ensure_unique_addresses,
        ensure_unique_hostnames,
        ensure_gateways_are_neighbours,
        ensure_templates_are_complete,
        ensure_downloads_agree,
        ensure_replaced_hosts_exist,
        ensure_removed_hosts_are_gone,
        ensure_renames_are_clear,
    )
    return [problem for rule in rules for problem in rule(partial)]


def ensure_a_host_is_one_thing(partial: Partial) -> Iterator[Problem]:
    """A container that is made, or a machine that exists."""
    for name, kinds in partial.kinds.items():
        if len(kinds) != 1:
            found = "has both" if kinds else "has neither"
            yield Problem(
                at("hosts", name),
                f"must have either container (to be made) or existing (there already); {found}",
            )


def ensure_unique_vm_ids(partial: Partial) -> Iterator[Problem]:
    """Two containers with one id would be one container with two owners."""
    ids = {
        at("hosts", name, "container", "vm_id"): (name, values.get("vm_id"))
        for name, values in partial.of_kind("container").items()
    }
    yield from _ensure_unique(ids, "take another id")


def ensure_unique_addresses(partial: Partial) -> Iterator[Problem]:
    """Two machines with one address answer in turn; behind a router their ports differ."""
    seen: list[tuple[str, str, object]] = []
    for name, draft in partial.hosts.items():
        address = _ip(draft.values.get("address"))
        port = draft.values.get("port") if draft.kind == "existing" else None
        if address is None:
            continue
        for other, its_address, its_port in seen:
            if address == its_address and (None in (port, its_port) or port == its_port):
                yield Problem(
                    at("hosts", name, draft.kind, "address"),
                    f"{address} is that of {other} already; take another address",
                )
                break
        seen.append((name, address, port))


def ensure_unique_hostnames(partial: Partial) -> Iterator[Problem]:
    """Two machines with one name cannot be told apart in logs, nor by name servers."""
    hostnames = {
        at("hosts", name, "container", "hostname"): (
            name,
            str(values["hostname"] or name).lower() if "hostname" in values else None,
        )
        for name, values in partial.of_kind("container").items()
    }
    yield from _ensure_unique(hostnames, "take another hostname")


def ensure_gateways_are_neighbours(partial: Partial) -> Iterator[Problem]:
    """A gateway outside the subnet cannot be reached; the host cannot be its own."""
    for name, values in partial.of_kind("container").items():
        address, gateway = values.get("address"), values.get("gateway")
        if address is None or gateway is None:
            continue
        path = at("hosts", name, "container", "gateway")
        if gateway not in address.network:
            yield Problem(
                path, f"must be in the subnet of the address, {address.network}, got {gateway}"
            )
        elif gateway == address.ip:
            yield Problem(path, f"must be the router's address, got the host's own, {gateway}")
        elif address.network.prefixlen < 31 and gateway in (
            address.network.network_address,
            address.network.broadcast_address,
        ):
            yield Problem(
                path,
                f"must be the router's address, got {gateway}, the first or last address of "
                f"{address.network}, which no host can have",
            )


def ensure_templates_are_complete(partial: Partial) -> Iterator[Problem]:
    """A volume, or a download that can be checked; and the system in it is known."""
    for name, values in partial.of_kind("container").items():
        if isinstance(values.get("template"), Mapping):
            yield from _template(at("hosts", name, "container", "template"), values["template"])


def _template(path: str, template: Mapping[str, Any]) -> Iterator[Problem]:
    if "volume" not in template or "url" not in template:
        return
    volume, url = template["volume"], template["url"]
    if (volume is None) == (url is None):
        found = "has neither" if url is None else "has both"
        yield Problem(path, f"must have either volume (on the node) or url; {found}")
        return
    if url is not None:
        yield from _download(path, template)
    else:
        for key in ("checksum", "file_name"):
            if template.get(key) is not None:
                yield Problem(at(path, key), "is for a download; give a url, or take it out")
    if template.get("system") is None and guess_system(_file(template)) is None:
        yield Problem(
            at(path, "system"),
            f"missing; the file name does not begin with one of {', '.join(SYSTEMS)}: say which",
        )


def _download(path: str, template: Mapping[str, Any]) -> Iterator[Problem]:
    algorithm = str(template.get("checksum_algorithm"))
    checksum = template.get("checksum", "")
    if checksum is None:
        yield Problem(
            at(path, "checksum"),
            "missing; a download needs the checksum that its publisher states, "
            "since a changed file must never be taken for the same",
        )
    elif checksum and algorithm in _DIGITS and len(checksum) != _DIGITS[algorithm]:
        yield Problem(
            at(path, "checksum"),
            f"must have {_DIGITS[algorithm]} hex digits for {algorithm}, got {len(checksum)}",
        )
    if not _file(template).endswith(EXTENSIONS):
        yield Problem(
            at(path, "file_name"),
            f"missing; the url does not end in a file name with {', '.join(EXTENSIONS)}",
        )


def _file(template: Mapping[str, Any]) -> str:
    return file_of(template["volume"], template["url"], template.get("file_name"))


def ensure_downloads_agree(partial: Partial) -> Iterator[Problem]:
    """One file on one storage has one origin and one content."""
    seen: dict[tuple[object, ...], tuple[str, object]] = {}
    for name, values in partial.of_kind("container").items():
        template = values.get("template")
        if not isinstance(template, Mapping) or not template.get("url"):
            continue
        place = (values.get("node"), template.get("storage"), _file({"volume": None, **template}))
        origin = (template["url"], template.get("checksum_algorithm"), template.get("checksum"))
        first, known = seen.setdefault(place, (name, origin))
        if known != origin:
            yield Problem(
                at("hosts", name, "container", "template"),
                f"{place[2]} on storage {place[1]} is downloaded for {first} from elsewhere, or "
                "with another checksum; say the same, or give it a file_name of its own",
            )


def ensure_replaced_hosts_exist(partial: Partial) -> Iterator[Problem]:
    """A name that means nothing here was meant for another."""
    containers = partial.of_kind("container")
    for index, name in enumerate(partial.replace):
        if name not in containers and name not in partial.kinds:
            yield Problem(at("replace", index), f"must be a container of hosts, got {name}")
        elif partial.kinds.get(name) == ("existing",):
            yield Problem(
                at("replace", index),
                f"{name} is an existing host, which this program never replaces",
            )


def ensure_removed_hosts_are_gone(partial: Partial) -> Iterator[Problem]:
    """A container cannot be declared and removed at once."""
    for index, name in enumerate(partial.remove):
        # A container whose name an existing host has now is removed all the same.
        if partial.kinds.get(name, ("existing",)) != ("existing",):
            yield Problem(
                at("remove", index),
                f"{name} is still one of hosts; take it out there to remove it, or out of here",
            )


def ensure_renames_are_clear(partial: Partial) -> Iterator[Problem]:
    """An old name must not be in use, and can have become one new name only."""
    seen: dict[str, str] = {}
    for name, values in partial.of_kind("container").items():
        was = values.get("was")
        path = at("hosts", name, "container", "was")
        if was is None:
            continue
        if was in partial.kinds:
            yield Problem(
                path, f"must be a name that is no longer used, got {was}, which is one of hosts"
            )
        elif was in seen:
            yield Problem(path, f"{was} became {seen[was]} already; a host has one new name")
        seen.setdefault(was, name)


def _ip(address: object) -> str | None:
    return None if address is None else str(getattr(address, "ip", address)).lower()


def _ensure_unique(values: Mapping[str, tuple[str, Any]], remedy: str) -> Iterator[Problem]:
    seen: dict[Any, str] = {}
    for path, (name, value) in values.items():
        if value is None:
            continue
        if value in seen:
            yield Problem(path, f"{value} is that of {seen[value]} already; {remedy}")
        seen.setdefault(value, name)

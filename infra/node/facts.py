"""What the nodes have, held against what the stack declares: all at once, before any change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.node.client import ApiError, NodeClient
from infra.node.occupant import disk_gb
from infra.settings.models import Container
from infra.settings.problems import Problem, at

MIB = 1024 * 1024
GIB = 1024 * MIB


@dataclass
class Findings:
    """`problems` forbid to go on; `warnings` are said, and it goes on."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_nodes(
    client: NodeClient, containers: Mapping[str, Container], to_create: frozenset[str]
) -> Findings:
    """Look at every node that `containers` names. Templates matter to those `to_create` only."""
    findings = Findings()
    nodes = {row["node"]: row for row in client.get("nodes")}
    by_node: dict[str, dict[str, Container]] = {}
    for name, container in containers.items():
        if nodes and container.node not in nodes:
            findings.problems.append(
                Problem(
                    _path(name, "node"),
                    f"there is no node {container.node}; there is {_listed(nodes)}",
                )
            )
        elif nodes.get(container.node, {}).get("status") == "offline":
            findings.problems.append(Problem(_path(name, "node"), f"{container.node} is offline"))
        else:
            by_node.setdefault(container.node, {})[name] = container
    for node, declared in by_node.items():
        _check_size(node, nodes.get(node, {}), declared, findings)
        _check_bridges(client, node, declared, findings)
        _check_storages(client, node, declared, to_create, findings)
    _check_pools(client, containers, findings)
    return findings


def _check_size(
    node: str, row: Mapping[str, Any], declared: Mapping[str, Container], findings: Findings
) -> None:
    memory_mb, cores = int(row.get("maxmem", 0)) // MIB, int(row.get("maxcpu", 0))
    if not memory_mb or not cores:
        findings.warnings.append(
            f"how much memory and how many cores node {node} has cannot be seen without "
            f"Sys.Audit on /nodes/{node}, so that is not checked"
        )
        return
    for name, container in declared.items():
        if container.memory_mb > memory_mb:
            findings.problems.append(
                Problem(
                    _path(name, "memory_mb"),
                    f"{container.memory_mb} is more than node {node} has, {memory_mb}",
                )
            )
        if container.cores > cores:
            findings.problems.append(
                Problem(
                    _path(name, "cores"),
                    f"{container.cores} is more than node {node} has, {cores}",
                )
            )
    total = sum(c.memory_mb for c in declared.values())
    if total > memory_mb >= max(c.memory_mb for c in declared.values()):
        findings.warnings.append(
            f"the containers of this stack may use {total} MiB of memory together, "
            f"node {node} has {memory_mb}: it is over-committed"
        )


def _check_bridges(
    client: NodeClient, node: str, declared: Mapping[str, Container], findings: Findings
) -> None:
    rows = client.get(f"nodes/{node}/network", type="any_bridge")
    bridges = {row["iface"]: row.get("address") for row in rows}
    for name, container in declared.items():
        if str(container.address.ip) in bridges.values():
            findings.problems.append(
                Problem(
                    _path(name, "address"),
                    f"{container.address.ip} is the address of node {node} itself; take another",
                )
            )
        if container.bridge not in bridges:
            findings.problems.append(
                Problem(
                    _path(name, "bridge"),
                    f"node {node} has no bridge {container.bridge} that these credentials may "
                    f"use; {_offer(set(bridges))}",
                )
            )


def _check_storages(
    client: NodeClient,
    node: str,
    declared: Mapping[str, Container],
    to_create: frozenset[str],
    findings: Findings,
) -> None:
    rows = {row["storage"]: row for row in client.get(f"nodes/{node}/storage")}
    contents: dict[str, set[str]] = {}
    for name, container in declared.items():
        path = _path(name, "storage")
        findings.problems += _storage(path, node, container.storage, "rootdir", rows)
        findings.problems += _disk(name, container, rows)
        template = container.template
        if name not in to_create:
            continue
        place = "volume" if template.volume else "storage"
        storage = template.volume.partition(":")[0] if template.volume else template.storage
        wrong = list(_storage(_path(name, "template", place), node, storage, "vztmpl", rows))
        findings.problems += wrong
        if template.volume and not wrong:
            if storage not in contents:
                contents[storage] = _volumes(client, node, storage)
            findings.problems += _volume(name, template.volume, node, contents[storage])
    growth_gb = {
        name: container.disk_gb
        if name in to_create
        else max(0, container.disk_gb - disk_gb(client, node, container.vm_id, container.disk_gb))
        for name, container in declared.items()
    }
    _overcommit(node, declared, growth_gb, rows, findings)


def _check_pools(
    client: NodeClient, containers: Mapping[str, Container], findings: Findings
) -> None:
    pools: dict[str, bool | None] = {}
    for name, container in containers.items():
        pool = container.pool
        if pool is None:
            continue
        if pool not in pools:
            pools[pool] = _is_pool(client, pool)
            if pools[pool] is None:
                findings.warnings.append(
                    f"whether there is a pool {pool} cannot be seen without Pool.Audit on "
                    f"/pool/{pool}, so that is not checked"
                )
        if pools[pool] is False:
            problem = f"there is no pool {pool}; make it in Proxmox, or leave pool out"
            findings.problems.append(Problem(_path(name, "pool"), problem))


def _is_pool(client: NodeClient, pool: str) -> bool | None:
    try:
        client.get(f"pools/{pool}")
    except ApiError as error:
        if "does not exist" in str(error):
            return False
        if error.status == 403:
            return None
        raise
    return True


def _storage(
    path: str, node: str, storage: str, content: str, rows: Mapping[str, Any]
) -> Iterator[Problem]:
    row = rows.get(storage)
    fit = {n for n, r in rows.items() if content in str(r.get("content", "")).split(",")}
    what = {"rootdir": "disks of containers", "vztmpl": "templates"}[content]
    if row is None:
        yield Problem(
            path,
            f"node {node} has no storage {storage} that these credentials may use; "
            f"{_offer(fit, f'for {what} ')}",
        )
    elif not row.get("enabled", 1):
        yield Problem(path, f"storage {storage} of node {node} is disabled")
    elif not row.get("active", 1):
        yield Problem(path, f"storage {storage} of node {node} is not active now")
    elif storage not in fit:
        yield Problem(
            path,
            f"storage {storage} of node {node} takes no {what}; {_offer(fit, f'for {what} ')}",
        )


def _disk(name: str, container: Container, rows: Mapping[str, Any]) -> Iterator[Problem]:
    total_gb = int(rows.get(container.storage, {}).get("total", 0)) // GIB
    if total_gb and container.disk_gb > total_gb:
        yield Problem(
            _path(name, "disk_gb"),
            f"{container.disk_gb} is more than storage {container.storage} of node "
            f"{container.node} has, {total_gb}",
        )


def _volumes(client: NodeClient, node: str, storage: str) -> set[str]:
    try:
        rows = client.get(f"nodes/{node}/storage/{storage}/content", content="vztmpl")
    except ApiError as error:
        if error.status == 403:
            return set()
        raise
    return {row["volid"] for row in rows}


def _volume(name: str, volume: str, node: str, volumes: set[str]) -> Iterator[Problem]:
    if volume not in volumes:
        storage, _, file = volume.partition(":vztmpl/")
        yield Problem(
            _path(name, "template", "volume"),
            f"there is no {volume} on node {node} that these credentials may read; fetch it "
            f"there: pveam download {storage} {file}; {_offer(volumes)}",
        )


def _overcommit(
    node: str,
    declared: Mapping[str, Container],
    growth_gb: Mapping[str, int],
    rows: Mapping[str, Any],
    findings: Findings,
) -> None:
    for storage, row in rows.items():
        new_gb = sum(growth_gb[name] for name, c in declared.items() if c.storage == storage)
        free_gb = int(row.get("avail", 0)) // GIB
        if new_gb > free_gb and new_gb and int(row.get("total", 0)):
            findings.warnings.append(
                f"what is new may fill {new_gb} GiB of storage {storage} of node {node}, "
                f"{free_gb} are free: it is over-committed"
            )


def _path(name: str, *parts: str) -> str:
    return at("hosts", name, "container", *parts)


def _listed(names: Mapping[str, object] | set[str]) -> str:
    return ", ".join(sorted(names))


def _offer(names: set[str], what: str = "") -> str:
    return f"{what}there is {_listed(names)}" if names else f"{what}there is none"

"""What the guard asks the nodes, and only when something is to be made, changed or deleted."""

import asyncio
from collections.abc import Callable, Mapping
from typing import ParamSpec, TypeVar

import pulumi

from infra import last_run
from infra.node.client import ApiError, CannotAskError, Credentials, NodeClient
from infra.node.facts import Findings, check_nodes
from infra.node.occupant import Occupant, occupant_of, tagged_containers
from infra.node.rights import check_rights
from infra.settings import ProxmoxAccess, Settings
from infra.settings.models import Container

PACKAGE = "proxmoxve"
P = ParamSpec("P")
T = TypeVar("T")


class RefusedError(Exception):
    """Why the engine must not go on; it shows the text."""


class Node:
    """Asks who has an id, with the settings' credentials.

    Without any, as when all hosts left the stack file, it asks with those in the state of the
    stack: what the engine deletes then, it deletes with them.
    """

    def __init__(self, access: ProxmoxAccess | None, project: str, stack: str) -> None:
        self._access = access
        self._project, self._stack = project, stack
        self._client: NodeClient | None = None

    async def occupant(self, node: str, vm_id: int) -> Occupant | None:
        """Who has the id now; None when it is free."""
        return await _asked(occupant_of, await self._connected(), node, vm_id)

    async def _connected(self) -> NodeClient:
        if self._client is None:
            if self._access is None:
                self._client = await _client_of_state(self._project, self._stack)
            else:
                self._client = await _client(self._access)
        return self._client


class Survey(Node):
    """One look at all nodes in a run, shared by every container; ids are looked up each time."""

    def __init__(self, settings: Settings, project: str, stack: str) -> None:
        super().__init__(settings.proxmox, project, stack)
        self._containers: Mapping[str, Container] = settings.containers
        self._replace = settings.replace
        self._looking = asyncio.Lock()
        self._findings: Findings | None = None
        self._listing = asyncio.Lock()
        self._tagged: dict[int, tuple[str, ...]] | None = None

    async def ensure_nodes_fit(self) -> None:
        """Refuse what the nodes do not have: everything at once the first time."""
        async with self._looking:
            if self._findings is not None:
                if self._findings.problems:
                    raise RefusedError("nothing was changed, for the reasons given above")
                return
            client = await self._connected()
            self._findings = await _asked(self._look, client)
        for warning in self._findings.warnings:
            pulumi.log.warn(warning)
        if problems := self._findings.problems:
            lines = "\n".join(f"  {problem}" for problem in sorted(problems))
            raise RefusedError(
                f"what stack {self._stack} declares does not fit what is there "
                f"({len(problems)} problem{'s' * (len(problems) > 1)}):\n{lines}"
            )

    async def tagged(self) -> dict[int, tuple[str, ...]]:
        """The tags of all containers that may be seen, by VM id; listed once in a run."""
        async with self._listing:
            if self._tagged is None:
                self._tagged = await _asked(tagged_containers, await self._connected())
            return self._tagged

    def _look(self, client: NodeClient) -> Findings:
        free = {
            host
            for host, spec in self._containers.items()
            if occupant_of(client, spec.node, spec.vm_id) is None
        }
        findings = check_nodes(client, self._containers, frozenset(free | self._replace))
        findings.problems += check_rights(client, self._containers)
        return findings


async def _client(access: ProxmoxAccess) -> NodeClient:
    credentials = Credentials(
        api_token=await access.api_token.future() if access.api_token else None,
        username=access.username,
        password=await access.password.future() if access.password else None,
    )
    return NodeClient(access.endpoint, credentials, insecure=access.insecure)


async def _client_of_state(project: str, stack: str) -> NodeClient:
    for urn, provider in (await last_run.resources(project, stack)).items():
        if f"::pulumi:providers:{PACKAGE}::" in urn and provider.get("endpoint"):
            credentials = Credentials(
                api_token=provider.get("apiToken"),
                username=provider.get("username"),
                password=provider.get("password"),
            )
            insecure = str(provider.get("insecure", False)).lower() == "true"
            return NodeClient(str(provider["endpoint"]), credentials, insecure=insecure)
    raise RefusedError(
        "proxmox/endpoint: missing, so nobody can be asked whose containers these are; "
        "set PROXMOX_VE_ENDPOINT and PROXMOX_VE_API_TOKEN"
    )


async def _asked(ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask in a thread, since the client blocks and the engine waits for this program."""
    try:
        return await asyncio.to_thread(ask, *args, **kwargs)
    except ApiError as error:
        raise RefusedError(f"the Proxmox API answered {error.status}: {error}") from None
    except CannotAskError as error:
        raise RefusedError(str(error)) from None

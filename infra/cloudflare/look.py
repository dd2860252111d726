"""What is at Cloudflare now, looked up just before it is written."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from infra.cloudflare.client import BUSY, CannotAskCloudError, CloudClient, CloudError
from infra.guard.survey import RefusedError
from infra.settings.ways_result import CloudflareAccess

T = TypeVar("T")
Json = dict[str, Any]
# Records that cannot stand beside a CNAME of the same name.
_IN_THE_WAY = frozenset({"A", "AAAA", "CNAME", "NS"})


@dataclass(frozen=True)
class TunnelNow:
    """A tunnel as it is; `ingress` and `rest` are its configuration, `token` starts connectors.

    Of a `local` one the configuration is on the machine that it runs on, and unknown here.
    """

    id: str
    name: str
    deleted: bool
    connections: Sequence[Mapping[str, Any]]
    ingress: Sequence[Json]
    rest: Json
    token: str = field(repr=False)
    local: bool = False


class Cloud:
    """The questions that this program asks Cloudflare; each runs in a thread of its own."""

    def __init__(self, client: CloudClient) -> None:
        self._client = client

    async def zone(self, name: str, account: str) -> str:
        """The id of the zone; RefusedError where the token does not see it, or another has it."""
        rows = await asked(self._client.every, "zones", name=name)
        for row in rows:
            if row.get("name") != name:
                continue
            owner = (row.get("account") or {}).get("id")
            if owner and owner != account:
                raise RefusedError(
                    f"cloudflare/zone: {name} belongs to account {owner}, "
                    f"not to {account} (cloudflare/account)"
                )
            return str(row["id"])
        raise RefusedError(
            f"cloudflare/zone: there is no zone {name} that this token can see; it needs Zone Read "
            "on it (docs/cloudflare.md), or the name is another one"
        )

    async def tunnel_named(self, account: str, name: str) -> Json | None:
        """The tunnel that has the name now."""
        rows = await asked(
            self._client.every, f"accounts/{account}/cfd_tunnel", name=name, is_deleted="false"
        )
        return next(
            (row for row in rows if row["name"] == name and not row.get("deleted_at")), None
        )

    async def tunnel(self, account: str, tunnel: str) -> TunnelNow:
        """A tunnel and all of it that connectors follow."""
        place = f"accounts/{account}/cfd_tunnel/{tunnel}"
        found = await self._or_none(self._client.get, place)
        if found is None or found.get("deleted_at"):
            return TunnelNow(
                id=tunnel,
                name=(found or {}).get("name", ""),
                deleted=True,
                connections=[],
                ingress=[],
                rest={},
                token="",
            )
        configuration, token = await asyncio.gather(
            self._or_none(self._client.get, f"{place}/configurations"),
            asked(self._client.get, f"{place}/token"),
        )
        config = dict((configuration or {}).get("config") or {})
        ingress = config.pop("ingress", None) or []
        connections = found.get("connections") or []
        return TunnelNow(
            id=tunnel,
            name=found["name"],
            deleted=False,
            connections=connections,
            ingress=ingress,
            rest=config,
            token=token,
            local=is_local(found),
        )

    async def connections(self, account: str, tunnel: str) -> list[Json]:
        """The live connections of a tunnel; none where it is gone."""
        found = await self._or_none(self._client.get, f"accounts/{account}/cfd_tunnel/{tunnel}")
        return list((found or {}).get("connections") or [])

    async def records_of(self, zone: str, mark: str) -> list[Json]:
        """The records that carry a mark."""
        exactly = {"type": "CNAME", "comment.exact": mark}
        rows = await asked(self._client.every, f"zones/{zone}/dns_records", **exactly)
        return [row for row in rows if row.get("comment") == mark]

    async def records_named(self, zone: str, name: str) -> list[Json]:
        """The records of a name that a CNAME cannot stand beside."""
        rows = await asked(self._client.every, f"zones/{zone}/dns_records", name=name)
        return [
            row
            for row in rows
            if str(row.get("name")).lower() == name and row.get("type") in _IN_THE_WAY
        ]

    async def delete_record(self, zone: str, record: str) -> bool:
        """Delete a DNS record; False where it is gone already."""
        try:
            await _in_thread(self._client.delete, f"zones/{zone}/dns_records/{record}")
        except CloudError as error:
            if error.status == 404:
                return False
            raise _refusal(error) from None
        return True

    async def write_ingress(
        self, account: str, tunnel: str, rest: Json, ingress: Sequence[Mapping[str, Any]]
    ) -> None:
        """Replace the whole list."""
        place = f"accounts/{account}/cfd_tunnel/{tunnel}/configurations"
        body = {"config": {**rest, "ingress": [dict(rule) for rule in ingress]}}
        await asked(self._client.put, place, body)

    async def delete_tunnel(self, account: str, tunnel: str) -> None:
        """Delete a tunnel; one that is gone is no error. CloudError 400 with live connections."""
        try:
            await _in_thread(self._client.delete, f"accounts/{account}/cfd_tunnel/{tunnel}")
        except CloudError as error:
            if error.status != 404:
                raise

    async def end_connections(self, account: str, tunnel: str) -> None:
        """Cut off whatever is still connected."""
        place = f"accounts/{account}/cfd_tunnel/{tunnel}/connections"
        await self._or_none(self._client.delete, place)

    async def _or_none(self, ask: Callable[..., T], *args: Any, **query: Any) -> T | None:  # noqa: ANN401
        try:
            return await _in_thread(ask, *args, **query)
        except CloudError as error:
            if error.status == 404:
                return None
            raise _refusal(error) from None


def is_local(tunnel: Mapping[str, Any]) -> bool:
    """Whether it takes no configuration from Cloudflare: `cloudflared tunnel create` made it."""
    return tunnel.get("config_src") == "local"


async def connect(access: CloudflareAccess) -> Cloud:
    """Ask with the token of the stack."""
    token = await access.api_token.future()
    return Cloud(CloudClient(access.base_url, token or ""))


async def asked(ask: Callable[..., T], *args: Any, **query: Any) -> T:  # noqa: ANN401
    """Ask in a thread, since the client blocks; whatever goes wrong is a refusal."""
    try:
        return await _in_thread(ask, *args, **query)
    except CloudError as error:
        raise _refusal(error) from None


def _refusal(error: CloudError) -> RefusedError:
    said = f"Cloudflare answered {error.status}: {error}"
    if error.status == 429:
        return RefusedError(f"{said}; too much was asked with this token: wait five minutes")
    if error.status in BUSY:
        return RefusedError(
            f"{said}; look at https://www.cloudflarestatus.com, and try again later"
        )
    return RefusedError(said)


async def _in_thread(ask: Callable[..., T], *args: Any, **query: Any) -> T:  # noqa: ANN401
    try:
        return await asyncio.to_thread(ask, *args, **query)
    except CannotAskCloudError as error:
        raise RefusedError(str(error)) from None


Connect = Callable[[CloudflareAccess], Awaitable[Cloud]]

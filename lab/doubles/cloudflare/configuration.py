"""A tunnel's configuration: written whole, and left alone by a delete."""

from collections.abc import Iterator

from lab.doubles.bridged.answers import body_of, state_after, state_read
from lab.doubles.bridged.attributes import (
    Attribute,
    Kind,
    Many,
    Nested,
    Replace,
    Tf,
    one_of,
    output,
)
from lab.doubles.bridged.plan import Plan
from lab.doubles.bridged.resource import BridgedResource
from lab.doubles.cloudflare.client import Client, HttpRefused
from lab.doubles.cloudflare.standard import split_id

_SERVICE = (
    "Protocol and address of destination server. Supported protocols: http://, https://, unix://, "
    "tcp://, ssh://, rdp://, unix+tls://, smb://. Alternatively can return a HTTP status code "
    "http_status:[code] e.g. 'http_status:404'."
)
_ACCESS = Nested(
    (
        Attribute(
            "aud_tag",
            Many(Kind.STRING),
            required=True,
            pulumi="audTags",
            api="audTag",
            description=(
                "Access applications that are allowed to reach this hostname for this Tunnel. "
                "Audience tags can be identified in the dashboard or via the List Access policies "
                "API."
            ),
        ),
        Attribute("team_name", required=True, api="teamName"),
        Attribute("required", Kind.BOOL),
    )
)
_ORIGIN = Nested(
    (
        Attribute("access", _ACCESS),
        Attribute("ca_pool", api="caPool"),
        Attribute("connect_timeout", Kind.NUMBER, api="connectTimeout"),
        Attribute("disable_chunked_encoding", Kind.BOOL, api="disableChunkedEncoding"),
        Attribute("http2_origin", Kind.BOOL, api="http2Origin"),
        Attribute("http_host_header", api="httpHostHeader"),
        Attribute("keep_alive_connections", Kind.NUMBER, api="keepAliveConnections"),
        Attribute("keep_alive_timeout", Kind.NUMBER, api="keepAliveTimeout"),
        Attribute("match_sn_ito_host", Kind.BOOL, api="matchSNItoHost"),
        Attribute("no_happy_eyeballs", Kind.BOOL, api="noHappyEyeballs"),
        Attribute("no_tls_verify", Kind.BOOL, api="noTLSVerify"),
        Attribute("origin_server_name", api="originServerName"),
        Attribute("proxy_type", api="proxyType"),
        Attribute("tcp_keep_alive", Kind.NUMBER, api="tcpKeepAlive"),
        Attribute("tls_timeout", Kind.NUMBER, api="tlsTimeout"),
    )
)
CONFIG = Nested(
    (
        Attribute(
            "ingress",
            Many(
                Nested(
                    (
                        Attribute("hostname"),
                        Attribute("service", required=True, description=_SERVICE),
                        Attribute("origin_request", _ORIGIN, api="originRequest"),
                        Attribute("path"),
                    )
                )
            ),
            pulumi="ingresses",
        ),
        Attribute("origin_request", _ORIGIN, api="originRequest"),
    )
)
_GONE = 404


class Configuration(BridgedResource[Client]):
    """The whole list of rules of one tunnel; its id is the tunnel's."""

    attributes = (
        Attribute("id", optional=False, computed=True, keeps=True, sent=False, answered=False),
        Attribute(
            "account_id",
            required=True,
            replaces=Replace.ALWAYS,
            description="Identifier.",
            sent=False,
            answered=False,
        ),
        Attribute(
            "tunnel_id",
            required=True,
            replaces=Replace.ALWAYS,
            description="UUID of the tunnel.",
            sent=False,
            answered=False,
        ),
        Attribute("config", CONFIG),
        output("created_at"),
        Attribute("source", computed=True, sent=False, validators=(one_of("local", "cloudflare"),)),
        output("version", Kind.NUMBER),
    )

    def warnings(self, plan: Plan) -> Iterator[str]:
        if plan.prior is None:
            yield (
                "[WARNING] This resource cannot be destroyed from Terraform. If you create this "
                "resource, it will be present in the API until manually deleted.: "
                "Resource Destruction Considerations"
            )

    async def create(self, api: Client, planned: Tf) -> Tf:
        return await self._write(api, planned)

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        del prior
        return await self._write(api, planned)

    async def read(self, api: Client, state: Tf) -> Tf | None:
        try:
            answer = await api.result("GET", _path(state))
        except HttpRefused as error:
            if error.status == _GONE:
                return None
            raise
        return self._named(state_read(self.attributes, state, answer or {}))

    async def delete(self, api: Client, state: Tf) -> None:
        """The API has no call for it: the routes stay."""

    async def find(self, api: Client, import_id: str) -> Tf:
        account, tunnel = split_id("<account_id>/<tunnel_id>", import_id)
        empty: Tf = {attribute.name: None for attribute in self.attributes}
        state = empty | {"account_id": account, "tunnel_id": tunnel}
        answer = await api.result("GET", _path(state))
        return self._named(state_read(self.attributes, state, answer or {}))

    async def _write(self, api: Client, planned: Tf) -> Tf:
        body = body_of(self.attributes, planned)
        answer = await api.result("PUT", _path(planned), body=body)
        return self._named(state_after(self.attributes, planned, answer or {}))

    @staticmethod
    def _named(state: Tf) -> Tf:
        return state | {"id": state["tunnel_id"]}


def _path(state: Tf) -> str:
    return f"/accounts/{state['account_id']}/cfd_tunnel/{state['tunnel_id']}/configurations"

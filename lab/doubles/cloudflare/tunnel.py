"""Tunnels."""

from lab.doubles.bridged.answers import changes_of, state_after
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
from lab.doubles.cloudflare.client import Client
from lab.doubles.cloudflare.standard import StandardResource

CONNECTION = Nested(
    (
        output("id"),
        output("client_id"),
        output("client_version"),
        output("colo_name"),
        output("is_pending_reconnect", Kind.BOOL),
        output("opened_at"),
        output("origin_ip"),
        output("uuid"),
    )
)
OUTPUTS = (
    output("account_tag"),
    output("connections", Many(CONNECTION)),
    output("conns_active_at"),
    output("conns_inactive_at"),
    output("created_at"),
    output("deleted_at"),
    output("metadata", Kind.JSON),
    output("remote_config", Kind.BOOL),
    output("status"),
    output("tun_type"),
)
_ACCOUNT = "Cloudflare account ID"


class Tunnel(StandardResource):
    """A tunnel; a change sends what differs, and nothing else."""

    scope = ("account_id",)
    import_form = "<account_id>/<tunnel_id>"
    attributes = (
        output("id", keeps=True),
        Attribute(
            "account_id",
            required=True,
            replaces=Replace.ALWAYS,
            description=_ACCOUNT,
            sent=False,
            answered=False,
        ),
        Attribute("name", required=True, description="A user-friendly name for a tunnel."),
        Attribute(
            "config_src",
            computed=True,
            default="local",
            replaces=Replace.IF_SAID,
            validators=(one_of("local", "cloudflare"),),
        ),
        Attribute("tunnel_secret", secret=True, answered=False),
        *OUTPUTS,
    )

    def path(self, state: Tf) -> str:
        return f"/accounts/{state['account_id']}/cfd_tunnel"

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        body = changes_of(self.attributes, prior, planned)
        answer = await api.result("PATCH", f"{self.path(prior)}/{prior['id']}", body=body)
        return state_after(self.attributes, planned, answer or {})

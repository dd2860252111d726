"""Keys by which machines join the tailnet: made, kept secret, exchanged and revoked by `pulumi up`.

Nothing hangs on a key: one that expires or is exchanged runs no step again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_tailscale as tailscale

from infra.settings.ways import TailnetKey as Spec
from infra.settings.ways_result import TailnetSettings

LONGEST_DESCRIPTION = 50


@dataclass(frozen=True)
class TailnetKeyArgs:
    """`description` is what Tailscale's own page shows beside it."""

    spec: Spec
    description: str
    provider: tailscale.Provider


class TailnetKey(pulumi.ComponentResource):
    """One key; `key` is the secret itself."""

    def __init__(
        self, name: str, args: TailnetKeyArgs, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("berth:infra:TailnetKey", name, {}, opts)
        spec = args.spec
        made = tailscale.TailnetKey(
            f"{name}-key",
            tags=sorted(set(spec.tags)),
            expiry=spec.expiry_s,
            reusable=spec.reusable,
            ephemeral=spec.ephemeral,
            preauthorized=spec.preauthorized,
            description=args.description,
            # One that opens once is used up by design; one that is reusable is missed when it ends.
            recreate_if_invalid="always" if spec.reusable else "never",
            opts=pulumi.ResourceOptions(parent=self, provider=args.provider),
        )
        self.key: pulumi.Output[str] = pulumi.Output.secret(made.key)
        self.register_outputs({})


def declare_keys(settings: TailnetSettings | None, stack: str) -> Mapping[str, TailnetKey]:
    """Make the keys, by name."""
    if settings is None or not settings.keys:
        return {}
    provider = tailscale_provider(settings)
    return {
        name: TailnetKey(name, TailnetKeyArgs(spec, _description(name, spec, stack), provider))
        for name, spec in settings.keys.items()
    }


def tailscale_provider(settings: TailnetSettings) -> tailscale.Provider:
    """The provider, with everything passed on explicitly."""
    return tailscale.Provider(
        "tailscale",
        api_key=settings.api_key,
        oauth_client_id=settings.oauth_client_id,
        oauth_client_secret=settings.oauth_client_secret,
        base_url=settings.base_url,
        tailnet=settings.name,
    )


def exported(keys: Mapping[str, TailnetKey]) -> dict[str, pulumi.Output[str]]:
    """The stack's output `tailnet_keys`; secret."""
    return {name: one.key for name, one in keys.items()}


def _description(name: str, spec: Spec, stack: str) -> str:
    """Tailscale takes letters, digits, blanks and hyphens, up to 50 of them."""
    text = " ".join(["berth", stack, name, *spec.hosts])
    kept = "".join(c if c.isascii() and (c.isalnum() or c in " -") else "-" for c in text)
    return kept[:LONGEST_DESCRIPTION].rstrip()

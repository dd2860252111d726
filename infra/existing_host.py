"""A machine that is there already. Nothing of it is made, changed or deleted here."""

import pulumi

from infra.settings.models import Existing as Spec


class ExistingHost(pulumi.ComponentResource):
    """Where it is and how its SSH proves itself; all of it plain and known."""

    def __init__(
        self, name: str, args: Spec, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("berth:infra:ExistingHost", name, {}, opts)
        self.address = args.address
        self.port = args.port
        self.user = args.user
        self.host_key = args.host_key
        self.register_outputs({"address": self.address})

"""Resources that an import names by their id alone."""

from lab.doubles.bridged.attributes import Tf
from lab.doubles.bridged.resource import BridgedResource
from lab.doubles.tailscale.client import Client


class ById(BridgedResource[Client]):
    """One whose state is found by its id."""

    async def find(self, api: Client, import_id: str) -> Tf:
        del api
        state: Tf = {attribute.name: None for attribute in self.attributes}
        return state | {"id": import_id}

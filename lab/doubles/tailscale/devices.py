"""What is said about a machine: its tags, its key's expiry, its authorization."""

from typing import Any

from lab.doubles.bridged.attributes import Attribute, Kind, Replace, Tf, output
from lab.doubles.tailscale.by_id import ById
from lab.doubles.tailscale.client import Client, HttpRefused, telling
from lab.doubles.tailscale.key import TAGS
from lab.doubles.values import Value

Json = dict[str, Any]


def _device(description: str) -> Attribute:
    return Attribute("device_id", required=True, replaces=Replace.ALWAYS, description=description)


class DeviceResource(ById):
    """One fact about a machine: `fact` by upstream's name, `field` and `path` in the API.

    `written`, `deleted` and `fetched` are what the real provider says when that fails.
    """

    written: str
    deleted: str
    fetched: str
    fact: str
    field: str
    path: str
    empty: Value
    """What the API is told when nothing is said any longer."""

    async def create(self, api: Client, planned: Tf) -> Tf:
        said = planned[self.fact]
        await self._set(api, planned, self.empty if said is None else said, self.written)
        return {**planned, "id": planned["device_id"]}

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        del prior
        return await self.create(api, planned)

    async def read(self, api: Client, state: Tf) -> Tf | None:
        with telling(f"{self.fetched} with ID {state['id']}"):
            device = await fetch_if_there(api, state)
        if device is None:
            return None
        found = device.get(self.field)
        return {**state, **named(state, device), self.fact: self.empty if found is None else found}

    async def delete(self, api: Client, state: Tf) -> None:
        await self._set(api, state, self.empty, self.deleted)

    async def _set(self, api: Client, state: Tf, value: Any, told: str) -> None:  # noqa: ANN401
        device = state["device_id"]
        with telling(f"{told} with ID {device}"):
            await api.ask("POST", f"/device/{device}/{self.path}", {self.field: value})


class DeviceTags(DeviceResource):
    """The tags of a machine."""

    written = "Failed to update device tags: Failed to update tags for device"
    deleted = "Failed to delete device tags: Failed to delete tags for device"
    fetched = "Failed to fetch device tags: Failed to fetch device"
    fact, field, path = "tags", "tags", "tags"
    empty: Value = []  # noqa: RUF012 - never changed
    attributes = (
        output("id"),
        _device("The device to set tags for"),
        Attribute("tags", TAGS, required=True, description="The tags to apply to the device"),
    )


class DeviceKey(DeviceResource):
    """Whether a machine's key expires."""

    written = deleted = "Failed to update device key: Failed to update key for device"
    fetched = "Failed to fetch device key: Failed to fetch key for device"
    fact, field, path = "key_expiry_disabled", "keyExpiryDisabled", "key"
    empty = False
    attributes = (
        output("id"),
        _device("The device to update the key properties of"),
        Attribute("key_expiry_disabled", Kind.BOOL, computed=True, default=False),
    )


class DeviceAuthorization(ById):
    """Whether a machine may join; nobody can take that back."""

    attributes = (
        output("id"),
        _device("The device to set as authorized"),
        Attribute(
            "authorized",
            Kind.BOOL,
            required=True,
            description="Whether or not the device is authorized",
        ),
    )

    async def create(self, api: Client, planned: Tf) -> Tf:
        if planned["authorized"] is True:
            await self._authorize(api, planned)
        return {**planned, "id": planned["device_id"]}

    async def update(self, api: Client, prior: Tf, planned: Tf) -> Tf:
        # The real one has no blank before the id here.
        told = "Failed to fetch device: Could not fetch device with device with ID"
        with telling(f"{told}{planned['device_id']}"):
            device = await fetch(api, {**prior, "id": planned["device_id"]})
        if not device.get("authorized"):
            await self._authorize(api, planned)
        return {**planned, "id": planned["device_id"], "authorized": True}

    async def read(self, api: Client, state: Tf) -> Tf | None:
        told = "Failed to fetch device: Could not read device authorization for device with ID"
        with telling(f"{told} {state['id']}"):
            device = await fetch_if_there(api, state)
        if device is None:
            return None
        found = named(state, device)
        authorized = device.get("authorized", False)
        return {**state, **found, "id": found["device_id"], "authorized": authorized}

    async def delete(self, api: Client, state: Tf) -> None:
        del api, state

    async def _authorize(self, api: Client, planned: Tf) -> None:
        device = planned["device_id"]
        with telling(f"Failed to authorize device: Could not authorize device with ID {device}"):
            await api.ask("POST", f"/device/{device}/authorized", {"authorized": True})


async def fetch(api: Client, state: Tf) -> Json:
    """The machine that a state is about."""
    device: Json = await api.ask("GET", f"/device/{state['id']}")
    return device


async def fetch_if_there(api: Client, state: Tf) -> Json | None:
    """The same; None for a machine that is gone."""
    try:
        return await fetch(api, state)
    except HttpRefused as error:
        if error.is_not_found:
            return None
        raise


def named(state: Tf, device: Json) -> Tf:
    """The machine's id, of the kind that the state uses."""
    known = device.get("id", "")
    return {"device_id": known if known == state["id"] else device.get("nodeId", "")}

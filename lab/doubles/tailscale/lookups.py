"""Look-ups of machines."""

import asyncio
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from lab.doubles.bridged.answers import state_read
from lab.doubles.bridged.attributes import (
    Attribute,
    Kind,
    Many,
    Nested,
    Tf,
    Type,
    camel,
    output,
)
from lab.doubles.bridged.check import Fault
from lab.doubles.bridged.resource import BridgedFunction
from lab.doubles.provider import Refused
from lab.doubles.tailscale import durations
from lab.doubles.tailscale.client import Client, telling
from lab.doubles.tailscale.key import TAGS

Json = dict[str, Any]
_POLL_S = 1.0
_NO_TIME = "0001-01-01T00:00:00Z"


def _told(name: str, type_: Type = Kind.STRING) -> Attribute:
    return replace(output(name, type_), api=camel(name))


_DEVICE = (
    _told("addresses", Many(Kind.STRING)),
    _told("authorized", Kind.BOOL),
    _told("blocks_incoming_connections", Kind.BOOL),
    _told("client_version"),
    _told("created"),
    _told("expires"),
    _told("hostname"),
    _told("id"),
    _told("is_external", Kind.BOOL),
    _told("key_expiry_disabled", Kind.BOOL),
    _told("last_seen"),
    _told("machine_key"),
    _told("name"),
    _told("node_id"),
    _told("node_key"),
    _told("os"),
    _told("tags", TAGS),
    _told("tailnet_lock_error"),
    _told("tailnet_lock_key"),
    _told("update_available", Kind.BOOL),
    _told("user"),
)


_EMPTY: Json = {
    attribute.field: False if attribute.type is Kind.BOOL else ""
    for attribute in _DEVICE
    if isinstance(attribute.type, Kind)
} | {"tags": [], "created": _NO_TIME, "expires": _NO_TIME}


class Device(BridgedFunction[Client]):
    """One machine, by its name or its host name; waited for, where that is asked."""

    inputs = (Attribute("name"), Attribute("hostname"), Attribute("wait_for"))
    outputs = _DEVICE

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        said = [name for name in ("name", "hostname") if config[name] is not None]
        if len(said) != 1:
            many = f"{len(said)} attributes" if said else "No attribute"
            yield Fault(
                "name",
                f"Invalid Attribute Combination. {many} specified when one (and only one) of "
                "[name,hostname] is required",
            )
        wait = config["wait_for"]
        if isinstance(wait, str):
            seconds = durations.parse(wait)
            fault = "unable to parse value as a duration" if seconds is None else ""
            if seconds is not None and seconds <= 1:
                fault = "duration must be greater than 1 second"
            if fault:
                text = f"Invalid Attribute Value. Attribute wait_for {fault}, got: {wait}"
                yield Fault("waitFor", text)

    async def call(self, api: Client, config: Tf) -> Tf:
        name = "name" if config["name"] is not None else "hostname"
        wanted = str(config[name])
        with telling("Failed to fetch devices"):
            device = await self._wait(api, name, wanted, str(config["wait_for"] or "0"))
        return config | state_read(self.outputs, {}, device)

    async def _wait(self, api: Client, name: str, wanted: str, patience: str) -> Json:
        patience_s, since = durations.parse(patience) or 0.0, time.monotonic()
        for tries in range(1, 1 << 30):
            try:
                return await self._find(api, name, wanted)
            except Refused as error:
                if not patience_s:
                    raise
                left = since + patience_s - time.monotonic()
                # The last moment is for giving up.
                await asyncio.sleep(max(0.0, min(left, since + tries * _POLL_S - time.monotonic())))
                if tries * _POLL_S >= patience_s:
                    raise Refused(
                        "failed after maximum of retries within "
                        f"{durations.shown(patience_s)}: {error}"
                    ) from error
        raise AssertionError("patience ends")

    async def _find(self, api: Client, name: str, wanted: str) -> Json:
        found = await _devices(api, [(name, wanted)])
        if not found:
            raise Refused(f'could not find device with {name}="{wanted}"')
        return found[0]


class Devices(BridgedFunction[Client]):
    """The machines of a tailnet."""

    inputs = (
        Attribute("name_prefix"),
        Attribute(
            "filters",
            Many(Nested((Attribute("name"), Attribute("values", Many(Kind.STRING))))),
        ),
    )
    outputs = (output("id"), output("devices", Many(Nested(_DEVICE))))

    async def call(self, api: Client, config: Tf) -> Tf:
        filters = config["filters"] if isinstance(config["filters"], list) else []
        query = [
            (str(each["name"]), str(value))
            for each in filters
            if isinstance(each, dict) and isinstance(each["values"], list)
            for value in each["values"]
        ]
        with telling("Failed to fetch devices"):
            found = await _devices(api, query)
        prefix = str(config["name_prefix"] or "")
        shown = [device for device in found if str(device.get("name", "")).startswith(prefix)]
        told = state_read(self.outputs, {}, {"id": str(uuid.uuid4()), "devices": shown})
        return config | {"filters": filters} | told


async def _devices(api: Client, query: Iterable[tuple[str, str]]) -> list[Json]:
    answer = await api.ask("GET", f"{api.tailnet}/devices", query=query)
    found: list[Json] = answer.get("devices") or []
    return [_completed(device) for device in found]


def _completed(device: Json) -> Json:
    """What the API leaves out, or is null, is empty; only `addresses` stay absent."""
    told = _EMPTY | {k: v for k, v in device.items() if v is not None}
    times = {name: told[name] or _NO_TIME for name in ("created", "expires")}
    if device.get("lastSeen") == "":
        times["lastSeen"] = _NO_TIME
    return told | times

"""Machines of a tailnet: list, read, tag, authorize, forget."""

from ipaddress import ip_network

from lab.tailscale.call import Call, Request, reads, writes
from lab.tailscale.callers import tag_owners
from lab.tailscale.core import Core
from lab.tailscale.errors import ApiError
from lab.tailscale.state import DeviceRecord, Json, shown_time
from lab.tailscale.tailnet import Tailnets

_CORE, _ROUTES = "devices:core", "devices:routes"
_HALF_A_YEAR_S = 180 * 24 * 3600


class DeviceCalls:
    """The calls on machines."""

    def __init__(self, core: Core, tailnets: Tailnets) -> None:
        self._core = core
        self._tailnets = tailnets

    def calls(self) -> list[Call]:
        one = "/device/{device}"
        return [
            reads("/tailnet/{tailnet}/devices", self.devices, _CORE),
            reads(one, self.read, _CORE),
            writes("DELETE", one, self.delete, _CORE),
            writes("POST", f"{one}/tags", self.tag, _CORE),
            writes("POST", f"{one}/key", self.set_key, _CORE),
            writes("POST", f"{one}/authorized", self.authorize, _CORE),
            writes("POST", f"{one}/name", self.rename, _CORE),
            reads(f"{one}/routes", self.routes, _ROUTES),
            writes("POST", f"{one}/routes", self.set_routes, _ROUTES),
        ]

    async def devices(self, request: Request) -> Json:
        shown = [self._view(request, d) for d in self._tailnets.devices(request.caller.tailnet)]
        for name, wanted in request.query.items():
            if name != "fields":
                shown = [device for device in shown if _fits(device.get(name), wanted)]
        return {"devices": shown}

    async def read(self, request: Request) -> Json:
        return self._view(request, self._find(request))

    async def delete(self, request: Request) -> None:
        device = self._find(request)
        del self._core.record(request.caller.tailnet).devices[device.id]
        self._core.store.save()

    async def tag(self, request: Request) -> Json:
        device, tags = self._find(request), _texts(request.object(), "tags")
        request.caller.require_tags(tags, tag_owners(self._core, request.caller.tailnet))
        device.tags = sorted(set(tags))
        self._core.store.save()
        return {}

    async def set_key(self, request: Request) -> Json:
        device, said = self._find(request), request.object().get("keyExpiryDisabled", False)
        device.key_expiry_disabled = said is True
        self._core.store.save()
        return {}

    async def authorize(self, request: Request) -> Json:
        device = self._find(request)
        device.authorized = request.object().get("authorized") is True
        self._core.store.save()
        return {}

    async def rename(self, request: Request) -> Json:
        device, name = self._find(request), request.object().get("name")
        if not isinstance(name, str) or not name:
            raise ApiError(400, "name is required")
        device.hostname = name.partition(".")[0]
        self._core.store.save()
        return {}

    async def routes(self, request: Request) -> Json:
        device = self._find(request)
        return {"advertisedRoutes": device.routes, "enabledRoutes": device.enabled_routes}

    async def set_routes(self, request: Request) -> Json:
        device, routes = self._find(request), _texts(request.object(), "routes")
        for route in routes:
            try:
                ip_network(route)
            except ValueError as error:
                raise ApiError(400, f"invalid route {route!r}") from error
        device.enabled_routes = routes
        self._core.store.save()
        return await self.routes(request)

    def _find(self, request: Request) -> DeviceRecord:
        wanted = request.path["device"]
        for device in self._tailnets.devices(request.caller.tailnet):
            if wanted in {device.id, device.node_id}:
                return device
        raise ApiError(404, "no such device")

    def _view(self, request: Request, device: DeviceRecord) -> Json:
        domain = self._core.world.tailnets[request.caller.tailnet].dns_name
        expires = 0.0 if device.key_expiry_disabled else device.created + _HALF_A_YEAR_S
        return {
            "id": device.id,
            "nodeId": device.node_id,
            "name": f"{device.hostname}.{domain}",
            "hostname": device.hostname,
            "addresses": [device.address],
            "user": "" if device.tags else "lab@example.org",
            "tags": device.tags,
            "authorized": device.authorized,
            "isEphemeral": device.ephemeral,
            "isExternal": False,
            "keyExpiryDisabled": device.key_expiry_disabled,
            "blocksIncomingConnections": False,
            "clientVersion": "",
            "updateAvailable": False,
            "os": "linux",
            "created": shown_time(device.created),
            "expires": shown_time(expires) if expires else "0001-01-01T00:00:00Z",
            "lastSeen": shown_time(self._core.clock()),
            "machineKey": "",
            "nodeKey": f"nodekey:{device.node_id}",
            "tailnetLockKey": "",
            "tailnetLockError": "",
            "enabledRoutes": device.enabled_routes,
            "advertisedRoutes": device.routes,
        }


def _fits(value: object, wanted: str) -> bool:
    if isinstance(value, list):
        return wanted in value
    return (str(value).lower() if isinstance(value, bool) else value) == wanted


def _texts(body: Json, name: str) -> list[str]:
    found = body.get(name)
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise ApiError(400, f"{name} must be a list of strings")
    return found

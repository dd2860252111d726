"""One request as the calls see it: checked parameters, and who asks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, overload

from lab.proxmox.access.rights import Caller

Values = dict[str, Any]
Rows = list[dict[str, Any]]


@dataclass
class Request:
    """`params` hold text that its table has checked; `total` goes beside the data when set."""

    params: Mapping[str, str]
    caller: Caller
    total: int | None = None

    def __getitem__(self, name: str) -> str:
        return self.params[name]

    @overload
    def get(self, name: str) -> str | None: ...

    @overload
    def get(self, name: str, default: str) -> str: ...

    def get(self, name: str, default: str | None = None) -> str | None:
        return self.params.get(name, default)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter."""
        return self.params.get(name, "1" if default else "0") == "1"

    @property
    def vmid(self) -> int:
        return int(self.params["vmid"])


Handler = Callable[[Request], Awaitable[Any]]

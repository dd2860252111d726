"""What a bridged provider is made of: resources, functions, and the client they share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from lab.doubles.bridged.attributes import Attribute, Tf
from lab.doubles.bridged.check import Fault
from lab.doubles.bridged.plan import Plan
from lab.doubles.provider import Double


class Client(Protocol):
    """A way to an HTTP API."""

    async def close(self) -> None:
        """Close its connections."""


Api = TypeVar("Api", bound=Client)


class BridgedResource(ABC, Generic[Api]):
    """One resource type over the client `Api`. Operations raise Refused."""

    attributes: tuple[Attribute, ...]

    def modify(self, plan: Plan) -> None:
        """The resource's own say in a plan."""
        del plan

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        """Faults that no single attribute can know of."""
        del config
        yield from ()

    def warnings(self, plan: Plan) -> Iterator[str]:
        """What a person should hear of when this is done."""
        del plan
        yield from ()

    @abstractmethod
    async def create(self, api: Api, planned: Tf) -> Tf:
        """Make it; the state."""

    @abstractmethod
    async def update(self, api: Api, prior: Tf, planned: Tf) -> Tf:
        """Change it in place; the new state."""

    @abstractmethod
    async def read(self, api: Api, state: Tf) -> Tf | None:
        """The state as it is now; None where it is gone."""

    @abstractmethod
    async def delete(self, api: Api, state: Tf) -> None:
        """Take it away."""

    @abstractmethod
    async def find(self, api: Api, import_id: str) -> Tf:
        """As much state of what `import_id` names as `read` needs."""


class BridgedFunction(ABC, Generic[Api]):
    """One function over the client `Api`; raises Refused."""

    inputs: tuple[Attribute, ...]
    outputs: tuple[Attribute, ...]

    def further_faults(self, config: Tf) -> Iterator[Fault]:
        """Faults that no single argument can know of."""
        del config
        yield from ()

    @abstractmethod
    async def call(self, api: Api, config: Tf) -> Tf:
        """The result, by the names of `inputs` and `outputs`."""


@dataclass(frozen=True)
class Bridge(Generic[Api]):
    """The parts of a provider; `connect` makes the client of a configuration, or raises Refused."""

    config: tuple[Attribute, ...]
    resources: Mapping[str, BridgedResource[Api]]
    functions: Mapping[str, BridgedFunction[Api]]
    connect: Callable[[Tf], Api]
    config_faults: Callable[[Tf], Iterator[Fault]] = field(default=lambda _: iter(()))


class BridgedDouble(Double, Generic[Api]):
    """A double of the bridged plugin `name` `version`."""

    def __init__(self, name: str, version: str, bridge: Bridge[Api]) -> None:
        super().__init__(name, version, {})
        self.bridge = bridge

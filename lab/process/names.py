"""Names of a lab as they are now, wherever a mapping is wanted."""

from collections.abc import Callable, ItemsView, Iterator, Mapping
from ipaddress import IPv4Address

Addresses = dict[str, list[IPv4Address]]


class Names(Mapping[str, list[IPv4Address]]):
    """What `look` finds, asked anew at each question."""

    def __init__(self, look: Callable[[], Addresses]) -> None:
        self._look = look

    def __getitem__(self, name: str) -> list[IPv4Address]:
        return self._look()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._look())

    def __len__(self) -> int:
        return len(self._look())

    def items(self) -> ItemsView[str, list[IPv4Address]]:
        """All at once: each look takes a round over every machine."""
        return self._look().items()

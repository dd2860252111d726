"""What an end of the lab's process must not undo: what a person switched, how far a boot was."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from lab.durable import Store, read_model


class Switches(BaseModel):
    """`on` has the machines that a person switched, and how.

    `booted` names the boot of the node after which its containers were started; `power` is what the
    node was told to do and has not done yet.
    """

    packages: bool = True
    on: dict[str, bool] = {}
    booted: str = ""
    power: Literal["", "reboot", "shutdown"] = ""


class Kept:
    """The switches of one lab and their file."""

    def __init__(self, path: Path) -> None:
        switches = read_model(path, Switches) if path.exists() else Switches()
        self._store = Store(path, switches)

    @property
    def now(self) -> Switches:
        """As they are."""
        return self._store.state

    def note(self, **changes: object) -> None:
        """Change some of them, on disk as well."""
        self._store.state = self.now.model_copy(update=changes)
        self._store.save()

    def switch(self, machine: str, *, on: bool) -> None:
        """A person switched `machine`."""
        self.note(on={**self.now.on, machine: on})

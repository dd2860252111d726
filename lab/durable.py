"""Files that hold either their old text or their new one, also after a crash; state kept so."""

import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from lab.errors import LabError

S = TypeVar("S", bound=BaseModel)


class Store(Generic[S]):
    """A state in memory and its file."""

    def __init__(self, path: Path, state: S) -> None:
        self._path = path
        self._kept: str | None = None
        self.state = state

    def save(self) -> None:
        """Write the state, whole. Where that fails, it is again what was written last."""
        try:
            text = self.state.model_dump_json(exclude_defaults=True)
            write_whole(self._path, text)
        except Exception:
            self._take_back()
            raise
        self._kept = text

    def _take_back(self) -> None:
        if self._kept is None:
            return
        before = type(self.state).model_validate_json(self._kept)
        for name in type(self.state).model_fields:
            setattr(self.state, name, getattr(before, name))


def read_model(path: Path, kind: type[S]) -> S:
    """The state of a lab, running or not; raises LabError when there is none."""
    try:
        return kind.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"{path}: cannot be read ({error.strerror}); run `bin/lab up`") from error
    except ValidationError as error:
        raise LabError(f"{path}: is damaged; run `bin/lab down`, then `bin/lab up`") from error


def write_whole(path: Path, text: str) -> None:
    """Replace `path` by `text`, readable by its owner only, synced before it is in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)

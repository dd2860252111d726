"""Whether a lab can keep its files where it would: asked before anything is made."""

import os

from lab.errors import LabError
from lab.paths import LabPaths, cache_dir

_LONGEST_SOCKET = 103
"""Bytes in the path of a socket that every system takes."""


def require_places(paths: LabPaths) -> None:
    """Raise LabError when the cache or the lab's directory cannot be made or written."""
    for place, variable in ((cache_dir(), "BERTH_CACHE"), (paths.root, "BERTH_STATE")):
        found = next(p for p in (place, *place.absolute().parents) if os.path.lexists(p))
        if not found.is_dir() or not os.access(found, os.W_OK | os.X_OK):
            raise LabError(
                f"{place}: cannot be written (at {found}); put that right, "
                f"or name another place in {variable}"
            )
    if len(os.fsencode(paths.control)) > _LONGEST_SOCKET:
        raise LabError(
            f"{paths.control}: is too long for a socket, which takes {_LONGEST_SOCKET} bytes; "
            f"name a shorter place in BERTH_STATE"
        )

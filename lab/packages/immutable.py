"""Which addresses always name the same bytes. Pure."""

import re

# By Debian's rules a file in the pool keeps its name only as long as its content.
_NEVER_CHANGES = re.compile(
    r"/by-hash/(MD5Sum|SHA1|SHA256|SHA512)/[0-9a-f]{32,128}$"
    r"|/pool/.+\.u?deb$"
    r"|/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^/]+$"
)


def never_changes(path: str, cache_control: str | None) -> bool:
    """Whether a file may be kept for good: its address says so, or its server."""
    directives = {word.strip().lower() for word in (cache_control or "").split(",")}
    if directives & {"no-store", "private"}:
        return False
    return "immutable" in directives or _NEVER_CHANGES.search(path) is not None

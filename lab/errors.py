"""Errors whose text a person reads: shown without a traceback, exit code 1."""

import errno
import os

_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR}


class LabError(Exception):
    """Something a person can put right. The text says where, what, and what to do."""


def refusal(error: OSError) -> str | None:
    """What the system refused, as a sentence; None for an error that nobody foresaw."""
    if error.errno not in _REFUSED or error.filename is None:
        return None
    return f"{os.fsdecode(error.filename)}: {error.strerror}; put that right and try again"

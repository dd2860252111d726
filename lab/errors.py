"""The one exception whose text a person reads: shown without a traceback, exit code 1."""


class LabError(Exception):
    """Something a person can put right. The text says where, what, and what to do."""

"""What the journal of an application that does not start usually means, as one remedy."""

import re

AGAIN = "then run `pulumi up` again"
HINTS = (
    (
        r"No package metadata was found for (\S+)",
        "the application asks for the metadata of its own package: set `install_project: true`, "
        + AGAIN,
    ),
    (
        r"ModuleNotFoundError: No module named '([^']+)'",
        "{0} is not among the dependencies in the lock, nor where its modules are looked for "
        "(`import_path`): add it there, " + AGAIN,
    ),
    (
        r"(?:\[Errno 30\] )?Read-only file system(?:: '([^']+)')?",
        "the application writes to {0}, and its code is read-only: let it write elsewhere, or name "
        "that directory, as seen from the source, in both `server_only` and `writable`, " + AGAIN,
    ),
    (
        r"PermissionError: \[Errno 13\] Permission denied: '([^']+)'",
        "{0} may not be read or written by the service's user: give it to that user on the host "
        "(`chgrp USER`, `chmod 640`; a directory that it writes to: `chown`), " + AGAIN,
    ),
    (
        r"TypeError: .*'start_response'",
        "the application is a WSGI one (Flask, Django), and an ASGI application is needed: wrap it "
        "(a2wsgi), or run it by a `command` of its own, " + AGAIN,
    ),
    (
        r"unable to open database file",
        "SQLite's file must lie where the service may write: name a directory such as data in "
        "`writable`, point the application to the file in it, " + AGAIN,
    ),
    (
        r"(?s)validation errors? for (\w+)\s.*?Field required",
        "{0} misses variables, named above: put them in `environment` or `secrets`, " + AGAIN,
    ),
    (
        r"KeyError: '([A-Z][A-Z0-9_]+)'",
        "{0} looks like a missing variable: put it in `environment` or `secrets`, " + AGAIN,
    ),
    (
        r"(?:Connect call failed|Connection refused|could not connect to server)",
        "the application could not reach something that it needs at its start, such as a database: "
        "mend that, " + AGAIN,
    ),
    (
        r"\[Errno 1\] Operation not permitted|PermissionError: \[Errno 1\]",
        "its sandbox forbids what the lines above say: `sandbox` has a key for it, " + AGAIN,
    ),
)


def hint(journal: str) -> str:
    """The remedy for the last such line; empty where nothing usual is in it."""
    found = [
        (match.start(), text, match)
        for pattern, text in HINTS
        for match in re.finditer(pattern, journal)
    ]
    if not found:
        return ""
    _, text, match = max(found, key=lambda item: item[0])
    named = [group or "its own directory" for group in match.groups()]
    return text.format(*named)

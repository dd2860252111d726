"""What a deploy or a removal does, in words, from the documents of its step. Pure."""

import re
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
_VARIABLE = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)=(".*")$', re.MULTILINE | re.DOTALL)


def created(document: Document) -> str:
    """The impact line of a first deploy."""
    return f"{document['service']}: installs {_what(document)} and starts it{_lost(document)}"


def removed(document: Document) -> str:
    """The impact line of a removal."""
    return (
        f"{document['service']}: stops {document['unit']}.service and removes what is ours of it; "
        "what belongs to the host stays"
    )


def updated(old: Document, new: Document) -> str:
    """The impact line of a deploy; values of variables are never in it."""
    name = new["service"]
    changes = [
        *_moved(old, new),
        *(["new code"] if old["archive"]["sha256"] != new["archive"]["sha256"] else []),
        *(["new Python environment"] if old["environment"] != new["environment"] else []),
        *_variables(old, new),
        *(
            f"unit {unit}"
            for unit in _different(old["units"], new["units"])
            if not unit.startswith(f"{new['unit']}-certificate.")
        ),
    ]
    if changes:
        lost = _lost(new) if _has_socket(old) else ""
        closes = _OUTAGE if old["port"] != new["port"] or old["host"] != new["host"] else ""
        stays = _left_behind(old, new)
        what = f"{name}: restarts {new['unit']}.service ({', '.join(changes)})"
        return f"{what}{closes}{lost}{stays}"
    others = [key for key in sorted(new) if key not in _TOLD and old.get(key) != new[key]]
    if others:
        return f"{name}: changes {', '.join(others)}; restarts nothing"
    return f"{name}: asks whether all is as it should be; restarts nothing"


_TOLD = {"archive", "secrets", "lock_limit_s", "format"}
_OUTAGE = "; nobody is answered from when the old port closes until it has started"
_LOST = (
    "; a command of its own loses what uvicorn here has: its port is closed while it restarts, it "
    "counts as started before it is ready, and open requests are cut off"
)


def _has_socket(document: Document) -> bool:
    return any(unit.endswith(".socket") for unit in document["units"])


def _lost(document: Document) -> str:
    return "" if _has_socket(document) else _LOST


def _what(document: Document) -> str:
    return f"{document['unit']}.service in {document['root']}, port {document['port']},"


def _moved(old: Document, new: Document) -> list[str]:
    said = []
    for key in ("port", "host", "root", "unit", "user"):
        if old[key] != new[key]:
            shown = "listen" if key == "host" else "install path" if key == "root" else key
            said.append(f"{shown} {old[key]} -> {new[key]}")
    return said


def _left_behind(old: Document, new: Document) -> str:
    """What belongs to the host is never moved, nor given to another user."""
    theirs = ", ".join(new.get("server_only", ()))
    said = ""
    if theirs and old["root"] != new["root"]:
        said += f"; {theirs} stay in {old['root']}: move what it needs to {new['root']} first"
    if old["user"] != new["user"]:
        said += f"; files of {old['user']} stay that user's: give {new['user']} what it needs"
    return said


def _variables(old: Document, new: Document) -> list[str]:
    before, after = (_values(document["env_file"]["text"]) for document in (old, new))
    names = _different(before, after)
    return [f"environment {', '.join(names)}"] if names else []


def _values(text: str) -> dict[str, str]:
    lines = (_VARIABLE.match(line) for line in text.split("\n"))
    return {match[1]: match[2] for match in lines if match is not None}


def _different(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return sorted(key for key in {*old, *new} if old.get(key) != new.get(key))

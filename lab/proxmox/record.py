"""Writes every request and answer to a JSON-lines file, for tests that check the traffic."""

import json
from pathlib import Path

from lab.proxmox.hooks import Exchange

_SECRET = frozenset(("password", "confirmation-password", "ticket", "CSRFPreventionToken", "value"))


class Recorder:
    """Appends exchanges to a file; secrets are left out."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, exchange: Exchange) -> None:
        call = str(exchange.get("call", ""))
        kept = dict(exchange)
        if "/access/" in call or "password" in kept.get("params", {}):
            kept["params"] = _hide(kept.get("params"))
        if "/access/" in call:
            kept["answer"] = _hide(kept.get("answer"))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(kept) + "\n")


def _hide(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: "(left out)" if key in _SECRET and isinstance(inner, str) else _hide(inner)
            for key, inner in value.items()
        }
    return [_hide(inner) for inner in value] if isinstance(value, list) else value

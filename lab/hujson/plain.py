"""From values with comments to plain ones. Pure."""

import json
from typing import Any

from lab.hujson.parse import Node


def as_plain(node: Node) -> Any:  # noqa: ANN401 - any JSON
    """What the value says."""
    match node.kind:
        case "{":
            names = (json.loads(name.text) for name in node.inner[::2])
            return dict(zip(names, map(as_plain, node.inner[1::2]), strict=True))
        case "[":
            return [as_plain(each) for each in node.inner]
        case _:
            return json.loads(node.text)

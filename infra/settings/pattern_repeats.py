"""How often the repeats of a pattern repeat, one within the other, as RE2 counts them."""

import re

MOST_REPEATS = 1000
_PIECE = re.compile(
    r"""
      \\. | \[\^?\]?(?:\\.|[^\\\]])*\]
    | (?P<opens>\((?:\?(?:P<\w*>|[A-Za-z-]*:))?)
    | (?P<closes>\))
    | \{(?P<least>\d+)(?P<more>,?)(?P<most>\d*)\}\??
    | (?P<any>[*+?]\??)
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def most_repeated(text: str) -> int:
    """The largest product of repeats that hold one another. `text` is a pattern of Python's."""
    found = 0
    groups: list[list[int]] = [[]]
    for piece in _PIECE.finditer(text):
        if piece["opens"]:
            groups.append([])
        elif piece["closes"]:
            within = groups.pop()
            groups[-1].append(max(within, default=1))
        elif piece["least"]:
            least, most = int(piece["least"]), int(piece["most"] or 0)
            times = most or least
            exactly_none = not times and not (piece["more"] and not piece["most"])
            groups[-1][-1] = 1 if exactly_none else groups[-1][-1] * max(times, 1)
            if times > 1:
                found = max(found, groups[-1][-1])
        elif not piece["any"]:
            groups[-1].append(1)
    return found

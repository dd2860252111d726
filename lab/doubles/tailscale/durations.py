"""Durations as Go writes them. Pure."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)"
_MINUTE_S, _HOUR_S = 60, 3600


def parse(text: str) -> float | None:
    """Seconds; None for what is no duration."""
    if text == "0":
        return 0.0
    if not re.fullmatch(f"[+-]?({_PART})+", text):
        return None
    total = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    return -total if text.startswith("-") else total


def shown(seconds: float) -> str:
    """`90` is `1m30s`; for a second and more."""
    hours, rest = divmod(seconds, _HOUR_S)
    minutes, rest = divmod(rest, _MINUTE_S)
    text = f"{rest:.9f}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours:.0f}h{minutes:.0f}m{text}"
    return f"{minutes:.0f}m{text}" if minutes else text

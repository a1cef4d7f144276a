"""Parse and print times as people say them."""

from itertools import pairwise

from rramlab.errors import InputError
from rramlab.quantity import parse_quantity

_LONG = {"min": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0, "y": 365.25 * 86400.0}
TEN_YEARS = 10 * _LONG["y"]
"""Time (s) to which retention is extrapolated."""


def parse_duration(text: str) -> float:
    """Return the seconds of a text such as "10ms", "30s", "1min", "2h", "11d" or "1e6"."""
    for unit, seconds in _LONG.items():
        head = text.strip().removesuffix(unit)
        if head != text.strip() and _is_number(head):
            value = float(head) * seconds
            break
    else:
        value = parse_quantity(text, "s")
    if not 0 <= value <= TEN_YEARS:
        raise InputError(
            f"a time of '{text}' is not possible; give one from 0 to 10 years, such as 1h or 11d"
        )
    return value


def parse_durations(text: str) -> tuple[float, ...]:
    """Return the seconds of a list such as "1s,1h,1d", which must rise."""
    times = tuple(parse_duration(part) for part in text.split(",") if part.strip())
    if not times or any(b <= a for a, b in pairwise(times)):
        raise InputError(f"'{text}' is no list of rising times; write for example 1s,1min,1h,1d")
    return times


def format_duration(seconds: float) -> str:
    """Return a time as a short text in the unit that fits, such as "11.6 d"."""
    for unit, size in reversed(_LONG.items()):
        if unit != "w" and seconds >= size * (1 - 1e-9):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s" if seconds >= 1 or seconds == 0 else f"{1e3 * seconds:.3g} ms"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""Parse and print quantities with their unit: SI inside, prefixes only at the edge."""

import math
import re

from rramlab.errors import InputError

# The micro sign and the Greek letter mu look alike and are two characters; keyboards give either.
_MICRO = dict.fromkeys(("u", "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"), 1e-6)
PREFIXES = {"": 1.0, "p": 1e-12, "n": 1e-9, **_MICRO, "m": 1e-3, "k": 1e3, "M": 1e6}
_PRINTED = ("p", "n", "u", "m", "", "k", "M")
_EXAMPLES = {"V": ("150mV", "0.15"), "s": ("10us", "1e-5"), "A": ("50uA", "5e-5"), "K": ("298K", "298")}
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*")


def parse_quantity(text: str, unit: str) -> float:
    """Return the value of a text such as "50uS" in SI; a bare number is taken as SI."""
    match = _NUMBER.fullmatch(text)
    prefix = None if match is None else _prefix(match[2], unit)
    if match is None or prefix is None:
        one, bare = _EXAMPLES.get(unit, (f"50u{unit}", "5e-5"))
        raise InputError(f"'{text}' is not a quantity in {unit}; write for example '{one}' or '{bare}'")
    value = float(match[1]) * PREFIXES[prefix]
    if not math.isfinite(value):
        raise InputError(f"'{text}' is too large for a quantity in {unit}; write for example '50u{unit}'")
    return value


def _prefix(suffix: str, unit: str) -> str | None:
    if suffix == "":
        return ""
    head = suffix.removesuffix(unit)
    return head if suffix.endswith(unit) and head in PREFIXES else None


def format_quantity(value: float, unit: str, digits: int = 4) -> str:
    """Return a value in SI as a short text with the prefix that fits, such as "50uS"."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}{unit}"
    steps = sorted(((p, f) for p, f in PREFIXES.items() if p in _PRINTED), key=lambda item: item[1])
    prefix, factor = max(
        (s for s in steps if s[1] <= abs(value) * (1 + 1e-12)), key=lambda s: s[1], default=steps[0]
    )
    return f"{value / factor:.{digits}g}{prefix}{unit}"

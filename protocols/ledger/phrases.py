"""Turn figures into phrases: names, ratios, times, powers."""

from math import ceil

from protocols.ledger.baseline import Digital
from rramlab.quantity import format_quantity


def named(digital: Digital) -> str:
    """Return the name of a baseline with its batch."""
    return f"{digital.name}, {'one at a time' if digital.batch == 1 else f'batches of {digital.batch:,}'}"


def had(digital: Digital) -> str:
    """Return how the energy of a baseline was had."""
    return "measured" if digital.measured else "at its stated power"


def number(value: float) -> str:
    """Return a number with three digits."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"


def faster(mine: float, other: float) -> str:
    """Return how much faster or slower a time (s) is than another."""
    if mine <= other:
        return f"{number(other / mine)} times faster"
    return f"{number(mine / other)} times slower"


def parallel(ratio: float) -> str:
    """Return how many loops side by side draw level with a batch that is so many times faster."""
    if ratio <= 1.0:
        return "no digital batch of this machine catches up"
    return f"about {ceil(ratio * (1 - 1e-9)):,} loops side by side would draw level"


def reach(reached: float, least: float, most: float) -> str:
    """Return where a ratio lies beside the least and the most that was published."""
    if reached < least:
        return f"{number(least / reached)} times short of the least of them"
    return "more than any of them" if reached > most else "within them"


def largest(groups: dict[str, float]) -> str:
    """Return the groups that make up nine tenths of an account (J), with their shares."""
    total, told, seen = sum(groups.values()), [], 0.0
    for name, joule in sorted(groups.items(), key=lambda pair: -pair[1]):
        if seen < 0.9 * total:
            told.append(f"{name} {100 * joule / total:.0f} %")
        seen += joule
    return ", ".join(told)


def between(least: float, most: float, unit: str) -> str:
    """Return a span of values with their unit."""
    return f"{format_quantity(least, unit, 3)} to {format_quantity(most, unit, 3)}"


def of(value: float, unit: str) -> str:
    """Return a value with its unit."""
    return format_quantity(value, unit, 3)

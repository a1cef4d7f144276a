"""Say which parts of a bench a record belongs to, by what they answer."""

from collections.abc import Iterable, Mapping

OTHER_NAMES = {"meter": ("meter", "source_meter"), "macro": ("macro", "serial")}
"""Names by which one part answers in one world and another."""
LAST_RESORT = ("serial", "name")
"""What stands for a bench whose parts have no names of their own, such as an ideal simulated one."""


def belonging(parts: Iterable[str], who: Mapping[str, str]) -> dict[str, str]:
    """Return what the parts of a record answered, under the names that they have on this bench.

    A seed of the run or an oscilloscope is no part of what is calibrated, unless a procedure names it.
    """
    names = [next((name for name in OTHER_NAMES.get(part, (part,)) if name in who), "") for part in parts]
    found = {name: who[name] for name in names if name}
    if found:
        return found
    return next(({name: who[name]} for name in LAST_RESORT if name in who), {})

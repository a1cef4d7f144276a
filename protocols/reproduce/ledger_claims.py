"""Judge the published ratios of time and energy by the ledger of a run."""

from functools import partial
from typing import Any

from protocols.ledger.phrases import faster, number
from protocols.ledger.published import Claim as Published
from protocols.ledger.published import claims
from protocols.reproduce.claim import Claim, Found, Verdict, judged
from protocols.reproduce.experiments import LETTERS_LEDGER, RING_LEDGER
from protocols.reproduce.state import Done
from rramlab.quantity import format_quantity

FACTOR = 1.5
"""Ratios further apart than this factor do not agree."""


def of_task(task: str, panels: tuple[str, str]) -> tuple[Claim, ...]:
    """Return the claims of a task ("unconditional", "conditional") on time and energy, with their panels."""
    ledger = {"unconditional": RING_LEDGER, "conditional": LETTERS_LEDGER}[task]
    told = [claim for claim in claims() if claim.task == task]
    times = [_claim(panels[0], f"{_times(c)} ({c.where})", ledger, TIME, partial(speed, c)) for c in told]
    energies = [
        _claim(panels[1], f"{_energies(c)} ({c.where})", ledger, ENERGY, partial(energy, c)) for c in told
    ]
    return (*times, *energies)


TIME = (
    f"digital time of one sample alone, measured here, over the projected time: within a factor of "
    f"{FACTOR:g} of what was published; the bench as built is told beside, and not counted"
)
ENERGY = (
    f"digital energy of one sample alone over the projected energy: within a factor of {FACTOR:g}; "
    "comparable only where a counter measured the digital energy"
)


def _claim(panel: str, published: str, ledger: str, rule: str, judge: Any) -> Claim:
    return Claim(panel, published, ledger, rule, judge)


def _times(claim: Published) -> str:
    if claim.analog_seconds is None or claim.digital_seconds is None:
        return f"{claim.time_ratio:g} times faster"
    both = (format_quantity(each, "s") for each in (claim.analog_seconds, claim.digital_seconds))
    return f"{claim.time_ratio:g} times faster: {' against '.join(both)}"


def _energies(claim: Published) -> str:
    if claim.analog_joule is None or claim.digital_joule is None:
        return f"{claim.energy_ratio:.3g} times less energy"
    both = (format_quantity(each, "J") for each in (claim.analog_joule, claim.digital_joule))
    return f"{claim.energy_ratio:.3g} times less energy: {' against '.join(both)}"


def speed(published: Published, done: Done) -> Found:
    """Judge the ratio of the times."""
    alone, large = done.facts["times"]["alone"], done.facts["times"]["large"]
    bench, projected = (done.facts["accounts"][which]["seconds"] for which in ("bench", "projected"))
    ratio = alone["seconds"] / projected
    told = (
        f"projected {faster(projected, alone['seconds'])}, beside batches "
        f"{faster(projected, large['seconds'])}; bench as built {faster(bench, alone['seconds'])}"
    )
    conditions = (
        f"projected {format_quantity(projected, 's')} is assumed, as published; {alone['name']} alone "
        f"{format_quantity(alone['seconds'], 's', 3)}, {done.facts['steps']['chosen']} steps, on "
        f"{done.facts['machine']}; the published machine is not known"
    )
    return Found(told, conditions, judged(_near(ratio, published.time_ratio)))


def energy(published: Published, done: Done) -> Found:
    """Judge the ratio of the energies, where that of the digital side was measured."""
    alone, large = done.facts["times"]["alone"], done.facts["times"]["large"]
    bench, projected = (done.facts["accounts"][which]["joule"] for which in ("bench", "projected"))
    told = (
        f"projected {_thriftier(projected, alone['joule'])}, beside batches "
        f"{_thriftier(projected, large['joule'])}; bench as built {_thriftier(bench, alone['joule'])}"
    )
    how = "a counter measured" if alone["measured"] else "a stated power gives"
    conditions = (
        f"projected {format_quantity(projected, 'J', 3)} from assumed parts; {how} "
        f"{format_quantity(alone['joule'], 'J', 3)} for {alone['name']} alone"
    )
    agrees = judged(_near(alone["joule"] / projected, published.energy_ratio))
    return Found(told, conditions, agrees if alone["measured"] else Verdict.NOT_COMPARABLE)


def _near(ratio: float, published: float) -> bool:
    return published / FACTOR <= ratio <= published * FACTOR


def _thriftier(mine: float, other: float) -> str:
    """Return how much less or more an energy (J) is than another."""
    less = mine <= other
    return f"{number(other / mine if less else mine / other)} times {'less' if less else 'more'}"

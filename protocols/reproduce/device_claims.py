"""Judge the claims of figure 2: what the cells do."""

from itertools import pairwise
from typing import Any

from protocols.ageing.durations import format_duration
from protocols.reproduce.claim import Claim, Found, Verdict, judged
from protocols.reproduce.experiments import IV, LEVELS, PATTERN, RETENTION, STATES
from protocols.reproduce.state import Done

STATES_PUBLISHED = 64
CONVERGED = 95.0
"""Share of writes (%) that must have converged: figures of states are of those alone."""
REPEATABLE = 0.10
"""Spread of V_SET and V_RESET from cycle to cycle, over the mean, that is called repeatable here."""
TEN_DAYS = 1e6
BAND = 1.96
WITHIN = 95.0
"""Share of all cells (%) within tolerance that makes a picture."""


def switching(done: Done) -> Found:
    """Judge whether I-V cycles repeat."""
    f = done.facts
    counted = f["cycles"] - f["cells"] * f["left_out"]
    pair = {name: f[f"{name}_V"] for name in ("v_set", "v_reset")}
    all_switch = all(each["count"] == counted for each in pair.values())
    spread = [each["cycle_sigma"] / abs(each["mean"]) for each in pair.values()]
    told = ", ".join(
        f"{name} {each['mean']:.2f} V, σ of cycles {each['cycle_sigma']:.3f} V, "
        f"{each['count']:.0f} of {counted}"
        for name, each in zip(("V_SET", "V_RESET"), pair.values(), strict=True)
    )
    conditions = (
        f"{f['cells']} cells, {f['cycles']} cycles in all, {f['left_out']} of each cell left out; "
        f"steps of {done.asked['step']:g} V"
    )
    return Found(told, conditions, judged(all_switch and max(spread) <= REPEATABLE))


def few_cells(done: Done) -> Found:
    """Judge how many states of a few cells can be told apart."""
    f = done.facts
    bits, time = f["averaged_bits"][-1], f["time_s"][-1]
    told = (
        f"{2**bits:.0f} states ({bits:.2f} ± {f['bits_error'][-1]:.2f} bit), "
        f"{f['programmed_percent']:.0f} % of the writes converged"
    )
    conditions = (
        f"{f['cells']} cells take {f['levels']} levels in turns, {f['pulses_per_level']:.1f} pulses each; "
        f"mean of {done.asked['reads']} readings, {format_duration(time)} after programming; the error is "
        f"that of single readings"
    )
    agrees = 2**bits >= STATES_PUBLISHED and f["programmed_percent"] >= CONVERGED
    return Found(told, conditions, judged(agrees))


def linear(done: Done) -> Found:
    """Tell how straight the I-V of the states is."""
    f = done.facts
    told = (
        f"no I-V departs by more than {f['departure_percent']:.1f} % of its span; "
        f"I = G V (1 + chi V²) with chi {f['chi_per_V2']:.2f} 1/V² in the median"
    )
    return Found(told, f"one I-V of each of {f['levels']} levels within ±v_read", Verdict.NOT_COMPARABLE)


def over_array(done: Done) -> Found:
    """Tell the same of an array, by single readings, later."""
    f = done.facts
    bits, time = f["bits"][-1], f["time_s"][-1]
    told = (
        f"{2**bits:.0f} states ({bits:.2f} ± {f['bits_error'][-1]:.2f} bit); sigma {f['sigma_uS'][-1]:.2f} "
        f"µS, {f['wrong_level_percent'][-1]:.1f} % of readings nearer to another level"
    )
    conditions = f"{f['cells']} cells, one reading each, {format_duration(time)} after programming"
    return Found(told, conditions, Verdict.NOT_COMPARABLE)


def retained(done: Done) -> Found:
    """Judge whether states can still be told apart at the end."""
    f = done.facts
    states = sorted((s for s in f["states"] if s["cells"]), key=lambda s: s["centre_uS"])
    gap = min(_gap(low, high) for low, high in pairwise(states))
    drift = max(abs(s["mean_uS"][1] - s["mean_uS"][0]) for s in states)
    told = (
        f"{len(states)} states after {f['last_s']:.3g} s: gap of neighbours {gap:.1f} µS at least; a mean "
        f"moved by {drift:.2f} µS at most"
    )
    reads = f"{f['reads']['taken'] + f['reads']['late']} reads, {f['reads']['gap']} gaps"
    clocks = ", ".join(f["clocks"])
    conditions = f"{f['cells']} cells ({f['left_out']} left out), {reads}, clock: {clocks}"
    return Found(told, conditions, judged(gap > 0 and f["last_s"] > TEN_DAYS))


def _gap(low: dict[str, Any], high: dict[str, Any]) -> float:
    return float(high["mean_uS"][1] - low["mean_uS"][1] - BAND * (high["sigma_uS"][1] + low["sigma_uS"][1]))


def pattern(done: Done) -> Found:
    """Judge whether the picture stands in the array."""
    f = done.facts
    first = f["errors"][1]
    told = (
        f"{first['within_tolerance_percent']:.1f} % within ±{1e6 * done.asked['tolerance']:g} µS "
        f"{first['when']}; {f['cells'] - f['programmable']} of {f['cells']} cells stuck or unformed, left out"
    )
    share = first["within_tolerance_percent"] * f["programmable"] / f["cells"]
    pulses = f"{f['mean_pulses']:.1f} pulses a cell"
    conditions = f"{done.asked['strategy']} write-verify, {pulses}; read anew, not as written"
    return Found(told, conditions, judged(share >= WITHIN))


def errors(done: Done) -> Found:
    """Tell how errors spread over time."""
    told = ", ".join(f"{e['sigma_uS']:.2f} {e['when']}" for e in done.facts["errors"])
    return Found(f"sigma (µS) {told}", "cells that can be programmed", Verdict.NOT_COMPARABLE)


CLAIMS = (
    Claim(
        "2c",
        "repeatable bipolar quasi-static I-V",
        IV,
        f"every counted cycle of every cell switches, and V_SET and V_RESET spread by {100 * REPEATABLE:g} % "
        "or less from cycle to cycle (no number was published)",
        switching,
    ),
    Claim(
        "2d",
        "more than 64 discernible states of one cell",
        STATES,
        f"{CONVERGED:g} % of the writes converge, and 64 or more states whose 95 % intervals do not meet "
        "have room in the window: 2^bits, bits = log2(1 + span / (2 · 1.96 · sigma))",
        few_cells,
    ),
    Claim(
        "2d",
        "states are linear",
        STATES,
        "none: no number was published",
        linear,
    ),
    Claim(
        "2d",
        "(of an array nothing was published)",
        LEVELS,
        "none: harder than what was published of one cell",
        over_array,
    ),
    Claim(
        "2e",
        "retention > 1e6 s for different states",
        RETENTION,
        "last reading after more than 1e6 s, and the 95 % intervals of no two states meet there",
        retained,
    ),
    Claim(
        "2f",
        "32 x 32 array holds the moon-and-star pattern",
        PATTERN,
        f"{WITHIN:g} % of all cells, dead ones included, are within tolerance when read anew",
        pattern,
    ),
    Claim(
        "2g",
        "errors of the array at several times",
        PATTERN,
        "none: no number was published",
        errors,
    ),
)

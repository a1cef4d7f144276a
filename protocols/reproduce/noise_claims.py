"""Judge the claims of figure 5: what noise the cells have, and what noise a network stands."""

from math import isfinite

from protocols.reproduce.claim import Claim, Found, Verdict, judged
from protocols.reproduce.experiments import READ_NOISE, STUDY, WRITE_NOISE
from protocols.reproduce.state import Done
from protocols.study.job import CURVE, DEVICE
from protocols.study.tolerance import LOST

TENTH = f"{100 * LOST:g} %"


def write_noise(done: Done) -> Found:
    """Tell the noise of writing."""
    f = done.facts
    told = ", ".join(
        f"{sigma:.2f} {when}" for when, sigma in zip(f["times"], f["sigma_all_uS"], strict=True) if sigma
    )
    single = [each["cycle_uS"][0] / each["mean_uS"] for each in f["single"]]
    pulse = (
        f"; one SET alone, cycle to cycle {100 * min(single):.0f} to {100 * max(single):.0f} %"
        if single
        else ""
    )
    conditions = (
        f"{f['cells']} cells, {len(f['levels'])} levels, {f['converged_percent']:.0f} % of writes converged"
    )
    return Found(f"sigma of write-verify (µS) {told}{pulse}", conditions, Verdict.NOT_COMPARABLE)


def read_noise(done: Done) -> Found:
    """Tell the noise of reading over time scales."""
    f = done.facts
    shares = [100 * band["sigma_uS"][0] / band["conductance_uS"] for band in f["bands"]]
    slopes = [band["slope"][0] for band in f["bands"]]
    told = (
        f"sigma of one reading {min(shares):.2f} to {max(shares):.2f} % of G; spectrum falls with slope "
        f"{min(slopes):.2f} to {max(slopes):.2f}; telegraph noise in {f['telegraph_cells']} cells"
    )
    length = f["reads"] * f["interval_s"]
    conditions = f"{f['cells']} cells, {f['reads']} readings over {length:.3g} s"
    return Found(told, conditions, Verdict.NOT_COMPARABLE)


def as_it_is(done: Done) -> Found:
    """Judge whether the network stands the noise of writing that the device has."""
    levels = _levels(done, DEVICE, "aware")
    told = ", ".join(f"{kind.upper()} {_factor(level, done)}" for kind, level in levels.items())
    conditions = (
        f"{done.asked['chips']} simulated chips, read noise as it is, {done.asked['samples']} samples a "
        f"point; network trained with noise"
    )
    return Found(f"write noise that costs {TENTH}: {told}", conditions, judged(min(levels.values()) > 1.0))


def _factor(level: float, done: Done) -> str:
    return f"{level:.1f} x device" if isfinite(level) else f"> {done.asked['write_factor'][-1]:g} x device"


def relative(done: Done) -> Found:
    """Tell the relative noise that the networks stand, by ODE and SDE."""
    told = "; ".join(
        f"{kind.upper()} {_percent(_levels(done, CURVE, 'aware')[kind], done)} trained with noise, "
        f"{_percent(_levels(done, CURVE, 'unaware')[kind], done)} without"
        for kind in ("ode", "sde")
    )
    conditions = f"relative deviation of conductances, ideal circuits, {done.asked['macros']} macros"
    return Found(f"write noise that costs {TENTH}: {told}", conditions, Verdict.NOT_COMPARABLE)


def _percent(level: float, done: Done) -> str:
    return f"{100 * level:.1f} %" if isfinite(level) else f"> {100 * done.asked['write'][-1]:g} %"


def _levels(done: Done, part: str, network: str) -> dict[str, float]:
    found = [t for t in done.facts["tolerances"] if t["measure"] == "quality"]
    return {t["kind"]: t["level"] for t in found if (t["part"], t["network"]) == (part, network)}


CLAIMS = (
    Claim("5b", "write noise of programming", WRITE_NOISE, "none: no number is known", write_noise),
    Claim("5c", "read noise over time scales", READ_NOISE, "none: no number is known", read_noise),
    Claim(
        "5e, f",
        "quality as by software with the noise that the device has",
        STUDY,
        f"write noise must exceed that of the device before ODE or SDE lose {TENTH} of their quality",
        as_it_is,
    ),
    Claim(
        "5e, f",
        "quality against write and read noise, ODE and SDE",
        STUDY,
        "none: ranges and values are not known",
        relative,
    ),
)

"""Say in words how analog and digital compare, and what carries the distance; every sentence is computed."""

from math import isnan

import numpy as np

from protocols.ledger.account import energy_text
from protocols.ledger.findings import Findings
from protocols.ledger.phrases import faster, largest, named, number, of, parallel


def check(found: Findings) -> str:
    """Say how the integrated energy of the array and the record of the bench agree."""
    bench, everyone = found.bench, found.sampled.recorded
    if found.agrees is None:
        return (
            "This bench recorded no energy of its own, or not all waveforms: there is nothing to check the "
            "integral of the array with."
        )
    mean, error = float(everyone.mean()), float(everyone.std() / np.sqrt(everyone.size))
    return (
        f"The recorded waveforms, integrated, give {energy_text(bench.array_joule)} per sample in the "
        f"cells; the bench recorded {energy_text(bench.recorded)} for the same runs: "
        f"{100 * bench.apart:.2g} % apart, {'within' if found.agrees else 'beyond'} 1 %. Over all "
        f"{everyone.size:,} samples it recorded {energy_text(mean)} with a standard error of "
        f"{energy_text(error)}."
    )


def time(found: Findings) -> str:
    """Say how the times per sample compare."""
    bench, projected, alone = found.bench.seconds, found.projected.seconds, found.alone
    coefficients = found.sampled.batches[0][0].coefficients
    count = found.sampled.waveforms().counts()["word"]
    return (
        f"A sample takes {of(bench, 's')} on the bench as built, which plays its coefficients tick by tick: "
        f"{faster(bench, alone.seconds)} than {named(alone)} ({of(alone.seconds, 's')}). The projected "
        f"version takes {of(projected, 's')} by assumption, {faster(projected, alone.seconds)} than the "
        f"same: ticks of {of(projected / len(coefficients.drift), 's')} in place of "
        f"{of(coefficients.tick, 's')}, {number(count / projected)} words per second to the converters in "
        f"place of {number(count / bench)}."
    )


def batch(found: Findings) -> str:
    """Say what the batch of the digital side does to the comparison."""
    alone, large, projected = found.alone, found.large, found.projected.seconds
    return (
        f"In large batches, {named(large)}, it is {of(large.seconds, 's')} per sample, "
        f"{number(alone.seconds / large.seconds)} times less than {named(alone)}. Beside that the projected "
        f"version is {faster(projected, large.seconds)} if it makes one sample after the other; "
        f"{parallel(projected / large.seconds)}."
    )


def calls(found: Findings) -> str:
    """Say what the calls of a library do to one sample at a time."""
    alone, lean, projected = found.alone, found.lean, found.projected.seconds
    return (
        f"One at a time it is the calls that take time: {named(lean)}, needs {of(lean.seconds, 's')}, "
        f"{number(alone.seconds / lean.seconds)} times less than {named(alone)}, for the same {lean.steps} "
        f"steps. The projected version is {faster(projected, lean.seconds)} than that."
    )


def steps(found: Findings) -> str:
    """Say how many steps the digital side takes, and how many come as near to the data as analog does."""
    sweep, matching = found.steps, found.matching
    none = f"no number of steps up to {sweep.ladder[-1]:,} comes"
    many = none if matching is None else f"{matching} come"
    return (
        f"The digital sampler takes {sweep.chosen} steps, where its quality stops improving. From the start "
        f"states of this run {many} as near to the data as the analog samples do, give or take the "
        f"scatter of sets of that size."
    )


def carried(found: Findings) -> str:
    """Say by how much each assumption moves the ratio of the times, the strongest first."""
    sweep = found.steps
    factors = {
        "the time per sample, assumed in place of played": found.bench.seconds / found.projected.seconds,
        "the batch of the digital side": found.alone.seconds / found.large.seconds,
        "the calls of a library": found.alone.seconds / found.lean.seconds,
        f"{sweep.ladder[-1]:,} steps in place of {sweep.chosen}": sweep.ladder[-1] / sweep.chosen,
    }
    ordered = sorted(factors.items(), key=lambda pair: -pair[1])
    told = ", ".join(f"{number(factor)} times by {name}" for name, factor in ordered)
    return f"What moves the ratio of the times, the strongest first: {told}."


def energy(found: Findings) -> str:
    """Say which components carry the energy of both systems."""
    bench, projected = found.bench, found.projected
    share = 100 * projected.array_joule / projected.joule
    cells = "not known, for a waveform is missing" if isnan(share) else f"{share:.2g} % of that, as recorded"
    return (
        f"What carries the energy: on the bench as built {largest(bench.groups())} of "
        f"{energy_text(bench.joule)}; in the projected version {largest(projected.groups())} of "
        f"{energy_text(projected.joule)}. The cells are {cells}; all else stands on constants."
    )

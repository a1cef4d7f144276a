"""Bring together what is known of a run's time and energy: two accounts, baselines, claims, quality."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from protocols.ledger.account import AGREE, Account, account_of
from protocols.ledger.baseline import BATCHES, Digital, baselines, processor, samplers
from protocols.ledger.constants import Constants
from protocols.ledger.digital import Euler, Task, torch_sample
from protocols.ledger.published import Claim, claims
from protocols.ledger.sampled import Sampled
from protocols.ledger.steps import DATA, LADDER, Steps, reference, sweep
from rramlab.diffusion.metrics import Quality, quality, sliced_wasserstein
from rramlab.diffusion.threads import one_thread

FloatArray = NDArray[np.float64]
Watch = Callable[[str, int, int], None]


@final
@dataclass(frozen=True, eq=False)
class Findings:
    """Hold everything that the page tells; `quality` holds distances to the data by name of the samples."""

    sampled: Sampled
    bench: Account
    projected: Account
    steps: Steps
    digital: tuple[Digital, ...]
    quality: dict[str, Quality]
    claims: tuple[Claim, ...]
    machine: str
    matching: int | None

    @property
    def task(self) -> str:
        """Return which of the published tasks this run is: with classes, or without."""
        return "conditional" if self.sampled.score.classes else "unconditional"

    @property
    def own_claims(self) -> tuple[Claim, ...]:
        """Return the claims on the task of this run: ratios of another network say nothing of it."""
        return tuple(claim for claim in self.claims if claim.task == self.task)

    @property
    def alone(self) -> Digital:
        """Return the fastest baseline that makes one sample at a time with the calls of a library."""
        return min((d for d in self.digital if d.batch == 1 and not d.lean), key=lambda d: d.seconds)

    @property
    def lean(self) -> Digital:
        """Return the fastest baseline that makes one sample at a time, whatever it is made of."""
        return min((d for d in self.digital if d.batch == 1), key=lambda d: d.seconds)

    @property
    def large(self) -> Digital:
        """Return the baseline with the least time per sample, whatever its batch."""
        return min(self.digital, key=lambda d: d.seconds)

    @property
    def agrees(self) -> bool | None:
        """Tell whether ledger and record of the bench agree; None where the bench recorded no energy."""
        return None if isnan(self.bench.apart) else self.bench.apart <= AGREE


def findings_of(sampled: Sampled, watch: Watch, watt: float | None = None) -> Findings:
    """Return the findings of a run; the baselines are measured now, on this machine."""
    waveforms = sampled.waveforms()
    task, seed = Task.of(sampled.score, sampled.batches[0][0]), sampled.seed
    watch("steps of the digital baseline", 0, 1)
    steps = sweep(task, seed)
    watch("steps of the digital baseline", 1, 1)
    digital, total = [], len(samplers()) * len(BATCHES)
    for each in baselines(task, steps.chosen, seed, watt):
        digital.append(each)
        watch("digital baselines", len(digital), total)
    qualities, matching = compared(sampled, task, steps)
    return Findings(
        sampled=sampled,
        bench=account_of(waveforms, Constants.load("bench")),
        projected=account_of(waveforms, Constants.load("projected")),
        steps=steps,
        digital=tuple(digital),
        quality=qualities,
        claims=claims(),
        machine=processor(),
        matching=matching,
    )


def compared(sampled: Sampled, task: Task, steps: Steps) -> tuple[dict[str, Quality], int | None]:
    """Return distances to the data of analog and digital samples from the same start states.

    And the fewest digital steps that come as near as the analog samples, give or take the scatter of sets of
    that size; None if none of the ladder does.
    """
    run, result = sampled.batches[0]
    data = reference(task, DATA, sampled.seed)
    with one_thread():
        ends = {n: torch_sample(Euler.of(task, n), run.start, sampled.seed) for n in LADDER}
    shown = {f"digital, {n} steps": ends[n] for n in dict.fromkeys((steps.chosen, LADDER[-1]))}
    fresh = reference(task, len(run.start), sampled.seed + 1)
    sets: dict[str, ArrayLike] = {"analog": result.end, **shown, "fresh data": fresh}
    found = {name: quality(points, data) for name, points in sets.items()}
    limit = found["analog"].sliced_wasserstein + steps.scatter_of(len(run.start))
    matching = next((n for n, end in ends.items() if sliced_wasserstein(end, data) <= limit), None)
    return found, matching


def facts_of(found: Findings) -> dict[str, Any]:
    """Return the findings as plain numbers (SI)."""
    return {
        "run": str(found.sampled.folder),
        "finished": found.sampled.finished,
        "task": found.task,
        "samples": found.sampled.runs,
        "accounts": {"bench": _facts(found.bench), "projected": _facts(found.projected)},
        "array_joule_integrated": found.bench.array_joule,
        "array_joule_recorded": found.bench.recorded,
        "array_apart": found.bench.apart,
        "array_agrees": found.agrees,
        "steps": asdict(found.steps),
        "digital": [asdict(each) | {"measured": each.measured} for each in found.digital],
        "quality": {name: asdict(each) for name, each in found.quality.items()},
        "published": [asdict(claim) for claim in found.claims],
        "steps_as_near_as_analog": found.matching,
        "machine": found.machine,
    }


def _facts(account: Account) -> dict[str, Any]:
    entries = [asdict(entry) for entry in account.entries]
    return {
        "name": account.name,
        "seconds": account.seconds,
        "joule": account.joule,
        "watt": account.watt,
        "groups": account.groups(),
        "entries": entries,
    }

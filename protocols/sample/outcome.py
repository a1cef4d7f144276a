"""Hold what a run of the main job found."""

from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from protocols.comparison import Comparison, knows_ring
from protocols.ledger.account import Account
from protocols.ledger.power import stated
from protocols.network import Macro
from protocols.sample.request import Request
from protocols.sampling import Sampling
from protocols.write_verify.programmed import Programmed
from rramlab.diffusion.network import ScoreWeights
from rramlab.loop import LoopResult


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """Hold everything that a run of the main job found, for its page and its summary."""

    request: Request
    score: ScoreWeights
    macro: Macro
    programmed: list[Programmed]
    sampling: Sampling
    result: LoopResult
    comparison: Comparison
    account: Account


def weight_error(found: Outcome) -> float:
    """Return the rms error of a weight in use, over all layers (units of the network)."""
    pairs = zip(found.macro.written.layers, found.score.layers, strict=True)
    error = np.concatenate([(written - wanted).ravel() for written, wanted in pairs])
    return float(np.sqrt(np.mean(error**2)))


def facts_of(found: Outcome) -> dict[str, Any]:
    """Return the figures of a run as plain numbers."""
    return {
        "runs": found.request.runs,
        "kind": found.request.kind,
        "compared_with": "fresh data of the ring" if knows_ring(found.score) else "the digital sampler",
        "quality": {name: asdict(q) for name, q in found.comparison.quality.items()},
        "targets_clipped": found.macro.clipped,
        "weight_error_rms": weight_error(found),
        "analog_seconds_per_sample": found.account.seconds,
        "digital_seconds_per_sample": found.comparison.digital_seconds,
        "array_joule_per_sample": found.account.array_joule,
        "analog_joule_per_sample": found.account.joule,
        "digital_joule_per_sample": stated("cpu").watt * found.comparison.digital_seconds,
    }

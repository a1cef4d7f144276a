"""Read from a finished run what the account needs: network, conductances in use, closed-loop batches."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from protocols.ledger.waveforms import Waveforms, joined, waveforms_of
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import from_record
from rramlab.errors import RunError
from rramlab.loop import LoopResult, LoopRun
from rramlab.runfile import RunFile
from rramlab.tables import Table

FloatArray = NDArray[np.float64]

NUMBERS = ("gain", "volts", "tick")
COUNTS = ("kept", "stride")


@final
@dataclass(frozen=True, eq=False)
class Sampled:
    """Hold a run that closed the loop: folder, seed, network, its batches, the conductances in use (S).

    One that is not `finished` holds the samples that it came to.
    """

    folder: Path
    seed: int
    score: ScoreWeights
    batches: tuple[tuple[LoopRun, LoopResult], ...]
    conductance: FloatArray
    finished: bool = True

    @classmethod
    def open(cls, path: Path | str) -> "Sampled":
        """Return the run in a folder; RunError if it programmed no network or closed no loop."""
        file = RunFile.open(path)
        batches = tuple(loops(file))
        if not batches or not {"macro", "score"} <= set(file.kept):
            raise RunError(
                f"run '{file.path}' has no closed-loop samples of a network that it programmed; name a run "
                f"of 'demo', 'sample' or 'letters' that ended"
            )
        macro, score = file.kept["macro"], file.kept["score"]
        conductance = np.asarray(macro.columns["conductance"], float)
        network = from_record(score.columns, dict(score.facts))
        return cls(file.path, file.start.seed, network, batches, conductance, file.complete)

    @property
    def runs(self) -> int:
        """Return the number of samples."""
        return sum(len(result.end) for _, result in self.batches)

    @property
    def recorded(self) -> FloatArray:
        """Return the energy (J) that the bench recorded in the array for each sample, NaN where it cannot."""
        return np.concatenate([result.energy for _, result in self.batches])

    def waveforms(self) -> Waveforms:
        """Return the waveforms of all batches with the conductances that were measured in use."""
        return joined([waveforms_of(run, result, self.conductance) for run, result in self.batches])


def loops(file: RunFile, closed: bool = True) -> Iterator[tuple[LoopRun, LoopResult]]:
    """Yield the answered runs of more than one tick, or those of a single one: open-loop measurements."""
    table = file.tables["solves"]
    for row, number in enumerate(table.get("number", np.zeros(0, int)).tolist()):
        arrays = file.arrays("solves", number)
        if "end" in arrays and (len(arrays["drift"]) > 1) == closed:
            yield LoopRun.from_record(_facts(table, row), arrays), _result(arrays)


def _facts(table: Table, row: int) -> dict[str, Any]:
    facts = dict(json.loads(str(table["facts"][row])))
    facts |= {name: float(table[name][row]) for name in NUMBERS}
    return facts | {name: int(table[name][row]) for name in COUNTS}


def _result(arrays: Table) -> LoopResult:
    values = {name: np.asarray(array, float) for name, array in arrays.items()}
    hidden = tuple(values[name] for name in sorted(values) if name.startswith("hidden"))
    names = ("end", "time", "state", "output", "trace", "energy")
    return LoopResult(hidden=hidden, **{name: values[name] for name in names})

"""Let written cells relax, read them again and reopen those that left their target."""

import numpy as np

from protocols.write_verify.ledger import FloatArray, Index, Ledger
from protocols.write_verify.programmed import PassStatistics
from protocols.write_verify.spec import Spec
from rramlab.backend import Backend
from rramlab.outcome import Outcome

STUCK = (Outcome.UNFORMED, Outcome.STUCK_LOW, Outcome.STUCK_HIGH, Outcome.NO_RESPONSE, Outcome.UNKNOWN)


def settle(backend: Backend, ledger: Ledger, spec: Spec) -> None:
    """End a pass: wait, read all cells with many samples, keep the statistics, reopen the misses."""
    written = np.flatnonzero(~np.isin(ledger.outcome, STUCK))
    ledger.written[:] = ledger.reading
    right_after = ledger.reading[written] - ledger.targets[written]
    if spec.wait > 0:
        backend.wait(spec.wait)
    _verify(backend, ledger, spec)
    later = ledger.reading[written] - ledger.targets[written]
    ledger.number += 1
    if ledger.number < spec.passes:
        _reopen(ledger, written, later, spec)
    _write_down(ledger, right_after, later, spec)


def _verify(backend: Backend, ledger: Ledger, spec: Spec) -> None:
    size = spec.batch or max(len(ledger.cells), 1)
    for begin in range(0, len(ledger.cells), size):
        part = np.arange(begin, min(begin + size, len(ledger.cells)))
        ledger.reading[part] = backend.read(ledger.cells.take(part), spec.final_reading)


def _reopen(ledger: Ledger, written: Index, error: FloatArray, spec: Spec) -> None:
    missed = np.abs(error) > spec.reopen * spec.tolerance
    again = written[missed & (ledger.outcome[written] == Outcome.CONVERGED)]
    ledger.outcome[again] = Outcome.PENDING
    ledger.finished -= again.size


def _write_down(ledger: Ledger, written: FloatArray, settled: FloatArray, spec: Spec) -> None:
    inside = float((np.abs(settled) <= spec.tolerance).mean()) if settled.size else 1.0
    sums = int(ledger.pulses.sum()), int(ledger.reads.sum()), int(ledger.pending().size)
    ledger.statistics.append(PassStatistics(*sums, _sigma(written), _sigma(settled), inside))


def _sigma(error: FloatArray) -> float:
    return float(error.std()) if error.size else 0.0

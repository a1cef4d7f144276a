"""What the summary of the main job says of the programming."""

import numpy as np
import pytest

from protocols.comparison import Comparison
from protocols.ledger.account import Account
from protocols.network import Macro
from protocols.sample.outcome import Outcome, facts_of
from protocols.sample.report import programming_rows
from protocols.sample.request import Request
from protocols.sampling import Sampling
from protocols.write_verify.programmed import Programmed
from rramlab.cells import Cells
from rramlab.diffusion.store import ring_weights
from rramlab.loop import LoopResult
from rramlab.network_mapping import NetworkMapping
from rramlab.outcome import Outcome as End

SCORE = ring_weights()


def programmed(cells: int, pulses: int) -> Programmed:
    target, counts = np.full(cells, 50e-6), np.full(cells, pulses, np.int32)
    ended = np.full(cells, End.CONVERGED, np.uint8)
    where = Cells.grid(range(1), range(cells))
    return Programmed(where, target, target, target, ended, counts, counts, np.zeros(cells), 1.0, ())


def outcome(clipped: int) -> Outcome:
    mapping = NetworkMapping.fit(SCORE)
    w1, w2, w3 = SCORE.layers
    macro = Macro(mapping, np.zeros(mapping.shape), SCORE.with_layers(w1 + 0.1, w2, w3), clipped)
    none = np.zeros((0, 2))
    result = LoopResult(none, np.zeros(0), none, (), none, none, np.zeros(0))
    writings = [programmed(8, 3), programmed(4, 1)]
    comparison = Comparison({}, {}, 0.0)
    account = Account("bench", 1.0, ())
    return Outcome(Request(), SCORE, macro, writings, Sampling(), result, comparison, account)


def test_clipped_targets_are_told_where_there_are_any() -> None:
    assert ["targets clipped to the window", "3"] in programming_rows(outcome(3))
    assert not any("clipped" in what for what, _ in programming_rows(outcome(0)))
    assert [facts_of(outcome(n))["targets_clipped"] for n in (0, 3)] == [0, 3]


def test_pulses_of_the_trim_count_for_the_cells_of_the_weights() -> None:
    rows = dict(programming_rows(outcome(0)))
    assert rows["pulses per cell"] == "3.50"
    assert rows["weights, cells"] == f"{sum(layer.size for layer in SCORE.layers)}, 8"


def test_the_error_of_a_weight_is_the_rms_over_all_layers() -> None:
    share = SCORE.w1.size / sum(layer.size for layer in SCORE.layers)
    assert facts_of(outcome(0))["weight_error_rms"] == pytest.approx(0.1 * share**0.5)

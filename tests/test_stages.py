"""A run of the main job that takes a macro over goes on from what it kept itself."""

from types import SimpleNamespace

import numpy as np
import pytest

from protocols.sample.request import Request
from protocols.stages import Stages, kept_score, network_of, source_of
from rramlab.bench import Bench
from rramlab.contents import Kept
from rramlab.diffusion.store import ring_weights
from rramlab.errors import RunError
from rramlab.network_mapping import NetworkMapping

SCORE = ring_weights()
MINE = SCORE.with_layers(2 * SCORE.w1, SCORE.w2, SCORE.w3)
MAPPING = NetworkMapping.fit(MINE)


def plane() -> np.ndarray:
    found = np.full(MAPPING.shape, np.nan)
    for targets in (MAPPING.reference_targets(), MAPPING.weight_targets(MINE)):
        found[targets.cells.row, targets.cells.col] = targets.conductances
    return found


def kept(**facts: int) -> dict[str, Kept]:
    arrays, units, numbers = kept_score(MINE)
    return {
        "score": Kept(dict(arrays), units, numbers),
        "mapping": Kept({"usable": np.ones((96, 32), bool)}, {}, MAPPING.to_dict()),
        "macro": Kept({"conductance": plane()}, {"conductance": "S"}, facts),
    }


def test_a_run_that_kept_the_macro_does_not_ask_for_the_earlier_one_again() -> None:
    request, found = Request(after="gone"), kept()
    assert source_of(request, found) is found
    np.testing.assert_array_equal(network_of(request, found).w1, MINE.w1)
    with pytest.raises(RunError, match="gone"):
        source_of(request, {"score": found["score"]})


def test_a_run_of_its_own_has_no_other_source() -> None:
    assert source_of(Request(), {}) == {}
    np.testing.assert_array_equal(network_of(Request(), {}).w1, SCORE.w1)
    np.testing.assert_array_equal(network_of(Request(), kept()).w1, MINE.w1)


def test_a_macro_that_is_taken_over_is_kept_for_the_next() -> None:
    told: dict[str, Kept] = {}

    def keep(name, columns, units=None, facts=None):
        told[name] = Kept(columns, units or {}, facts or {})

    work = SimpleNamespace(run=SimpleNamespace(keep=keep), backend=SimpleNamespace(forgets=True))
    stages = Stages(work, Request(after="a"), MINE, np.random.default_rng(0))  # type: ignore[arg-type]
    macro, done = stages.taken_over(kept(clipped=3), print)
    assert done == []
    assert macro.mapping == MAPPING
    assert macro.clipped == told["macro"].facts["clipped"] == 3
    np.testing.assert_allclose(macro.written.w1, MINE.w1, atol=1e-9)
    np.testing.assert_array_equal(told["macro"].columns["conductance"], plane())
    assert told["mapping"].facts == MAPPING.to_dict()


def real(found: np.ndarray) -> Stages:
    """Return stages on a bench that keeps its macro, whose products show these conductances."""
    backend = SimpleNamespace(
        forgets=False,
        shape=found.shape,
        macro_shape=(32, 32),
        multiply=lambda volts, macro: volts @ np.nan_to_num(found)[32 * macro : 32 * macro + 32],
    )
    run = SimpleNamespace(keep=lambda *what, **more: None)
    work = SimpleNamespace(run=run, backend=backend, bench=Bench.load(None), kept=lambda name: None)
    return Stages(work, Request(after="a"), MINE, np.random.default_rng(0))  # type: ignore[arg-type]


def test_a_real_macro_is_measured_again_before_it_is_taken_over() -> None:
    drifted = plane() - 0.5e-6
    macro, _ = real(drifted).taken_over(kept(), lambda *told: None)
    cells = MAPPING.reference_targets().cells
    np.testing.assert_allclose(macro.measured[cells.row, cells.col], drifted[cells.row, cells.col])


def test_a_real_macro_that_was_programmed_since_is_not_sampled_for_another() -> None:
    found = plane()
    found[:32] = 90e-6  # only the first layer
    with pytest.raises(RunError, match="no longer in these macros"):
        real(found).taken_over(kept(), lambda *told: None)

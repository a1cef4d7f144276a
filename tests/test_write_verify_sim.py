"""The strategies on the simulated macro: bounds with room for chance, seeds fixed."""

import numpy as np
import pytest

from protocols.write_verify import Adaptive, GateStaircase, Ispva, PingPong, Spec, WriteVerify
from rramlab.cells import Cells
from rramlab.outcome import Outcome
from sim_backend import SimBackend
from sim_backend.options import Options

SHAPE = (32, 32)


def program(strategy, chip=1, spec=None, preset="taox180"):
    bench = SimBackend(Options(macros=1, chip=chip, preset=preset), seed=chip)
    targets = np.random.default_rng(chip).uniform(20e-6, 100e-6, 1024)
    with bench:
        result = WriteVerify(bench, strategy, spec or Spec(passes=1)).program(Cells.of_shape(SHAPE), targets)
    return result, ~bench.array.population.stuck


# Mean pulses of 1014 cells have a standard error of 0.05 (adaptive) to 0.7 (ISPVA); the bounds are more than
# five of them away from what ten macros gave (3.1, 14.4, 28.8, 23.3), odds of a false alarm below 1e-6.
@pytest.mark.parametrize(
    ("strategy", "least", "most", "p99"),
    [
        (Adaptive(), 2.5, 3.7, 14),
        (PingPong(), 12, 17, 60),
        (GateStaircase(), 25, 33, 70),
        (Ispva(), 19, 28, 100),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_pulses_per_cell_are_those_known(strategy, least, most, p99):
    result, good = program(strategy)
    assert least < result.pulses[good].mean() < most
    assert np.percentile(result.pulses[good], 99) <= p99
    assert (result.reads <= 2 * result.pulses + 3).all()
    # Some 0.3 % of cells have a window too small for their target; 1.5 % of 1014 is 9 sigma away.
    assert result.converged[good].mean() > 0.985


def test_the_goals_of_the_default_strategy():
    result, good = program(Adaptive(), chip=2, spec=Spec(passes=3))
    # Standard error of a share of 0.975 of 1014 cells: 0.5 %.
    assert (np.abs(result.error[good]) <= 1e-6).mean() > 0.95
    # Strong telegraph cells (1 %) make the tail: the middle of the distribution is the steady measure.
    assert np.percentile(np.abs(result.error[good]), 68.3) < 0.6e-6
    shares = [line.share_settled for line in result.passes]
    assert shares[0] < shares[1] <= shares[2] + 0.01
    assert result.pulses[good].mean() < 5.5 and result.reads[good].mean() < 9


def test_stuck_cells_are_named():
    result, good = program(Adaptive(), chip=3)
    assert (~good).any()
    bad = {Outcome.UNFORMED, Outcome.STUCK_HIGH, Outcome.STUCK_LOW, Outcome.NO_RESPONSE}
    # A cell stuck within 1 uS of its target is in order; the odds are 2 %.
    assert np.isin(result.outcome[~good], [*bad, Outcome.CONVERGED]).all()
    assert result.pulses[~good].max() <= 20


@pytest.mark.parametrize("shift", [-0.1, 0.1])
def test_a_macro_off_the_typical_one_costs_hardly_more(tmp_path, shift):
    off = 1 + shift
    lines = [f"{k} = {v * off}" for k, v in (("set_v0", 0.55), ("set_slope", 0.25), ("reset_v0", 0.55))]
    preset = tmp_path / "off.toml"
    text = 'base = "taox180"\nname = "off"\ndescription = "all voltages shifted"\n[kinetics]\n'
    preset.write_text(text + "\n".join(lines))
    result, good = program(Adaptive(), preset=str(preset))
    assert result.pulses[good].mean() < 4.0 and result.converged[good].mean() > 0.98


def test_the_same_seed_gives_the_same_macro():
    one, two = program(Adaptive(), chip=4)[0], program(Adaptive(), chip=4)[0]
    assert np.array_equal(one.achieved, two.achieved) and np.array_equal(one.pulses, two.pulses)

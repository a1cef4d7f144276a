import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.write_verify import Choice, typical
from protocols.write_verify.bounds import GATE_SET, Bounds
from protocols.write_verify.common import Common
from protocols.write_verify.energy import pulse_energy
from rramlab.cells import Cells
from rramlab.limits import Limits


def landed(law, x, drive):
    end = np.interp(drive, law.drives, law.ends)
    depth = np.interp(x, law.ends, law.depths)
    return depth * np.logaddexp(0.0, (end - x) / depth)


@pytest.mark.parametrize("law", [typical.SET, typical.RESET], ids=["set", "reset"])
@given(start=st.floats(0.1, 0.6), step=st.floats(0.01, 0.3))
def test_the_drive_for_a_step_lands_that_step(law, start, step):
    span = law.ends[-1] - law.ends[0]
    x, wanted = np.array([law.ends[0] + start * span]), np.array([step * span])
    assert landed(law, x, law.drive(x, wanted)) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("law", [typical.SET, typical.RESET], ids=["set", "reset"])
def test_a_further_step_needs_more_drive_and_a_smaller_one_says_less(law):
    x = np.full(50, law.ends[5])
    step = np.linspace(0.01, 0.5, 50) * (law.ends[-1] - law.ends[5])
    assert (np.diff(law.drive(x, step)) > 0).all()
    blur = np.full(50, (0.01 * (law.ends[-1] - law.ends[0])) ** 2)
    variance = law.variance(x, step, blur)
    assert (variance > law.jitter**2).all() and variance[0] > variance[10]


def test_what_the_cells_share_is_found_and_the_first_guess_forgotten():
    sums = Common.nothing()
    common = Common(sums)
    rng = np.random.default_rng(0)
    assert common.mean(np.array([0.5]))[0] == 0.0
    z = rng.uniform(-1, 1, 200)
    common.learn(z, 0.1 + 0.03 * z + rng.normal(0, 0.04, 200), np.full(200, 0.04**2))
    # Standard errors 0.003 and 0.005: five sigma.
    assert common.mean(np.array([0.0]))[0] == pytest.approx(0.1, abs=0.015)
    assert common.mean(np.array([1.0]))[0] == pytest.approx(0.13, abs=0.03)
    assert common.variance() < 0.005**2


@settings(max_examples=60, deadline=None)
@given(
    up=st.booleans(), drive=st.floats(0.1, 4.0), gate=st.floats(0.5, 4.0), width=st.floats(1e-8, 1e-3),
    i_set=st.floats(20e-6, 200e-6), i_reset=st.floats(20e-6, 300e-6), energy=st.floats(1e-12, 5e-9),
)  # fmt: skip
def test_bounds_make_any_choice_one_that_the_limits_admit(up, drive, gate, width, i_set, i_reset, energy):
    limits = Limits(i_set=i_set, i_reset=i_reset, energy=energy)
    asked = Choice(np.array([0 if up else 1], np.uint8), *(np.array([v]) for v in (drive, gate, width)),
                   np.array([False]))  # fmt: skip
    sent = Bounds(limits).inside(asked)
    limits.check_train(sent.train(Cells(np.array(0), np.array(0))))
    assert sent.drive <= drive and sent.gate <= gate and sent.width <= width
    assert not up or sent.gate <= GATE_SET
    lowered = sent.drive[0] < drive - 1e-9 or sent.gate[0] < gate - 1e-9
    assert bool(sent.strong[0]) == lowered


def test_energy_is_drive_times_current_times_width():
    choice = Choice(np.array([0, 1], np.uint8), np.array([2.0, 1.0]), np.array([1.2, 3.3]),
                    np.array([1e-6, 2e-6]), np.zeros(2, bool))  # fmt: skip
    train = choice.train(Cells(np.array([0, 0]), np.array([0, 1])))
    # The gate of 1.2 V saturates at 170 uA/V^2 / 2 x (0.5 V)^2 = 21 uA; the RESET sees 1 V on 20 uS at most.
    energy = pulse_energy(train, np.array([50e-6, 20e-6]), Limits())
    assert energy == pytest.approx([2.0 * 21.25e-6 * 1e-6, 1.0 * 20e-6 * 2e-6], rel=0.01)

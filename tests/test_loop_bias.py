"""A constant beside the noise channels takes out what the circuit adds by itself."""

from dataclasses import replace

import numpy as np
import pytest

from rramlab.board_protocol.loop import pack_problem, unpack_problem
from rramlab.errors import InputError
from rramlab.loop import Coefficients, LoopRun, Region
from sim_backend.backend import SimBackend
from sim_backend.loop.dac import carried, held
from sim_backend.options import LoopOptions, Options

TICKS = 200
QUIET = LoopOptions(
    rc_error=0.0, leak=0.0, offset=0.0, multiplier_gain=0.0, multiplier_offset=0.0, read_noise=False
)


def still(bias: np.ndarray) -> LoopRun:
    """Return a run of one second in which nothing but the bias moves the state."""
    none = np.zeros(TICKS)
    layers = (
        Region(tuple(range(2)), tuple(range(15))),
        Region(tuple(range(32, 46)), tuple(range(15))),
        Region(tuple(range(64, 78)), tuple(range(3))),
    )
    coefficients = Coefficients(5e-3, none, none, np.zeros((TICKS, 14)), none, bias)
    return LoopRun(layers, (2e-5,) * 3, 5.0, 0.05, np.zeros((1, 2)), coefficients, kept=1)


def ended(run: LoopRun, bits: int) -> np.ndarray:
    """Return where the state of a run ends on a circuit without errors."""
    backend = SimBackend(Options(loop=QUIET.model_copy(update={"dac_bits": bits})))
    with backend:
        return backend.solve(run).end[0]


def test_an_ideal_converter_plays_the_bias_as_it_is() -> None:
    wanted = np.array([0.3, -0.2])
    assert ended(still(np.tile(wanted, (TICKS, 1))), bits=0) == pytest.approx(wanted, rel=2e-4)  # finite gain


def test_a_bias_below_a_code_arrives_on_the_average() -> None:
    # A code of the noise channel is 10 V / 2048, which moves the state by 0.1 units a second.
    wanted = np.array([0.013, -0.031])
    assert ended(still(np.tile(wanted, (TICKS, 1))), bits=12) == pytest.approx(wanted, abs=1e-3)


def test_what_is_carried_is_right_to_half_a_code_at_every_tick() -> None:
    rng = np.random.default_rng(3)
    values = rng.uniform(-0.5, 0.5, (100, 2))
    played = held(carried(values, 12), 12)
    assert np.abs(np.cumsum(played - values, axis=0)).max() <= 0.5 / 2048 + 1e-12


def test_a_bias_travels_in_the_record_and_over_the_wire() -> None:
    run = still(np.random.default_rng(1).normal(size=(TICKS, 2)).astype(np.float32).astype(float))
    facts, columns = run.record()
    assert (LoopRun.from_record(facts, columns).coefficients.bias == run.coefficients.bias).all()
    assert (unpack_problem(pack_problem(run), run.start).coefficients.bias == run.coefficients.bias).all()


def test_a_run_without_bias_is_written_as_before() -> None:
    run = still(np.zeros((TICKS, 2)))
    facts, columns = run.record()
    assert "bias" not in columns
    assert not LoopRun.from_record(facts, columns).coefficients.bias.any()
    assert len(pack_problem(still(np.ones((TICKS, 2))))) == len(pack_problem(run)) + 4 * TICKS * 2
    assert not unpack_problem(pack_problem(run), run.start).coefficients.bias.any()


def test_a_moment_of_a_run_keeps_its_bias() -> None:
    ramp = np.linspace(0.0, 1.0, TICKS)[:, None] * np.ones(2)
    assert still(ramp).moment(0.5).coefficients.bias == pytest.approx(ramp[100:101])


def test_a_bias_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="one value per tick"):
        replace(still(np.zeros((TICKS, 2))).coefficients, bias=np.zeros((3, 2)))

"""Hidden errors of the simulated bench: the formulas by hand, the seed, and an ideal bench as it was."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from sim_worlds import IDEAL, bench

from rramlab.cells import Cells
from rramlab.loop import Region
from rramlab.reading import ReadSpec, Staircase
from sim_backend.backend import SimBackend
from sim_backend.converter import Converters
from sim_backend.errors import BenchErrors
from sim_backend.options import ErrorOptions, LoopOptions, Options
from sim_backend.preset import Preset

FloatArray = NDArray[np.float64]
SEVEN = ErrorOptions(seed=7)
SIZE: dict[str, Any] = {"macros": 2, "rows": 4, "cols": 6}
OHM = 12_500.0
CELL = Cells.parse("r6c3")  # row 2 of macro 1


def by_hand(x: float, gain: float, offset: float, inl: FloatArray, scale: float) -> float:
    u = x / scale
    bent = inl[0] * (3 * u * u - 1) / 2 + inl[1] * (5 * u**3 - 3 * u) / 2
    return float(x * (1 + gain) + offset + scale * bent)


def resistor(folder: Path, **options: Any) -> SimBackend:
    """Return a bench with one resistor, in r6c3, and lines without resistance unless told otherwise."""
    file = folder / "card.csv"
    file.write_text(f"row,col,ohm\n6,3,{OHM}\n")
    lines = {"r_line": 0.0, "r_switch": 0.0}
    return SimBackend(Options(**SIZE | lines | {"card": str(file), "errors": SEVEN} | options))


def truth(backend: SimBackend) -> BenchErrors:
    assert backend.errors is not None
    return backend.errors


def dac(e: BenchErrors, volts: float, row: int, macro: int = 1) -> float:
    return by_hand(volts, e.dac.gain[macro, row], e.dac.offset[macro, row], e.dac.inl[macro], 0.4)


def adc(found: Converters, amperes: float, scale: float) -> float:
    assert found.scale == scale
    return by_hand(amperes, found.gain[1, 3], found.offset[1, 3], found.inl[1], scale)


# The formulas.


@pytest.mark.parametrize("volts", [0.2, 0.05, -0.15])
def test_a_reading_is_driven_by_its_row_and_sensed_by_its_column(tmp_path: Path, volts: float) -> None:
    with resistor(tmp_path) as backend:
        found, e = backend.read(CELL, ReadSpec(volts))[0], truth(backend)
    assert found == pytest.approx(adc(e.adc_read, dac(e, volts, 2) / OHM, 60e-6) / volts, rel=1e-6)
    assert abs(found * OHM - 1) > 1e-3


def test_a_product_has_the_errors_of_all_its_rows_and_of_the_other_range(tmp_path: Path) -> None:
    volts = np.array([[0.2, 0.1, 0.15, 0.0], [0.0, 0.0, -0.2, 0.0]])
    with resistor(tmp_path) as backend:
        found, e = backend.multiply(volts, 1)[:, 3], truth(backend)
    for current, rows in zip(found, volts, strict=True):
        true = sum(dac(e, v, r) / (OHM if r == 2 else 1e9) for r, v in enumerate(rows))
        assert current == pytest.approx(adc(e.adc_product, true, 1e-3), rel=1e-6)


def test_a_sweep_has_the_errors_of_the_source_meter_alone(tmp_path: Path) -> None:
    volts = np.linspace(-0.5, 0.5, 11)
    with resistor(tmp_path) as backend:
        found, m = backend.sweep(CELL, Staircase(volts, 3.3, 1e-4)), truth(backend).meter
    true = (volts * (1 + m.gain_v) + m.offset_v) / OHM
    assert np.allclose(found.current, true * (1 + m.gain_i) + m.offset_i, rtol=1e-9, atol=1e-14)
    assert (found.voltage == volts).all() and not found.limited.any()


def test_in_compliance_the_reading_of_the_meter_is_the_compliance(tmp_path: Path) -> None:
    coarse = ErrorOptions(seed=3, meter_gain_i=0.01, meter_offset_i=1e-6)
    with resistor(tmp_path, errors=coarse) as backend:
        found = backend.sweep(CELL, Staircase(np.array([1.0, -1.0]), 3.3, 40e-6))
    assert found.limited.all()
    # Fourteen halvings of 80 uA.
    assert np.allclose(found.current, [40e-6, -40e-6], rtol=0, atol=80e-6 / 2**13)


def test_lines_and_switches_are_those_of_the_bench(tmp_path: Path) -> None:
    with resistor(tmp_path, r_line=2.0, r_switch=30.0) as backend:
        e, index = truth(backend), np.asarray(CELL.flat(6))
        path = 1 / backend.array.conductance(index, 0.2, 3.3, 0.0)[0]
    series = 30.0 * e.switch_factor + 2.0 * e.line_factor * (3 + 4)
    assert path == pytest.approx(OHM + series, rel=1e-6) and abs(series - 44) > 1


def test_transistors_of_the_chip_are_those_of_the_bench() -> None:
    nominal = Preset.load("taox180").transistor
    one, ideal = SimBackend(Options(**SIZE, errors=SEVEN)), SimBackend(Options(**SIZE))
    e, found = truth(one), one.array.population.preset.transistor
    assert (found.kp, found.vt0) == (nominal.kp * e.beta_factor, nominal.vt0 + e.vt_shift)
    shift = one.array.population.cells.vt - ideal.array.population.cells.vt
    assert np.allclose(shift, e.vt_shift, atol=1e-6) and abs(e.vt_shift) > 1e-4


def test_cells_keep_their_noise_and_their_life_behind_the_errors() -> None:
    spreads = {name: 0.0 for name in ErrorOptions.model_fields if name != "seed"}
    quiet = ErrorOptions(**spreads | {"seed": 1, "adc_gain": 0.05})
    with bench(**SIZE, errors=quiet) as one, bench(**SIZE) as ideal:
        cells = Cells.of_shape(one.shape)
        gain = 1 + truth(one).adc_read.gain[cells.row // 4, cells.col]
        assert np.allclose(one.read(cells), gain * ideal.read(cells), rtol=1e-6)


# The seed.


def same(one: BenchErrors, other: BenchErrors) -> bool:
    def values(e: BenchErrors) -> list[Any]:
        parts: list[Any] = [e.dac, e.adc_read, e.adc_product, e.meter]
        numbers = [e.line_factor, e.switch_factor, e.beta_factor, e.vt_shift]
        return numbers + [getattr(part, field.name) for part in parts for field in fields(part)]

    return all(np.array_equal(a, b) for a, b in zip(values(one), values(other), strict=True))


def test_the_seed_is_the_bench_and_not_the_chip() -> None:
    one = SimBackend(Options(**SIZE, errors=SEVEN), seed=1)
    again = SimBackend(Options(**SIZE, errors=SEVEN, chip=5), seed=2)
    other = SimBackend(Options(**SIZE, errors=ErrorOptions(seed=8)), seed=1)
    assert same(truth(one), truth(again)) and not same(truth(one), truth(other))
    loops = [backend.loop.fingerprint() for backend in (one, again, other)]
    assert (loops[0] == loops[1]).all() and not (loops[0] == loops[2]).any()
    assert again.loop.array is again.array


def test_errors_have_the_spread_that_is_asked_for() -> None:
    e = BenchErrors.draw(SEVEN, 40, 32, 32)
    # 1280 numbers each: standard error 2 %; 80 for the nonlinearities: 8 %. Five sigma.
    for found, wanted in (
        (e.dac.gain, 0.003), (e.dac.offset, 0.3e-3), (e.adc_read.gain, 0.02), (e.adc_product.gain, 0.02),
        (e.adc_read.offset, 0.3e-6), (e.adc_product.offset, 5e-6),
    ):  # fmt: skip
        assert found.shape == (40, 32) and found.std() == pytest.approx(wanted, rel=0.1)
    assert e.dac.inl.std() == pytest.approx(0.0003, rel=0.4)
    assert e.adc_product.inl.std() == pytest.approx(0.001, rel=0.4)
    assert np.corrcoef(e.adc_read.gain.ravel(), e.adc_product.gain.ravel())[0, 1] < 0.15
    many = [BenchErrors.draw(ErrorOptions(seed=seed), 1, 1, 1) for seed in range(400)]
    # 400 numbers each: standard error 3.5 %; five sigma.
    assert np.std([np.log(b.line_factor) for b in many]) == pytest.approx(0.2, rel=0.18)
    assert np.std([np.log(b.switch_factor) for b in many]) == pytest.approx(0.3, rel=0.18)
    assert np.std([np.log(b.beta_factor) for b in many]) == pytest.approx(0.05, rel=0.18)
    assert np.std([b.vt_shift for b in many]) == pytest.approx(0.02, rel=0.18)
    assert np.std([b.meter.offset_i for b in many]) == pytest.approx(5e-9, rel=0.18)


def test_who_answers_is_named_by_the_seed() -> None:
    who = SimBackend(Options(**SIZE, errors=SEVEN)).identify()
    assert (who["serial"], who["board"], who["meter"]) == ("sim-1", "sim-board-7", "sim-meter-7")
    assert not {"board", "meter", "macro"} & SimBackend(Options(**SIZE)).identify().keys()


def test_a_macro_is_remembered_and_the_errors_of_its_bench_stay() -> None:
    options = Options(**SIZE, errors=SEVEN)
    with SimBackend(options, seed=1) as one, SimBackend(options, seed=2) as heir:
        one.read_all()
        heir.restore(one.memory())
        assert heir.now() == one.now() and same(truth(one), truth(heir))
        index = np.arange(48)
        seen = [b.array.conductance(index, 0.2, 3.3, b.now()) for b in (one, heir)]
    assert (seen[0] == seen[1]).all()


@pytest.mark.parametrize("wrong", [{}, {"seed": -1}, {"seed": 1, "adc_gain": 3.0}, {"seed": 1, "gain": 0.1}])
def test_errors_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options(errors=wrong)


# An ideal bench.


def test_without_errors_the_bits_are_those_of_the_physics_alone() -> None:
    with SimBackend(Options(**SIZE), seed=3) as backend:
        twin, rng, cells = SimBackend(Options(**SIZE)).array, np.random.default_rng(3), Cells.of_shape((8, 6))
        found = backend.read(cells, ReadSpec())
        alone = twin.read(np.arange(48), 0.2, 3.3, 1e-3 * np.arange(48), 1e-3, rng)
        assert backend.errors is None and (found == alone.astype(np.float32)).all()
        assert (twin.r_line, twin.r_switch) == (1.0, 10.0)
        assert twin.population.preset == Preset.load("taox180")


def test_without_errors_the_circuit_is_that_of_the_chip() -> None:
    loop, rng = SimBackend(Options(**SIZE, chip=4)).loop, np.random.default_rng([4, 2])
    drawn = [rng.normal(0.0, sd, 2) for sd in (0.002, 1e-4, 0.002, 1e-4, 0.002, 1e-4)]
    c = loop.circuit
    found = [
        c.integrator.rc_error, c.integrator.offset, c.f_multiplier.gain_error, c.f_multiplier.offset,
        c.g_multiplier.gain_error, c.g_multiplier.offset,
    ]  # fmt: skip
    assert all(np.array_equal(a, b) for a, b in zip(found, drawn, strict=True))
    assert np.array_equal(c.integrator.leak, [1e3, 1e3]) and not loop.tia_offset.any()


# The loop.


def test_each_column_of_a_layer_has_the_offset_of_its_amplifier() -> None:
    loop = LoopOptions(tia_offset=1e-3, leak=0.01, leak_spread=0.1)
    backend = SimBackend(Options(**SIZE, errors=SEVEN, loop=loop))
    assert backend.loop.tia_offset.shape == (2, 6)
    layer = backend.loop._layer(Region((4, 6), (1, 5, 2)), 2e-5, 0.0, 1.0, 0.1)
    assert np.array_equal(layer.offset, backend.loop.tia_offset[1, [1, 5, 2]])
    # 12 numbers: standard error 20 %; four sigma.
    assert backend.loop.tia_offset.std() == pytest.approx(1e-3, rel=0.8)
    leak = np.asarray(backend.loop.circuit.integrator.leak)
    assert leak.shape == (2,) and leak[0] != leak[1] and np.allclose(leak, 100.0, rtol=0.6)


def test_no_other_error_of_the_loop_moves_when_an_offset_is_asked_for() -> None:
    more = LoopOptions(tia_offset=1e-3, leak_spread=0.1)
    one, other = (SimBackend(Options(**SIZE, errors=SEVEN, loop=loop)).loop for loop in (more, LoopOptions()))
    assert np.array_equal(one.fingerprint(), other.fingerprint())
    assert np.isinf(np.asarray(bench(**SIZE, loop=IDEAL).loop.circuit.integrator.leak)).all()

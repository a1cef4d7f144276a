"""The read chain: found exactly where nothing is noisy, and within its intervals where everything is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from read_chains import READING, calibrated, conductance_errors, deviations, hidden_bench, truth
from read_chains import recorded as record_of

from calibration.cells import Pattern
from calibration.readout.card import Card
from calibration.readout.procedure import Readout
from calibration.readout.visit import levels, steps_of
from rramlab.cells import Cells
from rramlab.corrections.converter import DRIVE_SCALE, READ_SCALE, erred
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.errors import CalibrationError, InputError, Unsupported
from rramlab.pulse import Columns
from sim_backend.backend import SimBackend

Calibrated = tuple[SimBackend, list[Columns], Record]


@pytest.fixture(scope="module")
def bench() -> Calibrated:
    backend = hidden_bench(7, rows=12, cols=8, macros=2)
    return backend, *calibrated(backend)


def quiet_parts(values: dict[str, np.ndarray], meter: tuple[float, float]) -> list[Columns]:
    """Return what a bench without any noise would have measured, of cells with a cubic curve."""
    rows, cols = values["dac_gain"].shape[1], values["adc_gain"].shape[1]
    row, col = np.nonzero(np.isfinite(Pattern(rows, cols).targets()))
    cell = Pattern(rows, cols).targets()[row, col]
    bent = 2.0 * np.exp(-cell / 38e-6)

    def current(volts: np.ndarray) -> np.ndarray:
        return cell[:, None] * volts * (1.0 + bent[:, None] * volts**2 - 0.02 * volts)

    volts, at_meter = levels(READING), steps_of(levels(READING))
    nominal = np.broadcast_to(volts, (len(row), len(volts)))
    v = values
    driven = erred(
        nominal,
        v["dac_gain"][0, row][:, None],
        v["dac_offset"][0, row][:, None],
        v["dac_inl"][0],
        DRIVE_SCALE,
    )
    seen = erred(
        current(driven),
        v["adc_gain"][0, col][:, None],
        v["adc_offset"][0, col][:, None],
        v["adc_inl"][0],
        READ_SCALE,
    )
    part = {
        "macro": np.zeros(len(row), dtype=int),
        "row": row,
        "col": col,
        "volts": volts,
        "gate": np.array(3.3),
        "samples": np.array(4),
        "raw": np.tile((seen / volts).T, (4, 1, 1)),
        "read_at": np.tile(np.arange(4.0)[:, None], (1, len(row))),
        "sweep_volts": at_meter,
        "sweep_current": current(at_meter[None, :] + meter[0]) + meter[1],
        "compared_at": np.full(len(row), 1.5),
        "usable": np.ones(len(row), dtype=bool),
        "programmed": np.array(0),
        "bench": np.array([1, rows, cols]),
    }
    return [part]


def test_without_noise_all_errors_are_found_exactly() -> None:
    backend = hidden_bench(3, rows=8, cols=8)
    true = truth(backend)
    found = Readout(READING).evaluate(quiet_parts(true, (8e-5, -4e-9)), {})
    # Only the priors pull, by parts in a million, and the meter's offsets are seen to a part in a million.
    for name, scale in {"dac_gain": 3e-3, "dac_offset": 3e-4, "adc_gain": 0.02, "adc_offset": 3e-7}.items():
        assert found.values[name] == pytest.approx(true[name], abs=1e-4 * scale)
    assert found.values["dac_inl"] == pytest.approx(true["dac_inl"], abs=1e-6)
    assert found.values["adc_inl"] == pytest.approx(true["adc_inl"], abs=1e-6)
    told = found.conditions["standard_found"]
    assert told["offset_v"][0] == pytest.approx(8e-5, abs=1e-9)
    assert told["offset_i"][0] == pytest.approx(-4e-9, abs=1e-13)


def test_converters_that_are_bent_tenfold_are_found_all_the_same() -> None:
    true = truth(hidden_bench(3, rows=8, cols=8))
    true |= {"adc_inl": np.array([[0.012, -0.008]]), "dac_inl": np.array([[0.002, 0.003]])}
    found = Readout(READING).evaluate(quiet_parts(true, (0.0, 0.0)), {})
    assert found.values["adc_inl"] == pytest.approx(true["adc_inl"], abs=1e-5)
    assert found.values["dac_inl"] == pytest.approx(true["dac_inl"], abs=1e-5)


def test_every_error_lies_within_its_uncertainty_of_the_truth(bench: Calibrated) -> None:
    backend, _, record = bench
    for name, apart in deviations(backend, record).items():
        # 117 values; one normal deviate lies beyond 4.5 once in 150 000 cases: false alarm below 1 in 1000.
        assert np.abs(apart).max() < 4.5, name


def test_conductance_errors_of_several_percent_become_two_tenths(bench: Calibrated) -> None:
    backend, _, record = bench
    after, before, true = conductance_errors(backend, {"readout": record})
    allowed = 0.002 * true + 0.05e-6
    assert np.sqrt(np.mean((before / true) ** 2)) > 0.02
    # Of 60 benches of 96 cells the worst had 0.4 and 0.8 here.
    assert np.sqrt(np.mean((after / allowed) ** 2)) < 0.7
    assert np.quantile(np.abs(after) / allowed, 0.95) < 1.0


def test_the_stated_uncertainty_of_a_conductance_is_of_the_size_of_its_error(bench: Calibrated) -> None:
    backend, _, record = bench
    after, _, true = conductance_errors(backend, {"readout": record})
    cells = Cells.of_shape(backend.shape)
    long = replace(READING, samples=10_000)  # the noise of the chain is not the calibration's
    u = Correction({"readout": record}).uncertainty(cells, long, np.full(len(cells), 60e-6))
    assert 0.5 < np.sqrt(np.mean(after**2)) / np.median(u) < 2.0
    assert np.median(true) == pytest.approx(60e-6, rel=0.3)


def test_the_same_measurement_gives_the_same_bits(bench: Calibrated) -> None:
    _, parts, record = bench
    again = record_of(Readout(READING), [dict(part) for part in parts], {})
    assert all((again[name] == record[name]).all() for name in record.values)
    assert (again.covariance == record.covariance).all()


def test_stuck_open_and_restless_cells_are_left_out_and_change_little(bench: Calibrated) -> None:
    _, parts, record = bench
    spoilt = [{name: value.copy() for name, value in part.items()} for part in parts]
    first, rng = spoilt[0], np.random.default_rng(8)
    first["raw"][:, :, 3] = 0.0  # the board's contact opened, the meter's did not
    first["sweep_current"][11] *= 1.6  # the cell jumped between the two
    first["raw"][:, 1:, 20] *= rng.choice([0.95, 1.05], (len(first["raw"]), 1))
    first["sweep_current"][25] = 60e-6
    first["usable"][25] = False
    found = record_of(Readout(READING), spoilt, {})
    names = [f"macro 0 r{first['row'][n]}c{first['col'][n]}" for n in (3, 11, 20, 25)]
    assert set(names) <= set(found.conditions["cells_left_out"])
    assert len(found.conditions["cells_left_out"]) <= len(record.conditions["cells_left_out"]) + 8
    for name in ("dac_gain", "dac_offset", "adc_gain", "adc_offset"):
        moved = np.abs(found[name] - record[name]) / record.uncertainty(name)
        assert moved.max() < 2.0, name


def test_a_line_without_cells_keeps_the_uncertainty_of_an_uncalibrated_one(bench: Calibrated) -> None:
    _, parts, record = bench
    blind = [{name: value.copy() for name, value in part.items()} for part in parts]
    for part in blind:
        part["usable"][(part["macro"] == 1) & (part["row"] == 4)] = False
    found = record_of(Readout(READING), blind, {})
    assert found.conditions["lines_without_cells"] == ["row 4 of macro 1"]
    # The gauge ties it a little to the other rows.
    assert 0.01 < found.uncertainty("dac_gain")[1, 4] < 0.02
    assert found.uncertainty("dac_gain")[0] == pytest.approx(record.uncertainty("dac_gain")[0], rel=0.1)


def test_intervals_hold_on_several_benches() -> None:
    inside: dict[str, list[float]] = {}
    for seed in range(50, 55):
        backend = hidden_bench(seed, rows=8, cols=8)
        _, record = calibrated(backend)
        for name, apart in deviations(backend, record).items():
            inside.setdefault(name, []).extend(np.abs(apart) < 1.96)
    # 40 values each: at 93 % fewer than 29 once in 5 000; those of one bench move together, so that for the
    # last two counts a whole bench may be out: two of five once in 40, three once in 900.
    assert all(np.mean(inside[name]) > 0.72 for name in ("dac_gain", "dac_offset"))
    assert all(np.mean(inside[name]) > 0.35 for name in ("adc_gain", "adc_offset", "adc_inl", "dac_inl"))


@pytest.mark.slow
@pytest.mark.timeout(680)
def test_intervals_hold_on_sixty_benches() -> None:
    inside: dict[str, list[float]] = {}
    worst: list[float] = []
    for seed in range(300, 360):
        backend = hidden_bench(seed, rows=16, cols=12)
        _, record = calibrated(backend)
        for name, apart in deviations(backend, record).items():
            inside.setdefault(name, []).append(float(np.mean(np.abs(apart) < 1.96)))
        after, _, true = conductance_errors(backend, {"readout": record})
        worst.append(float(np.quantile(np.abs(after) / (0.002 * true + 0.05e-6), 0.95)))
    # Values of a bench move together, so that this is 60 cases of 95 %: 50 or fewer (84 %) once in 1 000 for
    # each of 7 quantities, and intervals too narrow by a third (81 %) are caught more often than not.
    for name, share in inside.items():
        assert np.mean(share) > 0.84, name
    assert np.quantile(worst, 0.9) < 1.0


def test_a_bench_without_a_meter_is_told_of_the_card(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = hidden_bench(1)
    monkeypatch.setattr(SimBackend, "capabilities", property(lambda self: frozenset({"read"})))
    with backend, pytest.raises(Unsupported, match=r"no source meter.*--card"):
        Readout(READING).measure(backend, 0)


def test_nothing_is_swept_before_all_macros_were_found_ready() -> None:
    backend = hidden_bench(1, macros=2)
    with backend, pytest.raises(CalibrationError, match="--prepare"):
        Readout(READING).measure(backend, 0)
    assert not backend.pulses.any()


def card_table(path: Path, rows: int, cols: int) -> Path:
    """Write the table of a card with the resistors of a pattern."""
    rng, plane = np.random.default_rng(2), Pattern(rows, cols).targets()
    lines = [
        f"{row},{col},{1 / plane[row, col] * rng.uniform(0.9, 1.1):.3f}"
        for row, col in zip(*np.nonzero(np.isfinite(plane)), strict=True)
    ]
    path.write_text("\n".join(["row,col,ohm", *lines]) + "\n")
    return path


def test_a_card_of_resistors_does_as_well_as_cells_and_meter(tmp_path: Path) -> None:
    table = card_table(tmp_path / "card.csv", 8, 8)
    backend = hidden_bench(5, rows=8, cols=8, card=str(table))
    _, record = calibrated(backend, Readout(READING, card=table))
    card, errors = Card.load(table), backend.errors
    assert errors is not None
    cells = Cells(card.row, card.col)
    true = backend.array.conductance(cells.flat(8), READING.v_read, READING.gate, 0.0)
    volts = errors.dac.convert(READING.v_read, 0, cells.row)
    raw = errors.adc_read.convert(true * volts, 0, cells.col) / READING.v_read
    found = Correction({"readout": record}).conductance(cells, READING, raw)
    assert np.abs(raw / true - 1).max() > 0.02
    assert found == pytest.approx(true, rel=2e-6)
    assert record.conditions["standard_found"]["line"][0] == pytest.approx(backend.array.r_line, rel=1e-3)
    # The values of the table may all be wrong by the same part in 10 000.
    assert record.uncertainty("adc_gain") == pytest.approx(1e-4, rel=0.1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no header"),
        ("row,col,ohm\n", "names no resistor"),
        ("row,col,ohm\n1,2,x\n", "line 2: '1,2,x'"),
        ("row,col,ohm\n1,2,1e4\n1,2,2e4\n", "names a socket twice"),
        ("row,col,ohm,u_ohm\n1,2,1e4,-1\n", "line 2"),
    ],
)
def test_a_wrong_card_is_refused_with_the_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "card.csv").write_text(text)
    with pytest.raises(InputError, match=told):
        Card.load(tmp_path / "card.csv")


def test_uncertainties_of_a_card_are_read(tmp_path: Path) -> None:
    (tmp_path / "card.csv").write_text("row,col,ohm,u_ohm\n0,1,1e4,2.5\n\n3,2,4e4,\n")
    card = Card.load(tmp_path / "card.csv")
    assert card.u_ohm.tolist() == [2.5, 4.0]
    assert len(card.within(range(2, 4), range(4)).row) == 1


def test_the_figures_show_lines_curves_and_residuals(bench: Calibrated) -> None:
    _, parts, record = bench
    drawn = Readout(READING).figures(parts, record)
    assert list(drawn) == ["readout-lines", "readout-curves", "readout-residuals"]
    assert all(len(figure.axes) >= 2 and caption.endswith(".") for figure, caption in drawn.values())
    curve = drawn["readout-curves"][0].axes[1].lines[0]
    assert np.abs(curve.get_ydata()).max() < 50.0  # nA, of a range of 20 uA

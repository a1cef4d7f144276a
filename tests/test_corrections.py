"""What is known of a bench's errors is taken out at the door and stands in the record, uncertainty beside."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramlab.backend import Backend
from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.corrections.converter import READ_SCALE, erred, mended
from rramlab.corrections.correction import Correction
from rramlab.corrections.library import Library
from rramlab.corrections.record import Record
from rramlab.errors import BenchFileError, CalibrationError, LimitExceeded
from rramlab.reading import ReadSpec
from rramlab.run import Run
from rramlab.runfile import RunFile
from sim_backend.backend import SimBackend
from sim_backend.options import Options

ROWS, COLS = 4, 5
OPTIONS = Options(macros=2, rows=ROWS, cols=COLS)
CELLS = Cells.of_shape((2 * ROWS, COLS))
SPEC = ReadSpec(samples=4)
DAY = 86400.0
NOW = 1_800_000_000.0


def readout(seed: int = 1, spread: float = 1.0) -> Record:
    """Return a record 'readout' with drawn errors of the size of a bench's uncertain to 1 % of them."""
    rng = np.random.default_rng(seed)
    sizes = {
        "dac_gain": (0.003, (2, ROWS)),
        "dac_offset": (0.3e-3, (2, ROWS)),
        "dac_inl": (3e-4, (2, 2)),
        "adc_gain": (0.02, (2, COLS)),
        "adc_offset": (3e-7, (2, COLS)),
        "adc_inl": (1e-3, (2, 2)),
    }
    values = {name: spread * rng.normal(0.0, sd, shape) for name, (sd, shape) in sizes.items()}
    values["white_current"] = np.array(2e-8)
    scale = np.concatenate([np.full(np.prod(shape), 0.01 * sd) for sd, shape in sizes.values()] + [[1e-10]])
    units = {
        "dac_gain": "1",
        "dac_offset": "V",
        "dac_inl": "1",
        "adc_gain": "1",
        "adc_offset": "A",
        "adc_inl": "1",
    }
    units["white_current"] = "A"
    return Record("readout", values, units, np.diag(scale**2), {"serial": "sim-1"}, NOW, 30 * DAY)


def opened(record: Record) -> SimBackend:
    """Return an ideal simulated bench that is corrected as if it had these errors."""
    backend = SimBackend(OPTIONS)
    backend.correction = Correction({record.kind: record})
    return backend


@given(
    st.floats(-1.0, 1.0),
    st.floats(-0.1, 0.1),
    st.floats(-0.01, 0.01),
    st.tuples(st.floats(-0.003, 0.003), st.floats(-0.003, 0.003)),
)
def test_what_a_converter_does_is_undone(
    x: float, gain: float, offset: float, inl: tuple[float, float]
) -> None:
    law = np.array(gain), np.array(offset * READ_SCALE), np.array(inl), READ_SCALE
    assert mended(erred(x * READ_SCALE, *law), *law) == pytest.approx(x * READ_SCALE, abs=1e-8 * READ_SCALE)


def test_a_corrected_reading_is_the_current_through_the_path_over_its_voltage() -> None:
    record = readout()
    ideal, backend = SimBackend(OPTIONS), opened(record)
    with ideal, backend:
        raw, mended_reading = ideal.read(CELLS, SPEC), backend.read(CELLS, SPEC)
    macro, row, col = CELLS.row // ROWS, CELLS.row % ROWS, CELLS.col
    r = record
    volts = erred(
        np.full(40, 0.2), r["dac_gain"][macro, row], r["dac_offset"][macro, row], r["dac_inl"][macro], 0.4
    )
    amperes = erred(
        mended_reading * volts,
        r["adc_gain"][macro, col],
        r["adc_offset"][macro, col],
        r["adc_inl"][macro],
        READ_SCALE,
    )
    assert amperes / 0.2 == pytest.approx(raw, rel=1e-6)


def test_the_uncertainty_is_how_much_a_reading_moves_with_the_errors() -> None:
    record = readout()
    backend = opened(record)
    raw = np.linspace(5e-6, 100e-6, len(CELLS))
    given_once = backend.correction.uncertainty(CELLS, SPEC, backend.correction.conductance(CELLS, SPEC, raw))
    rng = np.random.default_rng(5)
    size = len(record.covariance)
    drawn = []
    for _ in range(4000):
        step = rng.normal(0.0, np.sqrt(np.diag(record.covariance)))
        moved = {name: value + step[record.index(name)] for name, value in record.values.items()}
        drawn.append(Correction({"readout": replace(record, values=moved)}).conductance(CELLS, SPEC, raw))
    white = float(record["white_current"]) / (0.2 * np.sqrt(SPEC.samples))
    # A standard deviation of 4000 draws is known to 1.1 %; 40 cells within 5 %: false alarm below 1 in 1000.
    assert np.hypot(np.std(drawn, axis=0), white) == pytest.approx(given_once, rel=0.05)
    assert size == 2 * (2 * ROWS + 2 * COLS + 4) + 1


def test_a_bench_without_calibration_reads_as_before_and_knows_no_uncertainty(tmp_path: Path) -> None:
    backend = SimBackend(OPTIONS)
    with recorded(tmp_path / "plain", backend), backend:
        conductance = backend.read(CELLS, SPEC)
        assert np.isnan(backend.uncertainty(CELLS, conductance, SPEC)).all()
    assert "uncertainty" not in RunFile.open(tmp_path / "plain").tables["reads"]


def test_the_run_holds_reading_report_uncertainty_and_calibration(tmp_path: Path) -> None:
    record = readout()
    backend = opened(record)
    with recorded(tmp_path / "mine", backend), backend:
        conductance = backend.read(CELLS, SPEC)
        u = backend.uncertainty(CELLS, conductance, SPEC)
    run = RunFile.open(tmp_path / "mine")
    reads = run.tables["reads"]
    assert (reads["conductance"] == conductance).all()
    assert (reads["uncertainty"] == u).all()
    assert backend.correction.conductance(CELLS, SPEC, reads["raw"]) == pytest.approx(conductance)
    kept = Correction.from_facts(run.start.calibration).records["readout"]
    assert kept.covariance == pytest.approx(record.covariance)
    assert kept.facts() == record.facts()


def recorded(folder: Path, backend: Backend) -> Run:
    """Return the run into which this bench is recorded."""
    facts = backend.correction.facts()
    run = Run.create(folder, command="read", seed=0, bench_text="", limits=backend.limits, calibration=facts)
    backend.recorder = run.recorder
    return run


def test_row_voltages_are_asked_for_so_that_the_rows_get_what_was_meant() -> None:
    record = readout()
    correction = Correction({"readout": record})
    wanted = np.linspace(-0.1, 0.1, ROWS)
    asked = correction.inputs(wanted, 1)
    got = erred(asked, record["dac_gain"][1], record["dac_offset"][1], record["dac_inl"][1], 0.4)
    assert got == pytest.approx(wanted, abs=1e-9)


def test_what_is_asked_is_what_the_limit_looks_at() -> None:
    backend = opened(readout())
    with backend, pytest.raises(LimitExceeded, match="multiply"):
        backend.multiply(np.full(ROWS, backend.limits.v_read), 0)


def test_a_calibration_of_another_bench_is_refused_when_it_opens() -> None:
    backend = opened(replace(readout(), identity={"serial": "sim-99"}))
    with pytest.raises(
        CalibrationError, match=r"of another bench: its serial was 'sim-99', here is 'sim-1'.*renew"
    ):
        backend.__enter__()


def test_an_expired_calibration_is_refused_with_the_command_that_renews_it(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.save(readout())
    assert library.correction(NOW + 29 * DAY).records["readout"].kind == "readout"
    with pytest.raises(CalibrationError, match="expired; renew it with: rramlab calibrate readout"):
        library.correction(NOW + 31 * DAY)


def test_a_folder_keeps_the_records_before_the_newest(tmp_path: Path) -> None:
    library = Library(tmp_path)
    library.save(readout(1))
    library.save(replace(readout(2), made=NOW + DAY))
    assert library.records()["readout"].made == NOW + DAY
    assert [path.name for path in (tmp_path / "older").iterdir()] == [f"readout-{int(NOW)}.json"]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": "other"}', '{"format": "rramlab calibration 1"}']
)
def test_a_file_that_is_no_record_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "readout.json").write_text(text)
    with pytest.raises(CalibrationError, match=r"readout\.json"):
        Library(tmp_path).records()


def test_the_bench_file_names_the_folder_beside_it(tmp_path: Path) -> None:
    text = '[bench]\nid = "mine"\n[backend]\nuse = "sim_backend:SimBackend"\n[calibration]\nfolder = "cal"\n'
    (tmp_path / "mine.toml").write_text(text)
    bench = Bench.load(tmp_path / "mine.toml")
    assert bench.library().folder == tmp_path / "cal"
    assert not bench.open().correction.records
    bench.library().save(replace(readout(), made=NOW, valid=1e12))
    assert bench.open().correction.records["readout"].kind == "readout"
    assert not bench.open(correction=Correction()).correction.records


def test_a_bench_file_without_calibration_says_how_to_name_a_folder() -> None:
    with pytest.raises(BenchFileError, match=r"add to the bench file: \[calibration\]"):
        Bench.load(None).library()

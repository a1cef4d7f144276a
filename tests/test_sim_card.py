"""A card of resistors in the sockets, and the bench files for a bench that nobody knows."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rramlab.bench import Bench
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import BenchFileError, InputError
from rramlab.pulse import Pulse, PulseTrain
from rramlab.reading import Staircase
from sim_backend.backend import SimBackend
from sim_backend.options import LoopOptions, Options
from sim_backend.virtual.command import options_like

SMALL = {"macros": 2, "rows": 2, "cols": 3}


def card(folder: Path, text: str, **options: float) -> SimBackend:
    file = folder / "card.csv"
    file.write_text(text)
    return SimBackend(Options(**SMALL, card=str(file), **options))  # type: ignore[arg-type]


def test_resistors_are_linear_without_noise_and_deaf_to_pulses_time_and_gate(tmp_path: Path) -> None:
    text = "row,col,ohm\n0,0,10000\n\n3,2,250\n1,1,4e7\n"
    with card(tmp_path, text, r_line=0.0, r_switch=0.0) as backend:
        wanted = np.full((4, 3), 1e-9)
        wanted[0, 0], wanted[3, 2], wanted[1, 1] = 1e-4, 4e-3, 2.5e-8
        first = backend.read_all()
        assert np.allclose(first, wanted, rtol=1e-6)
        backend.pulse(PulseTrain.of(Cells.parse("r0c0"), Pulse.parse("SET 1.3V gate=1.4V 1us")))
        backend.pulse(PulseTrain.of(Cells.parse("r0c0"), Pulse.parse("RESET 2V gate=3.3V 1us")))
        backend.wait(1e7)
        assert (backend.read_all() == first).all()
        volts = np.linspace(-1.0, 1.0, 6)
        swept = backend.sweep(Cells.parse("r0c0"), Staircase(volts, 0.1, 1.2e-4))
        assert np.allclose(swept.current, volts * 1e-4, rtol=1e-9) and not swept.limited.any()
        product = backend.multiply(np.array([0.1, 0.2]), 1)
        assert np.allclose(product, 0.1 * wanted[2] + 0.2 * wanted[3], rtol=1e-6)


def test_lines_and_switches_are_in_series_with_a_resistor(tmp_path: Path) -> None:
    with card(tmp_path, "row,col,ohm\n3,2,1000\n", r_line=5.0, r_switch=40.0) as backend:
        assert 1 / backend.read(Cells.parse("r3c2"))[0] == pytest.approx(1000 + 40 + 5 * 5, rel=1e-6)


def test_a_card_says_that_it_is_one(tmp_path: Path) -> None:
    who = card(tmp_path, "row,col,ohm\n").identify()
    assert who["macro"] == "resistor card" and who["name"] == "sim+resistor-card"
    assert "card.csv" in who["device"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no header 'row,col,ohm'"),
        ("1,1,100\n", "no header"),
        ("row,col,ohm\n4,0,100\n", "line 2: '4,0,100' is no cell of 4 x 3"),
        ("row,col,ohm\n\n0,0,ten\n", "line 3: '0,0,ten'"),
        ("row,col,ohm\n0,0\n", "line 2"),
        ("row,col,ohm\n0,0,nan\n", "line 2"),
        ("row,col,ohm\n0,0,0\n", "resistance of 1 to 1e\\+09 ohm"),
        ("row,col,ohm\n0,1,5\n0,1,6\n", "names the cell r0c1 twice"),
    ],
)
def test_what_is_wrong_in_a_card_is_said_in_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BenchFileError, match=told):
        card(tmp_path, text)


def test_a_card_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchFileError, match=r"no\.csv cannot be read"):
        SimBackend(Options(card=str(tmp_path / "no.csv")))


# The bench that nobody knows.


def unknown(folder: Path) -> Path:
    path = folder / "unknown.toml"
    done = CliRunner().invoke(app, ["bench", "init", str(path), "--template", "unknown"])
    assert done.exit_code == 0, done.output
    return path


def test_the_unknown_bench_is_the_simulated_one_with_errors(tmp_path: Path) -> None:
    file = Bench.load(unknown(tmp_path))
    options, plain = Options(**file.backend.options), Bench.load(None)
    assert options.errors is not None and options.errors.seed == 7
    assert options.loop == LoopOptions(
        rc_error=0.01, leak=0.01, leak_spread=0.1, offset=1e-3, multiplier_gain=0.01,
        multiplier_offset=1e-3, tia_offset=5e-5,
    )  # fmt: skip
    assert options.model_copy(update={"errors": None, "loop": LoopOptions()}) == Options()
    assert (file.reading, file.window, file.limits) == (plain.reading, plain.window, plain.limits)
    assert file.calibration is not None and file.calibration.folder == "calibration"
    assert options.errors.model_dump(exclude={"seed"}) == type(options.errors)(seed=7).model_dump(
        exclude={"seed"}
    )


def test_the_virtual_bench_takes_the_options_of_a_bench_file(tmp_path: Path) -> None:
    path = unknown(tmp_path)
    found = options_like(path, {"chip": 3, "rows": None})
    assert found.errors is not None and (found.errors.seed, found.chip, found.rows) == (7, 3, 32)
    assert options_like(None, {"rows": 8}) == Options(rows=8)
    path.write_text(path.read_text().replace("adc_gain = 0.02", "adc_gain = 9.0"))
    with pytest.raises(BenchFileError, match=r"errors\.adc_gain"):
        options_like(path, {})
    path.write_text(path.read_text().replace("sim_backend:SimBackend", "drivers:BenchBackend"))
    with pytest.raises(InputError, match="leads to instruments"):
        options_like(path, {})

"""What is known of a bench is shown with units and uncertainty, also what does not hold any more."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from calibrate_toys import LISTED, Scale, bench
from commands import RUNNER, empty_folder, run

from calibration.command_run import Request, carry_out
from calibration.page.conductance import Reading
from calibration.page.words import sentence
from calibration.show.values import told
from rramlab.cli import app
from rramlab.corrections.library import Library
from rramlab.corrections.record import Record
from rramlab.corrections.state import day, state_of
from rramlab.errors import CalibrationError
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal

NOW = 1_800_000_000.0
DAY = 86400.0


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "200")
    with empty_folder(tmp_path, None):
        bench(Path.cwd())
        yield


def record(kind: str = "readout", **changes: object) -> Record:
    """Return the record of the toy procedure, made from readings of 18 uS, unless something is changed."""
    parts = [{"conductance": np.full(4, 18e-6 + 1e-6 * row)} for row in range(4)]
    found = Scale(ReadSpec()).evaluate(parts, {})
    plain = Record(
        kind,
        found.values,
        found.units,
        found.covariance,
        {"board": "sim-board-7"},
        NOW,
        1e9,
        {},
        {"rms_A": 3e-9},
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def filed(*records: Record) -> None:
    for one in records:
        Library(Path("cal")).save(one)


def refused(*words: str) -> str:
    result = RUNNER.invoke(app, ["--bench", "toy.toml", *words])
    assert result.exit_code == 9
    assert result.output.startswith("error: ") and result.output.count("\n") == 1
    return result.output


# Values.


@pytest.mark.parametrize(
    ("values", "unit", "sd", "text"),
    [
        (np.array([-0.0413, 0.0382]), "1", 0.0011, "-4.13 ... +3.82, ±0.11 %"),
        (np.array([2.0, 3.25]) * 1e-3, "A/V^2", 1e-4, "2.00 ... 3.25, ±0.10 mA/V^2"),
        (np.array(1.187), "ohm", 0.021, "1.187 ± 0.021 ohm"),
        (np.array(2.9e-4), "V", 1.2e-5, "290 ± 12 uV"),
        (np.array([1.0031]), "1", 0.0002, "1.00310 ± 0.00020"),
        (np.array(0.0), "S", 0.0, "0.0000 ± 0.0000 S"),
        (np.zeros(0), "S", 0.0, "none"),
    ],
)
def test_values_are_told_in_units_that_fit_with_two_digits_of_their_uncertainty(
    values: np.ndarray, unit: str, sd: float, text: str
) -> None:
    one = Record("mine", {"x": values}, {"x": unit}, sd**2 * np.eye(values.size), {}, NOW, DAY)
    assert told(one, "x") == text


def test_a_record_is_told_in_sentences_also_one_of_a_procedure_of_ones_own() -> None:
    assert (
        "column by column the currents of single readings by 1.80 to 2.10 % (known to ±0.10 %)"
        in sentence(record())
    )
    own = Record(
        "fan_speed", {"fan_speed": np.array(2.0)}, {"fan_speed": "1/s"}, np.eye(1) * 0.01, {}, NOW, DAY
    )
    assert sentence(own) == "fan speed: 2.00 ± 0.10 1/s."
    assert sentence(replace(own, kind="readout")) == "fan speed: 2.00 ± 0.10 1/s."


def test_before_and_after_is_what_the_door_takes_out() -> None:
    one = record()
    reading = Reading.of(one, ReadSpec(), 50e-6)
    # Of the row drivers 0.1 mV at 0.2 V, of the columns 1.8 to 2.1 %, and -0.2 uA, which is -1 uS at 0.2 V.
    gain = one["adc_gain"][0]
    assert reading.error.reshape(4, 4) == pytest.approx(
        50e-6 * ((1 + gain) * (1 + 5e-4) - 1) - 1e-6 + np.zeros((4, 4))
    )
    assert "50uS was reported as 49.93uS to 50.08uS by 95 % of the cells" in reading.sentence()


# States.


def test_a_record_is_valid_expired_foreign_outdated_or_broken() -> None:
    here, built = {"board": "sim-board-7"}, record("product", conditions={"built_on": {"readout": NOW - 1}})
    shelf = {"readout": record(), "product": built, "bad": CalibrationError("torn")}
    assert state_of("readout", shelf, here, NOW + 1).word == "valid"
    assert not state_of("readout", shelf, {}, NOW + 1).refused  # an instrument that is not open says nothing
    assert state_of("readout", shelf, here, NOW + 2e9).words == f"EXPIRED on {day(NOW + 1e9)}"
    foreign = state_of("readout", shelf, {"board": "sim-board-8"}, NOW + 1)
    assert foreign.refused and not state_of("bad", shelf, here, NOW).refused  # 'bad' is used by nobody
    assert foreign.words == "OF ANOTHER BENCH: its board was 'sim-board-7', here is 'sim-board-8'"
    assert state_of("product", shelf, here, NOW + 1).words.endswith("made with an older 'readout'")
    assert state_of("bad", shelf, here, NOW).words == "CANNOT BE READ: torn"
    assert day(1e18) == "for ever"


def test_all_that_is_known_is_shown_without_opening_anything() -> None:
    filed(record(), record("strange", made=1.0, valid=1.0))
    Path("cal/loop.json").write_text("torn")
    out = run("--bench", "toy.toml", "calibrate", "show")
    assert "columns, one cell: gain" in out and "1.80 ... 2.10, ±0.10 %" in out
    assert "strange: EXPIRED on 1970-01-01" in out and "loop: CANNOT BE READ" in out
    assert "'loop' will be refused; renew with: rramlab calibrate all" in out
    facts = json.loads(run("--bench", "toy.toml", "--json", "calibrate", "show"))
    states = {kind: one["state"] for kind, one in facts["records"].items()}
    assert states == {"readout": "valid", "loop": "broken", "strange": "expired"}
    assert facts["records"]["readout"]["values"]["dac_offset"]["unit"] == "V"
    assert facts["records"]["readout"]["values"]["dac_offset"]["value"] == [[1e-4] * 4]


def test_records_from_before_are_shown_when_asked_for() -> None:
    filed(record(), record(made=NOW + DAY))
    assert "before, " not in run("--bench", "toy.toml", "calibrate", "show")
    assert "before, 2027-01-15 08:00 UTC: " in run("--bench", "toy.toml", "calibrate", "show", "--history")


def test_a_bench_that_was_never_calibrated_says_how_to() -> None:
    out = run("--bench", "toy.toml", "calibrate", "show")
    assert "bench 'toy' is not calibrated; do it with: rramlab calibrate all" in out
    assert "none: readings are as reported" in run("--bench", "toy.toml", "bench", "check")


# What does not hold.


@pytest.mark.parametrize("words", [("read", "--cells", "r0c0"), ("program", "mine.csv"), ("demo",)])
def test_work_on_a_bench_with_an_expired_or_foreign_calibration_is_one_sentence(
    words: tuple[str, ...],
) -> None:
    Path("mine.csv").write_text("50,60\n")
    filed(record(made=1.0, valid=1.0))
    assert "has expired; renew it with: rramlab calibrate readout" in refused(*words)
    filed(record(identity={"board": "sim-board-8"}))
    if words[0] != "demo":
        assert "is of another bench: its board was 'sim-board-8', here is 'sim-board-7'" in refused(*words)
    Path("cal/readout.json").write_text("torn")
    assert "readout.json cannot be read" in refused(*words)
    assert not list(Path("runs").glob("*"))


def test_bench_check_tells_what_will_be_refused() -> None:
    filed(record())
    assert "holds until" in run("--bench", "toy.toml", "bench", "check")
    filed(record(made=1.0, valid=1.0))
    result = RUNNER.invoke(app, ["--bench", "toy.toml", "bench", "check"])
    assert result.exit_code == 9
    assert "EXPIRED on 1970-01-01" in result.output and "renew it: rramlab calibrate readout" in result.output


# Results.


def test_results_carry_their_uncertainty() -> None:
    plain = run("--bench", "toy.toml", "read", "--cells", "r0c0-1")
    assert "standard uncertainty of a conductance: unknown: the bench is not calibrated" in plain
    assert "uncertainty" not in RunFile.open("runs/read").kept["conductances"].columns
    filed(record())
    assert "±" in run("--bench", "toy.toml", "read", "--cells", "r0c0-1")
    kept = RunFile.open("runs/read-2").kept["conductances"]
    assert kept.units["uncertainty"] == "S"
    # A gain known to 1e-3, and 10 uV of 0.2 V, and white noise of 20 nA at 0.2 V.
    g, u = kept.columns["conductance"], kept.columns["uncertainty"]
    assert u == pytest.approx(np.hypot(0.1e-6, g * np.hypot(1e-3, 1e-3)), rel=0.05)
    assert "readout of 2027-01-15" in run("show", "runs/read-2")


def test_programmed_cells_carry_their_uncertainty() -> None:
    filed(record())
    Path("mine.csv").write_text("50,60\n")
    out = run("--bench", "toy.toml", "program", "mine.csv", "--unit", "uS", "--passes", "1", "--run", "p")
    assert "standard uncertainty of a conductance" in out
    kept = RunFile.open("p").kept["program"]
    assert kept.facts["uncertainty_uS"] == pytest.approx(1e6 * np.median(kept.columns["uncertainty"]))


# The page.


def test_the_page_says_what_was_wrong_and_what_is_left() -> None:
    session = Session(Path("toy.toml"), Terminal(quiet=True))
    carry_out(session, Request(), Path("run"), None, 0, LISTED)
    text = Path("run/index.html").read_text()
    assert "What was wrong, and what is left" in text and "A path of 50uS was reported as" in text
    assert {path.name for path in Path("run").glob("*.png")} == {"before-and-after.png", "readout-means.png"}


def test_the_unknown_bench_that_ships_is_ready_to_be_calibrated() -> None:
    run("bench", "init", "unknown.toml", "--template", "unknown")
    out = run("--bench", "unknown.toml", "calibrate", "show")
    assert "bench 'unknown' is not calibrated" in out


def test_a_wrong_word_is_one_sentence() -> None:
    result = RUNNER.invoke(app, ["--bench", "toy.toml", "calibrate", "redout"])
    assert result.exit_code == 2
    result = RUNNER.invoke(app, ["--bench", "toy.toml", "calibrate", "readout", "--card", "none.csv"])
    assert result.exit_code == 2 and "there is no such file" in result.output
    assert not Path("runs").exists() or not list(Path("runs").iterdir())

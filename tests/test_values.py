"""Values parse their own text and print it back, and refuse nonsense at birth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramlab.cells import Cells
from rramlab.errors import InputError, did_you_mean
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.outcome import Outcome
from rramlab.pulse import Polarity, Pulse, PulseTrain
from rramlab.quantity import format_quantity, parse_quantity
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.terminal import Terminal

PREFIX = {
    "p": 1e-12,
    "n": 1e-9,
    "u": 1e-6,
    "\u00b5": 1e-6,
    "\u03bc": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
}
positive = st.floats(1e-12, 1e9, allow_nan=False)
index = st.integers(0, 1 << 20)


# Quantities.


@given(st.integers(-99_999, 99_999), st.integers(-3, 3), st.sampled_from(sorted(PREFIX)))
def test_a_quantity_is_its_number_times_its_prefix(mantissa: int, exponent: int, prefix: str) -> None:
    value = parse_quantity(f"{mantissa}e{exponent}{prefix}S", "S")
    assert value == pytest.approx(mantissa * 10.0**exponent * PREFIX[prefix], rel=1e-12)


@given(positive, st.sampled_from([1.0, -1.0]), st.sampled_from(["S", "V", "A", "s", "J", "ohm"]))
def test_a_printed_quantity_is_read_back_to_its_last_digit(size: float, sign: float, unit: str) -> None:
    # Four digits: at most half a unit of the fourth one is lost.
    value = sign * size
    assert parse_quantity(format_quantity(value, unit), unit) == pytest.approx(value, rel=5.1e-4)
    assert parse_quantity(format_quantity(value, unit, digits=17), unit) == pytest.approx(value, rel=1e-15)


@given(st.integers(1, 9999), st.sampled_from(["p", "n", "u", "m", "", "k"]))
def test_a_short_text_survives_value_and_back(number: int, prefix: str) -> None:
    value = parse_quantity(f"{number}{prefix}V", "V")
    assert parse_quantity(format_quantity(value, "V"), "V") == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5e-5, "50uS"),
        (0.2, "200mS"),
        (1e-6, "1uS"),
        (0.0, "0S"),
        (1e-3 * (1 - 1e-16), "1mS"),
        (-2.5e3, "-2.5kS"),
    ],
)
def test_a_quantity_is_printed_with_the_prefix_that_fits(value: float, text: str) -> None:
    assert format_quantity(value, "S") == text


@pytest.mark.parametrize(
    "text", ["", "uS", "50 u S", "50uV", "50 zS", "1,5uS", "nan", "inf", "1e999S", "0x10S", "5-3S"]
)
def test_nonsense_is_no_quantity(text: str) -> None:
    with pytest.raises(InputError, match=r"write for example '50uS'"):
        parse_quantity(text, "S")


def test_the_example_of_an_error_is_one_of_its_unit() -> None:
    for unit, example in (("V", "150mV"), ("s", "10us"), ("K", "298K"), ("S", "50uS")):
        with pytest.raises(InputError, match=f"write for example '{example}'"):
            parse_quantity("3 apples", unit)
        assert parse_quantity(example, unit) > 0


# Cells.


@given(st.lists(st.tuples(index, index), min_size=1, max_size=30))
def test_any_cells_are_read_back_in_their_order(places: list[tuple[int, int]]) -> None:
    cells = Cells(*(np.array(each) for each in zip(*places, strict=True)))
    assert list(Cells.parse(str(cells))) == places


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 5), st.integers(0, 40), st.integers(1, 5)),
        min_size=1,
        max_size=5,
    )
)
def test_rectangles_are_read_back_in_their_order(boxes: list[tuple[int, int, int, int]]) -> None:
    grids = [Cells.grid(range(r, r + h), range(c, c + w)) for r, h, c, w in boxes]
    cells = Cells(np.concatenate([g.row for g in grids]), np.concatenate([g.col for g in grids]))
    assert list(Cells.parse(str(cells))) == list(cells)


@pytest.mark.parametrize(
    ("text", "count", "printed"),
    [
        ("r3c7", 1, "r3c7"),
        ("r0-31,c4", 32, "r0-31c4"),
        ("r0-1 , c0-2", 6, "r0-1c0-2"),
        (" r 0 - 31 c 4 ;", 32, "r0-31c4"),
        ("r3c7; r5c0-3", 5, "r3c7; r5c0-3"),
        ("r0c5; r1c5; r0c0", 3, "r0-1c5; r0c0"),
    ],
)
def test_cells_are_named_by_ranges(text: str, count: int, printed: str) -> None:
    cells = Cells.parse(text)
    assert len(cells) == count
    assert str(cells) == printed


@pytest.mark.parametrize(
    "text", ["", " ; ", "7", "r3", "c3r7", "r-1c0", "r5-2c0", "r1 2c3", "r0c0,r1c1", "R0C0", "r1.5c0"]
)
def test_nonsense_names_no_cell(text: str) -> None:
    with pytest.raises(InputError, match=r"write"):
        Cells.parse(text)


def test_a_typing_error_does_not_fill_the_memory() -> None:
    for text in ("r0-99999999999c0", "r0c" + "9" * 40, "r0-99999c0-99999"):
        with pytest.raises(InputError, match="more cells than any bench"):
            Cells.parse(text)


def test_no_cells_print_as_such() -> None:
    assert str(Cells.grid(range(0), range(0))) == "no cells"


@pytest.mark.parametrize(
    ("row", "col"),
    [([0.5], [0]), ([True, False], [0, 1]), ([-1], [0]), ([0, 1], [0]), ([[0]], [[0]]), (["a"], [0])],
)
def test_places_are_whole_numbers_from_zero(row: list[object], col: list[object]) -> None:
    with pytest.raises(InputError):
        Cells(np.array(row), np.array(col))


def test_cells_outside_or_twice_are_refused() -> None:
    Cells.of_shape((4, 4)).check((4, 4))
    with pytest.raises(InputError, match=r"r4c0 lies outside this bench of 4 rows x 4 columns"):
        Cells.parse("r3c3;r4c0").check((4, 4))
    with pytest.raises(InputError, match="named twice"):
        Cells.parse("r1c1;r0-2c1").check((4, 4))


def test_cells_are_chosen_moved_and_numbered() -> None:
    cells = Cells.parse("r0-1c0-1")
    assert list(cells.take(np.array([False, True, True, False]))) == [(0, 1), (1, 0)]
    assert list(cells.shifted(2, 3)) == [(2, 3), (2, 4), (3, 3), (3, 4)]
    assert cells.flat(10).tolist() == [0, 1, 10, 11]


# Pulses.

volts = st.integers(1, 9999).map(lambda n: n / 1000)


@given(st.sampled_from(Polarity), volts, volts, st.integers(1, 9999).map(lambda n: n * 1e-9))
def test_a_pulse_is_read_back(polarity: Polarity, drive: float, gate: float, width: float) -> None:
    pulse = Pulse(polarity, drive, gate, width)
    again = Pulse.parse(str(pulse))
    assert again.polarity is polarity
    assert (again.drive, again.gate, again.width) == pytest.approx((drive, gate, width), rel=1e-12)
    assert str(again) == str(pulse)


def test_a_pulse_reads_as_a_person_writes_it() -> None:
    assert Pulse.parse("SET 1.2V gate=1.4V 1us") == Pulse(Polarity.SET, 1.2, 1.4, 1e-6)
    assert Pulse.parse(" RESET  900mV gate=3.3 200ns ").width == pytest.approx(2e-7)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SET",
        "set 1V gate=1V 1us",
        "ERASE 1V gate=1V 1us",
        "SET 1V 1V 1us",
        "SET 1A gate=1V 1us",
        "SET 1V gate=1V 1uV",
    ],
)
def test_nonsense_is_no_pulse(text: str) -> None:
    with pytest.raises(InputError, match="write for example"):
        Pulse.parse(text)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["drive", "gate", "width"])
def test_a_pulse_without_a_size_is_refused(name: str, value: float) -> None:
    sizes = {"drive": 1.0, "gate": 1.0, "width": 1e-6} | {name: value}
    with pytest.raises(InputError, match="above zero"):
        Pulse(Polarity.SET, **sizes)
    columns = {key: np.array([1.0 if key != "width" else 1e-6, size]) for key, size in sizes.items()}
    with pytest.raises(InputError, match=name):
        PulseTrain(Cells.parse("r0c0-1"), np.zeros(2, np.uint8), **columns)


def test_a_train_has_one_pulse_for_each_cell() -> None:
    cells, one = Cells.parse("r0c0-3"), np.ones(4)
    with pytest.raises(InputError, match=r"4 cells were named with gate of shape \(3,\)"):
        PulseTrain(cells, np.zeros(4, np.uint8), one, np.ones(3), one)
    with pytest.raises(InputError, match="polarity 3 is none"):
        PulseTrain(cells, np.array([0, 1, 2, 3], np.uint8), one, one, one)


@given(
    st.lists(st.floats(1e-6, 4.0), min_size=1, max_size=20),
    st.floats(1e-9, 1e-3),
)
def test_a_rounded_train_is_whole_never_higher_and_stays_as_it_is(volts: list[float], width: float) -> None:
    cells = Cells.grid(range(1), range(len(volts)))
    train = PulseTrain(
        cells, np.zeros(len(volts), np.uint8), np.array(volts), np.array(volts), np.array(width)
    )
    once = train.rounded()
    for name, step in (("drive", 1e-6), ("gate", 1e-6), ("width", 1e-9)):
        given_, found = getattr(train, name), getattr(once, name)
        assert (found <= given_ * (1 + 1e-9)).all()
        assert (given_ - found <= 1.001 * step).all()
        whole = np.rint(found / step)
        assert (found == whole / round(1 / step)).all()  # as a board computes it from the whole number
        assert (getattr(once.rounded(), name) == found).all()


def test_a_decimal_voltage_is_not_rounded_away() -> None:
    cells, tenths = Cells.grid(range(1), range(35)), np.arange(1, 36) / 10
    train = PulseTrain(cells, np.zeros(35, np.uint8), tenths, tenths, tenths * 1e-6).rounded()
    assert (train.drive == tenths).all()
    assert np.allclose(train.width, tenths * 1e-6, rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 7, 20])
def test_a_train_survives_the_record(count: int) -> None:
    rng = np.random.default_rng(count)
    cells = Cells(rng.integers(0, 99, count), rng.integers(0, 99, count))
    sizes = rng.uniform(0.1, 2.0, (3, count))
    train = PulseTrain(cells, rng.integers(0, 3, count).astype(np.uint8), *sizes)
    again = PulseTrain.from_columns(train.columns())
    for name, column in train.columns().items():
        assert np.array_equal(again.columns()[name], column), name
    half = train.take(np.arange(count) % 2 == 0)
    assert np.array_equal(half.drive, train.drive[::2])
    assert len(half) == len(half.cells) == (count + 1) // 2


# Readings, sweeps, loop runs.


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": 0},
        {"samples": 65_536},
        {"v_read": 0.0},
        {"v_read": math.nan},
        {"gate": 0.0},
        {"gate": math.nan},
        {"gate": math.inf},
    ],
)
def test_a_reading_needs_voltage_gate_and_samples(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="a reading needs"):
        ReadSpec(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"voltages": []},
        {"voltages": [[0.1]]},
        {"voltages": [0.1, math.nan]},
        {"gate": 0.0},
        {"compliance": -1e-6},
        {"compliance": math.nan},
        {"dwell": 0.0},
        {"dwell": math.inf},
    ],
)
def test_a_sweep_needs_voltages_gate_compliance_and_dwell(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError, match="a sweep needs"):
        Staircase(**{"voltages": np.array([0.1]), "gate": 3.3, "compliance": 1e-6} | wrong)  # type: ignore[arg-type]


def loop_run() -> LoopRun:
    ticks = np.linspace(0.1, 0.5, 5)
    coefficients = Coefficients(5e-3, ticks, -ticks, np.outer(ticks, np.ones(14)), 0 * ticks)
    wide = tuple(range(15))
    layers = Region((0, 1), wide), Region(tuple(range(32, 60)), wide, copies=2), Region(wide[:14], (0, 1, 2))
    return LoopRun(layers, (1e-5, 2e-5, 3e-5), 5.0, 0.05, np.arange(6.0).reshape(3, 2), coefficients, 2, 1)


def test_a_loop_run_survives_the_record() -> None:
    run = loop_run()
    facts, columns = run.record()
    again_facts, again_columns = LoopRun.from_record(facts, columns).record()
    assert again_facts == facts
    assert all(np.array_equal(again_columns[name], column) for name, column in columns.items())
    assert run.coefficients.duration == pytest.approx(0.025)


def test_a_layer_covers_its_reference_column() -> None:
    assert str(Region((32, 33), (1, 2, 3, 4)).cells()) == "r32-33c1-4"


def test_a_loop_run_without_layers_or_with_a_start_that_is_no_number_is_refused() -> None:
    run = loop_run()
    start = run.start.copy()
    start[0, 0] = np.nan
    with pytest.raises(InputError, match="0 layers and 0 scales"):
        LoopRun((), (), 5.0, 0.05, run.start, run.coefficients)
    with pytest.raises(InputError, match="not a number"):
        LoopRun(run.layers, run.scale, 5.0, 0.05, start, run.coefficients)
    with pytest.raises(InputError, match="one value per tick"):
        Coefficients(5e-3, np.ones(3), np.ones(2), np.ones((3, 14)), np.zeros(3))
    with pytest.raises(InputError, match="a layer needs"):
        Region((), (0, 1))


# Words.


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_tells_its_cure(outcome: Outcome) -> None:
    assert outcome.cure[0].isupper()
    assert outcome.cure.endswith(".")


def test_a_hint_names_the_nearest_word_or_all() -> None:
    assert did_you_mean("v_sett", ["v_set", "v_reset", "width"]) == "did you mean 'v_set'?"
    assert did_you_mean("zzz", ["b", "a"]) == "possible: a, b"


def test_json_for_scripts_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    facts = {
        "g": np.array([1.0, np.nan]),
        "n": np.int64(3),
        "x": np.float32("inf"),
        "path": Outcome.UNKNOWN,
        1: (True, None),
    }
    Terminal(as_json=True).document(facts)
    written = json.loads(
        capsys.readouterr().out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON")
    )
    assert written == {"g": [1.0, None], "n": 3, "x": None, "path": 8, "1": [True, None]}


def test_names_in_brackets_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().say("wrote runs/[bold]x[/nope] :smile:")
    Terminal().error("no [red]file[/x] :smile:")
    said = capsys.readouterr()
    assert said.out == "wrote runs/[bold]x[/nope] :smile:\n"
    assert said.err == "error: no [red]file[/x] :smile:\n"


def test_a_curve_comes_back_from_its_record_with_what_was_limited() -> None:
    current, limited = np.array([0.0, 1e-4]), np.array([False, True])
    curve = Curve(np.array([0.0, 1.0]), current, np.array([1e-3, 2e-3]), limited)
    again = Curve.from_columns(curve.columns())
    assert {name: column.tolist() for name, column in again.columns().items()} == {
        name: column.tolist() for name, column in curve.columns().items()
    }
    older = {name: column for name, column in curve.columns().items() if name != "limited"}
    assert Curve.from_columns(older).limited.tolist() == [False, False]

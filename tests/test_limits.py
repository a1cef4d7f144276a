"""Limits: nothing beyond them passes, everything at them does, and no bench file moves the hard ones."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError
from scipy.optimize import brentq

from rramlab.bench import Bench, embedded
from rramlab.cells import Cells
from rramlab.errors import BenchFileError, LimitExceeded
from rramlab.limits import Limits
from rramlab.pulse import Polarity, Pulse, PulseTrain
from rramlab.reading import ReadSpec, Staircase

HARD = {name: field.json_schema_extra for name, field in Limits.model_fields.items()}
HARD = {name: extra["hard"] for name, extra in HARD.items() if isinstance(extra, dict)}
OTHER_HARD = {"pulses_per_cell": 2000, "reset_floor": 50e-6, "form_ceiling": 5e-6}
LIMITS = Limits()
ALLOWED = 1 + 1e-8  # relative: what rounding may add


def train(polarity: Polarity, drive: float, gate: float, width: float) -> PulseTrain:
    return PulseTrain.of(Cells.parse("r0c0-3"), Pulse(polarity, drive, gate, width))


def exceeded(limits: Limits, pulses: PulseTrain) -> bool:
    try:
        limits.check_train(pulses)
    except LimitExceeded as refusal:
        assert "nothing was sent" in str(refusal)
        return True
    return False


# The current of a pulse, against a brute-force operating point.

BETA, THRESHOLD, CELL = 170e-6, 0.70, 150e-6


def transistor(v_gs: float, v_ds: float) -> float:
    """Return the current (A) of a level-1 NMOS without body effect or channel-length modulation."""
    over = max(v_gs - THRESHOLD, 0.0)
    reach = min(v_ds, over)
    return BETA * (over * reach - 0.5 * reach**2)


def operating_point(polarity: Polarity, drive: float, gate: float) -> float:
    if polarity is Polarity.RESET:  # SL drives the drain, the cell hangs between source and BL at 0 V
        node = brentq(
            lambda v: transistor(gate - v, drive - v) - CELL * v, 0.0, drive, xtol=1e-14, rtol=1e-14
        )
        return CELL * node
    node = brentq(lambda v: transistor(gate, v) - CELL * (drive - v), 0.0, drive, xtol=1e-14, rtol=1e-14)
    return CELL * (drive - node)


@given(st.sampled_from(Polarity), st.floats(0.05, 3.6), st.floats(0.05, 3.63))
@settings(max_examples=300)
def test_the_current_is_the_operating_point_of_transistor_and_cell(
    polarity: Polarity, drive: float, gate: float
) -> None:
    estimate = float(LIMITS.current(train(polarity, drive, gate, 1e-6))[0])
    assert estimate == pytest.approx(operating_point(polarity, drive, gate), rel=1e-8, abs=1e-13)


@given(st.sampled_from(Polarity), st.floats(0.05, 3.6), st.floats(0.05, 3.63), st.floats(1e-3, 0.5))
def test_more_drive_or_more_gate_never_gives_less_current(
    polarity: Polarity, drive: float, gate: float, step: float
) -> None:
    base, driven, opened = (
        float(LIMITS.current(train(polarity, d, g, 1e-6))[0])
        for d, g in ((drive, gate), (drive + step, gate), (drive, gate + step))
    )
    assert 0 <= base <= min(driven, opened) + 1e-15


# No train that passes exceeds anything.

sizes = arrays(float, 8, elements=st.floats(1e-3, 5.0))
widths = arrays(float, 8, elements=st.floats(-8.0, -2.5).map(lambda power: 10.0**power))


@given(arrays(np.uint8, 8, elements=st.integers(0, 2)), sizes, sizes, widths)
@settings(max_examples=80)
def test_a_train_that_passes_keeps_every_limit(polarity: Any, drive: Any, gate: Any, width: Any) -> None:
    cells = Cells.grid(range(1), range(8))
    kept = []
    for i in range(8):  # pulse by pulse, so that some pass
        one = PulseTrain(cells, polarity, drive, gate, width).take(np.array([i]))
        if not exceeded(LIMITS, one):
            kept.append(i)
    passed = PulseTrain(cells, polarity, drive, gate, width).take(np.array(kept, dtype=np.intp))
    assert not exceeded(LIMITS, passed)
    for kind, d, g, w in zip(passed.polarity, passed.drive, passed.gate, passed.width, strict=True):
        current = operating_point(Polarity(int(kind)), float(d), float(g))
        energy = current * d * w
        most: dict[int, tuple[float, ...]] = {
            Polarity.SET: (2.0 if g <= 2.0 * ALLOWED else 1.6, 3.3, 10e-6, 140e-6, 1e-9),
            Polarity.RESET: (2.0, 3.3, 10e-6, 200e-6, 1e-9),
            Polarity.FORM: (3.3, 1.6, 1e-3, 100e-6, 5e-9),
        }
        assert all(
            asked <= limit * ALLOWED
            for asked, limit in zip((d, g, w, current, energy), most[int(kind)], strict=True)
        )


# Each limit admits its own value and refuses what is just above. The other limits are opened as far as the
# hard ones allow and the pulse is gentle in everything else, so that only the limit in question speaks.

GENTLE: dict[Polarity, tuple[float, float, float]] = {
    Polarity.SET: (0.5, 1.0, 1e-7),
    Polarity.RESET: (0.5, 1.5, 1e-7),
    Polarity.FORM: (0.5, 1.0, 1e-7),
}
EDGES = [
    ("v_set", Polarity.SET, 0),
    ("v_reset", Polarity.RESET, 0),
    ("v_form", Polarity.FORM, 0),
    ("gate", Polarity.SET, 1),
    ("gate", Polarity.RESET, 1),
    ("gate_form", Polarity.FORM, 1),
    ("width", Polarity.SET, 2),
    ("width", Polarity.RESET, 2),
    ("width_form", Polarity.FORM, 2),
]


@pytest.mark.parametrize(("name", "polarity", "place"), EDGES)
def test_a_limit_admits_its_value_and_refuses_what_is_just_above(
    name: str, polarity: Polarity, place: int
) -> None:
    low = {"width": 2e-7, "width_form": 2e-7}.get(name, 1.2)
    limits = Limits(**HARD | {name: low})
    size = list(GENTLE[polarity])
    size[place] = low
    assert not exceeded(limits, train(polarity, *size))
    size[place] = low * (1 + 1e-6)
    with pytest.raises(
        LimitExceeded, match=rf"{polarity.name} of cell r0c0: .* raise {name} under \[limits\]"
    ):
        limits.check_train(train(polarity, *size))


@pytest.mark.parametrize(
    ("polarity", "current", "energy"),
    [("SET", "i_set", "energy"), ("RESET", "i_reset", "energy"), ("FORM", "i_form", "energy_form")],
)
def test_current_and_energy_are_limited_to_their_value(polarity: str, current: str, energy: str) -> None:
    kind = Polarity[polarity]
    drive, gate, width = 1.0, 1.4, 1e-6
    flow = operating_point(kind, drive, gate)
    for name, value in ((current, flow), (energy, flow * drive * width)):
        assert not exceeded(Limits(**HARD | {name: value}), train(kind, drive, gate, width))
        with pytest.raises(LimitExceeded, match=f"raise {name} under"):
            Limits(**HARD | {name: value * (1 - 1e-6)}).check_train(train(kind, drive, gate, width))


def test_a_set_with_an_open_gate_has_a_limit_of_its_own() -> None:
    limits = Limits(v_set=2.0, v_set_open_gate=1.5, i_set=200e-6)
    assert not exceeded(limits, train(Polarity.SET, 2.0, 2.0, 1e-7))
    assert not exceeded(limits, train(Polarity.SET, 1.2, 2.1, 1e-7))
    with pytest.raises(LimitExceeded, match=r"1\.6V is above .* 1\.5V; .* raise v_set_open_gate"):
        limits.check_train(train(Polarity.SET, 1.6, 2.1, 1e-7))
    curve = Staircase(np.array([0.0, 1.6]), 2.1, 1e-5)
    with pytest.raises(LimitExceeded, match="raise v_set_open_gate"):
        limits.check_sweep(curve, np.array([np.nan]))


def test_the_two_values_in_a_refusal_differ() -> None:
    with pytest.raises(LimitExceeded, match=r"drive of 2\.000001V is above the operating limit of 2V"):
        LIMITS.check_train(train(Polarity.RESET, 2.000001, 3.3, 1e-7))


@pytest.mark.parametrize("name", ["drive", "gate", "width"])
@pytest.mark.parametrize("value", [math.nan, -1.0, math.inf])
def test_a_train_that_was_spoilt_after_its_birth_is_refused(name: str, value: float) -> None:
    sizes = {"drive": np.full(4, 1.0), "gate": np.full(4, 1.4), "width": np.full(4, 1e-7)}
    pulses = PulseTrain(Cells.parse("r0c0-3"), np.zeros(4, np.uint8), **sizes)
    sizes[name][2] = value
    with pytest.raises(LimitExceeded, match="r0c2"):
        LIMITS.check_train(pulses)


# Readings, sweeps, products.


def test_readings_are_limited() -> None:
    LIMITS.check_read(ReadSpec(v_read=0.2))
    LIMITS.check_read(ReadSpec(v_read=-0.2))
    for wrong in (ReadSpec(v_read=0.2001), ReadSpec(v_read=-0.2001), ReadSpec(gate=3.31)):
        with pytest.raises(LimitExceeded, match="read"):
            LIMITS.check_read(wrong)


@pytest.mark.parametrize(
    ("volts", "gate", "compliance", "name"),
    [
        ([0.0, 2.01], 2.0, 1e-5, "v_set"),
        ([0.0, 1.61], 3.3, 1e-5, "v_set_open_gate"),
        ([0.0, -2.01], 3.3, 1e-5, "v_reset"),
        ([0.0, 0.1], 3.31, 1e-5, "gate"),
        ([0.0, 0.1], 3.3, 141e-6, "i_set"),
    ],
)
def test_sweeps_are_limited(volts: list[float], gate: float, compliance: float, name: str) -> None:
    fresh = np.array([np.nan])
    LIMITS.check_sweep(Staircase(np.array([0.0, 1.6, -2.0]), 3.3, 140e-6), fresh)
    LIMITS.check_sweep(Staircase(np.array([0.0, 2.0]), 2.0, 140e-6), fresh)
    with pytest.raises(LimitExceeded, match=f"raise {name} under"):
        LIMITS.check_sweep(Staircase(np.array(volts), gate, compliance), fresh)


def test_a_downward_sweep_is_a_reset() -> None:
    down = Staircase(np.array([0.0, -0.5]), 3.3, 1e-5)
    LIMITS.check_sweep(down, np.array([3e-6]))
    with pytest.raises(LimitExceeded, match=r"reads below 3uS"):
        LIMITS.check_sweep(down, np.array([2.9e-6]))


@pytest.mark.parametrize("value", [0.2001, -0.2001, math.nan, math.inf])
def test_products_are_limited(value: float) -> None:
    inputs = np.full((2, 4), 0.2)
    LIMITS.check_inputs(inputs, "multiply")
    LIMITS.check_inputs(np.zeros((0, 4)), "multiply")
    inputs[1, 2] = value
    with pytest.raises(LimitExceeded, match="multiply"):
        LIMITS.check_inputs(inputs, "multiply")


# The history of a cell.

SET, RESET, FORM = (train(p, *GENTLE[p]) for p in (Polarity.SET, Polarity.RESET, Polarity.FORM))
NEVER = np.zeros(4, dtype=np.int64)


def test_a_cell_has_so_many_pulses_and_no_more() -> None:
    reading = np.full(4, 20e-6)
    LIMITS.check_history(SET, np.array([0, 1, 199, 0]), reading)
    with pytest.raises(LimitExceeded, match=r"r0c2 has had its 200 pulses"):
        LIMITS.check_history(SET, np.array([0, 1, 200, 0]), reading)


def test_no_reset_below_the_floor() -> None:
    LIMITS.check_history(RESET, NEVER, np.array([3e-6, 9e-6, np.nan, 50e-6]))
    LIMITS.check_history(SET, NEVER, np.full(4, 1e-6))
    with pytest.raises(LimitExceeded, match=r"r0c1 reads below 3uS"):
        LIMITS.check_history(RESET, NEVER, np.array([3e-6, 2.99e-6, np.nan, 50e-6]))


@pytest.mark.parametrize("reading", [1e-6, 5e-5, math.nan])
def test_only_a_fresh_cell_that_was_just_read_is_formed(reading: float) -> None:
    LIMITS.check_history(FORM, NEVER, np.full(4, 0.99e-6))
    with pytest.raises(LimitExceeded, match=r"r0c3 does not read below 1uS"):
        LIMITS.check_history(FORM, NEVER, np.array([1e-9, 1e-9, 1e-9, reading]))


# The hard limits.


def with_limit(name: str, value: str) -> str:
    return embedded().split("[limits]")[0] + f"[limits]\n{name} = {value}\n"


@pytest.mark.parametrize(("name", "hard"), [*HARD.items(), *OTHER_HARD.items()])
def test_a_bench_file_reaches_its_hard_limits_and_not_beyond(name: str, hard: float) -> None:
    beyond = hard + 1 if isinstance(hard, int) else math.nextafter(hard, math.inf)
    assert getattr(Bench.parse(with_limit(name, repr(hard))).limits, name) == hard
    for value in (beyond, hard * 10):
        with pytest.raises(BenchFileError, match=rf"limits\.{name}.*hard limit"):
            Bench.parse(with_limit(name, repr(value)))
    for text in ("nan", "inf", "0.0", "-1.0", "true", "'1'"):
        with pytest.raises(BenchFileError, match=rf"limits\.{name}"):
            Bench.parse(with_limit(name, text))


def test_every_limit_has_a_hard_one() -> None:
    assert HARD.keys() | OTHER_HARD.keys() == Limits.model_fields.keys()
    assert all(getattr(LIMITS, name) <= hard for name, hard in (HARD | OTHER_HARD).items())


def test_the_floor_of_reset_cannot_be_taken_away() -> None:
    with pytest.raises(BenchFileError, match="reset_floor"):
        Bench.parse(with_limit("reset_floor", "0.99e-6"))


def test_limits_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        LIMITS.v_set = 2.4  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Limits(v_sett=1.0)  # type: ignore[call-arg]


def test_the_embedded_bench_writes_out_the_defaults() -> None:
    assert Bench.load(None).limits == LIMITS

"""The door: what is refused, what is written down when, and every way out of it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from toy_world import Toy, ToyOptions

from rramlab.cells import Cells
from rramlab.errors import InputError, LimitExceeded, LinkError, Unsupported
from rramlab.limits import Limits
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.pulse import Delivery, Polarity, Pulse, PulseTrain
from rramlab.reading import ReadSpec, Staircase
from rramlab.recorder import Event, MemoryRecorder, NullRecorder

ALL = Cells.of_shape((4, 4))
FOUR = Cells.parse("r0c0-3")
SET = Pulse(Polarity.SET, 0.6, 1.2, 1e-6)
RESET = Pulse(Polarity.RESET, 0.8, 2.0, 1e-6)
FORM = Pulse(Polarity.FORM, 2.8, 1.4, 1e-6)


def stages(recorder: MemoryRecorder) -> list[tuple[str, str]]:
    return [(event.stage, event.verb) for event in recorder.events]


def some_run(layers: tuple[Region, ...]) -> LoopRun:
    ticks = np.ones(3)
    coefficients = Coefficients(5e-3, ticks, ticks, np.ones((3, 2)), 0 * ticks)
    return LoopRun(layers, (1e-5,) * len(layers), 5.0, 0.05, np.zeros((1, 2)), coefficients)


# Refusals leave no trace.

REFUSED: dict[str, tuple[type[Exception], Callable[[Toy], object]]] = {
    "a cell outside": (InputError, lambda toy: toy.read(Cells.parse("r4c0"))),
    "a cell twice": (InputError, lambda toy: toy.read(Cells.parse("r0c0;r0c0"))),
    "a hot read": (LimitExceeded, lambda toy: toy.read(FOUR, ReadSpec(v_read=0.25))),
    "a pulse outside": (InputError, lambda toy: toy.pulse(PulseTrain.of(Cells.parse("r0c4"), SET))),
    "a hot pulse": (LimitExceeded, lambda toy: toy.pulse(PulseTrain.of(FOUR, replace(SET, drive=2.1)))),
    "one hot pulse of four": (
        LimitExceeded,
        lambda toy: toy.pulse(replace(PulseTrain.of(FOUR, SET), drive=np.array([0.6, 0.6, 0.6, 2.1]))),
    ),
    "forming a formed cell": (LimitExceeded, lambda toy: toy.pulse(PulseTrain.of(FOUR, FORM))),
    "a sweep of two cells": (InputError, lambda toy: toy.sweep(Cells.parse("r0c0-1"), staircase(0.1))),
    "a hot sweep": (LimitExceeded, lambda toy: toy.sweep(Cells.parse("r0c0"), staircase(2.1))),
    "too few inputs": (InputError, lambda toy: toy.multiply(np.zeros(3))),
    "no such macro": (InputError, lambda toy: toy.multiply(np.zeros(4), macro=1)),
    "a macro before the first": (InputError, lambda toy: toy.multiply(np.zeros(4), macro=-1)),
    "hot inputs": (LimitExceeded, lambda toy: toy.multiply(np.full(4, 0.21))),
    "time backwards": (InputError, lambda toy: toy.wait(-1e-9)),
    "no time": (InputError, lambda toy: toy.wait(float("nan"))),
    "for ever": (InputError, lambda toy: toy.wait(float("inf"))),
    "a verb it lacks": (Unsupported, lambda toy: toy.solve(some_run((Region((0, 1), (0, 1, 2)),)))),
}


def staircase(volts: float) -> Staircase:
    return Staircase(np.array([0.0, volts]), 2.0, 1e-5)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_request_leaves_no_trace(name: str) -> None:
    kind, request = REFUSED[name]
    recorder = MemoryRecorder()
    toy = Toy(recorder=recorder)
    with toy:
        with pytest.raises(kind) as refusal:
            request(toy)
        assert len(str(refusal.value)) > 20
        assert recorder.events == []
        assert toy.pulses.sum() == 0
        assert np.isnan(toy.last_reading).all()
        assert toy.now() == 0.0
        toy.read(FOUR)
    assert recorder.events[0].number == 1  # no number was spent


def test_a_lacking_verb_is_named_with_what_is_possible() -> None:
    with (
        Toy() as toy,
        pytest.raises(Unsupported, match=r"no 'solve' \(toy\); it can: multiply, pulse, read, sweep, wait"),
    ):
        toy.solve(some_run((Region((0, 1), (0, 1, 2)),)))


def test_a_loop_must_fit_into_the_macro() -> None:
    class Looped(Toy):
        can = Toy.can | {"solve"}

    recorder = MemoryRecorder()
    with Looped(recorder=recorder) as toy, pytest.raises(InputError, match=r"r0c4 lies outside"):
        toy.solve(some_run((Region((0, 1), (0, 1, 2)), Region((0, 1), (2, 3, 4)))))
    hot = replace(some_run((Region((0, 1), (0, 1, 2)),)), start=np.full((1, 2), 4.1))
    with Looped(recorder=recorder) as toy, pytest.raises(LimitExceeded, match="solve"):
        toy.solve(hot)
    assert recorder.events == []


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_bench_answers_only_while_it_is_open(place: str) -> None:
    toy = Toy()
    if place == "after":
        with toy:
            toy.read(FOUR)
    for request in (
        lambda: toy.read(FOUR),
        lambda: toy.pulse(PulseTrain.of(FOUR, SET)),
        lambda: toy.sweep(Cells.parse("r0c0"), staircase(0.1)),
        lambda: toy.multiply(np.zeros(4)),
        lambda: toy.wait(1.0),
    ):
        with pytest.raises(InputError, match="not open"):
            request()


def test_a_bench_is_opened_once() -> None:
    with Toy() as toy:
        with pytest.raises(InputError, match="open already"), toy:
            pass
        toy.read(FOUR)
    assert toy.safe == 1


# The record.


def test_requests_are_written_before_the_world_sees_them_and_numbers_rise() -> None:
    seen: list[int] = []

    class Watching(Toy):
        def _read(self, cells: Cells, spec: ReadSpec) -> NDArray[np.float64]:
            seen.append(len(recorder.events))
            return super()._read(cells, spec)

        def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
            seen.append(len(recorder.events))
            return super()._pulse(train)

        def _wait(self, seconds: float) -> None:
            seen.append(len(recorder.events))

    recorder = MemoryRecorder()
    with Watching(recorder=recorder) as toy:
        toy.read(FOUR)
        toy.pulse(PulseTrain.of(FOUR, SET))
        toy.note("resume", {"round": 1})
        toy.wait(2.0)
    assert seen == [1, 3, 6]  # its own request stands there, its answer does not
    assert stages(recorder) == [
        *[(stage, verb) for verb in ("read", "pulse") for stage in ("request", "result")],
        ("note", "resume"),
        ("request", "wait"),
        ("result", "wait"),
    ]
    assert [event.number for event in recorder.events] == [1, 1, 2, 2, 2, 3, 3]


def test_the_record_says_what_was_asked_and_answered() -> None:
    recorder = MemoryRecorder()
    with Toy(recorder=recorder) as toy:
        g = toy.read(FOUR, ReadSpec(0.1, 3.0, 4))
        toy.pulse(PulseTrain.of(FOUR, SET))
        curve = toy.sweep(Cells.parse("r1c2"), staircase(0.1))
        currents = toy.multiply(np.full((2, 4), 0.1))
    read, reading, pulse, delivery, sweep, swept, product, produced = recorder.events
    assert read.facts == {"v_read": 0.1, "gate": 3.0, "samples": 4}
    assert read.columns["col"].tolist() == [0, 1, 2, 3]
    assert np.array_equal(reading.columns["conductance"], g)
    assert pulse.columns["drive"].tolist() == [0.6] * 4
    assert delivery.columns["delivery"].tolist() == [Delivery.APPLIED] * 4
    assert (sweep.columns["row"].tolist(), sweep.facts["compliance"]) == ([1], 1e-5)
    assert np.array_equal(swept.columns["current"], curve.current)
    assert product.facts == {"macro": 0}
    assert np.array_equal(produced.columns["currents"], currents)


def test_a_request_that_broke_stands_in_the_record_and_in_the_count() -> None:
    class Dying(Toy):
        def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
            raise OSError("the wire is cut")

    recorder = MemoryRecorder()
    toy = Dying(recorder=recorder)
    with pytest.raises(OSError, match="the wire is cut"), toy:
        toy.pulse(PulseTrain.of(FOUR, SET))
    assert stages(recorder) == [("request", "pulse")]
    assert toy.pulses[0].tolist() == [1, 1, 1, 1]
    assert toy.safe == 1


def test_a_recorder_that_cannot_write_stops_the_request() -> None:
    class Full(Toy):
        def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
            pytest.fail("the pulse went out unrecorded")

    toy = Full(recorder=broken_recorder())
    with toy, pytest.raises(OSError, match="disk full"):
        toy.pulse(PulseTrain.of(FOUR, SET))
    assert toy.pulses.sum() == 0


def broken_recorder() -> Any:
    class Broken:
        def request(self, *_: object) -> int:
            raise OSError("disk full")

        result = note = request

    return Broken()


def test_a_recorder_that_keeps_nothing_counts() -> None:
    recorder = NullRecorder()
    assert [recorder.request("read", 0.0, {}, {}) for _ in range(3)] == [1, 2, 3]
    recorder.result(3, "read", 0.0, {}, {})
    recorder.note("x", 0.0, {}, {})


# Counters.


def test_pulses_are_counted_per_cell_and_limited() -> None:
    with Toy(limits=Limits(pulses_per_cell=3)) as toy:
        for cells in ("r0c0-3", "r0c0-1", "r0c0"):
            toy.pulse(PulseTrain.of(Cells.parse(cells), SET))
        assert toy.pulses[0].tolist() == [3, 2, 1, 1]
        with pytest.raises(LimitExceeded, match=r"r0c0 has had its 3 pulses"):
            toy.pulse(PulseTrain.of(FOUR, SET))
        assert toy.pulses[0].tolist() == [3, 2, 1, 1]
        toy.pulse(PulseTrain.of(Cells.parse("r0c1-3"), SET))


def test_pulses_that_were_not_applied_are_not_counted() -> None:
    with Choosy() as toy:
        delivery = toy.pulse(PulseTrain.of(FOUR, SET))
    assert delivery.tolist() == [Delivery.APPLIED, Delivery.NOT_APPLIED, Delivery.UNKNOWN, Delivery.APPLIED]
    assert toy.pulses[0].tolist() == [1, 0, 1, 1]


class Choosy(Toy):
    """Loses the pulse of column 1, and does not know about that of column 2."""

    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        fate = np.array([Delivery.APPLIED, Delivery.NOT_APPLIED, Delivery.UNKNOWN, Delivery.APPLIED])[
            train.cells.col
        ]
        super()._pulse(train.take(fate == Delivery.APPLIED))
        return fate.astype(np.uint8)


def test_a_cell_is_formed_once_and_only_just_after_a_reading() -> None:
    cell = Cells.parse("r0c0")
    with Toy(ToyOptions(fresh=True)) as toy:
        with pytest.raises(LimitExceeded, match="just read"):
            toy.pulse(PulseTrain.of(cell, FORM))
        toy.read(cell)
        toy.pulse(PulseTrain.of(cell, FORM))
        with pytest.raises(LimitExceeded, match="just read"):  # the reading is older than the pulse
            toy.pulse(PulseTrain.of(cell, FORM))
        toy.read(cell)
        with pytest.raises(LimitExceeded, match="just read"):  # it is formed
            toy.pulse(PulseTrain.of(cell, FORM))
        toy.read(Cells.parse("r0c1"))
        toy.sweep(Cells.parse("r0c1"), staircase(0.1))
        with pytest.raises(LimitExceeded, match="just read"):
            toy.pulse(PulseTrain.of(Cells.parse("r0c1"), FORM))


def test_no_reset_of_a_cell_that_reads_below_the_floor() -> None:
    cell = Cells.parse("r0c0")
    with Toy(ToyOptions(fresh=True)) as toy:
        toy.read(cell)
        with pytest.raises(LimitExceeded, match="further RESET could burn it"):
            toy.pulse(PulseTrain.of(cell, RESET))
        with pytest.raises(LimitExceeded, match="could burn it"):
            toy.sweep(cell, Staircase(np.array([0.0, -0.1]), 2.0, 1e-5))
        toy.pulse(PulseTrain.of(cell, SET))


# Ways out.


@pytest.mark.parametrize("way", [None, RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_lines_are_safe_on_every_way_out(way: type[BaseException] | None) -> None:
    toy = Toy()
    with suppress(BaseException), toy:
        toy.read(FOUR)
        if way is not None:
            raise way
    assert toy.safe == 1
    with pytest.raises(InputError, match="not open"):
        toy.read(FOUR)


@pytest.mark.parametrize("fault", [OSError("no answer"), KeyboardInterrupt(), SystemExit(3)])
def test_a_world_that_cannot_be_made_safe_is_noted_and_the_way_out_goes_on(fault: BaseException) -> None:
    class Stuck(Toy):
        def _make_safe(self) -> None:
            raise fault

    recorder = MemoryRecorder()
    toy = Stuck(recorder=recorder)
    with pytest.raises(ZeroDivisionError) as way, toy:
        raise ZeroDivisionError
    assert "outputs may still be ON" in way.value.__notes__[0]  # whoever sees the error sees this, too
    assert [(event.verb, event.facts["error"]) for event in recorder.events] == [("unsafe", repr(fault))]
    assert toy.unsafe == (str(fault) or repr(fault))
    Stuck(recorder=broken_recorder()).make_safe()  # not even the record may stop it


def test_a_bench_left_with_its_outputs_on_is_an_error() -> None:
    class Stuck(Toy):
        def _make_safe(self) -> None:
            raise OSError("no answer")

    with pytest.raises(LinkError, match=r"may still be ON.*no answer.*rramlab panic") as left, Stuck() as toy:
        toy.read(FOUR)
    assert left.value.exit_code == 7


def test_a_second_ctrl_c_waits_until_the_lines_are_safe() -> None:
    done: list[str] = []

    class Slow(Toy):
        def _make_safe(self) -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            done.append("BL, SL, WL at 0 V")

    toy = Slow()
    with pytest.raises(KeyboardInterrupt), toy:
        raise KeyboardInterrupt
    assert done == ["BL, SL, WL at 0 V"]
    with pytest.raises(InputError, match="not open"):
        toy.read(FOUR)


def test_handlers_of_signals_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with Toy() as toy:
        assert signal.getsignal(signal.SIGTERM) is not before[1]
        toy.make_safe()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_bench_works_in_a_thread_of_its_own() -> None:
    toy = Toy()

    def work() -> None:
        with toy:
            toy.read(FOUR)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert toy.safe == 1


SCRIPT = """
import os, signal, sys
{before}
from toy_world import Toy
class Told(Toy):
    def _make_safe(self):
        print("safe", flush=True)
with Told() as toy:
    print("open", flush=True)
    os.kill(os.getpid(), signal.{name})
    toy.wait(1.0)
print("went on", flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize(
    ("name", "before", "said", "code"),
    [
        ("SIGTERM", "", ["open", "safe"], 143),
        ("SIGHUP", "", ["open", "safe"], 129),
        ("SIGINT", "", ["open", "safe"], -signal.SIGINT),
        # nohup rramlab ...: the run outlives its terminal.
        ("SIGHUP", "signal.signal(signal.SIGHUP, signal.SIG_IGN)", ["open", "safe", "went on"], 0),
    ],
)
def test_a_signal_leaves_the_lines_safe(name: str, before: str, said: list[str], code: int) -> None:
    script = SCRIPT.format(name=name, before=before)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    run = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert run.stdout.split("\n")[:-1] == said, run.stderr
    assert run.returncode == code


# Replay.


def session(toy: Toy) -> None:
    toy.read_all()
    for pulse in (SET, SET, RESET):
        toy.pulse(PulseTrain.of(FOUR, pulse))
        toy.read(FOUR)
    toy.pulse(PulseTrain.of(Cells.parse("r2-3c1-2"), SET))
    toy.note("resume", {}, {"row": np.array([0])})
    toy.sweep(Cells.parse("r3c0"), staircase(0.1))
    toy.multiply(np.full(4, 0.1))
    toy.wait(3600.0)


def counters(toy: Toy) -> list[NDArray[Any]]:
    return [toy.pulses, toy.last_reading]


def test_a_world_that_forgets_is_lived_through_again_bit_for_bit() -> None:
    recorder, again = MemoryRecorder(), MemoryRecorder()
    with Toy(recorder=recorder, seed=5) as toy:
        session(toy)
        reborn = Toy(recorder=again, seed=5)
        with reborn:
            reborn.replay(recorder.events)
            assert again.events == []
            assert np.array_equal(reborn.g, toy.g)
            assert reborn.now() == toy.now()
            for one, other in zip(counters(reborn), counters(toy), strict=True):
                np.testing.assert_array_equal(one, other)
            assert np.array_equal(reborn.read_all(), toy.read_all())  # the noise goes on where it was


def test_a_world_that_remembers_gets_its_counters_only() -> None:
    class Real(Choosy):
        remembers = True

    recorder = MemoryRecorder()
    with Real(recorder=recorder) as toy:
        session(toy)
    later = Real()
    untouched = later.g.copy()
    later.replay(recorder.events)
    assert np.array_equal(later.g, untouched)
    assert later.now() == 0.0
    for one, other in zip(counters(later), counters(toy), strict=True):
        np.testing.assert_array_equal(one, other)
    assert later.memory() == {}


def test_a_pulse_without_an_answer_counts_as_delivered() -> None:
    recorder = MemoryRecorder()
    with Toy(recorder=recorder) as toy:
        toy.read(FOUR)
        toy.pulse(PulseTrain.of(FOUR, SET))
    cut: list[Event] = recorder.events[:-1]  # killed while the pulse was on its way
    later = Toy()
    later.replay(cut)
    assert later.pulses[0].tolist() == [1, 1, 1, 1]
    assert np.isnan(later.last_reading).all()


def test_read_all_has_the_shape_of_the_bench() -> None:
    with Toy(ToyOptions(rows=2, cols=3, macros=2)) as toy:
        g = toy.read_all()
    assert g.shape == (4, 3)
    np.testing.assert_array_equal(toy.last_reading, g)

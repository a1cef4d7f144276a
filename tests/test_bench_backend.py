"""The bench behind the door: what is asked of which instrument, in which order, also when one fails."""

from typing import Any

import numpy as np
import pytest
from bench_fakes import board, meter, scope

from drivers.bench_backend import BenchBackend
from drivers.bench_options import BenchOptions
from rramlab.cells import Cells
from rramlab.clock import Clock
from rramlab.errors import BenchBusy, InputError, LinkError, LinkFault, Unsupported
from rramlab.limits import Limits
from rramlab.pulse import Pulse, PulseTrain
from rramlab.reading import Staircase
from rramlab.recorder import MemoryRecorder

CELL = Cells.parse("r1c2")
STAIRS = Staircase(np.array([0.0, 0.2, -0.3]), gate=1.5, compliance=1e-4)


class Steps(Clock):
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def bench(log: list[str], more: dict[str, Any] | None = None, **options: Any) -> BenchBackend:
    extras = {"log": log} | (more or {})
    parts = {"board": board(**extras), "source_meter": meter(**extras), "oscilloscope": scope(**extras)}
    sizes = {"macros": 2, "rows": 4, "cols": 3, "guardian": False}
    return BenchBackend(BenchOptions(**parts | sizes | options), recorder=MemoryRecorder(), clock=Steps())


OPENED = [
    "board watch",
    *("meter open", "meter safe", "board open", "board safe", "scope open", "scope safe"),
    "board begin 2V",
]
CLOSED = ["meter safe", "board safe", "scope safe", "scope close", "board close", "meter close"]


def test_opening_switches_off_and_closing_switches_off_before_links_are_closed() -> None:
    log: list[str] = []
    with bench(log) as backend:
        assert log == OPENED
    assert log == OPENED + CLOSED
    assert [event.verb for event in backend.recorder.events] == ["board"]  # what the board wants remembered


def test_verbs_reach_the_board_with_their_number_and_their_shape() -> None:
    log: list[str] = []
    cells = Cells.parse("r0c0-1")
    with bench(log) as backend:
        assert backend.read(cells).shape == (2,)
        backend.pulse(PulseTrain.of(cells, Pulse.parse("SET 1V gate=1V 1us")))
        currents = backend.multiply(np.zeros((2, 5, 4)), macro=1)
        backend.wait(100.0)
        assert backend.now() == 100.0
    assert log[len(OPENED) : -len(CLOSED)] == [
        "board read r0c0-1 #1",
        "board pulse r0c0-1 #2",
        "board multiply (10, 4) on 1 #3",
    ]
    assert currents.shape == (2, 5, 3)
    assert currents[1, 0].tolist() == [15.0, 16.0, 17.0]


def test_the_board_keeps_time_where_the_bench_file_says_so() -> None:
    log: list[str] = []
    backend = bench(log, clock="board")
    assert backend.now() == 0.0  # of this computer, as long as nobody can be asked
    with backend:
        assert backend.now() == 5.0
        backend.wait(2.0)
    assert "board wait 2s" in log


# The sweep.

UP = ["meter is-off?", "meter is-off?", "meter arm 0.0001A 0.3V", "board connect r1c2 1.5V #1", "meter on"]
RUN = ["board feed", "meter sweep", "board feed", "board feed", "meter fetch"]
DOWN = ["meter is-off?", "meter off", "meter is-off?", "board gate 0V", "board disconnect #1"]


def sweep(log: list[str], **more: Any) -> list[str]:
    with bench(log, more) as backend:
        backend.sweep(CELL, STAIRS)
    return log[len(OPENED) : -len(CLOSED)]


def test_nothing_is_swept_over_a_board_that_was_switched_off_meanwhile() -> None:
    log: list[str] = []
    with pytest.raises(LinkError, match="board feed"):
        sweep(log, breaks=["board feed"])
    assert "meter on" in log and "meter sweep" not in log


def test_a_sweep_goes_up_gate_first_and_down_drain_first() -> None:
    assert sweep([]) == UP + RUN + DOWN


def test_the_board_is_fed_while_the_meter_answers_only_when_its_sweep_has_ended() -> None:
    # A watchdog that trips opens the route of a cell that the meter still drives.
    assert sweep([], mute=True)[-len(DOWN) :] == DOWN


def test_a_board_that_trips_while_the_meter_is_mute_is_told() -> None:
    with pytest.raises(LinkError, match="board feed"):
        sweep([], mute=True, breaks=["board feed"])


def test_no_line_is_switched_while_the_meter_says_that_it_is_on() -> None:
    log: list[str] = []
    with pytest.raises(LinkError, match="says that its output is on; no line was switched"):
        sweep(log, stuck=True)
    assert not [line for line in log if "connect" in line or "gate" in line]


@pytest.mark.parametrize("broken", ["meter arm", "board connect", "meter on", "meter sweep", "board feed"])
def test_a_sweep_that_breaks_is_taken_down_drain_first_before_it_is_told(broken: str) -> None:
    log: list[str] = []
    with pytest.raises(LinkError, match=broken):
        sweep(log, breaks=[broken])
    at = next(i for i, line in enumerate(log) if line.startswith(broken))
    assert log[at + 1 :] == ["meter safe", "board safe", *CLOSED]


def test_a_meter_that_cannot_be_reached_does_not_keep_the_board_on() -> None:
    log: list[str] = []
    with pytest.raises(LinkError, match="meter fetch"):
        sweep(log, breaks=["meter fetch", "meter abort"])
    assert log[log.index("meter fetch") + 1 :][:2] == ["meter safe", "board safe"]


def test_a_sweep_that_never_ends_is_given_up_and_the_board_was_fed() -> None:
    log: list[str] = []
    with pytest.raises(LinkError, match="has not finished a sweep of 3 steps within 30 s") as error:
        sweep(log, endless=True)
    assert error.value.fault is LinkFault.TIMEOUT
    assert log.count("board feed") > 1000


# The way out.


def test_every_part_is_made_safe_whatever_breaks_and_the_user_is_told() -> None:
    log: list[str] = []
    backend = bench(log)
    with (
        pytest.raises(LinkError, match=r"may still be ON.*source_meter: the cable.*board: the cable"),
        backend,
    ):
        log.clear()
        backend._parts.meter.breaks = backend._parts.board.breaks = ["meter safe", "board safe"]
    assert log == CLOSED


def test_a_part_that_is_missing_closes_what_was_opened_and_is_named() -> None:
    log: list[str] = []
    with (
        pytest.raises(LinkError, match=r"^oscilloscope: the cable is out"),
        bench(log, {"breaks": ["scope open"]}),
    ):
        pytest.fail("a bench without its oscilloscope was opened")
    assert log[-4:] == ["scope open", "scope close", "board close", "meter close"]


def test_another_instrument_than_that_of_the_bench_file_is_refused() -> None:
    named = meter(log=[]).model_copy(update={"serial": "4711"})
    with pytest.raises(LinkError, match="source_meter: the bench file expects serial number '4711', but '1'"):
        bench([], source_meter=named).__enter__()
    with pytest.raises(
        LinkError, match=r"board: the bench file says 2 macros of 4 x 3, but .* 1 macros of 9 x 9"
    ):
        bench([], {"shape": (1, 9, 9)}).__enter__()


# What it can do.


@pytest.mark.parametrize(
    ("parts", "able"),
    [
        ({}, {"read", "pulse", "multiply", "sweep", "solve", "wait"}),
        ({"source_meter": None}, {"read", "pulse", "multiply", "solve", "wait"}),
        ({"board": None}, {"wait"}),
        ({"board": board(can=["solve"])}, {"solve", "wait"}),
        ({"board": board(can=["read", "wait"])}, {"read", "wait"}),
    ],
)
def test_capabilities_follow_from_what_is_there(parts: dict[str, Any], able: set[str]) -> None:
    assert bench([], **parts).capabilities == able


def test_a_missing_part_is_told_at_the_door() -> None:
    with bench([], source_meter=None) as backend, pytest.raises(Unsupported) as error:
        backend.sweep(CELL, STAIRS)
    assert str(error.value).startswith("this bench has no 'sweep' (bench+bench_fakes:FakeBoard+")


def test_the_limits_reach_the_board() -> None:
    log: list[str] = []
    backend = bench(log)
    backend.limits = Limits(v_set=1.2)
    with backend:
        assert "board begin 1.2V" in log


def test_a_bench_in_use_is_not_opened_a_second_time() -> None:
    with bench([]) as backend:
        with pytest.raises(BenchBusy, match="is in use"):
            bench([]).__enter__()
        with pytest.raises(InputError, match="leave the 'with' block"):
            backend.examine()
    with bench([]):
        pass


# Looking at it.


def test_an_examination_lists_the_good_parts_beside_the_missing_one_and_leaves_all_off() -> None:
    log: list[str] = []
    found = bench(log, {"breaks": ["board open"]}).examine()
    assert [(f.part, f.good) for f in found] == [
        ("source_meter", True),
        ("source_meter: memory", True),
        ("board", False),
        ("oscilloscope", True),
        ("oscilloscope: memory", True),
    ]
    assert found[2].answer.startswith("the cable is out")
    assert found[2].advice == "look at its cable and its supply"
    assert [line for line in log if line.startswith("meter")] == [
        *("meter open", "meter safe", "meter test", "meter safe", "meter close"),
    ]


def test_an_examination_tells_what_differs_from_the_file() -> None:
    found = bench([], {"shape": (1, 9, 9), "serial": "2"}, oscilloscope=None).examine()
    assert [(f.part, f.good) for f in found][-2:] == [("board", True), ("board", False)]
    assert "2 macros of 4 x 3" in found[-1].answer


def test_a_panic_switches_every_part_off_and_names_those_that_do_not_answer() -> None:
    log: list[str] = []
    options = bench(log)._options
    assert [(f.part, f.good) for f in BenchBackend.panic(options)] == [
        *(("source_meter", True), ("board", True), ("oscilloscope", True)),
    ]
    assert sorted(log[1:]) == ["board off", "meter off", "scope off"]


def test_a_driver_that_cannot_be_loaded_keeps_no_other_instrument_on() -> None:
    log: list[str] = []
    lost = meter(log=log).model_copy(update={"use": "no_such_lab:Meter"})
    options = bench(log)._options.model_copy(update={"source_meter": lost})
    found = BenchBackend.panic(options)
    assert {one.part: one.good for one in found} == {
        "board": True,
        "oscilloscope": True,
        "source_meter": False,
    }
    assert "board off" in log


def test_what_was_left_on_stays_known_until_the_bench_is_opened_again() -> None:
    backend = bench([])
    with pytest.raises(LinkError, match="may still be ON"), backend:
        assert backend._parts.meter is not None
        backend._parts.meter.breaks = ["meter safe"]  # type: ignore[attr-defined]
    backend.make_safe()
    assert "meter safe" in backend.unsafe
    backend._parts.meter.breaks = []  # type: ignore[union-attr]
    with backend:
        assert backend.unsafe == ""


def test_an_open_train_is_settled_with_the_board() -> None:
    log: list[str] = []
    first = bench(log, {"breaks": ["board pulse"]})
    train = PulseTrain.of(CELL, Pulse.parse("SET 1V gate=1V 1us"))
    with pytest.raises(LinkError), first:
        first.pulse(train)
    requests = [event for event in first.recorder.events if event.stage == "request"]
    notes = [event for event in first.recorder.events if event.stage == "note"]
    with bench(log) as second:
        second.replay(first.recorder.events)
        assert second.pulses.sum() == 1
        second.settle(requests, notes)
    assert log[-len(CLOSED) - 1] == "board settle #1 by ['board']"
    assert second.pulses.sum() == 0  # the board says that it never went out

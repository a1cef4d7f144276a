"""A closed loop over the wire is that of the simulation, and keeps nobody from being heard."""

from collections.abc import Iterator

import numpy as np
import pytest
from board_hosts import Laboratory
from test_virtual_board import HandClock, Host, cells
from test_virtual_world import OPTIONS, loop_run

from drivers.rramlab_board import RramlabBoard
from rramlab.board_protocol.loop import FetchRequest, LoadRequest, RunRequest, loads, pack_problem
from rramlab.board_protocol.words import Command, Fault, State, Status, Target, Waveform
from rramlab.loop import LoopRun
from sim_backend.backend import SimBackend
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.world import World


def driver(lab: Laboratory) -> RramlabBoard:
    lab.start()
    assert lab.host is not None
    return lab.host


def load(host: Host, run: LoopRun) -> None:
    start = run.start.astype("<f4").tobytes()
    for target, blob in ((Target.PROBLEM, pack_problem(run)), (Target.START, start)):
        for part in loads(target, blob, 200):
            assert host.ask(Command.LOOP_LOAD, part.pack()).status is Status.OK


def run_it(host: Host) -> Status:
    return host.ask(Command.LOOP_RUN, RunRequest(2, 2).pack()).status


@pytest.fixture
def slow() -> Iterator[tuple[Host, HandClock, World]]:
    """Yield a host of a board whose time passes when the test says so, with a run loaded."""
    clock = HandClock()
    with World(OPTIONS, seed=4, clock=clock) as world:
        host = Host(VirtualBoard(world, aside=False))
        load(host, loop_run())
        yield host, clock, world


def test_a_loop_run_over_the_wire_is_that_of_the_simulation() -> None:
    run = loop_run()
    # The wire carries start states and coefficients as f32.
    rounded = LoopRun.from_record(*_as_f32(run))
    with World(OPTIONS, seed=4) as world, SimBackend(OPTIONS, seed=4) as sim:
        found = driver(Laboratory(world)).solve(run, 1)
        expected = sim.solve(rounded)
        assert world.violations == [] and world.off_at is not None
    for name, values in expected.record().items():
        np.testing.assert_array_equal(found.record()[name], values.astype(np.float32), err_msg=name)


def _as_f32(run: LoopRun) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    facts, columns = run.record()
    return facts, {name: np.asarray(column, dtype=np.float32) for name, column in columns.items()}


def test_runs_are_counted_while_they_go_on(slow: tuple[Host, HandClock, World]) -> None:
    host, clock, world = slow
    assert run_it(host) is Status.OK
    assert State.RUNNING in host.ask(Command.STATUS).state and world.off_at is None
    fetch = FetchRequest(Waveform.END, 0, 100).pack()
    assert host.ask(Command.FETCH, fetch).status is Status.NOT_READY
    clock.moment += 0.25  # a run takes 0.22 s
    assert (host.status().runs_done, host.status().runs_asked) == (1, 2)
    clock.moment += 0.25
    assert host.status().runs_done == 2
    assert State.RUNNING not in host.ask(Command.STATUS).state and world.off_at is not None
    assert host.ask(Command.FETCH, fetch).status is Status.OK


def test_panic_ends_a_run_and_leaves_nothing_of_it(slow: tuple[Host, HandClock, World]) -> None:
    host, clock, world = slow
    run_it(host)
    clock.moment += 0.1
    host.ask(Command.PANIC)
    assert world.off_at is not None and not host.ask(Command.STATUS).state & State.RUNNING
    assert run_it(host) is Status.LATCHED
    assert host.ask(Command.FETCH, FetchRequest(Waveform.END, 0, 9).pack()).status is Status.NOT_READY


def test_a_silent_host_ends_a_run(slow: tuple[Host, HandClock, World]) -> None:
    host, clock, world = slow
    host.board.state.watchdog.limit = 0.2
    run_it(host)
    clock.moment += 0.21
    host.board.tick()
    assert world.off_at is not None and host.status().fault is Fault.WATCHDOG


def test_parts_come_in_order_and_all_of_them(slow: tuple[Host, HandClock, World]) -> None:
    host, _, _ = slow
    first, gap = LoadRequest(Target.START, 16, 0, bytes(4)), LoadRequest(Target.START, 16, 8, bytes(8))
    assert host.ask(Command.LOOP_LOAD, first.pack()).status is Status.OK
    assert host.ask(Command.LOOP_LOAD, gap.pack()).status is Status.MALFORMED
    assert run_it(host) is Status.NOT_READY


def test_start_states_beyond_the_reading_limit_are_refused(slow: tuple[Host, HandClock, World]) -> None:
    host, _, _ = slow
    start = np.array([[3.1, 0.0], [0.0, 0.0]], dtype="<f4").tobytes()  # times 0.1 V
    assert host.ask(Command.LOOP_LOAD, LoadRequest(Target.START, 16, 0, start).pack()).status is Status.OK
    assert run_it(host) is Status.REFUSED


def test_a_run_that_the_loop_cannot_do_is_a_fault_of_the_board(slow: tuple[Host, HandClock, World]) -> None:
    host, clock, _ = slow
    run = loop_run()
    wide = LoopRun(run.layers[:1], run.scale[:1], 1.0, 0.1, run.start, run.coefficients, 1, 2)
    load(host, wide)
    assert run_it(host) is Status.OK
    clock.moment += 1.0
    assert host.status().fault is Fault.HARDWARE


def test_the_work_of_a_run_is_done_aside() -> None:
    with World(OPTIONS, seed=4) as world:
        host = Host(VirtualBoard(world, aside=True))
        load(host, loop_run())
        with world._lock:  # the macro is busy with something else
            assert run_it(host) is Status.OK
            assert State.RUNNING in host.ask(Command.STATUS).state
            host.ask(Command.SAFE)
            assert world.off_at is not None
            assert host.pulse(cells(2)).status is Status.NOT_READY

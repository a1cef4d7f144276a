"""The conformance test passes a good board, and names the rule that a bad one breaks."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from drivers.conformance import CHECKS, PULSES, Conformance
from drivers.memory_wire import MemoryWire
from drivers.rramlab_board import RramlabBoard
from drivers.spec import BoardSpec
from rramlab.board_protocol.frame import Request, Response, unframe
from rramlab.board_protocol.limits import BoardLimits
from rramlab.board_protocol.splitter import PANIC
from rramlab.board_protocol.words import Command, Status
from rramlab.cells import Cells
from rramlab.cli import main
from rramlab.errors import InputError
from rramlab.finding import Finding
from rramlab.limits import Limits
from sim_backend.options import Options
from sim_backend.virtual.board.board import VirtualBoard
from sim_backend.virtual.board.state import factory_limits
from sim_backend.virtual.port import Plug
from sim_backend.virtual.tcp import TcpPort
from sim_backend.virtual.world import World

OPTIONS = Options(macros=1, rows=8, cols=8)
Machine = Callable[[bytes], bytes]
SLOW = {"watchdog"}  # needs a quarter of a second of silence


@contextmanager
def a_board() -> Iterator[VirtualBoard]:
    with World(OPTIONS, seed=1) as world:
        yield VirtualBoard(world, aside=False)


def examined(machine: Machine, checks: set[str], pulses: bool = False) -> dict[str, Finding]:
    wire = MemoryWire(machine)
    test = Conformance(wire, 0.05, Cells.parse("r0c0-2"), pulses)
    test._checks = {name: check for name, check in (CHECKS | PULSES).items() if name in checks}
    return {finding.part: finding for finding in test.findings()}


def straight(board: VirtualBoard) -> Machine:
    talk = board.attach()
    return lambda data: b"".join(talk.feed(data))


def test_the_virtual_board_keeps_every_rule_and_is_left_safe() -> None:
    with a_board() as board:
        wire = MemoryWire(straight(board))
        found = list(Conformance(wire, 0.05, Cells.parse("r0c0-2"), pulses=False).findings())
        assert [finding for finding in found if not finding.good] == []
        assert [finding.part for finding in found] == list(CHECKS)
        assert board._world.pulses_seen.sum() == 0 and board._world.violations == []
        assert not board.state.word()


def test_cells_are_pulsed_where_the_operator_allows_it() -> None:
    with a_board() as board:
        found = examined(straight(board), set(PULSES), pulses=True)
        assert all(finding.good for finding in found.values()) and set(found) == set(PULSES)
        seen = board._world.pulses_seen
        assert seen[0, :3].tolist() == [2, 2, 2] and seen.sum() == 6


def test_cells_that_are_not_there_are_refused() -> None:
    with a_board() as board, pytest.raises(InputError, match="8 rows and 8 columns"):
        list(Conformance(MemoryWire(straight(board)), 0.05, Cells.parse("r8c0"), True).findings())


# Boards that are wrong in one way.


def no_memory(board: VirtualBoard) -> Machine:
    talk = board.attach()

    def feed(data: bytes) -> bytes:
        answer = b"".join(talk.feed(data))
        board.ledger.account.last = board.ledger.account.floor = 0
        return answer

    return feed


def no_limits(board: VirtualBoard) -> Machine:
    talk = board.attach()

    def feed(data: bytes) -> bytes:
        board.state.limits = factory_limits()
        return b"".join(talk.feed(data))

    return feed


def raised_limits(board: VirtualBoard) -> Machine:
    def change(request: Request) -> Request:
        if request.command == Command.LIMITS and request.body:
            board.state.limits = BoardLimits.unpack(request.body)
        return request

    return changing(board, change)


def changing(board: VirtualBoard, change: Callable[[Request], Request]) -> Machine:
    talk = board.attach()

    def feed(data: bytes) -> bytes:
        contents = [unframe(part) for part in data.split(b"\0")]
        if len(data) > 2000 or any(content is None for content in contents if content is not None):
            return b"".join(talk.feed(data))
        for content in contents:
            if content is not None:
                return b"".join(talk.feed(b"\0" + change(Request.decode(content)).encode()))
        return b"".join(talk.feed(data))

    return feed


def any_boot(board: VirtualBoard) -> Machine:
    return changing(board, lambda request: replace(request, boot=board.boot))


def any_session(board: VirtualBoard) -> Machine:
    def change(request: Request) -> Request:
        hello = request.command == Command.HELLO
        return request if hello else replace(request, session=board.ledger.current)

    return changing(board, change)


def deaf_to_panic(board: VirtualBoard) -> Machine:
    talk, kept = board.attach(), bytearray()

    def feed(data: bytes) -> bytes:
        kept.extend(data)
        stream = bytes(kept).replace(PANIC, b"\0")
        hold = 3 if stream.endswith(PANIC[:3]) else 0
        kept[:] = stream[len(stream) - hold :]
        return b"".join(talk.feed(stream[: len(stream) - hold]))

    return feed


def whole_frames_only(board: VirtualBoard) -> Machine:
    talk = board.attach()
    return lambda data: b"".join(talk.feed(data)) if data.endswith(b"\0") and len(data) > 1 else b""


def answers_noise(board: VirtualBoard) -> Machine:
    talk = board.attach()

    def feed(data: bytes) -> bytes:
        answer = b"".join(talk.feed(data))
        if answer or len(data) < 10 or len(data) > 100:
            return answer
        return Response(2, Status.MALFORMED, board.state.word(), board.boot, 0, 0).encode()

    return feed


def endless_watch(board: VirtualBoard) -> Machine:
    talk = board.attach()

    def feed(data: bytes) -> bytes:
        board.state.watchdog.feed()
        return b"".join(talk.feed(data))

    return feed


def never_latched(board: VirtualBoard) -> Machine:
    talk = board.attach()

    def feed(data: bytes) -> bytes:
        board.state.clear()
        answer = b"".join(talk.feed(data))
        board.state.clear()
        return answer

    return feed


@pytest.mark.parametrize(
    ("wrong", "rules"),
    [
        (
            no_memory,
            {"HELLO twice", "reading twice", "stale id", "id used again", "old session", "closed by SETTLE"},
        ),
        (no_limits, {"limits only fall", "limits refuse"}),
        (raised_limits, {"limits only fall"}),
        (any_boot, {"golden bytes", "wrong boot"}),
        (any_session, {"wrong session"}),
        (deaf_to_panic, {"PANIC as raw bytes"}),
        (whole_frames_only, {"frame in pieces", "PANIC as raw bytes"}),
        (answers_noise, {"corrupt frames", "PANIC as raw bytes"}),
        (endless_watch, {"watchdog"}),
        (never_latched, {"PANIC as a frame", "PANIC as raw bytes"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_board_is_told_which_rule_it_breaks(
    wrong: Callable[[VirtualBoard], Machine], rules: set[str]
) -> None:
    with a_board() as board:
        found = examined(wrong(board), (set(CHECKS) - SLOW) | rules)
        assert {name for name, finding in found.items() if not finding.good} == rules


def test_a_board_that_pulses_twice_is_found_by_its_count() -> None:
    with a_board() as board:
        found = examined(no_memory(board), {"pulses once"}, pulses=True)
        assert not found["pulses once"].good


# The command, over a real socket.


def test_the_command_prints_a_table_and_its_exit_code_tells(capsys: pytest.CaptureFixture[str]) -> None:
    with a_board() as board, TcpPort(Plug(board)) as port:
        with pytest.raises(SystemExit) as ending:
            main(["--json", "board", "conformance", port.address, "--timeout", "2"])
        told = json.loads(capsys.readouterr().out)
        assert (ending.value.code or 0, told["broken"], set(told["checks"])) == (0, [], set(CHECKS))


def test_the_command_fails_where_a_rule_is_broken_or_nobody_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = {name: CHECKS[name] for name in ("who answers", "safe at first")}
    monkeypatch.setattr("drivers.conformance.CHECKS", some)
    with a_board() as board, TcpPort(Plug(board)) as port:
        nameless = replace(board.state.hello(), serial="")
        monkeypatch.setattr(board.state, "hello", lambda: nameless)
        address = port.address
        with pytest.raises(SystemExit) as ending:
            main(["board", "conformance", address, "--timeout", "2"])
        said = capsys.readouterr()
        assert ending.value.code == 1 and "serial number" in said.err and "1 of 2" in said.out
    with pytest.raises(SystemExit) as ending:
        main(["board", "conformance", address])
    assert ending.value.code == 7


# PANIC from outside.


def test_panic_from_outside_takes_the_lines_of_a_working_host_to_0_volts() -> None:
    with a_board() as board, TcpPort(Plug(board)) as port:
        spec = BoardSpec(use="rramlab-board", port=port.address, timeout=2.0)
        host = RramlabBoard(spec)
        host.open()
        host.begin(Limits(), lambda what, facts: None)
        host.connect(Cells.parse("r1c1"), 1.4, 1)
        assert not host.is_safe()
        found = RramlabBoard.switch_off(spec)
        assert found.good and "WL 0 V" in found.answer
        assert host.is_safe()
        host.close()


def test_panic_where_nobody_is_says_what_to_do_by_hand() -> None:
    with a_board() as board, TcpPort(Plug(board)) as port:
        address = port.address
    found = RramlabBoard.switch_off(BoardSpec(use="rramlab-board", port=address))
    assert not found.good and "supply" in found.advice

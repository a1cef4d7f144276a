"""Break a real TCP link in every way a test can, and see what the link makes of it."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from loopback import Loopback

from drivers.link import Link
from drivers.serial_wire import board_wire
from drivers.socket_wire import SocketWire
from drivers.visa_wire import VisaWire
from drivers.wire import Wire
from rramlab.errors import LinkError, LinkFault

BLOCKS = {
    b"RANDOM?\n": os.urandom(300_000),
    b"FEEDS?\n": b"\n" * 300_000,
}


def answer(line: bytes) -> bytes | None:
    if line in BLOCKS:
        data = BLOCKS[line]
        return f"#6{len(data):06d}".encode() + data + b"\n"
    match line:
        case b"*IDN?\n":
            return b"maker,model,1,0\n"
        case b"*OPC?\n":
            return b"1\n"
        case b"HALF?\n":
            return b"#410003"
        case b"BYE?\n":
            return None
        case b"NOEND?\n":
            return b"1.5"
        case b"LATE?\n":
            threading.Event().wait(0.15)
            return b"late\n"
        case _:
            return line if line.endswith(b"?\n") else b""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback(answer) as running:
        yield running


WIRES = {
    "visa": lambda port: VisaWire(f"TCPIP0::127.0.0.1::{port}::SOCKET"),
    "socket": lambda port: board_wire(f"socket://127.0.0.1:{port}"),
}


@pytest.fixture(params=sorted(WIRES))
def wire(request: pytest.FixtureRequest, server: Loopback) -> Iterator[Wire]:
    made: Wire = WIRES[request.param](server.port)
    yield made
    made.close()


def opened(wire: Wire, timeout: float = 0.1) -> Link:
    return Link(wire, timeout, lambda link: link.query("*IDN?")).open()


def asked(link: Link, command: str) -> LinkFault:
    """Return the fault of a query, and see that the link is as good as new at the next one."""
    before = link.openings
    with pytest.raises(LinkError) as error:
        link.query(command)
    assert link.is_poisoned
    assert link.query("fine?") == "fine?"
    assert link.openings == before + 1
    return error.value.fault


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("SILENT", LinkFault.TIMEOUT),
        ("NOEND?", LinkFault.TIMEOUT),
        ("LATE?", LinkFault.TIMEOUT),
        ("FIN", LinkFault.LOST),
        ("RST", LinkFault.LOST),
        ("BYE?", LinkFault.LOST),
    ],
)
def test_what_breaks_has_its_name_and_the_next_question_its_own_answer(
    wire: Wire, command: str, fault: LinkFault
) -> None:
    assert asked(opened(wire), command) is fault


def test_a_late_answer_is_never_that_to_the_next_question(wire: Wire) -> None:
    link = opened(wire)
    for i in range(3):
        with pytest.raises(LinkError):
            link.query("LATE?")
        assert link.query(f"question {i}?") == f"question {i}?"


def test_a_lost_link_is_noticed_at_once_and_costs_no_processor(wire: Wire) -> None:
    link = opened(wire, timeout=20.0)
    begin = time.process_time()
    with pytest.raises(LinkError) as error:
        link.query("FIN")
    assert error.value.fault is LinkFault.LOST
    assert time.process_time() - begin < 5.0  # a spinning wait would take all of the 20 s


def test_a_half_block_is_a_timeout_or_a_loss(wire: Wire) -> None:
    link = opened(wire)
    with pytest.raises(LinkError) as error:
        link.block("HALF?")
    assert error.value.fault is LinkFault.TIMEOUT
    assert link.query("fine?") == "fine?"


@pytest.mark.parametrize("command", sorted(BLOCKS))
def test_a_long_block_comes_whole_whatever_is_in_it(wire: Wire, command: bytes) -> None:
    link = opened(wire, timeout=5.0)
    assert link.block(command.decode().strip()) == BLOCKS[command]
    assert link.query("fine?") == "fine?"


def test_a_link_that_went_away_between_questions_is_opened_anew(server: Loopback, wire: Wire) -> None:
    link = opened(wire, timeout=5.0)
    link.send("FIN")
    assert isinstance(wire, (VisaWire, SocketWire)) and wire._socket is not None
    wire._socket.settimeout(5.0)
    assert wire._socket.recv(1, socket.MSG_PEEK) == b""  # by now it has gone
    assert link.query("fine?") == "fine?"
    assert link.openings == 2
    assert server.lines.count(b"FIN\n") == 1


@pytest.mark.parametrize("kind", sorted(WIRES))
def test_nobody_there_is_noticed_at_the_opening(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LinkError) as error:
        WIRES[kind](port).open()
    assert error.value.fault is LinkFault.REFUSED


@pytest.mark.parametrize("kind", sorted(WIRES))
def test_who_takes_no_data_does_not_stop_the_bench(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link = Link(WIRES[kind](deaf.getsockname()[1]), 0.05).open()
        with pytest.raises(LinkError) as error:
            link.send("x" * 50_000_000)
        link.close()
    assert error.value.fault is LinkFault.TIMEOUT


def test_small_commands_are_sent_at_once(server: Loopback) -> None:
    wire = VisaWire(server.resource)
    wire.open()
    assert wire._socket is not None
    assert wire._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    wire.close()


@pytest.mark.parametrize("text", ["127.0.0.1:5025", "keithley", "TCPIP0::"])
def test_what_is_no_resource_is_told_with_one_that_is(text: str) -> None:
    with pytest.raises(LinkError, match="is no VISA resource; write for example TCPIP0::192") as error:
        VisaWire(text).open()
    assert error.value.fault is LinkFault.REFUSED and text in str(error.value)


def test_one_instrument_leaves_the_others_open(server: Loopback) -> None:
    first, other = opened(VisaWire(server.resource)), opened(VisaWire(server.resource))
    first.close()
    assert other.query("fine?") == "fine?"
    other.close()


def test_four_threads_share_a_link(wire: Wire) -> None:
    link = opened(wire, timeout=10.0)
    wrong: list[str] = []

    def ask(name: str) -> None:
        for i in range(100):
            if link.query(f"{name}{i}?") != f"{name}{i}?":
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []


# The public calls of PyVISA, as they are used with a vendor's library: its socket cannot be reached.


@pytest.fixture
def public(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> Iterator[VisaWire]:
    monkeypatch.setattr("drivers.visa_wire._socket_of", lambda resource: None)
    made = VisaWire(server.resource)
    yield made
    made.close()


def test_the_public_calls_carry_lines_and_blocks(public: VisaWire) -> None:
    link = opened(public, timeout=5.0)
    link.write("SET 1")
    assert link.query("fine?") == "fine?"
    for command, data in BLOCKS.items():
        assert link.block(command.decode().strip()) == data
    assert link.query("fine?") == "fine?"


def test_the_public_calls_have_timeouts_too(public: VisaWire) -> None:
    assert asked(opened(public, timeout=0.1), "SILENT") is LinkFault.TIMEOUT


def test_a_plain_socket_knows_its_name() -> None:
    assert SocketWire("localhost", 5).name == "socket://localhost:5"


@pytest.mark.parametrize("port", ["socket://", "socket://host", "socket://:5"])
def test_an_address_without_host_or_port_is_refused(port: str) -> None:
    with pytest.raises(LinkError, match="socket://host:port"):
        board_wire(port)

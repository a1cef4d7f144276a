"""A serial line is played by a pseudo-terminal, which ignores its speed."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import serial

from drivers.link import Link
from drivers.serial_wire import SerialWire, board_wire
from drivers.visa_wire import VisaWire
from rramlab.errors import LinkError, LinkFault

pty = pytest.importorskip("pty")
tty = pytest.importorskip("tty")


class Port:
    """Answer lines at the far end of a serial line: an echo, a block, or nothing."""

    def __init__(self) -> None:
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        buffer = b""
        with suppress(OSError):
            while data := os.read(self.master, 4096):
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    reply = {b"CURV?": b"#44000" + b"\n" * 4000 + b"\n", b"SILENT": b""}.get(
                        line, line + b"\n"
                    )
                    for place in range(0, len(reply), 1000):
                        os.write(self.master, reply[place : place + 1000])

    def close(self) -> None:
        os.close(self._slave)  # with the last of them the reading at the other end ends
        self._thread.join(5)
        os.close(self.master)


@pytest.fixture
def port() -> Iterator[Port]:
    made = Port()
    yield made
    made.close()


def opened(wire: Any, timeout: float) -> Iterator[Link]:
    link = Link(wire, timeout).open()
    yield link
    link.close()


@pytest.fixture(params=["pyserial", "visa"])
def link(request: pytest.FixtureRequest, port: Port) -> Iterator[Link]:
    wire = SerialWire(port.name) if request.param == "pyserial" else VisaWire(f"ASRL{port.name}::INSTR")
    yield from opened(wire, 5.0)


@pytest.fixture
def wire(port: Port) -> Iterator[SerialWire]:
    made = SerialWire(port.name)
    made.open()
    yield made
    made.close()


def test_lines_and_blocks_come_over_a_serial_line(link: Link) -> None:
    assert link.query("one?") == "one?"
    assert link.block("CURV?") == b"\n" * 4000
    assert link.query("two?") == "two?"


def test_silence_is_a_timeout_and_the_line_can_be_used_again(port: Port) -> None:
    wire = SerialWire(port.name)
    link = Link(wire, 0.03).open()
    with pytest.raises(LinkError) as error:
        link.query("SILENT")
    assert error.value.fault is LinkFault.TIMEOUT
    assert link.query("one?") == "one?"
    link.close()


def test_what_is_there_is_read_at_once(wire: SerialWire) -> None:
    wire.write(b"x" * 500 + b"\n", 1.0)
    data = b""
    while len(data) < 501:
        data += wire.read(4096, 5.0)
    assert data == b"x" * 500 + b"\n"
    assert wire.unasked() == b""


def test_bytes_that_nobody_asked_for_are_found(port: Port, wire: SerialWire) -> None:
    os.write(port.master, b"boot\n")
    found = b""
    while len(found) < 5:
        found += wire.unasked()
    assert found == b"boot\n"


def test_a_port_is_for_one_program(port: Port, wire: SerialWire) -> None:
    with pytest.raises(LinkError) as error:
        SerialWire(port.name).open()
    assert error.value.fault is LinkFault.REFUSED


def test_an_unplugged_line_is_lost() -> None:
    master, slave = pty.openpty()
    wire = SerialWire(os.ttyname(slave))
    wire.open()
    os.close(slave)
    os.close(master)
    for way in (lambda: wire.read(10, 5.0), wire.unasked, lambda: wire.write(b"x", 5.0)):
        with pytest.raises(LinkError) as error:
            way()
        assert error.value.fault is LinkFault.LOST
    wire.close()
    with pytest.raises(LinkError) as error:
        wire.read(1, 0.01)
    assert error.value.fault is LinkFault.LOST


def test_a_write_that_went_out_late_is_no_timeout(wire: SerialWire) -> None:
    wire.write(b"one?\n", 1e-9)  # over before pyserial looks at the clock
    assert wire.read(100, 5.0)


def test_a_line_that_takes_no_data_is_a_timeout() -> None:
    master, slave = pty.openpty()  # nobody reads at the other end
    tty.setraw(slave)
    wire = SerialWire(os.ttyname(slave), patience=0.05)
    wire.open()
    with pytest.raises(LinkError) as error:
        wire.write(b"x" * 1_000_000, 0.05)
    assert error.value.fault is LinkFault.TIMEOUT
    wire.close()
    os.close(master)
    os.close(slave)


def test_a_port_that_is_not_there_is_refused() -> None:
    with pytest.raises(LinkError) as error:
        board_wire("/dev/no-such-port").open()
    assert error.value.fault is LinkFault.REFUSED


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EACCES, "join the group that owns it"),
        (errno.EAGAIN, "another program has it"),
        (errno.EISDIR, "it is no serial port"),
        (errno.ENOENT, "is it plugged in"),
    ],
)
def test_a_port_that_cannot_be_had_is_told_with_what_to_do(
    number: int, cure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr(serial, "serial_for_url", refuse)
    with pytest.raises(LinkError, match=f"port COM77 cannot be opened .*{cure}"):
        SerialWire("COM77").open()

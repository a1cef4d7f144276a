"""HiSLIP, as the client of PyVISA-py speaks it, and as nobody should."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import pyvisa

from sim_backend.options import Options
from sim_backend.virtual import hislip
from sim_backend.virtual.bench import SCOPE, Table, VirtualBench
from sim_backend.virtual.faults import Fault
from sim_backend.virtual.machine import Conversation, Machine
from sim_backend.virtual.scpi.digitizer import Content

SMALL = Options(macros=1, rows=4, cols=4)


@pytest.fixture(scope="module")
def bench() -> Iterator[VirtualBench]:
    with VirtualBench(SMALL, table=Table(meter=None, hislip=True)) as made:
        yield made


@pytest.fixture
def scope(bench: VirtualBench) -> Iterator[Any]:
    manager = pyvisa.ResourceManager("@py")
    opened = manager.open_resource(bench.addresses()[SCOPE], open_timeout=2000)
    opened.timeout = 2000
    opened.read_termination = opened.write_termination = "\n"
    yield opened
    opened.close()


def test_questions_and_answers(scope: Any) -> None:
    assert scope.query("*IDN?").startswith("KEYSIGHT TECHNOLOGIES,DSO-X")
    scope.write(":CHAN1:SCAL 0.05")
    assert float(scope.query(":CHAN1:SCAL?")) == 0.05


def test_status_byte_and_device_clear(scope: Any) -> None:
    scope.write("*CLS")
    scope.write("*SRE 32;*ESE 32")
    scope.write("NONSENSE")
    assert scope.query("*IDN?")  # done by now
    assert scope.read_stb() == 32 + 64
    scope.clear()
    assert scope.query(":CHAN1:COUP?") == "DC"
    scope.write("*CLS;*SRE 0;*ESE 0")


@pytest.mark.parametrize("content", [Content.RANDOM, Content.LINEFEEDS])
def test_deep_memory_with_any_content(bench: VirtualBench, scope: Any, content: Content) -> None:
    assert bench.scope is not None
    bench.scope.model.digitizer.content = content  # type: ignore[attr-defined]
    scope.write(":STOP;:WAV:FORM BYTE;POIN 2000000;POIN:MODE RAW")
    data = scope.query_binary_values(":WAV:DATA?", datatype="B", container=np.array, chunk_size=1 << 20)
    bench.scope.model.digitizer.content = Content.SIGNALS  # type: ignore[attr-defined]
    assert data.size == 2_000_000
    assert (data.min() == data.max() == 10) == (content is Content.LINEFEEDS)


def test_two_hosts_do_not_mix(bench: VirtualBench, scope: Any) -> None:
    other = pyvisa.ResourceManager("@py").open_resource(bench.addresses()[SCOPE])
    other.read_termination = other.write_termination = "\n"
    scope.write(":CHAN1:COUP?")
    assert other.query("*IDN?").startswith("KEYSIGHT")
    assert scope.read() == "DC"
    other.close()


def test_a_late_reply_is_dropped_by_its_number(bench: VirtualBench, scope: Any) -> None:
    # The injector counts HiSLIP messages: the next one is the answer.
    scope.timeout = 50
    bench.injectors[SCOPE].delay = 0.1
    bench.set_fault(SCOPE, Fault.LATE)
    with pytest.raises(pyvisa.errors.VisaIOError):
        scope.query("*IDN?")
    scope.timeout = 2000
    assert scope.query(":CHAN1:COUP?") == "DC"
    bench.clear_faults()


class Echo(Machine, Conversation):
    """Answer each line with itself."""

    def attach(self) -> Conversation:
        return self

    def feed(self, data: bytes) -> list[bytes]:
        return [data]


def talk(machine: hislip.HislipMachine) -> tuple[Conversation, int]:
    """Return the first of two connections, and the number of the session."""
    first, second = machine.attach(), machine.attach()
    (answer,) = first.feed(hislip.message(hislip.INITIALIZE, 0, 0x01007878, b"hislip0"))
    number = struct.unpack("!4xHH8x", answer)[1]
    assert second.feed(hislip.message(hislip.ASYNC_INITIALIZE, 0, number))[0][2] == 18
    return first, number


def test_messages_in_pieces_carry_the_number_of_the_question() -> None:
    channel, _ = talk(hislip.HislipMachine(Echo(), lambda: 0))
    assert channel.feed(hislip.message(hislip.DATA, 0, 6, b"ab")) == []
    whole = hislip.message(hislip.DATA_END, 0, 8, b"cd\n")
    assert channel.feed(whole[:10]) == []
    assert channel.feed(whole[10:]) == [hislip.message(hislip.DATA_END, 0, 8, b"abcd\n")]


def test_a_reply_is_cut_as_the_host_wants_it() -> None:
    machine = hislip.HislipMachine(Echo(), lambda: 0)
    first, number = talk(machine)
    second = machine.attach()
    second.feed(hislip.message(hislip.ASYNC_INITIALIZE, 0, number))
    second.feed(hislip.message(hislip.MAX_SIZE, 0, 0, struct.pack("!Q", hislip.HEADER.size + 4)))
    parts = first.feed(hislip.message(hislip.DATA_END, 0, 2, b"0123456789\n"))
    assert [part[2] for part in parts] == [hislip.DATA, hislip.DATA, hislip.DATA_END]
    assert b"".join(part[hislip.HEADER.size :] for part in parts) == b"0123456789\n"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        hislip.message(hislip.DATA_END, 0, 0, b"*IDN?\n"),  # before it was initialized
        hislip.message(hislip.ASYNC_INITIALIZE, 0, 999),  # no such session
    ],
)
def test_what_is_no_session_is_a_fatal_error(data: bytes) -> None:
    channel = hislip.HislipMachine(Echo(), lambda: 0).attach()
    (answer,) = channel.feed(data)
    assert answer[:3] == b"HS\x02"
    assert channel.feed(hislip.message(hislip.INITIALIZE)) == []


def test_an_unknown_message_is_an_error_and_the_session_goes_on() -> None:
    channel, _ = talk(hislip.HislipMachine(Echo(), lambda: 0))
    assert channel.feed(hislip.message(99))[0][2] == hislip.ERROR
    assert channel.feed(hislip.message(hislip.DATA_END, 0, 2, b"x\n"))[0][2] == hislip.DATA_END


def test_nothing_listens_after_the_end() -> None:
    with VirtualBench(SMALL, table=Table(meter=None, hislip=True)) as bench:
        number = int(bench.addresses()[SCOPE].split(",")[1].split(":")[0])
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", number), 1.0):
        pass

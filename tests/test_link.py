import threading
from typing import Any

import pytest
from pairs import PairWire, pairs

from drivers.link import Link
from drivers.memory_wire import MemoryWire
from rramlab.errors import LinkError, LinkFault


def opened(wire: Any, timeout: float = 0.05, greet: Any = None) -> Link:
    return Link(wire, timeout, greet).open()


def fault_of(error: pytest.ExceptionInfo[LinkError]) -> LinkFault:
    return error.value.fault


def test_a_query_is_one_line_out_and_one_line_in() -> None:
    with pairs(("*IDN?", "a,b,c,d"), (":READ?", b"+1.5E-06\r\n")) as wire:
        link = opened(wire)
        assert link.query("*IDN?") == "a,b,c,d"
        assert link.query(":READ?") == "+1.5E-06"


def test_a_command_is_acknowledged() -> None:
    with pairs((":OUTP 0", None), ("*OPC?", "1")) as wire:
        opened(wire).write(":OUTP 0")


def test_an_acknowledgement_that_is_none_is_refused_and_poisons() -> None:
    with pairs((":OUTP 0", None), ("*OPC?", "0.2E-3")) as wire:
        link = opened(wire)
        with pytest.raises(LinkError, match="not acknowledged") as error:
            link.write(":OUTP 0")
        assert fault_of(error) is LinkFault.GARBLED and link.is_poisoned


@pytest.mark.parametrize("fault", [LinkFault.TIMEOUT, LinkFault.LOST])
def test_a_link_that_failed_is_opened_and_greeted_before_its_next_use(fault: LinkFault) -> None:
    with pairs(("*IDN?", "me"), (":READ?", fault), ("*IDN?", "me"), (":READ?", "2")) as wire:
        link = opened(wire, greet=lambda link: link.query("*IDN?"))
        with pytest.raises(LinkError) as error:
            link.query(":READ?")
        assert fault_of(error) is fault
        assert wire.openings == 1  # nothing is sent again by itself
        assert link.query(":READ?") == "2"
        assert (wire.openings, link.openings) == (2, 2)


def test_a_greeting_that_fails_leaves_the_link_poisoned() -> None:
    greetings = iter(["me", "you", "me"])

    def greet(link: Link) -> None:
        if link.query("*IDN?") != "me":
            raise LinkError(LinkFault.MISMATCH, "somebody else")

    link = opened(
        MemoryWire(lambda sent: next(greetings).encode() + b"\n" if sent == b"*IDN?\n" else b""), greet=greet
    )
    with pytest.raises(LinkError) as error:
        link.query("X?")
    assert fault_of(error) is LinkFault.TIMEOUT
    with pytest.raises(LinkError) as error:
        link.query("X?")
    assert fault_of(error) is LinkFault.MISMATCH and link.is_poisoned
    with pytest.raises(LinkError) as error:
        link.query("X?")
    assert fault_of(error) is LinkFault.TIMEOUT  # greeted again, and asked


def test_an_interrupt_within_a_query_poisons() -> None:
    wire = PairWire([("A?", None), ("B?", "2")])
    link = opened(wire)

    def interrupted(*_: Any, **__: Any) -> bytes:
        raise KeyboardInterrupt

    wire.read, genuine = interrupted, wire.read  # type: ignore[method-assign, assignment]
    with pytest.raises(KeyboardInterrupt):
        link.query("A?")
    wire.read = genuine  # type: ignore[method-assign]
    wire.arrived += b"late answer to A\n"
    assert link.query("B?") == "2"
    assert wire.openings == 2


@pytest.mark.parametrize("reply", [b"1\n2\n", b"1\nx", b"caf\xe9\n"])
def test_more_than_an_answer_and_what_is_no_text_are_refused(reply: bytes) -> None:
    link = opened(MemoryWire(lambda sent: reply))
    with pytest.raises(LinkError) as error:
        link.query("A?")
    assert fault_of(error) is LinkFault.GARBLED and link.is_poisoned


def test_what_came_unasked_is_not_taken_for_an_answer() -> None:
    wire = MemoryWire(lambda sent: b"2\n")
    link = opened(wire)
    assert link.query("A?") == "2"
    wire.arrive(b"2\n")  # the same reply once more
    with pytest.raises(LinkError, match="unasked") as error:
        link.query("B?")
    assert fault_of(error) is LinkFault.GARBLED
    assert link.query("B?") == "2"  # after a new opening


def test_a_closed_link_says_so() -> None:
    link = opened(MemoryWire(lambda sent: b"1\n"))
    link.close()
    with pytest.raises(LinkError, match="not open"):
        link.query("A?")


def test_four_threads_get_their_own_answers() -> None:
    link = opened(MemoryWire(lambda sent: sent))
    wrong: list[str] = []

    def ask(name: str) -> None:
        for i in range(500):
            if link.query(f"{name}{i}") != f"{name}{i}":
                wrong.append(name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []


def test_the_transcript_has_both_directions() -> None:
    told: list[tuple[str, bytes]] = []
    link = Link(MemoryWire(lambda sent: b"1\n"), 1.0, None, lambda way, data: told.append((way, data))).open()
    link.query("A?")
    assert told == [("sent", b"A?\n"), ("received", b"1\n")]


# Blocks.

CONTENTS = [b"", b"x", b"\n" * 30, b"#0", bytes(range(256)) * 300]


def definite(data: bytes, digits: int | None = None) -> bytes:
    length = str(len(data)).zfill(digits or 0)
    return b"#" + str(len(length)).encode() + length.encode() + data + b"\n"


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("digits", [None, 6, 9])
def test_a_block_of_any_content_comes_whole(content: bytes, digits: int | None) -> None:
    link = opened(MemoryWire(lambda sent: definite(content, digits)))
    assert link.block("CURV?") == content
    assert link.block("CURV?", count=len(content)) == content


@pytest.mark.parametrize("content", CONTENTS[1:])
def test_a_block_without_a_length_ends_with_its_count(content: bytes) -> None:
    link = opened(MemoryWire(lambda sent: b"#0" + content + b"\n"))
    assert link.block("CURV?", count=len(content)) == content
    assert link.block("CURV?") == content  # the wire is quiet after the line feed


@pytest.mark.parametrize(
    ("reply", "count", "fault"),
    [
        (b"1.5\n", None, LinkFault.GARBLED),
        (b"#A1\n", None, LinkFault.GARBLED),
        (b"#2x5abcde\n", None, LinkFault.GARBLED),
        (b"#15abcdefg\n", None, LinkFault.GARBLED),  # longer than its header says
        (b"#15abcde\nZ", None, LinkFault.GARBLED),
        (b"#15abcde\n", 6, LinkFault.GARBLED),
        (b"#16abcde\n", 5, LinkFault.GARBLED),
        (b"#19abcde", None, LinkFault.TIMEOUT),
        (b"#15abcde", None, LinkFault.TIMEOUT),  # no end
        (b"#0abcde", None, LinkFault.TIMEOUT),
        (b"#", None, LinkFault.TIMEOUT),
    ],
)
def test_a_block_that_is_none_is_refused_and_poisons(
    reply: bytes, count: int | None, fault: LinkFault
) -> None:
    link = opened(MemoryWire(lambda sent: reply if sent == b"CURV?\n" else b"1\n"))
    with pytest.raises(LinkError) as error:
        link.block("CURV?", count)
    assert fault_of(error) is fault and link.is_poisoned
    assert link.query("A?") == "1"

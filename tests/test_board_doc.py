"""The page that specifies the board protocol says what the code does."""

import re
from enum import IntEnum, IntFlag
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from drivers.board_session import PART_BITS
from rramlab.board_protocol.frame import REQUEST_BYTES, RESPONSE_BYTES, Request, Response, unframe
from rramlab.board_protocol.golden import GOLDEN, Golden
from rramlab.board_protocol.hello import HelloReply, StatusReply
from rramlab.board_protocol.limits import NAMES
from rramlab.board_protocol.lines import MultiplyRequest
from rramlab.board_protocol.loop import FetchReply, LoadRequest
from rramlab.board_protocol.pulses import PulseReply
from rramlab.board_protocol.readings import ReadRequest
from rramlab.board_protocol.settling import SettleReply
from rramlab.board_protocol.splitter import PANIC
from rramlab.board_protocol.words import Command, Fault, Feature, Outcome, State, Status, Target
from rramlab.cells import Cells

PAGE = (Path(__file__).parent.parent / "docs" / "board-protocol.md").read_text(encoding="utf-8")


def golden_of_the_page() -> dict[str, bytes]:
    block = re.search(r"```golden\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    entries = re.findall(r"^([a-z-]+)\n((?:    [0-9a-f ]+\n)+)", block[1], re.MULTILINE)
    return {name: bytes.fromhex(digits) for name, digits in entries}


def section(title: str) -> str:
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def test_the_page_shows_the_golden_vectors() -> None:
    assert golden_of_the_page() == {golden.name: golden.frame for golden in GOLDEN}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_each_message_makes_its_golden_bytes_and_comes_back(golden: Golden) -> None:
    data = golden_of_the_page()[golden.name]
    assert golden.message.encode() == data
    content = unframe(data[:-1])
    assert content is not None
    kind: type[Request | Response] = type(golden.message)
    assert kind.decode(content) == golden.message


def test_the_content_that_the_page_takes_apart_is_that_of_the_golden_request() -> None:
    block = re.search(r"The content of the PULSE frame.*?\n\n(.*?)\n\n", PAGE, re.DOTALL)
    assert block is not None
    digits = [re.match(r"\s*((?:[0-9a-f]{2} +)+)", line + " ") for line in block[1].splitlines()]
    told = b"".join(bytes.fromhex(found[1]) for found in digits if found is not None)
    data = golden_of_the_page()["pulse-request"]
    assert unframe(data[:-1]) == told


@pytest.mark.parametrize(
    ("title", "words"),
    [("Commands", Command), ("Status", Status), ("SETTLE", Outcome)],
)
def test_the_page_lists_every_word_with_its_code(title: str, words: type[IntEnum]) -> None:
    rows = dict(re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", section(title), re.MULTILINE))
    assert rows == {str(int(word)): word.name for word in words}


def test_the_page_lists_every_bit() -> None:
    def bits(words: type[IntFlag]) -> dict[str, str]:
        return {str(int(word).bit_length() - 1): word.name or "" for word in words}

    assert dict(re.findall(r"^\| (\d) \| ([A-Z_]+) \|", section("State"), re.MULTILINE)) == bits(State)
    assert dict(re.findall(r"(?:bit )?(\d) ([A-Z_]{4,})", section("HELLO"))) == bits(Feature)


def test_the_page_lists_limits_and_faults_in_their_order() -> None:
    rows = re.findall(r"\| (\d+) \| u32 \| (\w+) \(.*\| (\d) \|", section("LIMITS"))
    assert [(int(at) // 4, name) for at, name, _ in rows] == list(enumerate(NAMES))
    assert [code for _, _, code in rows] == [str(i) for i in range(len(NAMES))]
    faults = dict(re.findall(r"(\d) (\w+)", section("STATUS").split("fault:")[1]))
    assert [faults[str(int(f))].upper() for f in Fault] == [f.name for f in Fault]


SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i32": 4, "i64": 8, "f32": 4, "f64": 8}


def size(kinds: str) -> int | None:
    """Return the bytes of a cell such as "u32", "u8, u16" or "3 x u32"; None where they vary."""
    parts = [re.fullmatch(r"(?:(\d+) x )?(\w+)", kind.strip()) for kind in kinds.split(",")]
    if any(part is None or part[2] not in SIZES for part in parts):
        return None
    return sum(int(part[1] or 1) * SIZES[part[2]] for part in parts if part is not None)


def test_the_places_in_every_table_follow_from_the_sizes() -> None:
    tables = re.findall(r"^\| at \| type \|.*\n\|[ -|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert len(tables) >= 13
    for table in tables:
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]
        for row, after in pairwise(rows):
            length = size(row[1])
            if row[0] and after[0] and length is not None:
                assert int(after[0]) == int(row[0]) + length, (row, after)


@pytest.mark.parametrize(
    ("title", "first", "body"),
    [
        ("HELLO", "name of the board", HelloReply(Feature(0), *[0] * 10, "", "", "").pack()[:-3]),
        ("STATUS", "what the fault is", StatusReply(*[0] * 7, Fault.NONE, 0).pack()[:-1]),
        ("SETTLE", "body of its answer", SettleReply(Outcome.NEVER).pack()),
        ("READ", "rows", ReadRequest(0, 0, 1, Cells.grid(range(0), range(0))).pack()),
        ("PULSE", "conductances", PulseReply(0).pack()),
        ("MULTIPLY", "row voltages", MultiplyRequest(0, np.zeros((0, 0), dtype=np.float32)).pack()),
        ("LOOP_LOAD and LOOP_RUN", "bytes", LoadRequest(Target.PROBLEM, 0, 0, b"").pack()),
        ("FETCH", "values", FetchReply(0, (1,), 0, np.empty(0)).pack()),
    ],
)
def test_what_varies_begins_where_the_page_says(title: str, first: str, body: bytes) -> None:
    rows = re.findall(r"^\| (\d+) \| [^|]*\| ([^|]*)", section(title), re.MULTILINE)
    places = [int(at) for at, what in rows if what.startswith(first) and int(at) > 0]
    assert len(body) in places, (rows, len(body))


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"Request header, {REQUEST_BYTES} bytes" in PAGE
    assert f"Response header, {RESPONSE_BYTES} bytes" in PAGE
    assert f"**{PANIC.hex(' ')}**" in PAGE
    assert f"x {1 << PART_BITS} + part" in PAGE

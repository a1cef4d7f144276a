"""What becomes of trains that a dead host left open, from its notes and from what the board remembers."""

from typing import Any

import numpy as np
import pytest

from drivers.board_session import Place
from drivers.board_settling import Opening, fates, settled
from rramlab.board_protocol.settling import SettleReply
from rramlab.board_protocol.words import Outcome, Status
from rramlab.recorder import Event

A, B, C = Place(1, 10), Place(2, 20), Place(2, 30)
ID = 7 << 16
FORGOTTEN = SettleReply(Outcome.FORGOTTEN)


def train(count: int = 7, number: int = 7) -> Event:
    return Event("request", "pulse", number, 0.0, 0.0, {}, {"row": np.arange(count), "col": np.arange(count)})


def note(number: int, place: Place, **more: Any) -> Event:
    return Event("note", "board", number, 0.0, 0.0, Opening(place, 3, **more).facts(), {})


class Board:
    """Remember sessions: the last id of each, how it ended and how many pulses it sent out."""

    def __init__(self, **more: Any) -> None:
        self.known: dict[Place, tuple[int, int, bool]] = {}
        self.asked: list[tuple[Place, int]] = []

    def has(self, place: Place, last: int, executed: int, broken: bool = False) -> "Board":
        self.known[place] = last, executed, broken
        return self

    def settle(self, place: Place, identity: int) -> SettleReply:
        self.asked.append((place, identity))
        if place not in self.known:
            return FORGOTTEN
        last, executed, broken = self.known[place]
        if identity != last:
            outcome = Outcome.NEVER if identity > last else Outcome.EARLIER
        else:
            outcome = Outcome.BROKEN if broken else Outcome.EXECUTED
        return SettleReply(outcome, Status.OK, executed, last)


@pytest.mark.parametrize(
    ("last", "executed", "fate"),
    [
        (6 << 16, 3, "NNNNNNN"),  # died before the first part was sent
        (ID, 3, "AAANNNN"),
        (ID, 2, "AANNNNN"),  # stopped half way
        (ID, 0, "NNNNNNN"),  # refused
        (ID | 1, 3, "AAAAAAN"),
        (ID | 2, 1, "AAAAAAA"),
        (8 << 16, 3, "UUUUUUU"),  # later work was done: nobody knows any more how this one ended
    ],
)
def test_one_question_settles_all_parts(last: int, executed: int, fate: str) -> None:
    board = Board().has(A, last, executed)
    assert told(settled(train(), [note(0, A)], board.settle)) == fate
    assert board.asked[0] == (A, ID | 2)  # the last part: no frame of this train that is late is executed now


def told(found: np.ndarray[Any, Any]) -> str:
    return "".join("ANU"[value] for value in found)


def test_a_session_that_the_board_forgot_leaves_all_unknown() -> None:
    assert told(settled(train(), [note(0, A)], Board().settle)) == "UUUUUUU"


def test_without_a_note_all_is_unknown() -> None:
    board = Board().has(A, ID, 3)
    assert told(settled(train(), [note(7, A)], board.settle)) == "UUUUUUU"
    assert board.asked == []


def test_the_session_is_the_last_one_before_the_request() -> None:
    board = Board().has(B, ID, 3)
    notes = [note(0, A), note(3, B), note(7, C)]  # C was opened by a successor that died before it settled
    assert told(settled(train(), notes, board.settle)) == "AAANNNN"


def test_parts_before_a_reset_went_out_and_the_torn_one_is_as_noted() -> None:
    notes = [note(0, A), note(7, B, start=ID | 2, is_torn=True, applied=1, unknown=1)]
    assert told(settled(train(), notes, Board().has(B, ID | 2, 1).settle)) == "AAAAUNA"
    assert told(settled(train(), notes, Board().has(B, 0, 0).settle)) == "AAAAUNN"
    assert told(settled(train(), notes, Board().settle)) == "AAAAUNU"


def test_a_reset_in_the_last_part_leaves_nothing_to_ask() -> None:
    notes = [note(0, A), note(7, B, start=ID | 3, is_torn=True, unknown=1)]
    board = Board()
    assert told(settled(train(), notes, board.settle)) == "AAAAAAU" and board.asked == []


def test_two_resets_in_one_train() -> None:
    notes = [
        note(0, A),
        note(7, B, start=ID | 1, is_torn=True, unknown=3),
        note(7, C, start=ID | 2, is_torn=True, applied=3),
    ]
    assert told(settled(train(), notes, Board().has(C, ID | 2, 1).settle)) == "UUUAAAA"


def test_a_session_noted_only_when_its_first_part_was_sent() -> None:
    notes = [note(0, A), note(7, B, start=ID)]
    assert told(settled(train(), notes, Board().has(B, ID | 1, 2).settle)) == "AAAAANN"


def test_a_reset_within_another_request_is_none_of_this_one() -> None:
    notes = [note(0, A), note(6, B, start=6 << 16 | 1, is_torn=True, unknown=3)]
    assert told(settled(train(), notes, Board().has(B, ID, 3).settle)) == "AAANNNN"


def test_a_batch_that_a_reset_broke_off_in_backup_memory() -> None:
    board = Board().has(A, ID | 1, 2, broken=True)
    assert told(settled(train(), [note(0, A)], board.settle)) == "AAAAUNN"


def test_notes_cross_the_record_unchanged() -> None:
    opening = Opening(A, 3, ID | 1, True, 1, 2)
    assert Opening.of(Event("note", "board", 7, 0.0, 0.0, opening.facts(), {})) == opening


def test_fates_stand_in_the_order_of_the_batch() -> None:
    assert told(fates(5, 2, 1)) == "AAUNN"
    assert told(fates(2, 0, 2)) == "UU"

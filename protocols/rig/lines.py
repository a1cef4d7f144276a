"""Name sets of lines of an array: single ones, neighbours, and those that an address bit selects."""

from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import final

import numpy as np
from numpy.typing import NDArray

BoolArray = NDArray[np.bool_]

MOST_EDGES = 128
"""Blocks of neighbours begin at one of so many lines; in a larger array they are coarser."""
MOST_RUNS = 4
"""Runs of neighbours that a text names one by one."""


@final
@dataclass(frozen=True, eq=False)
class LineSets:
    """Hold sets of the lines of one direction, (sets, lines), and a name for each."""

    members: BoolArray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)


def every(lines: int) -> LineSets:
    """Return the one set of all lines."""
    return LineSets(np.ones((1, lines), bool), ("",))


def single(lines: int, word: str) -> LineSets:
    """Return a set for each line."""
    return LineSets(np.eye(lines, dtype=bool), tuple(f"{word} {i}" for i in range(lines)))


def neighbours(lines: int, word: str) -> LineSets:
    """Return a set for each block of two or more neighbours that is not the whole."""
    step = -(-lines // MOST_EDGES)
    edges = [*range(0, lines, step), lines]
    blocks = [(a, b) for a, b in combinations(edges, 2) if 2 <= b - a < lines]
    return _blocks(lines, blocks, [f"{word}s {a}-{b - 1}" for a, b in blocks])


def parts(lines: int, size: int, word: str) -> LineSets:
    """Return a set for each part of so many lines, such as the macros of a bench."""
    blocks = [(a, min(a + size, lines)) for a in range(0, lines, size)]
    return _blocks(lines, blocks, [f"{word} {i}" for i in range(len(blocks))])


def halves(lines: int, words: tuple[str, str]) -> LineSets:
    """Return the first and the second half."""
    middle = lines // 2
    return _blocks(lines, [(0, middle), (middle, lines)], list(words))


def ends(lines: int, size: int, word: str) -> LineSets:
    """Return the lines of each part of so many lines up to and from each line: what lies behind a break."""
    parts_of = [(a, min(a + size, lines)) for a in range(0, lines, size)]
    cuts = [(a, b, cut) for a, b in parts_of for cut in range(a + 1, b)]
    blocks = [(a, cut) for a, _, cut in cuts] + [(cut, b) for _, b, cut in cuts]
    return _blocks(lines, blocks, [f"{word}s {a}-{b - 1}" for a, b in blocks])


def repeated(sets: LineSets, lines: int, words: str) -> LineSets:
    """Return the sets of one part, repeated in all parts."""
    copies = lines // sets.members.shape[1]
    return LineSets(np.tile(sets.members, (1, copies)), tuple(f"{name} {words}" for name in sets.names))


def bits(lines: int, shift: int | None, word: str) -> LineSets:
    """Return the lines that each address bit selects, at 1 and at 0; `shift` is the address bit of bit 0."""
    return _selected(lines, shift, word, [(k,) for k in range((lines - 1).bit_length())])


def bit_pairs(lines: int, shift: int | None, word: str) -> LineSets:
    """Return the lines that the exclusive or of two address bits selects."""
    return _selected(lines, shift, word, list(combinations(range((lines - 1).bit_length()), 2)))


def runs_of(chosen: BoolArray) -> str:
    """Return chosen lines as text such as "8-15, 24-31", or an empty one when there are many runs."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], chosen.astype(np.int8), [0]])))
    pairs = [(int(a), int(b) - 1) for a, b in pairwise(edges)][::2]
    return ", ".join(f"{a}-{b}" if b > a else f"{a}" for a, b in pairs) if len(pairs) <= MOST_RUNS else ""


def _selected(lines: int, shift: int | None, word: str, chosen: list[tuple[int, ...]]) -> LineSets:
    members, names = [], []
    for which in chosen:
        odd = np.bitwise_xor.reduce([(np.arange(lines) >> k) & 1 for k in which]).astype(bool)
        for value, mask in ((1, odd), (0, ~odd)):
            members.append(mask)
            names.append(f"{_bits_text(which, shift, word)} = {value}")
    return LineSets(np.array(members, bool).reshape(-1, lines), tuple(names))


def _bits_text(which: tuple[int, ...], shift: int | None, word: str) -> str:
    own = [f"{word} bit {k}" for k in which]
    return " XOR ".join(own if shift is None else [f"address bit {k + shift}" for k in which])


def _blocks(lines: int, blocks: list[tuple[int, int]], names: list[str]) -> LineSets:
    at = np.arange(lines)
    members = [(at >= a) & (at < b) for a, b in blocks]
    return LineSets(np.array(members, bool).reshape(-1, lines), tuple(names))

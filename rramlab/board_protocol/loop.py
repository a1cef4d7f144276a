"""Lay out closed-loop runs: the problem as one blob, its loading in chunks, the run, and the waveforms."""

import math
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.cursor import Cursor, garbled, member
from rramlab.board_protocol.words import Target
from rramlab.loop import Coefficients, LoopRun, Region

_LOAD, _RUN, _FETCH, _DATA = "<BBHII", "<IHH", "<BBHII", "<BBHIIII"
_PROBLEM, _LAYER = "<HHIIdddII", "<HHHHd"
LOAD_BYTES = struct.calcsize(_LOAD)
DATA_BYTES = struct.calcsize(_DATA)
_MOST_DIMENSIONS = 3


def pack_problem(run: LoopRun) -> bytes:
    """Return all of a run but its start states: counts, scalars, layers, coefficients per tick (f32)."""
    c = run.coefficients
    bias = c.bias if c.bias.any() else c.bias[:, :0]
    counts = (len(run.layers), c.embedding.shape[1], len(c.drift), bias.shape[1])
    head = struct.pack(_PROBLEM, *counts, c.tick, run.gain, run.volts, run.kept, run.stride)
    layers = [_pack_layer(layer, scale) for layer, scale in zip(run.layers, run.scale, strict=True)]
    columns = [np.asarray(x, dtype="<f4").tobytes() for x in (c.drift, c.drive, c.noise, c.embedding, bias)]
    return head + b"".join(layers + columns)


def unpack_problem(blob: bytes, start: NDArray[np.float64]) -> LoopRun:
    """Return the run of a blob with these start states (runs, n)."""
    cursor = Cursor(blob, "the loop problem")
    count, channels, ticks, biased, tick, gain, volts, kept, stride = cursor.fields(_PROBLEM)
    layers = [_unpack_layer(cursor) for _ in range(count)]
    drift, drive, noise = (cursor.column("<f4", ticks).astype(float) for _ in range(3))
    embedding = cursor.column("<f4", ticks * channels).astype(float).reshape(ticks, channels)
    bias = cursor.column("<f4", ticks * biased).astype(float).reshape(-1, max(biased, 1))
    cursor.end()
    coefficients = Coefficients(tick, drift, drive, embedding, noise, bias)
    regions, scales = tuple(region for region, _ in layers), tuple(scale for _, scale in layers)
    return LoopRun(regions, scales, gain, volts, start, coefficients, kept, stride)


def _pack_layer(layer: Region, scale: float) -> bytes:
    head = struct.pack(_LAYER, len(layer.rows), len(layer.cols), layer.copies, 0, scale)
    return head + np.array(layer.rows, dtype="<u2").tobytes() + np.array(layer.cols, dtype="<u2").tobytes()


def _unpack_layer(cursor: Cursor) -> tuple[Region, float]:
    rows, cols, copies, _, scale = cursor.fields(_LAYER)
    places = cursor.column("<u2", rows).tolist(), cursor.column("<u2", cols).tolist()
    return Region(tuple(places[0]), tuple(places[1]), copies), scale


@final
@dataclass(frozen=True)
class LoadRequest:
    """Fill a part of what LOOP_RUN will use: target, length of the whole (bytes), place of this part."""

    target: Target
    total: int
    offset: int
    data: bytes

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_LOAD, self.target, 0, 0, self.total, self.offset) + self.data

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "LOOP_LOAD")
        target, _, _, total, offset = cursor.fields(_LOAD)
        data = cursor.rest()
        if offset + len(data) > total:
            raise garbled(f"LOOP_LOAD fills up to {offset + len(data)} of {total} bytes")
        return cls(member(Target, target), total, offset, data)


def loads(target: Target, blob: bytes, most_body: int) -> list[LoadRequest]:
    """Return a blob in parts that fit into bodies of `most_body` bytes."""
    cuts = [*range(0, len(blob), most_body - LOAD_BYTES), len(blob)]
    return [LoadRequest(target, len(blob), at, blob[at:end]) for at, end in pairwise(cuts)]


@final
@dataclass(frozen=True)
class RunRequest:
    """Ask for the loaded problem from the loaded start states: so many runs of so many dimensions."""

    runs: int
    dimensions: int

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_RUN, self.runs, self.dimensions, 0)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "LOOP_RUN")
        runs, dimensions, _ = cursor.fields(_RUN)
        cursor.end()
        return cls(runs, dimensions)


@final
@dataclass(frozen=True)
class FetchRequest:
    """Ask for a part of a waveform array: its code (`Waveform`), first value, at most so many values."""

    array: int
    offset: int
    count: int

    def pack(self) -> bytes:
        """Return the body."""
        return struct.pack(_FETCH, self.array, 0, 0, self.offset, self.count)

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "FETCH")
        array, _, _, offset, count = cursor.fields(_FETCH)
        cursor.end()
        return cls(array, offset, count)


@final
@dataclass(frozen=True, eq=False)
class FetchReply:
    """Hold a part of an array: its code, the shape of the whole, the place of the part, its values."""

    array: int
    shape: tuple[int, ...]
    offset: int
    values: NDArray[Any]

    def pack(self) -> bytes:
        """Return the body."""
        dimensions = (*self.shape, 0, 0, 0)[:_MOST_DIMENSIONS]
        head = struct.pack(_DATA, self.array, len(self.shape), 0, *dimensions, self.offset)
        return head + self.values.astype("<f4").tobytes()

    @classmethod
    def unpack(cls, body: bytes) -> Self:
        """Return what a body says."""
        cursor = Cursor(body, "the answer to FETCH")
        array, dimensions, _, *shape, offset = cursor.fields(_DATA)
        values = cursor.column("<f4", cursor.left // 4).astype(np.float64)
        cursor.end()
        whole = tuple(shape[:dimensions])
        if dimensions > _MOST_DIMENSIONS or offset + values.size > math.prod(whole):
            raise garbled(f"FETCH answers values {offset} to {offset + values.size} of an array {whole}")
        return cls(array, whole, offset, values)

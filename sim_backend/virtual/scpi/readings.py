"""Send readings as numbers in text or as binary blocks."""

from collections.abc import Sequence

import numpy as np

from sim_backend.virtual.scpi.source_unit import Sample
from sim_backend.virtual.scpi.values import NOT_A_NUMBER


def text(values: Sequence[float], form: str = "{:+.6E}") -> str:
    """Return numbers with commas between them."""
    return ",".join(form.format(value) for value in values)


def binary(values: Sequence[float], size: int, swapped: bool = False, definite: bool = False) -> bytes:
    """Return numbers as a block of floats of `size` bytes; `swapped` is the least significant byte first.

    Without `definite` the block begins with #0 and only the end mark ends it.
    """
    data = np.asarray(values, dtype=f"{'<' if swapped else '>'}f{size}").tobytes()
    return block(data) if definite else b"#0" + data


def block(data: bytes, digits: int = 0) -> bytes:
    """Return bytes as a block of definite length, told by so many digits (0: as few as it takes)."""
    length = f"{len(data):0{digits}d}" if digits else str(len(data))
    return f"#{len(length)}{length}".encode() + data


def resistance(sample: Sample) -> float:
    """Return volts over amperes (ohm), or what stands for no number."""
    return sample.volts / sample.amperes if sample.amperes else NOT_A_NUMBER

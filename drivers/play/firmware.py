"""Find the board with the published firmware in a bench file."""

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from drivers.bench_options import BenchOptions
from drivers.controller import Controller
from drivers.loop_watch import STATES
from drivers.play.request import PlayRequest
from drivers.plugin import load
from drivers.published_board import PublishedBoard
from drivers.published_circuit import published_coefficients
from drivers.published_options import PublishedOptions
from drivers.published_schedule import PublishedSettings
from rramlab.bench import Bench
from rramlab.errors import Unsupported
from rramlab.loop import LoopRun, Region

FloatArray = NDArray[np.float64]

SIZES = ((2, 14), (14, 14), (14, 2))
"""Inputs and outputs of the layers that the board is made for, one in each macro."""
SCALE, GAIN = 25e-6, 5.0
"""Transimpedance (S per unit weight) and gain of the output: they belong to the circuit, and are not sent."""


@final
@dataclass(frozen=True)
class Firmware:
    """Hold what a bench file says of a board with the published firmware: pre-charge (V), gains, rows."""

    start: tuple[float, float]
    options: PublishedOptions
    rows: int

    @classmethod
    def of(cls, bench: Bench) -> Self:
        """Return the board of a bench; Unsupported if it has none, or if nobody sees its runs."""
        found = _options(bench)
        if found is None or found.board is None:
            raise _none(bench)
        if found.oscilloscope is None or not set(STATES) <= set(found.oscilloscope.channels):
            raise Unsupported(
                f"the runs of bench '{bench.bench.id}' are seen only on an oscilloscope: add "
                "[backend.options.oscilloscope] to its file, and channels = { x1 = 1, x2 = 2, switch = 3 }"
            )
        if found.board.start is None:
            raise Unsupported(
                f"bench '{bench.bench.id}' does not say where runs begin: measure the pre-charge of the "
                "integrators and write start = [x1, x2] (V) into [backend.options.board]"
            )
        first, second = found.board.start
        return cls((first, second), PublishedOptions.of(found.board), found.rows)

    def settings(self, request: PlayRequest) -> dict[str, PublishedSettings]:
        """Return what the firmware is set to for each table of a request, with the trims of this bench."""
        return request.settings(self.options.trims)

    def run(self, settings: PublishedSettings) -> LoopRun:
        """Return one run with these settings, to t = 1, as the door takes it.

        Where the layers are the board does not know; stated are the first rows and columns of three macros.
        """
        layers = tuple(
            Region(tuple(range(self.rows * m, self.rows * m + i)), tuple(range(o + 1)))
            for m, (i, o) in enumerate(SIZES)
        )
        start = np.array([self.start]) / settings.v_bias
        coefficients = published_coefficients(settings, self.options.circuit)
        scale = (SCALE,) * len(layers)
        return LoopRun(layers, scale, GAIN, settings.v_bias, start, coefficients, kept=1)


def _options(bench: Bench) -> BenchOptions | None:
    """Return the instruments of a bench whose board has the published firmware, or None."""
    if bench.backend.use != "drivers:BenchBackend":
        return None
    found = BenchOptions.model_validate(bench.backend.options)
    kind: type[Any] = Controller  # an abstract class is no type[Controller] to mypy
    is_it = found.board is not None and load(found.board.use, kind) is PublishedBoard
    return found if is_it else None


def _none(bench: Bench) -> Unsupported:
    return Unsupported(
        f"bench '{bench.bench.id}' has no board with the published firmware, whose tables 'play' runs: give "
        '--bench a file with use = "published-board" in [backend.options.board], or serve such a board with '
        "'rramlab virtual-bench --dialect 1' and take --bench virtual-bench.toml; on this bench the letters "
        "are drawn by 'rramlab letters'"
    )

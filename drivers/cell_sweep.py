"""Take the I-V of one cell: the board holds its lines, the source meter drives and measures."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import final

import numpy as np

from drivers.controller import Controller
from drivers.source_meter import SourceMeter
from rramlab.cells import Cells
from rramlab.clock import Clock
from rramlab.errors import LinkError, LinkFault
from rramlab.reading import Curve, Staircase

POLL = 0.02
"""Time between two questions whether a sweep is done (s): each also feeds the watchdog of the board."""

SILENCE = 0.2
"""Time (s) of silence of the meter after which the board is fed beside it."""

PATIENCE = 30.0
"""How much longer (s) than its steps a sweep may take: ranges, settling, transfer."""


@final
class CellSweep:
    """Sweep one cell: gate before drain on the way up, drain before gate on the way down.

    No line is switched to or from the source meter unless the meter has said that its output is off.
    """

    def __init__(self, board: Controller, meter: SourceMeter, clock: Clock) -> None:
        self._board = board
        self._meter = meter
        self._clock = clock

    def measure(self, cell: Cells, staircase: Staircase, number: int) -> Curve:
        """Return the I-V (V, A, s) of a cell; on every way out the cell is off and disconnected."""
        try:
            self._up(cell, staircase, number)
            self._meter.start_sweep(staircase)
            self._wait_for_end(staircase)
            curve = self._meter.fetch_sweep()
            self._down(number)
        except BaseException:
            self._drop()
            raise
        return curve

    def _up(self, cell: Cells, staircase: Staircase, number: int) -> None:
        self._ensure_off()
        self._meter.arm(staircase.compliance, float(np.abs(staircase.voltages).max()))
        self._board.connect(cell, staircase.gate, number)
        self._meter.output_on()
        self._board.feed()  # a PANIC meanwhile has opened the route: nothing is swept then

    def _down(self, number: int) -> None:
        self._ensure_off()
        self._board.gate(0.0)
        self._board.disconnect(number)

    def _drop(self) -> None:
        """Take everything down after an error, whatever still answers: what broke first is what is told."""
        ways: list[Callable[[], None]] = [self._meter.safe, self._board.safe]
        for way in ways:
            with suppress(Exception):
                way()

    def _ensure_off(self) -> None:
        if not self._meter.is_off():
            self._meter.output_off()
        if not self._meter.is_off():
            raise LinkError(
                LinkFault.MISMATCH,
                "the source meter was switched off but says that its output is on; no line was switched. "
                "Switch it off at its front panel and look at its link",
            )

    def _is_done(self) -> bool:
        """Ask the meter, and feed the board meanwhile: some meters answer only when their sweep has ended."""
        answered, broken = threading.Event(), list[Exception]()
        feeding = threading.Thread(target=self._feed, args=(answered, broken), daemon=True)
        feeding.start()
        try:
            done = self._meter.sweep_done()
        finally:
            answered.set()
            feeding.join()
        if broken:
            raise broken[0]
        return done

    def _feed(self, answered: threading.Event, broken: list[Exception]) -> None:
        try:
            while not answered.wait(SILENCE):
                self._board.feed()
        except Exception as error:  # told by the thread that waits
            broken.append(error)

    def _wait_for_end(self, staircase: Staircase) -> None:
        most = 10.0 * staircase.dwell * len(staircase.voltages) + PATIENCE
        begin = self._clock.now()
        while not self._is_done():
            self._board.feed()
            if self._clock.now() - begin > most:
                raise LinkError(
                    LinkFault.TIMEOUT,
                    f"the source meter has not finished a sweep of {len(staircase.voltages)} steps within "
                    f"{most:.0f} s; look at its display for an error, or make the dwell shorter",
                )
            self._clock.sleep(POLL)

"""Put a bench of instruments behind the door: controller board, source meter and oscilloscope."""

from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from drivers.bench_options import BenchOptions
from drivers.bench_parts import Parts, breakers, everything_off
from drivers.cell_sweep import CellSweep
from drivers.controller import Controller
from drivers.inspection import inspect
from drivers.protection import Protection
from drivers.spec import address
from rramlab.backend import Backend
from rramlab.bench_lock import hold
from rramlab.cells import Cells
from rramlab.clock import Clock, HostClock
from rramlab.errors import InputError
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Event, Recorder

FloatArray = NDArray[np.float64]


@final
class BenchBackend(Backend):
    """Drive macros through instruments; which verbs there are follows from which instruments there are."""

    def __init__(
        self,
        options: BenchOptions,
        limits: Limits | None = None,
        recorder: Recorder | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._options = options
        self._clock = clock or HostClock()
        self._parts = Parts.make(options)
        self._are_open = False
        self._guards: Protection | None = None
        super().__init__(limits or Limits(), recorder)

    @classmethod
    def options(cls) -> type[BenchOptions]:
        """Return the model of the options in the bench file."""
        return BenchOptions

    @classmethod
    def open(cls, options: Any, limits: Limits, recorder: Recorder | None, seed: int) -> Self:
        """Return the bench that these options describe; its chance is that of nature, not of a seed."""
        return cls(options, limits, recorder)

    @classmethod
    def panic(cls, options: Any) -> list[Finding]:
        """Switch every instrument off over links of its own, all at once; return what was read back."""
        return everything_off(options)

    @property
    def shape(self) -> tuple[int, int]:
        """Return rows x columns; macros are stacked along the rows."""
        return self._options.macros * self._options.rows, self._options.cols

    @property
    def macro_shape(self) -> tuple[int, int]:
        """Return rows x columns of one macro."""
        return self._options.rows, self._options.cols

    @property
    def capabilities(self) -> frozenset[str]:
        """Return the verbs of the board, and `sweep` where it can lead a cell to a source meter."""
        return self._parts.capabilities()

    @property
    def forgets(self) -> bool:
        """Return False: a real macro keeps its state when this process ends."""
        return False

    def identify(self) -> dict[str, str]:
        """Return the drivers, and of each instrument that is open who answers."""
        drivers = "+".join(spec.use for spec in self._parts.specs.values())
        return {"name": f"bench+{drivers}"} | (self._parts.identify() if self._are_open else {})

    def examine(self) -> list[Finding]:
        """Return what each instrument answers to its self-test, outputs off; one that is silent is a line."""
        if self._are_open:
            raise InputError("a bench that is at work is not examined; leave the 'with' block first")
        with self._held():
            return inspect(self._parts, self._size)

    def now(self) -> float:
        """Return the time (s) of the board, or of this computer, as the bench file says."""
        board = self._board_clock()
        return self._clock.now() if board is None else board.now()

    # What the door calls.

    def _begin(self, exits: ExitStack) -> None:
        options = self._options
        guards = Protection.begin(self, options, breakers(options), options.guardian, exits)
        self._parts.open(exits, self._size)
        self._are_open, self.unsafe = True, ""
        exits.callback(self._closed)
        if self._parts.board is not None:
            self._parts.board.begin(self.limits, self.note)
        guards.ready()  # it loads while links are opened
        self._guards = guards

    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        return self._board().read(cells, spec, self._number)

    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        return self._board().pulse(train, self._number)

    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        assert self._parts.meter is not None
        sweep = CellSweep(self._board(), self._parts.meter, self._clock)
        return sweep.measure(cells, staircase, self._number)

    def _multiply(self, voltages: FloatArray, macro: int) -> FloatArray:
        vectors = np.asarray(voltages, dtype=float).reshape(-1, self._options.rows)
        currents = self._board().multiply(vectors, macro, self._number)
        return currents.reshape(*voltages.shape[:-1], self._options.cols)

    def _solve(self, run: LoopRun) -> LoopResult:
        return self._board().solve(run, self._number)

    def _wait(self, seconds: float) -> None:
        board = self._board_clock()
        if board is None:
            self._clock.sleep(seconds)
        else:
            board.wait(seconds)

    def _settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        return self._board().settle(request, notes)

    def _make_safe(self) -> None:
        if self._are_open:
            self._parts.safe()
        elif self.unsafe:  # nothing can be done any more about what was left on
            raise RuntimeError(self.unsafe)

    def _memory(self) -> Columns:
        return {}

    def _restore(self, memory: Columns) -> None:
        """Take nothing back: the macro kept its state."""

    # The steps.

    @property
    def _size(self) -> tuple[int, int, int]:
        return self._options.macros, self._options.rows, self._options.cols

    def _held(self) -> AbstractContextManager[None]:
        name = self.bench_id or "+".join(address(spec) for spec in self._parts.specs.values())
        return hold(name, world="drivers:BenchBackend", options=self._written)

    @property
    def _written(self) -> dict[str, Any]:
        return self._options.model_dump(mode="json", exclude_unset=True)

    def _closed(self) -> None:
        self._are_open = False
        self._guards = None

    def _board(self) -> Controller:
        """Return the board, with the guardian alive: each request comes by here."""
        assert self._parts.board is not None  # the door has looked at the capabilities
        if self._guards is not None:
            self._guards.check()
        return self._parts.board

    def _board_clock(self) -> Controller | None:
        board = self._parts.board if self._options.clock == "board" else None
        return board if self._are_open else None

"""Open the one door to a macro, simulated or real."""

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.cells import Cells
from rramlab.corrections.correction import Correction
from rramlab.errors import InputError, Unsupported, still_on
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, Delivery, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Event, Facts, NullRecorder, Recorder
from rramlab.signals import ends_later, exits_on_signals
from rramlab.world import World

FloatArray = NDArray[np.float64]
NO_CELLS = Cells.grid(range(0), range(0))


class Backend(World):
    """Drive a macro by verbs over arrays of cells.

    The public verbs are final: each checks the request against the limits, writes it down with a number, and
    only then calls the underscored method that a world implements. Use it as a context manager; on every way
    out (also an exception, Ctrl-C, SIGTERM, SIGHUP) `make_safe` is called.

    `pulses` counts the pulses of each cell; `last_reading` (S) is NaN where none followed the last pulse.
    A world finds the number of the request that it serves in `_number`, and in `bench_id` how the bench file
    calls the bench. `unsafe` says what went wrong when the lines could not be made safe; empty if they were.
    `correction` takes the known errors of the bench out of what goes through the door.
    """

    def __init__(self, limits: Limits, recorder: Recorder | None = None) -> None:
        self.limits = limits
        self.recorder = NullRecorder() if recorder is None else recorder
        self.pulses = np.zeros(self.shape, dtype=np.int64)
        self.last_reading = np.full(self.shape, np.nan)
        self._exits = ExitStack()
        self._is_open = False
        self._number = 0
        self.bench_id = ""
        self.unsafe = ""
        self.correction = Correction()

    # The door.

    @final
    def read(self, cells: Cells, spec: ReadSpec | None = None) -> FloatArray:
        """Return the conductance (S) of each cell as I/V of the whole path at this reading."""
        spec = spec or ReadSpec()
        self._admit("read", cells)
        self.limits.check_read(spec)
        number = self._ask("read", spec.facts(), cells.columns())
        # Of single precision, as it comes over a wire: a simulation reads what a bench would.
        raw = self._read(cells, spec).astype(np.float32).astype(np.float64)
        conductance = self.correction.conductance(cells, spec, raw)
        self.last_reading[cells.row, cells.col] = conductance
        beside = self.correction.beside(cells, spec, raw, conductance)
        self._answer(number, "read", {"conductance": conductance, **beside})
        return conductance

    @final
    def uncertainty(self, cells: Cells, conductance: FloatArray, spec: ReadSpec | None = None) -> FloatArray:
        """Return the standard uncertainty (S) of conductances that were read so; NaN if uncalibrated.

        It is that of calibration and read chain; the read noise of the cells is not in it.
        """
        return self.correction.uncertainty(cells, spec or ReadSpec(), conductance)

    @final
    def pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        """Apply one pulse per listed cell and return its `Delivery`; one beyond the limits refuses all."""
        self._admit("pulse", train.cells)
        train = train.rounded()
        self.limits.check_train(train)
        place = train.cells.row, train.cells.col
        self.limits.check_history(train, self.pulses[place], self.last_reading[place])
        number = self._ask("pulse", {}, train.columns())
        # Counted before it is sent: whatever breaks then, a pulse that may have gone out is in the count.
        self._count(train.cells)
        delivery = self._pulse(train)
        self._forgive(train.cells.columns(), delivery)
        self._answer(number, "pulse", {"delivery": delivery})
        return delivery

    @final
    def sweep(self, cell: Cells, staircase: Staircase) -> Curve:
        """Return the quasi-static I-V (V, A, s) of one cell under a compliance."""
        self._admit("sweep", cell)
        if len(cell) != 1:
            raise InputError(f"a sweep is about one cell; {len(cell)} were named")
        self.limits.check_sweep(staircase, self.last_reading[cell.row, cell.col])
        number = self._ask("sweep", staircase.facts(), {**cell.columns(), "voltages": staircase.voltages})
        self.last_reading[cell.row, cell.col] = np.nan
        curve = self._sweep(cell, staircase)
        self._answer(number, "sweep", curve.columns())
        return curve

    @final
    def multiply(self, voltages: FloatArray, macro: int = 0) -> FloatArray:
        """Return the column currents (A), (..., columns), for row voltages (V), (..., rows of one macro)."""
        self._admit("multiply", NO_CELLS)
        rows, macros = self.macro_shape[0], self.shape[0] // self.macro_shape[0]
        if voltages.shape[-1:] != (rows,) or not 0 <= macro < macros:
            raise InputError(
                f"multiply was given voltages {voltages.shape} for macro {macro}; "
                f"it takes (..., {rows}) for a macro from 0 to {macros - 1}"
            )
        asked = self.correction.inputs(voltages, macro)
        self.limits.check_inputs(asked, "multiply")
        number = self._ask("multiply", {"macro": macro}, {"voltages": asked})
        currents = self.correction.currents(self._multiply(asked, macro), macro)
        self._answer(number, "multiply", {"currents": currents})
        return currents

    @final
    def solve(self, run: LoopRun) -> LoopResult:
        """Run the closed loop once per start state and return end states and sampled waveforms."""
        self._admit("solve", NO_CELLS)
        for layer in run.layers:
            layer.cells().check(self.shape)
        self.limits.check_inputs(run.volts * run.start, "solve")
        asked = self.correction.run(run)
        facts, columns = asked.record()
        number = self._ask("solve", facts, columns)
        result = self._solve(asked)
        self._answer(number, "solve", result.record())
        return result

    @final
    def wait(self, seconds: float) -> None:
        """Let time pass (s): real time on a bench, exact virtual time in simulation."""
        self._admit("wait", NO_CELLS)
        if not (seconds >= 0 and np.isfinite(seconds)):
            raise InputError(f"a wait of {seconds} s is not possible; give a time of zero or more")
        number = self._ask("wait", {"seconds": float(seconds)}, {})
        self._wait(float(seconds))
        self._answer(number, "wait", {})

    @final
    def note(self, what: str, facts: dict[str, Any] | None = None, columns: Columns | None = None) -> None:
        """Write a decision of a protocol into the record, such as a resume point."""
        self.recorder.note(what, self.now(), facts or {}, columns or {})

    @final
    def make_safe(self) -> None:
        """Take all lines to 0 V in the safe order (SL, BL, then WL), outputs off; never raises."""
        with ends_later():  # a second Ctrl-C waits until the lines are safe
            try:
                self._make_safe()
                self.unsafe = ""
            except BaseException as error:  # the way out must go on, whatever broke
                self.unsafe = str(error) or repr(error)
                with suppress(BaseException):
                    self.recorder.note("unsafe", float("nan"), {"error": repr(error)}, {})

    @final
    def read_all(self, spec: ReadSpec | None = None) -> FloatArray:
        """Return the conductance (S) of every cell, in the shape of the bench."""
        return self.read(Cells.of_shape(self.shape), spec).reshape(self.shape)

    @final
    def memory(self) -> Columns:
        """Return what would be lost with this process: a simulated macro, or nothing."""
        return self._memory()

    @final
    def restore(self, memory: Columns) -> None:
        """Bring back a macro from what `memory` returned."""
        self._restore(memory)

    @final
    def replay(self, events: Iterable[Event]) -> None:
        """Live through the requests of an earlier process again, without writing them down.

        A simulated macro dies with its process and is brought back in this way, bit for bit; a real one kept
        its state, so that only the counters of the door (pulses, last readings) are brought up to date.
        """
        asked: dict[int, Cells] = {}
        for event in events:
            if event.stage == "request":
                asked[event.number] = self._relive(event)
            elif event.stage == "result":
                self._hear(event, asked.pop(event.number))

    @final
    def settle(self, requests: Iterable[Event], notes: list[Event]) -> None:
        """Find out what became of the trains that an earlier process left without an answer, and record it.

        `requests` are open in the record, `notes` all that worlds and protocols wrote into it.
        """
        for request in requests:
            if request.verb == "pulse":
                delivery = self._settle(request, notes)
                self._forgive(request.columns, delivery)
                self._answer(request.number, "pulse", {"delivery": delivery})

    @final
    def __enter__(self) -> Self:
        if self._is_open:
            raise InputError("this bench is open already; use one 'with backend: ...' around the whole work")
        with ExitStack() as exits:
            exits.enter_context(exits_on_signals())
            self._begin(exits)
            exits.callback(self.make_safe)
            self.correction.check(self.identify())
            self._exits = exits.pop_all()
        self._is_open = True
        return self

    @final
    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._is_open = False
        self._exits.close()
        if self.unsafe and error is None:
            raise still_on(self.unsafe)
        if self.unsafe and error is not None:
            error.add_note(str(still_on(self.unsafe)))

    # The steps of the door.

    def _relive(self, event: Event) -> Cells:
        cells = Cells(event.columns["row"], event.columns["col"]) if "row" in event.columns else NO_CELLS
        if event.verb == "pulse":
            self._count(cells)
        elif event.verb == "sweep":
            self.last_reading[cells.row, cells.col] = np.nan
        if self.forgets:
            self._redo(event.verb, cells, event.facts, event.columns)
        return cells

    def _hear(self, event: Event, cells: Cells) -> None:
        if event.verb == "read":
            self.last_reading[cells.row, cells.col] = event.columns["conductance"]
        elif event.verb == "pulse":
            self._forgive(cells.columns(), event.columns["delivery"])

    def _redo(self, verb: str, cells: Cells, facts: Facts, columns: Columns) -> None:
        match verb:
            case "read":
                self._read(cells, ReadSpec(**facts))
            case "pulse":
                self._pulse(PulseTrain.from_columns(columns))
            case "sweep":
                self._sweep(cells, Staircase(columns["voltages"].astype(float), **facts))
            case "multiply":
                self._multiply(columns["voltages"].astype(float), facts["macro"])
            case "solve":
                self._solve(LoopRun.from_record(dict(facts), columns))
            case "wait":
                self._wait(facts["seconds"])

    def _admit(self, verb: str, cells: Cells) -> None:
        if verb not in self.capabilities:
            able, name = ", ".join(sorted(self.capabilities)), self.identify()["name"]
            raise Unsupported(f"this bench has no '{verb}' ({name}); it can: {able}")
        if not self._is_open:
            raise InputError(f"'{verb}' was asked of a bench that is not open; use 'with backend: ...'")
        cells.check(self.shape)

    def _count(self, cells: Cells) -> None:
        self.pulses[cells.row, cells.col] += 1
        self.last_reading[cells.row, cells.col] = np.nan  # what was read before the pulse holds no more

    def _forgive(self, cells: Columns, delivery: NDArray[np.uint8]) -> None:
        self.pulses[cells["row"], cells["col"]] -= delivery == Delivery.NOT_APPLIED

    def _ask(self, verb: str, facts: Facts, columns: Columns) -> int:
        self._number = self.recorder.request(verb, self.now(), facts, columns)
        return self._number

    def _answer(self, number: int, verb: str, columns: Columns) -> None:
        self.recorder.result(number, verb, self.now(), {}, columns)

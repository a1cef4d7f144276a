"""Put the simulated macros behind the door."""

from dataclasses import replace
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.errors import InputError
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, Delivery, Polarity, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Recorder
from sim_backend.analog import AnalogLoop
from sim_backend.array import Array
from sim_backend.chip import manufacture
from sim_backend.errors import BenchErrors
from sim_backend.options import Options
from sim_backend.population import Population
from sim_backend.product import SAMPLE, product_currents
from sim_backend.source import held_step

FloatArray = NDArray[np.float64]

ADDRESSING = 10e-6
"""Time to address a cell and set its levels before a pulse (s)."""


@final
class SimBackend(Backend):
    """Simulate macros of 1T1R cells in exact virtual time; the same chip and seed give the same bits."""

    def __init__(
        self, options: Options, limits: Limits | None = None, recorder: Recorder | None = None, seed: int = 0
    ) -> None:
        self._options = options
        self._seed = seed
        self._time = 0.0
        self._rng = np.random.default_rng(seed)
        self._array = manufacture(options)
        self._errors = BenchErrors.of(options)
        self._loop = AnalogLoop.draw(options, self._array)
        super().__init__(limits or Limits(), recorder)

    @classmethod
    def options(cls) -> type[Options]:
        """Return the model of the options in the bench file."""
        return Options

    @classmethod
    def open(cls, options: Any, limits: Limits, recorder: Recorder | None, seed: int) -> Self:
        """Return the simulated macros that these options describe."""
        return cls(options, limits, recorder, seed)

    @property
    def array(self) -> Array:
        """Return the simulated array: the truth, for tests and benchmarks, never for protocols."""
        return self._array

    @property
    def loop(self) -> AnalogLoop:
        """Return the simulated analog loop: the truth, for tests and benchmarks, never for protocols."""
        return self._loop

    @property
    def errors(self) -> BenchErrors | None:
        """Return the hidden errors: the truth, for tests and benchmarks; None if the bench is ideal."""
        return self._errors

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
        """Return the verbs: all of them."""
        return frozenset({"read", "pulse", "sweep", "multiply", "solve", "wait"})

    @property
    def forgets(self) -> bool:
        """Return True: a simulated macro dies with its process."""
        return True

    def identify(self) -> dict[str, str]:
        """Return the device preset, chip number and seed; with errors, board and meter by their serials."""
        o = self._options
        size = f"{o.macros} macros of {o.rows} x {o.cols}"
        device = self._array.population.preset.description
        who = {
            "name": f"sim+crossbar?preset={o.preset}&chip={o.chip}",
            "device": f"{device}; {size}",
            "serial": f"sim-{o.chip}",
            "seed": str(self._seed),
        }
        if o.card:
            who |= {"name": "sim+resistor-card", "device": f"{o.card}; {size}", "macro": "resistor card"}
        return who if self._errors is None else who | self._errors.serials()

    def now(self) -> float:
        """Return the virtual time (s) since the bench was opened."""
        return self._time

    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        duration = spec.samples * SAMPLE
        start = self._time + duration * np.arange(len(cells))
        self._time += duration * len(cells)
        index = self._index(cells)
        if self._errors is None:
            return self._array.read(index, spec.v_read, spec.gate, start, duration, self._rng)
        row, macro = cells.row % self._options.rows, cells.row // self._options.rows
        volts = self._errors.dac.convert(spec.v_read, macro, row)
        current = volts * self._array.read(index, volts, spec.gate, start, duration, self._rng)
        return self._errors.adc_read.convert(current, macro, cells.col) / spec.v_read

    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        reset = train.polarity == Polarity.RESET
        ends = self._time + np.cumsum(train.width + ADDRESSING)
        bl, sl = np.where(reset, 0.0, train.drive), np.where(reset, train.drive, 0.0)
        index = self._index(train.cells)
        self._array.pulse(index, bl, sl, train.gate, train.width, ends - train.width, self._rng)
        self._time = float(ends[-1]) if len(ends) else self._time
        return np.full(len(train), Delivery.APPLIED, dtype=np.uint8)

    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        index = self._index(cells)
        steps = [self._step(index, float(volt), staircase) for volt in staircase.voltages]
        currents, limited = (np.array(column) for column in zip(*steps, strict=True))
        time = np.linspace(staircase.dwell, staircase.dwell * len(steps), len(steps))
        return Curve(np.asarray(staircase.voltages, dtype=float), currents, time, limited)

    def _step(self, index: NDArray[np.int64], volt: float, staircase: Staircase) -> tuple[float, bool]:
        at = self._time
        self._time += staircase.dwell
        if self._errors is None:
            return held_step(self._array, index, volt, staircase, at, self._rng)
        meter = self._errors.meter
        held = replace(staircase, compliance=meter.limit(staircase.compliance, volt))
        current, limited = held_step(self._array, index, meter.volts(volt), held, at, self._rng)
        return meter.reported(current), limited

    def _multiply(self, voltages: FloatArray, macro: int) -> FloatArray:
        vectors = np.asarray(voltages, dtype=float).reshape(-1, self._options.rows)
        rows, cols = np.arange(self._options.rows), np.arange(self._options.cols)
        driven = vectors if self._errors is None else self._errors.dac.convert(vectors, macro, rows)
        currents = product_currents(self._array, macro, driven, self._time, self._rng)
        if self._errors is not None:
            currents = self._errors.adc_product.convert(currents, macro, cols)
        self._time += SAMPLE * len(vectors)
        return currents.reshape(*voltages.shape[:-1], self._options.cols)

    def _solve(self, run: LoopRun) -> LoopResult:
        try:
            result, self._time = self._loop.solve(run, self._time, self._rng)
        except ValueError as error:
            raise InputError(
                f"this closed-loop run is not possible on the simulated loop: {error}"
            ) from error
        return result

    def _wait(self, seconds: float) -> None:
        self._time += seconds

    def _make_safe(self) -> None:
        """Leave no line driven: between requests no simulated line is."""

    def _memory(self) -> Columns:
        # Copies: what is remembered must not live on with the macro.
        columns = {name: kept.copy() for name, kept in self._array.population.cells._asdict().items()}
        return {**columns, "time": np.array(self._time), "loop": self._loop.fingerprint()}

    def _restore(self, memory: Columns) -> None:
        cells = self._array.population.cells._asdict()
        for name, kept in (cells | {"time": np.array(self._time)}).items():
            if name not in memory or np.shape(memory[name]) != kept.shape:
                raise InputError(
                    f"the remembered macro has no '{name}' of shape {kept.shape}; use its own bench file"
                )
        for name, kept in cells.items():
            kept[...] = memory[name]
        # Made anew, because a population knows its weakest cell.
        old = self._array.population
        self._array.population = Population(old.preset, old.cells, old.temperature)
        self._time = float(memory["time"])

    def _index(self, cells: Cells) -> NDArray[np.int64]:
        return np.asarray(cells.flat(self._options.cols), dtype=np.int64)

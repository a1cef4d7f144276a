"""A world of a few cells with the simplest physics, to test the door and what stands on it."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Delivery, Polarity, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Recorder

FloatArray = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]


class ToyOptions(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    rows: int = 4
    cols: int = 4
    macros: int = 1
    fresh: bool = False


class Toy(Backend):
    """SET raises, RESET lowers and FORM opens a cell by a random step; readings carry noise.

    Not final: tests break one promise at a time in subclasses.
    """

    remembers = False
    can = frozenset({"read", "pulse", "sweep", "multiply", "wait"})

    def __init__(
        self,
        options: ToyOptions | None = None,
        limits: Limits | None = None,
        recorder: Recorder | None = None,
        seed: int = 0,
    ) -> None:
        self._options = options or ToyOptions()
        self._rng = np.random.default_rng(seed)
        self.g = np.full(self.shape, 0.3e-6 if self._options.fresh else 20e-6)
        self.time = 0.0
        self.safe = 0
        super().__init__(limits or Limits(), recorder)

    @classmethod
    def options(cls) -> type[BaseModel]:
        return ToyOptions

    @classmethod
    def open(cls, options: Any, limits: Limits, recorder: Recorder | None, seed: int) -> Self:
        return cls(options, limits, recorder, seed)

    @property
    def shape(self) -> tuple[int, int]:
        return self._options.macros * self._options.rows, self._options.cols

    @property
    def macro_shape(self) -> tuple[int, int]:
        return self._options.rows, self._options.cols

    @property
    def capabilities(self) -> frozenset[str]:
        return self.can

    @property
    def forgets(self) -> bool:
        return not self.remembers

    def identify(self) -> dict[str, str]:
        return {"name": "toy"}

    def now(self) -> float:
        return self.time

    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        self.time += 1e-3 * len(cells)
        noise = self._rng.normal(0.0, 1e-8, len(cells))
        return np.asarray(self.g[cells.row, cells.col] + noise)

    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        step = 4e-6 * self._rng.uniform(0.5, 1.5, len(train))
        place = train.cells.row, train.cells.col
        g = self.g[place] + np.where(train.polarity == Polarity.RESET, -step, step)
        self.g[place] = np.where(train.polarity == Polarity.FORM, 50e-6, np.clip(g, 1e-6, 140e-6))
        self.time += float(train.width.sum())
        return np.full(len(train), Delivery.APPLIED, np.uint8)

    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        volts = staircase.voltages
        return Curve(
            volts, volts * self.g[cells.row[0], cells.col[0]], staircase.dwell * np.arange(len(volts))
        )

    def _multiply(self, voltages: FloatArray, macro: int) -> FloatArray:
        rows = self.macro_shape[0]
        return np.asarray(voltages @ self.g[macro * rows : (macro + 1) * rows])

    def _solve(self, run: LoopRun) -> LoopResult:
        raise NotImplementedError

    def _wait(self, seconds: float) -> None:
        self.time += seconds

    def _make_safe(self) -> None:
        self.safe += 1

    def _memory(self) -> Columns:
        return {} if self.remembers else {"g": self.g, "time": np.array(self.time)}

    def _restore(self, memory: Any) -> None:
        if not self.remembers:
            self.g[...] = memory["g"]
            self.time = float(memory["time"])

"""Say what stands behind the door: a simulated world, or one of instruments."""

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from rramlab.cells import Cells
from rramlab.finding import Finding
from rramlab.limits import Limits
from rramlab.loop import LoopResult, LoopRun
from rramlab.pulse import Columns, Delivery, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Event, Recorder

FloatArray = NDArray[np.float64]


class World(ABC):
    """Name what a world implements; only the door (`Backend`) calls the underscored methods."""

    # How a bench file makes one.

    @classmethod
    @abstractmethod
    def options(cls) -> type[BaseModel]:
        """Return the model of the options that the bench file may give to this world."""

    @classmethod
    @abstractmethod
    def open(cls, options: Any, limits: Limits, recorder: Recorder | None, seed: int) -> Self:
        """Return the world that these options describe; `seed` is the randomness of the run."""

    @classmethod
    def panic(cls, options: Any) -> list[Finding]:
        """Switch everything off over links of its own and return what was read back; default: none."""
        return []

    # What a world tells about itself.

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Return rows x columns; macros are stacked along the rows."""

    @property
    @abstractmethod
    def macro_shape(self) -> tuple[int, int]:
        """Return rows x columns of one macro."""

    @property
    @abstractmethod
    def capabilities(self) -> frozenset[str]:
        """Return which of the verbs this bench can do."""

    @property
    @abstractmethod
    def forgets(self) -> bool:
        """Tell whether the macro lives in this process and is lost with it, as a simulated one is."""

    @abstractmethod
    def identify(self) -> dict[str, str]:
        """Return who answers: name, serial numbers, versions."""

    @abstractmethod
    def now(self) -> float:
        """Return the time of the bench (s)."""

    def examine(self) -> list[Finding]:
        """Return what each part of the bench answers to its self-test, outputs off."""
        return [Finding(name, answer, True) for name, answer in self.identify().items()]

    # What a world does. Only the final verbs below call these.

    def _begin(self, exits: ExitStack) -> None:  # noqa: B027 (a world without links has nothing to open)
        """Open what must be open, and push on `exits` what closes it; `make_safe` comes before that."""

    def _settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        """Return the `Delivery` of a train that an earlier process left open; a simulated one was relived."""
        return np.full(request.columns["row"].shape, Delivery.APPLIED, dtype=np.uint8)

    @abstractmethod
    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray: ...

    @abstractmethod
    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]: ...

    @abstractmethod
    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve: ...

    @abstractmethod
    def _multiply(self, voltages: FloatArray, macro: int) -> FloatArray: ...

    @abstractmethod
    def _solve(self, run: LoopRun) -> LoopResult: ...

    @abstractmethod
    def _wait(self, seconds: float) -> None: ...

    @abstractmethod
    def _make_safe(self) -> None: ...

    @abstractmethod
    def _memory(self) -> Columns:
        """Return what would be lost with this process (a simulated macro); a real bench returns {}."""

    @abstractmethod
    def _restore(self, memory: Columns) -> None:
        """Take back what `_memory` returned; a real bench has nothing to take back."""

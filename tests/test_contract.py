"""Hold every world to the promises of the door, and see that a broken promise is caught."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from toy_world import Columns, Toy, ToyOptions

from rramlab.backend import Backend
from rramlab.cells import Cells
from rramlab.contract import ContractBroken, check_backend
from rramlab.limits import Limits
from rramlab.pulse import Delivery, PulseTrain
from rramlab.reading import Curve, ReadSpec, Staircase
from rramlab.recorder import Recorder
from sim_backend.backend import SimBackend
from sim_backend.options import Options

FloatArray = NDArray[np.float64]
PROMISES = [
    "identity",
    "closed",
    "read returns conductances",
    "read is limited",
    "pulse is limited",
    "pulse moves the cells",
    "wait passes",
    "sweep is limited",
    "sweep agrees with a reading",
    "multiply is monotonic",
    "pulse and read are recorded",
    "safe after an error",
    "safe at any time",
    "lives again",
]


def simulated(recorder: Recorder) -> Backend:
    return SimBackend(Options(macros=2), recorder=recorder, seed=3)


def test_the_simulated_macro_keeps_every_promise() -> None:
    assert check_backend(simulated) == PROMISES


def test_a_world_of_toys_keeps_every_promise() -> None:
    assert check_backend(lambda recorder: Toy(recorder=recorder)) == PROMISES
    two = ToyOptions(macros=2, rows=2, cols=3)
    assert check_backend(lambda recorder: Toy(two, recorder=recorder)) == PROMISES


def test_a_bench_is_held_to_what_it_can_do_only() -> None:
    class Mute(Toy):
        can = frozenset({"solve"})

    class Meter(Toy):
        can = frozenset({"read", "wait"})

    assert check_backend(lambda recorder: Mute(recorder=recorder)) == ["identity"]
    assert "pulse is limited" not in check_backend(lambda recorder: Meter(recorder=recorder))


def test_a_real_world_need_not_be_brought_back() -> None:
    class Real(Toy):
        remembers = True

    assert check_backend(lambda recorder: Real(recorder=recorder)) == PROMISES


# One world for each way to break a promise.


class Nameless(Toy):
    def identify(self) -> dict[str, str]:
        return {"serial": "1"}


class Ragged(Toy):
    @property
    def shape(self) -> tuple[int, int]:
        return 6, 4


class AlwaysOpen(Toy):
    def _admit(self, verb: str, cells: Cells) -> None:
        cells.check(self.shape)


class InMicrosiemens(Toy):
    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        return super()._read(cells, spec) * 1e6


class Blind(Toy):
    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        return np.full(len(cells), np.nan)


class OneForAll(Toy):
    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        return super()._read(cells, spec)[:1]


class TooMany(Toy):
    def _read(self, cells: Cells, spec: ReadSpec) -> FloatArray:
        return np.zeros(len(cells) + 1)


class HotReads(Toy):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__(
            limits=Limits.model_construct(**Limits().model_dump() | {"v_read": 5.0}), recorder=recorder
        )


class HotPulses(Toy):
    def __init__(self, recorder: Recorder) -> None:
        wide = {"v_set": 50.0, "i_set": 1.0, "energy": 1.0}
        super().__init__(limits=Limits.model_construct(**Limits().model_dump() | wide), recorder=recorder)


class HotSweeps(Toy):
    can = frozenset({"sweep"})

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(
            limits=Limits.model_construct(**Limits().model_dump() | {"v_set": 50.0}), recorder=recorder
        )


class HalfASweep(Toy):
    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        whole = super()._sweep(cells, staircase)
        return Curve(whole.voltage[:5], whole.current[:5], whole.time[:5])


class OtherSteps(Toy):
    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        return super()._sweep(cells, replace(staircase, voltages=2 * staircase.voltages))


class Timeless(Toy):
    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        whole = super()._sweep(cells, staircase)
        return replace(whole, time=0 * whole.time)


class OtherCell(Toy):
    def _sweep(self, cells: Cells, staircase: Staircase) -> Curve:
        whole = super()._sweep(cells, staircase)
        return replace(whole, current=np.full(len(whole.voltage), 9e-6))


class Dead(Toy):
    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        return np.full(len(train), Delivery.APPLIED, np.uint8)


class Inverted(Toy):
    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        before = self.g.copy()
        delivery = super()._pulse(train)
        self.g = np.clip(2 * before - self.g, 1e-6, 140e-6)
        return delivery


class OnlyUp(Toy):
    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        self.g[train.cells.row, train.cells.col] += 5e-6
        return np.full(len(train), Delivery.APPLIED, np.uint8)


class Unsure(Toy):
    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        super()._pulse(train)
        return np.full(len(train), Delivery.UNKNOWN, np.uint8)


class Frozen(Toy):
    def _wait(self, seconds: float) -> None:
        pass


class Sleepy(Toy):
    def _wait(self, seconds: float) -> None:
        self.time += 100 * seconds + 1


class Constant(Toy):
    def _multiply(self, voltages: FloatArray, macro: int) -> FloatArray:
        return np.ones((*voltages.shape[:-1], 4))


class RowsForColumns(Toy):
    def _multiply(self, voltages: FloatArray, macro: int) -> FloatArray:
        return np.asarray(voltages)[..., :3]


class Unrecorded(Toy):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()


class Unsafe(Toy):
    def _make_safe(self) -> None:
        raise OSError("the supply does not answer")


class SafeOnce(Toy):
    def _make_safe(self) -> None:
        super()._make_safe()
        if self.safe > 1:
            raise OSError("closed already")


class SafeOnlyWhenIdle(Toy):
    def _make_safe(self) -> None:
        self.can = frozenset()


class Amnesic(Toy):
    def _memory(self) -> Columns:
        return {}


class Forgetful(Toy):
    def _restore(self, memory: Any) -> None:
        self.time = float(memory["time"])


BROKEN: list[tuple[Any, str]] = [
    (Nameless, "identity: identify"),
    (Ragged, "identity: macros do not fill"),
    (AlwaysOpen, "closed: a closed bench answers"),
    (InMicrosiemens, "read returns conductances: .* not in siemens"),
    (Blind, "read returns conductances: read returned"),
    (OneForAll, "read returns conductances: read returned"),
    (TooMany, "read returns conductances: the backend raised ValueError"),
    (HotReads, r"read is limited: a read of 0\.31 V"),
    (HotPulses, r"pulse is limited: 2\.6 V went through"),
    (HotSweeps, r"sweep is limited: a sweep to 2\.6 V went through"),
    (HalfASweep, "sweep agrees with a reading: a sweep of 11 steps returned"),
    (OtherSteps, "sweep agrees with a reading: it swept over"),
    (Timeless, "sweep agrees with a reading: the times of a sweep are"),
    (OtherCell, "sweep agrees with a reading: a sweep found"),
    (Dead, "pulse moves the cells: "),
    (Inverted, "pulse moves the cells: SET did not raise"),
    (OnlyUp, "pulse moves the cells: RESET did not lower"),
    (Unsure, "pulse moves the cells: pulses were not delivered"),
    (Frozen, "wait passes"),
    (Sleepy, "wait passes"),
    (Constant, "multiply is monotonic: twice the voltage"),
    (RowsForColumns, "multiply is monotonic: multiply returned"),
    (Unrecorded, "pulse and read are recorded"),
    (Unsafe, "read returns conductances: .*outputs may still be ON.*the supply does not answer"),
    (SafeOnce, "safe at any time: .*closed already"),
    (SafeOnlyWhenIdle, "safe after an error: the backend raised Unsupported"),
    (Amnesic, "lives again: a world that forgets has no memory"),
    (Forgetful, "lives again: memory is not brought back: .*g"),
]


@pytest.mark.parametrize(("world", "said"), BROKEN, ids=[world.__name__ for world, _ in BROKEN])
def test_a_broken_promise_is_caught(world: Any, said: str) -> None:
    with pytest.raises(ContractBroken, match=f"(?s)^{said}"):
        check_backend(lambda recorder: world(recorder=recorder))


def test_every_promise_can_be_broken() -> None:
    assert {said.split(":")[0] for _, said in BROKEN} == set(PROMISES)

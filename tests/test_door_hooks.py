"""What the door does for worlds with links: opening, closing in order, and settling what was left open."""

from contextlib import ExitStack

import numpy as np
import pytest
from numpy.typing import NDArray
from toy_world import Toy

from rramlab.cells import Cells
from rramlab.errors import LinkError, LinkFault
from rramlab.pulse import Delivery, Polarity, Pulse, PulseTrain
from rramlab.recorder import Event, MemoryRecorder

TRAIN = PulseTrain.of(Cells.grid(range(2), range(1)), Pulse(Polarity.SET, 1.0, 1.2, 1e-6))


class Wired(Toy):
    """A toy with a link: it says in which order things happen, and may fail to open or to answer."""

    def __init__(self, recorder: MemoryRecorder | None = None, refuses: bool = False) -> None:
        super().__init__(recorder=recorder)
        self.told: list[str] = []
        self.refuses = refuses

    def _begin(self, exits: ExitStack) -> None:
        exits.callback(self.told.append, "closed")
        if self.refuses:
            raise LinkError(LinkFault.REFUSED, "nobody answers")
        self.told.append("opened")

    def _pulse(self, train: PulseTrain) -> NDArray[np.uint8]:
        self.told.append(f"pulse {self._number}")
        return super()._pulse(train)

    def _make_safe(self) -> None:
        self.told.append("safe")

    def _settle(self, request: Event, notes: list[Event]) -> NDArray[np.uint8]:
        return np.array([Delivery.APPLIED, Delivery.NOT_APPLIED], dtype=np.uint8)


def test_lines_are_safe_before_the_link_is_closed() -> None:
    bench = Wired()
    with bench:
        bench.pulse(TRAIN)
    assert bench.told == ["opened", "pulse 1", "safe", "closed"]


def test_a_link_that_does_not_open_leaves_nothing_open() -> None:
    bench = Wired(refuses=True)
    with pytest.raises(LinkError, match="nobody answers") as refused, bench:
        pass
    assert refused.value.fault is LinkFault.REFUSED
    assert bench.told == ["closed"]


def test_a_train_that_was_left_open_is_settled_once_and_counted() -> None:
    recorder = MemoryRecorder()
    bench = Wired(recorder)
    with bench:
        number = recorder.request("pulse", 0.0, {}, TRAIN.columns())
        bench.replay(recorder.events)
        assert bench.pulses[:2, 0].tolist() == [1, 1]
        bench.settle([recorder.events[-1]], [])
    assert bench.pulses[:2, 0].tolist() == [1, 0]
    settled = recorder.events[-1]
    assert (settled.stage, settled.verb, settled.number) == ("result", "pulse", number)
    assert settled.columns["delivery"].tolist() == [Delivery.APPLIED, Delivery.NOT_APPLIED]

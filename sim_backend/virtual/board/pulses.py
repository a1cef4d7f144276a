"""Send the pulses of a batch to the macro, as far as nothing stops the board."""

from dataclasses import replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from rramlab.board_protocol.pulses import PulseReply, PulseRequest
from rramlab.board_protocol.words import Fault, Status
from rramlab.errors import LimitExceeded
from rramlab.pulse import PulseTrain
from sim_backend.backend import ADDRESSING
from sim_backend.product import SAMPLE
from sim_backend.virtual import faults
from sim_backend.virtual.board.job import Answer, Denied, Job, PowerLost
from sim_backend.virtual.board.ledger import Ledger
from sim_backend.virtual.faults import Injector
from sim_backend.virtual.world import World, hard_limits

FloatArray = NDArray[np.float64]
RESETS = (faults.Fault.RESET_BEFORE, faults.Fault.RESET_DURING, faults.Fault.RESET_AFTER)


@final
class Pulser:
    """Apply batches of pulses; the ledger knows before each edge that it comes."""

    def __init__(self, world: World, ledger: Ledger, injector: Injector) -> None:
        self._world, self._ledger, self._injector = world, ledger, injector

    def job(self, batch: PulseRequest) -> Job:
        """Return the work of a batch that was found to be within the limits."""
        train = batch.train()
        _survives(train)
        each = train.width + ADDRESSING
        if batch.verify is not None:
            each = each + SAMPLE * batch.verify.samples
        return Job(np.cumsum(each), lambda parts, began, why: self._do(batch, train, parts, began, why))

    def _do(self, batch: PulseRequest, train: PulseTrain, parts: int, began: float, why: Fault) -> Answer:
        parts, reset = self._struck(parts)
        train = train.take(np.arange(parts))
        if reset is faults.Fault.RESET_DURING:
            train = _cut_short(train)
        self._ledger.begun(parts)
        readings = self._apply(batch, train, began)
        if reset is not None:
            raise PowerLost
        status = Status.OK if parts == len(batch.cells) else Status.STOPPED
        return Answer(status, PulseReply(parts, why, readings).pack())

    def _apply(self, batch: PulseRequest, train: PulseTrain, began: float) -> FloatArray | None:
        if batch.verify is None:
            if len(train):
                self._world.pulse(train, began)
            return None
        readings = [np.empty(0)]
        for i in range(len(train)):
            one = train.take(np.array([i]))
            self._world.pulse(one, began)
            readings.append(self._world.read(one.cells, batch.verify, began))
        return np.concatenate(readings)

    def _struck(self, parts: int) -> tuple[int, faults.Fault | None]:
        """Return how many pulses begin before a reset strikes, and which one."""
        if any(self._injector.armed(reset) for reset in RESETS):
            for i in range(parts):
                for reset in RESETS:
                    if self._injector.strikes(reset):
                        return i + (reset is not faults.Fault.RESET_BEFORE), reset
        return parts, None


def _survives(train: PulseTrain) -> None:
    """Refuse what no limit of the protocol tells: currents and energies that the macro cannot bear."""
    try:
        hard_limits().check_train(train)
    except LimitExceeded as beyond:
        raise Denied(Status.FAILED, f"the macro would not survive this: {beyond}") from None


def _cut_short(train: PulseTrain) -> PulseTrain:
    """Return a train of which the last pulse ends half way."""
    width = train.width.copy()
    width[-1] *= 0.5
    return replace(train, width=width)

"""A macro of a few lines: cells that end where the gate lets them, with faults to order."""

import numpy as np

from rramlab.backend import Backend
from rramlab.errors import Unsupported
from rramlab.limits import Limits
from rramlab.pulse import Delivery, Polarity


class Killed(Exception):
    """The process dies here."""


class ToyMacro(Backend):
    def __init__(self, shape=(8, 8), seed=0, recorder=None, limits=None, noise=0.05e-6, start=6e-6):
        self._size = shape
        self.rng = np.random.default_rng(seed)
        self.G = np.full(shape, start)
        self.stuck = np.zeros(shape, bool)
        self.offset = self.rng.normal(0, 0.03, shape)
        self.noise, self.time, self.relaxes = noise, 0.0, 0.0
        self.unknown = self.not_applied = self.unread = 0.0
        self.trains, self.log, self.kill_at = [], [], None
        super().__init__(limits or Limits(), recorder)

    @classmethod
    def options(cls):
        raise NotImplementedError

    @classmethod
    def open(cls, options, limits, recorder, seed):
        raise NotImplementedError

    shape = property(lambda self: self._size)
    macro_shape = property(lambda self: self._size)
    capabilities = frozenset({"read", "pulse", "wait"})
    forgets = False

    def identify(self):
        return {"name": "toy"}

    def now(self):
        return self.time

    def _read(self, cells, spec):
        self._step("read")
        self.log.append(("read", cells.flat(self._size[1])))
        self.time += 1e-3 * len(cells) * spec.samples
        g = self.G[cells.row, cells.col] + self.rng.normal(0, self.noise / spec.samples**0.5, len(cells))
        return np.where(self.rng.random(len(cells)) < self.unread, np.nan, g)

    def _pulse(self, train):
        self._step("pulse")
        self.log.append(("pulse", train.cells.flat(self._size[1])))
        self.trains.append(train)
        chance = self.rng.random(len(train))
        delivery = np.where(chance < self.unknown, Delivery.UNKNOWN, Delivery.APPLIED)
        delivery[(chance >= self.unknown) & (chance < self.unknown + self.not_applied)] = Delivery.NOT_APPLIED
        # Of the pulses of unknown delivery every second one arrived.
        arrives = (delivery == Delivery.APPLIED) | (
            (delivery == Delivery.UNKNOWN) & (chance < self.unknown / 2)
        )
        self._switch(train, arrives)
        self._step("pulsed")
        return delivery.astype(np.uint8)

    def _switch(self, train, arrives):
        at = train.cells.row, train.cells.col
        g, up = self.G[at], train.polarity == Polarity.SET
        jitter = self.offset[at] + self.rng.normal(0, 0.01, len(train))
        # SET ends where the gate or the amplitude lets it, RESET where the amplitude does.
        by_gate = (train.gate - 0.95 - jitter) * 100e-6
        by_drive = (train.drive - 0.6 - jitter) * 80e-6
        top = np.maximum(g, np.minimum(by_gate, by_drive))
        low = np.minimum(g, 44e-6 * (np.maximum(train.drive, 0.3) * (1 + jitter)) ** -3.2)
        moved = np.where(up, top, np.maximum(low, 2e-6))
        self.G[at] = np.where(arrives & ~self.stuck[at], moved, g)

    def _wait(self, seconds):
        self._step("wait")
        self.time += seconds
        self.G += self.rng.normal(0, 1.0, self.G.shape) * self.relaxes * ~self.stuck

    def _step(self, what):
        if self.kill_at is not None:
            self.kill_at -= 1
            if self.kill_at < 0:
                raise Killed(what)

    def _sweep(self, cells, staircase):
        raise Unsupported("toy")

    def _multiply(self, voltages, macro):
        raise Unsupported("toy")

    def _solve(self, run):
        raise Unsupported("toy")

    def _make_safe(self):
        pass

    def _memory(self):
        return {}

    def _restore(self, memory):
        pass

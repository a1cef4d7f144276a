"""Look at a cell from one polarity: coordinates of its law, and the offset believed for each cell."""

from dataclasses import dataclass
from typing import final

import numpy as np

from protocols.write_verify.common import Common, place
from protocols.write_verify.law import FloatArray, Law
from protocols.write_verify.strategy import Arrays, BoolArray, State

SEEN = 0.5e-6
"""Least change (S) that is believed to be the pulse's; less is taken as this, with its large variance."""

HURRY = 0.03
"""How far the offset of a cell that stands still may lie off, as drive and per pulse."""

OUTLIER = 0.4
"""Largest offset (as drive) of a single cell that counts for all the others."""


@final
@dataclass(frozen=True)
class Side:
    """Hold what belongs to one polarity: its name in the state, its law, the sign of its step in G.

    SET works in x = G with the gate as drive, RESET in x = -ln G with ln(SL voltage) as drive.
    """

    name: str
    law: Law
    is_set: bool
    walk: float

    def begin(self, cells: Arrays, targets: FloatArray, shared: Arrays) -> None:
        """Give cells that are new the offset to be expected of this macro."""
        if f"{self.name}_mean" not in cells:
            common = Common(shared[self.name])
            variance = self.law.spread**2 + common.variance()
            cells[f"{self.name}_mean"] = common.mean(place(targets)).astype(np.float32)
            cells[f"{self.name}_var"] = np.full(targets.size, variance, np.float32)

    def volts(self, state: State, which: BoolArray, reading: FloatArray, step: FloatArray) -> FloatArray:
        """Return the gate or SL (V) that moves the chosen cells from their reading by a step (S)."""
        x, dx = self._coordinates(reading, step)
        drive = self.law.drive(x, dx) + state[f"{self.name}_mean"][which]
        return np.asarray(drive if self.is_set else np.exp(drive))

    def learn(
        self, state: State, which: BoolArray, volts: FloatArray, before: FloatArray, after: FloatArray
    ) -> None:
        """Move the offsets of the chosen cells towards what their pulses (V) showed (S, S)."""
        before, after = np.maximum(before, 1e-6), np.maximum(after, 1e-6)
        change = after - before if self.is_set else before - after
        # No RESET takes a cell below zero, so the least step is bounded by what the cell has.
        step = np.maximum(change, np.minimum(SEEN, 0.5 * before))
        x, dx = self._coordinates(before, step)
        seen = (volts if self.is_set else np.log(volts)) - self.law.drive(x, dx)
        blur = _blur(before, step) / (1.0 if self.is_set else (before - step) ** 2)
        noise = self.law.variance(x, dx, blur)
        self._teach(state, which, after, seen, noise)
        self._move(state, which, seen, noise, self._pace(state, which, change))

    def _coordinates(self, reading: FloatArray, step: FloatArray) -> tuple[FloatArray, FloatArray]:
        if self.is_set:
            return reading, step
        return -np.log(reading), -np.log1p(-step / reading)

    def _teach(
        self, state: State, which: BoolArray, after: FloatArray, seen: FloatArray, noise: FloatArray
    ) -> None:
        # Only the first pulse of a cell teaches about the macro; later ones would count the same cell again.
        new = state[f"{self.name}_var"][which] >= self.law.spread**2
        if new.any():
            offset = np.clip(seen[new], -OUTLIER, OUTLIER)
            Common(state.shared[self.name]).learn(place(after[new]), offset, noise[new] + self.law.spread**2)

    def _pace(self, state: State, which: BoolArray, change: FloatArray) -> FloatArray:
        # A cell that stands still again and again lies far from what is believed of it.
        mute = np.where(change <= 0.5 * SEEN, state["mute"][which] + 1, 0).astype(np.uint8)
        state["mute"][which] = mute
        return np.where(mute >= 2, HURRY, self.walk)

    def _move(
        self, state: State, which: BoolArray, seen: FloatArray, noise: FloatArray, walk: FloatArray
    ) -> None:
        # A Kalman step: the offset hardly changes (`walk`), each pulse shows it once more.
        mean, variance = state[f"{self.name}_mean"], state[f"{self.name}_var"]
        prior = variance[which] + walk**2
        share = prior / (prior + noise)
        mean[which] += share * (seen - mean[which])
        variance[which] = (1.0 - share) * prior


def _blur(reading: FloatArray, step: FloatArray) -> FloatArray:
    """Return the variance (S^2) of a step as read: noise of two readings, and relaxation between."""
    noise = 0.02e-12 + 0.08e-12 * reading / 50e-6
    return np.asarray(noise + 0.6e-12 * np.clip(step / 8e-6, 0.0, 1.0))

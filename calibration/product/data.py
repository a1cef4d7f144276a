"""Gather what was measured on one macro: readings of all cells, and the products that they must explain."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from calibration.product.lines import Lines, Paths
from calibration.product.plan import alone, folded
from rramlab.corrections.converter import DRIVE_SCALE, erred
from rramlab.corrections.correction import READOUT, Correction
from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

LEAST = 1e-9
"""Conductance (S) below which a cell is as good as none."""
FAINT = 1e-6
"""Conductance (S) below which noise would bend a cell more than its physics."""
TYPICAL = 50e-6
"""Conductance (S) of an ordinary cell."""


@final
@dataclass(frozen=True, eq=False)
class MacroData:
    """Hold one macro's data, as means over the rounds.

    `asked` (V, levels) were the voltages of the readings, `volts` (V, levels x rows x 1) what stood at the
    rows then, `readings` (S, levels x rows x cols) what they gave; `wanted` (V, vectors x rows) the inputs
    of the products, `reported` (A, vectors x cols) their currents, `noise` (A^2, the same) the variance of
    these means as seen between playings. `white` (A) is the chain's own noise in a mean of readings.
    """

    macro: int
    asked: FloatArray
    volts: FloatArray
    readings: FloatArray
    wanted: FloatArray
    reported: FloatArray
    noise: FloatArray
    white: float

    @classmethod
    def of(cls, macro: int, rounds: Sequence[Columns]) -> Self:
        """Return the data of a macro from its rounds."""
        first = rounds[0]
        wanted, _ = folded(np.asarray(first["voltages"], dtype=float))
        means, noise = folded(np.array([part["currents"] for part in rounds], dtype=float))
        return cls(
            macro,
            np.asarray(first["levels"], dtype=float),
            np.asarray(first["volts"], dtype=float)[..., None],
            np.mean([part["conductance"] for part in rounds], axis=0),
            wanted,
            means.mean(axis=0),
            noise.mean(axis=0) / len(rounds),
            float(first["white"]) / np.sqrt(len(rounds) * float(first["samples"])),
        )

    @property
    def conductance(self) -> FloatArray:
        """Return the mean reading (S) of each cell at the two largest voltages."""
        return np.asarray(np.maximum(self.readings[:2].mean(axis=0), LEAST))

    def deviations(self, difference: FloatArray) -> FloatArray:
        """Return by how much more each cell conducts (S, levels x rows x cols), told by its row alone.

        `difference` (A, vectors x cols) is by how much more the products are.
        """
        first = alone(len(self.wanted), self.readings.shape[1])
        return np.array([difference[one] / volts for one, volts in zip(first, self.asked, strict=True)])

    def at_level(self) -> NDArray[np.bool_]:
        """Return which level each row is driven with (levels x vectors x rows)."""
        return np.asarray(np.isclose(self.wanted, self.asked[:, None, None], rtol=1e-9, atol=0.0))

    def currents(self, lines: Lines, instead: Lines | None = None) -> FloatArray:
        """Return the column currents (A, vectors x cols) that the readings predict with such lines.

        `instead` are the lines of the products, if they are to be others than those of the readings.
        """
        paths = Paths.without(lines, self._volts, self._even(), self._tilt())
        more = paths.factor(lines, self.volts, self.readings)
        level = self.at_level()
        factor = np.einsum("kvr,krc->vrc", level, more)
        idle = np.logical_not(np.asarray(level.any(axis=0)))
        factor += idle[..., None] * more.mean(axis=0)
        return paths.columns(lines if instead is None else instead, self.wanted, factor)

    def smooth(self, lines: Lines) -> FloatArray:
        """Return the same of cells that differ in size alone, without most of the noise of the readings."""
        mean, (root, law) = self._even(), self._law()
        bend = law @ np.linalg.lstsq(law, ((mean[1] - mean[0]) / root).ravel(), rcond=None)[0]
        even = np.stack([self.conductance, self.conductance + root * bend.reshape(root.shape)])
        return Paths.without(lines, self._volts, even, self._tilt()).columns(lines, self.wanted)

    @property
    def _volts(self) -> FloatArray:
        return 0.5 * (np.abs(self.volts[::2]) + np.abs(self.volts[1::2]))

    def _even(self) -> FloatArray:
        """Return the means of both signs (S, 2 x rows x cols); what hardly conducts is taken as straight."""
        small = 0.5 * (self.readings[2] + self.readings[3])
        return np.stack([self.conductance, np.where(self.conductance < FAINT, self.conductance, small)])

    def _law(self) -> tuple[FloatArray, FloatArray]:
        """Return the noise of cells by their size, and powers of the size (cells x 3) divided by it."""
        root = np.sqrt(self.conductance / TYPICAL)
        return root, np.stack([root, root**3, root**5], axis=-1).reshape(-1, 3)

    def _tilt(self) -> FloatArray:
        """Return by which part cells conduct more at the large voltage than in the mean of both signs.

        It is a law of the macro, told from an offset of readings: that goes as the inverse of the voltage.
        """
        root, law = self._law()
        half = 0.5 * (self.readings[::2] - self.readings[1::2]) / root
        ratio = abs(float(self.asked[2] / self.asked[0]))
        offset = np.stack([1.0 / root.ravel(), root.ravel()], axis=-1)
        both = np.block([[law, offset], [ratio * law, offset / ratio]])
        found = np.linalg.lstsq(both, half.ravel(), rcond=None)[0]
        return np.asarray(root * (law @ found[:3]).reshape(root.shape) / self.conductance)


def row_volts(correction: Correction, macro: int, asked: FloatArray, rows: int) -> FloatArray:
    """Return the voltages (V, levels x rows) of the rows of a macro for nominal ones (V, levels)."""
    nominal = np.repeat(np.asarray(asked, dtype=float)[:, None], rows, axis=1)
    readout = correction.records.get(READOUT)
    if readout is None:
        return nominal
    gain, offset = readout["dac_gain"][macro], readout["dac_offset"][macro]
    return erred(nominal, gain, offset, readout["dac_inl"][macro], DRIVE_SCALE)

"""Hold what the read chain is compared with, and what its own certificate leaves open.

Both standards say which current a path takes at a voltage: the source meter by the sweep of each cell, the
card by its table of resistors. What is common to all their statements cannot be seen in the data; it enters
as unknowns with the standard deviations below (type B in the words of the GUM, JCGM 100).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from rramlab.pulse import Columns

FloatArray = NDArray[np.float64]

METER_GAIN_V, METER_OFFSET_V = 1e-4, 1e-4
"""Voltage of a source meter in its 200 mV range, a year after adjustment: of the value, and in V."""
METER_GAIN_I, METER_OFFSET_I = 1e-4, 5e-9
"""Current of a source meter in its 100 uA range, a year after adjustment: of the value, and in A."""
RESOLUTION = 1e-12
"""Least noise (A) of any reported current: its last digit in single precision."""
CARD_OHM = 1e-4
"""Relative uncertainty of a resistor of whose value no uncertainty is told: a good hand-held meter's."""
SWITCH, LINE = 100.0, 5.0
"""What is known of the resistance between a socket and the converters: ohm, and ohm per line segment."""


@final
@dataclass(frozen=True, eq=False)
class Currents:
    """Hold currents (A) of paths, their slopes (S), and their derivatives by the unknowns of the standard."""

    current: FloatArray
    slope: FloatArray
    by_unknowns: FloatArray


class Standard(ABC):
    """Say which current each of some cells takes at given voltages."""

    names: ClassVar[tuple[str, ...]]

    @property
    @abstractmethod
    def prior(self) -> FloatArray:
        """Return the standard deviations of the unknowns, about zero."""

    @property
    @abstractmethod
    def spread(self) -> FloatArray:
        """Return how far each cell may deviate from its statement, relative and up to a common factor."""

    @abstractmethod
    def currents(self, volts: FloatArray, unknowns: FloatArray) -> Currents:
        """Return the currents at volts (cells, n), with unknowns at given values."""


@final
@dataclass(frozen=True, eq=False)
class Meter(Standard):
    """Hold sweeps of a source meter: currents (cells, n) reported at programmed volts (n), 0 V among them.

    Between the steps each curve is the polynomial through all of them. The meter's offsets show where a cell
    takes no current; `spread` follows the read noise of filaments, whose relative size falls with the root
    of G.
    """

    names: ClassVar[tuple[str, ...]] = ("gain_v", "offset_v", "gain_i", "offset_i")
    volts: FloatArray
    reported: FloatArray

    @property
    def prior(self) -> FloatArray:
        """Return what the certificate leaves open."""
        return np.array([METER_GAIN_V, METER_OFFSET_V, METER_GAIN_I, METER_OFFSET_I])

    @property
    def spread(self) -> FloatArray:
        """Return the relative deviation of each cell in units of that of one of 50 uS."""
        top = int(np.argmax(self.volts))
        conductance = np.maximum(self.reported[:, top] / self.volts[top], 1e-6)
        return np.asarray(np.sqrt(50e-6 / conductance))

    def currents(self, volts: FloatArray, unknowns: FloatArray) -> Currents:
        """Return the currents that the curves say, with the meter's errors taken out."""
        gain_v, offset_v, gain_i, offset_i = unknowns
        programmed = (volts - offset_v) / (1.0 + gain_v)
        reported, slope = self._curves(programmed)
        current = (reported - offset_i) / (1.0 + gain_i)
        slope = slope / ((1.0 + gain_v) * (1.0 + gain_i))
        ones = np.full_like(slope, -1.0 / (1.0 + gain_i))
        by_unknowns = np.stack([-slope * programmed, -slope, current * ones, ones], axis=-1)
        return Currents(current, slope, by_unknowns)

    def _curves(self, programmed: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the reported currents (A) and their slopes (S) at programmed volts."""
        scale = float(np.abs(self.volts).max())
        powers = np.vander(self.volts / scale, increasing=True)
        factors = np.linalg.solve(powers, self.reported.T).T
        raised = (programmed / scale)[..., None] ** np.arange(len(powers))
        slopes = factors[:, 1:] * np.arange(1, len(powers)) / scale
        reported = np.einsum("cnk,ck->cn", raised, factors)
        return reported, np.einsum("cnk,ck->cn", raised[..., :-1], slopes)


@final
@dataclass(frozen=True, eq=False)
class Resistors(Standard):
    """Hold resistors (ohm, with standard uncertainty) in sockets so many line segments away.

    Their path has lines and a switch in series, which show in how the currents of small and of large
    resistors depend on the place. What is common to all values of the table is as uncertain as one of them.
    """

    names: ClassVar[tuple[str, ...]] = ("ohm_gain", "switch", "line")
    ohm: FloatArray
    u_ohm: FloatArray
    segments: FloatArray

    @property
    def prior(self) -> FloatArray:
        """Return what is known beforehand: the values of the table, and little of the path to the sockets."""
        return np.array([float(np.median(self.spread)), SWITCH, LINE])

    @property
    def spread(self) -> FloatArray:
        """Return the relative uncertainty of each resistor."""
        return np.asarray(self.u_ohm / self.ohm)

    def currents(self, volts: FloatArray, unknowns: FloatArray) -> Currents:
        """Return the currents through resistors and what is in series with them."""
        gain, switch, line = unknowns
        ohm = (self.ohm * (1.0 + gain) + switch + line * self.segments)[:, None]
        current, slope = volts / ohm, np.broadcast_to(1.0 / ohm, volts.shape)
        by_ohm = -current / ohm
        shares = [by_ohm * self.ohm[:, None], by_ohm, by_ohm * self.segments[:, None]]
        return Currents(current, slope, np.stack(shares, axis=-1))


def standard_of(columns: Columns) -> Standard:
    """Return the standard that was used in a part: resistors of a table, or sweeps."""
    if "ohm" in columns:
        segments = columns["row"] + columns["col"] + 2.0
        return Resistors(columns["ohm"], columns["u_ohm"], segments)
    return Meter(columns["sweep_volts"], columns["sweep_current"])

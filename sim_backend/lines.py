"""Hold what the lines of cells do: voltages, series resistance, width and time."""

from typing import NamedTuple

from sim_backend.cells import FloatArray


class Lines(NamedTuple):
    """Hold the line voltages (V) at one cell and the resistance (ohm) on the way to it."""

    v_bl: float
    v_sl: float
    v_wl: float
    ohm: float


class Pulses(NamedTuple):
    """Hold one pulse per listed cell: line voltages (V), resistance (ohm), start and width (s)."""

    v_bl: FloatArray
    v_sl: FloatArray
    v_wl: FloatArray
    ohm: FloatArray
    start: FloatArray
    width: FloatArray

    def part(self, s: slice) -> "Pulses":
        """Return the pulses of a slice of the list."""
        return Pulses(*(values[s] for values in self))


class Points(NamedTuple):
    """Hold one quiet operating point per listed cell: line voltages (V), resistance (ohm), time (s)."""

    v_bl: FloatArray
    v_sl: FloatArray
    v_wl: FloatArray
    ohm: FloatArray
    at: FloatArray

    def part(self, s: slice) -> "Points":
        """Return the points of a slice of the list."""
        return Points(*(values[s] for values in self))

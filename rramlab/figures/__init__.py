"""Figures of a run: each function takes plain arrays in SI units and returns a matplotlib Figure.

No pyplot and no global style: figures may be drawn in several threads, and nobody else's are changed.
"""

from rramlab.figures.programming import (
    conductance_errors,
    conductance_maps,
    pulses_per_cell,
    weight_agreement,
    weight_maps,
)
from rramlab.figures.quality import quality_bars, samples_beside, training_curve
from rramlab.figures.sampling import input_voltages, vector_field, waveforms
from rramlab.figures.slices import time_slices
from rramlab.figures.style import png

__all__ = [
    "conductance_errors",
    "conductance_maps",
    "input_voltages",
    "png",
    "pulses_per_cell",
    "quality_bars",
    "samples_beside",
    "time_slices",
    "training_curve",
    "vector_field",
    "waveforms",
    "weight_agreement",
    "weight_maps",
]

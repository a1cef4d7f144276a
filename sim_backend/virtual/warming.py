"""Do each verb of the physics once, so that what is compiled at first use does not keep a host waiting."""

import numpy as np

from rramlab.cells import Cells
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.pulse import Pulse, PulseTrain
from rramlab.reading import ReadSpec, Staircase
from sim_backend.backend import SimBackend
from sim_backend.options import Options

WIDTH = 2
"""Inputs and outputs of each layer of the run."""


def warm(options: Options) -> None:
    """Compile what the physics needs, on a macro that is thrown away: half a minute on a fresh machine.

    A board that compiles says nothing for that long, and its host takes it for dead.
    """
    one, some = Cells.parse("r0c0"), Cells.grid(range(min(2, options.rows)), range(1))
    with SimBackend(options) as physics:
        for cells in (one, some):  # arrays of one element and longer ones are compiled for each by itself
            physics.pulse(PulseTrain.of(cells, Pulse.parse("SET 1V gate=1.5V 1us")))
            physics.read(cells, ReadSpec())
        physics.sweep(one, Staircase(np.array([0.1]), 3.3, 50e-6))
        physics.multiply(np.full((1, options.rows), 0.1), 0)
        physics.wait(1.0)
        if options.rows >= WIDTH and options.cols > WIDTH:
            physics.solve(_short_run())


def _short_run() -> LoopRun:
    """Return two ticks of the smallest network, with noise."""
    ticks = np.zeros(2)
    coefficients = Coefficients(5e-3, ticks, ticks, np.zeros((2, WIDTH)), ticks + 1e-3)
    layer = Region(tuple(range(WIDTH)), tuple(range(WIDTH + 1)))
    return LoopRun((layer,) * 3, (20e-6,) * 3, 1.0, 0.1, np.zeros((1, WIDTH)), coefficients)

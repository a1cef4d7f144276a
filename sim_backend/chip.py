"""Manufacture what stands on the board: the macros of a chip, or a card of resistors in their place."""

from pathlib import Path

import numpy as np

from rramlab.errors import BenchFileError
from sim_backend.array import Array, Orientation
from sim_backend.card import read_card, resistors
from sim_backend.errors import BenchErrors
from sim_backend.options import Options
from sim_backend.population import Population
from sim_backend.preset import Preset

_ORIENTATIONS = {"bl": Orientation.WL_PARALLEL_BL, "sl": Orientation.WL_PARALLEL_SL}


def manufacture(options: Options) -> Array:
    """Return the chip of this number: drawn from its own seed, formed and RESET unless delivered fresh.

    With hidden errors its transistors, lines and switches are not those of the options.
    """
    errors = BenchErrors.of(options)
    return Array(
        sockets(options, errors),
        options.rows,
        options.cols,
        options.macros,
        _ORIENTATIONS[options.word_line],
        options.r_line * (1.0 if errors is None else errors.line_factor),
        options.r_switch * (1.0 if errors is None else errors.switch_factor),
        options.inhibit,
    )


def sockets(options: Options, errors: BenchErrors | None) -> Population:
    """Return what is in the sockets: the cells of the chip, or the resistors of a card."""
    shape = options.macros * options.rows, options.cols
    if options.card:
        return resistors(read_card(Path(options.card), shape))
    rng = np.random.default_rng([options.chip, 1])
    try:
        preset = Preset.load(options.preset)
    except (ValueError, OSError) as error:
        raise BenchFileError(f"device preset '{options.preset}': {error}") from None
    if errors is not None:
        preset = preset.override(errors.transistor(preset.transistor.kp, preset.transistor.vt0))
    population = Population.draw(preset, shape[0] * shape[1], rng, options.temperature)
    if options.formed:
        population.deliver(rng)
    return population

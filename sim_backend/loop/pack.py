"""Turn a circuit, its layers and a schedule into the numbers of the compiled loop.

An amplifier of finite gain A with noise gain N (one plus the conductance at its virtual ground over that of
its feedback) has its output divided by 1 + N/A: exact far below its bandwidth, and the loop moves in
milliseconds. An input offset u adds N u to the undivided output.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim_backend.loop.circuit import Circuit, Integrator, Layer
from sim_backend.loop.dac import held
from sim_backend.loop.noise import Bands, ReadNoise, Telegraph
from sim_backend.loop.problem import Problem
from sim_backend.loop.schedule import Schedule

FloatArray = NDArray[np.float64]

SCHEMES: dict[str, FloatArray] = {
    "euler": np.array([[0.0], [1.0], [0.0]]),
    "heun": np.array([[0.0, 1.0], [0.5, 0.5], [0.0, 2.0]]),
    "rk4": np.array([[0.0, 0.5, 0.5, 1.0], [1 / 6, 1 / 3, 1 / 3, 1 / 6], [0.0, 1.0, 1.0, 2.0]]),
}
"""Name the Runge-Kutta schemes of the step, of order 1, 2 and 4."""


def pack(
    layers: Sequence[Layer],
    circuit: Circuit,
    schedule: Schedule,
    runs: int,
    read_noise: ReadNoise | None = None,
    telegraph: Telegraph | None = None,
    scheme: str = "heun",
    dtype: Any = np.float32,
) -> Problem:
    """Return the problem in the precision `dtype`; refuse what does not fit together."""
    check(layers, schedule, runs, scheme)
    bands = read_noise.split(schedule.tick, schedule.duration) if read_noise else QUIET
    cells, fluctuators = telegraph_rows(layers, telegraph, schedule.tick)
    real = partial(np.ascontiguousarray, dtype=dtype)
    return Problem(
        layout=layout(layers),
        floor=real([0.0, 0.0, -circuit.rail]),
        ceiling=real([circuit.clamp, circuit.clamp, circuit.rail]),
        output=real([circuit.rail, circuit.output_gain * closed(circuit, 1 + circuit.output_gain)]),
        weight=real(joined([by_column(layer.conductance / layer.unit) for layer in layers])),
        drift=real(drift(layers, schedule.ticks)),
        spread=real(spread(layers, read_noise)),
        gain=real(joined([gain(layers, i, circuit) for i in range(3)])),
        offset=real(joined([noise_gain(layers, i) * layers[i].offset for i in range(3)])),
        load=real(joined([np.atleast_2d(layer.conductance.sum(axis=-1)) for layer in layers])),
        table=real(table(circuit, schedule)),
        rates=real(rates(circuit, layers[0].inputs)),
        timing=real([schedule.tick, schedule.tick / schedule.substeps]),
        held=schedule.held,
        substeps=schedule.substeps,
        scheme=real(SCHEMES[scheme]),
        board=real(board(circuit, schedule, layers[0].inputs)),
        half_scale=0.0 if circuit.dac_bits is None else 2.0 ** (circuit.dac_bits - 1),
        bands=real(np.stack([bands.memory, np.sqrt(1 - bands.memory**2)], axis=1)),
        white=real([bands.white, bands.frozen]),
        column_noise=real(column_noise(layers, circuit, schedule.tick)),
        telegraph_cells=cells,
        telegraph=real(fluctuators),
    )


def layout(layers: Sequence[Layer]) -> NDArray[np.int64]:
    """Return first cell, inputs, first column, outputs and first input signal of each layer."""
    rows, cell, column, signal = [], 0, 0, 0
    for layer in layers:
        rows.append((cell, layer.inputs, column, layer.outputs, signal))
        cell += layer.inputs * (layer.outputs + 1)
        column += layer.outputs + 1
        signal += layer.inputs
    return np.array(rows, dtype=np.int64)


QUIET = Bands(0.0, np.empty(0), 0.0)


def check(layers: Sequence[Layer], schedule: Schedule, runs: int, scheme: str) -> None:
    """Refuse layers, schedules and schemes that do not fit together."""
    shapes = [(layer.inputs, layer.outputs) for layer in layers]
    if len(shapes) != 3 or shapes[0][1] != shapes[1][0] or shapes[1][1] != shapes[2][0]:
        raise ValueError(
            f"layers of {shapes} do not form a network; give three, outputs = inputs of the next"
        )
    if shapes[2][1] != shapes[0][0] or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            f"layers of {shapes}: the output closes the loop on the state, and both hidden layers share "
            "the embedding channels; give d -> n -> n -> d"
        )
    if schedule.embedding.shape[1] != shapes[0][1]:
        raise ValueError(f"{schedule.embedding.shape[1]} embedding channels for {shapes[0][1]} units")
    for layer in layers:
        if layer.conductance.ndim == 3 and len(layer.conductance) != runs:
            raise ValueError(f"{len(layer.conductance)} conductance maps for {runs} runs; give one each")
    if scheme not in SCHEMES:
        raise ValueError(f"scheme '{scheme}' is not known; there are {', '.join(SCHEMES)}")


def by_column(values: FloatArray) -> FloatArray:
    """Return cell values (.., inputs, columns) as (1 or runs, columns * inputs)."""
    turned = np.atleast_3d(np.swapaxes(values, -1, -2)) if values.ndim == 3 else values.T[None]
    return np.ascontiguousarray(turned).reshape(len(turned), -1)


def joined(parts: Sequence[FloatArray]) -> FloatArray:
    """Return the parts of the layers side by side, each (1 or runs, ..), repeated where they differ."""
    runs = max(len(part) for part in parts)
    return np.concatenate([np.broadcast_to(part, (runs, part.shape[1])) for part in parts], axis=1)


def noise_gain(layers: Sequence[Layer], index: int) -> FloatArray:
    """Return the noise gain of each column amplifier of a layer, (1 or runs, outputs + 1).

    The virtual ground of an output carries its cells, the feedback, the resistor from the reference, and in a
    hidden layer the one from the embedding channel; that of the reference its cells and the feedback.
    """
    layer = layers[index]
    others = np.full(layer.outputs + 1, 3.0 if index < 2 else 2.0)
    others[-1] = 1.0
    return np.atleast_2d(layer.conductance.sum(axis=-2) / layer.unit + others)


def closed(circuit: Circuit, noise: Any) -> Any:
    """Return what finite gain leaves of the output of an amplifier with this noise gain."""
    return 1.0 / (1.0 + noise / circuit.amp_gain)


def gain(layers: Sequence[Layer], index: int, circuit: Circuit) -> FloatArray:
    """Return the factor on each column of a layer, the inverting neuron behind it included."""
    factor = np.array(closed(circuit, noise_gain(layers, index)))
    if index < 2:
        factor[:, :-1] *= closed(circuit, 2.0)
    return factor


def drift(layers: Sequence[Layer], ticks: int) -> FloatArray:
    """Return the change of each weight per tick, (0, cells) when nothing drifts."""
    if all(layer.end is None for layer in layers):
        return np.empty((0, 1))
    ends = [layer.conductance if layer.end is None else np.asarray(layer.end) for layer in layers]
    pairs = zip(layers, ends, strict=True)
    return joined([by_column((end - layer.conductance) / (layer.unit * ticks)) for layer, end in pairs])


def spread(layers: Sequence[Layer], read_noise: ReadNoise | None) -> FloatArray:
    """Return the variance of one noise band of each weight, (0, cells) without noise."""
    if read_noise is None:
        return np.empty((0, 1))
    return joined([by_column(read_noise.variance(x.conductance) / x.unit**2) for x in layers])


def table(circuit: Circuit, schedule: Schedule) -> FloatArray:
    """Return f, g2 (V/V), the embedding (V) and a zero, row by row, as the converters hold them."""
    bits = circuit.dac_bits if schedule.held else None
    f = held(schedule.f, bits, "f") * circuit.f_full_scale
    g2 = held(schedule.g2, bits, "g2") * circuit.g_full_scale
    embedding = held(schedule.embedding, bits, "embedding") * circuit.embedding_full_scale
    return np.column_stack([f, g2, embedding, np.zeros(len(f))])


def rates(circuit: Circuit, dimensions: int) -> FloatArray:
    """Return the rates of f, g2, noise (1/s), offsets (V/s) and leak (1/s) of each integrator."""
    part: Integrator = circuit.integrator
    f, g = circuit.f_multiplier, circuit.g_multiplier
    inverse = 1.0 / (part.rc * (1 + np.asarray(part.rc_error)) * (1 + 1 / circuit.amp_gain))
    inputs = circuit.f_full_scale + circuit.g_full_scale + circuit.noise_full_scale
    rows = (
        (1 + np.asarray(f.gain_error)) * inverse,
        (1 + np.asarray(g.gain_error)) * inverse,
        circuit.noise_full_scale * inverse,
        (np.asarray(f.offset) + np.asarray(g.offset) + np.asarray(part.offset)) * inverse,
        1 / np.asarray(part.leak, dtype=np.float64) + inputs / circuit.amp_gain * inverse,
    )
    return np.stack([np.broadcast_to(row, (dimensions,)) for row in rows], axis=1)


def board(circuit: Circuit, schedule: Schedule, dimensions: int) -> FloatArray:
    """Return deviation and constants of the noise channels per tick; refuse what could leave a converter."""
    if circuit.dac_bits is not None and schedule.noise_peak >= 1:
        raise ValueError(
            f"the noise channels may reach {schedule.noise_peak:.4g} (6 deviations and the offset), their "
            "converter holds -1 to 1; raise noise_full_scale, lower v_bias, or lengthen the tick"
        )
    rows = np.empty((schedule.ticks, 1 + dimensions))
    rows[:, 0] = 0.0 if schedule.noise is None else schedule.noise
    rows[:, 1:] = schedule.noise_offset
    return rows


def column_noise(layers: Sequence[Layer], circuit: Circuit, tick: float) -> FloatArray:
    """Return the noise voltage of each column amplifier, averaged over a tick (V)."""
    density = circuit.tia_noise / np.sqrt(2 * tick)
    return np.concatenate([np.full(layer.outputs + 1, density / layer.unit) for layer in layers])


def telegraph_rows(
    layers: Sequence[Layer], telegraph: Telegraph | None, tick: float
) -> tuple[NDArray[np.int64], FloatArray]:
    """Return the cells that fluctuate, and amplitude and chance to flip of each."""
    if telegraph is None:
        return np.empty(0, dtype=np.int64), np.empty((0, 2))
    amplitude, flips = [], []
    for i, layer in enumerate(layers):
        amplitude.append(by_column(telegraph.seen(i, tick) / layer.unit)[0])
        flips.append(by_column(telegraph.flips(i, tick))[0])
    all_cells = np.stack([np.concatenate(amplitude), np.concatenate(flips)], axis=1)
    cells = np.flatnonzero(all_cells[:, 0])
    return cells, all_cells[cells]

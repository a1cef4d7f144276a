"""Close the loop around programmed macros: from cells and options to the circuit that is solved."""

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

from rramlab.errors import InputError
from rramlab.loop import Coefficients, LoopResult, LoopRun, Region
from sim_backend.array import Array
from sim_backend.errors import LOOP
from sim_backend.loop import (
    Circuit,
    Integrator,
    Keep,
    Layer,
    Multiplier,
    ReadNoise,
    Schedule,
    Telegraph,
    solve,
)
from sim_backend.loop.dac import carried
from sim_backend.options import LoopOptions, Options
from sim_backend.product import GATE, fluctuation_share, macro_index
from sim_backend.wires import TransferMatrix

FloatArray = NDArray[np.float64]

CHUNK = 128
"""Runs that see the cells at the same age; a batch on the bench takes its runs one after the other."""
PAUSE = 0.2
"""Time between two runs, for the integrators to be reset (s)."""


@final
@dataclass(frozen=True)
class AnalogLoop:
    """Hold the analog circuit of one chip and solve runs on its array.

    `tia_offset` is the input offset (V) of the amplifier of each column, shape (macros, columns).
    """

    options: LoopOptions
    circuit: Circuit
    array: Array
    tia_offset: FloatArray

    @classmethod
    def draw(cls, options: Options, array: Array) -> Self:
        """Draw the errors of the circuit: those of the bench, or those of the chip if the bench has none."""
        hidden = options.errors
        rng = np.random.default_rng([options.chip, 2] if hidden is None else [hidden.seed, LOOP])
        circuit = draw_circuit(options.loop, rng)
        offsets = rng.normal(0.0, options.loop.tia_offset, (options.macros, options.cols))
        return cls(options.loop, circuit, array, offsets)

    def fingerprint(self) -> FloatArray:
        """Return the drawn errors, so that a run file tells which circuit it was."""
        c = self.circuit
        parts = [
            c.integrator.rc_error,
            c.integrator.offset,
            c.f_multiplier.gain_error,
            c.g_multiplier.gain_error,
        ]
        return np.concatenate([np.atleast_1d(np.asarray(part, dtype=float)) for part in parts])

    def solve(self, run: LoopRun, at: float, rng: np.random.Generator) -> tuple[LoopResult, float]:
        """Return the result of a batch that begins at time `at` (s), and the time at its end."""
        count = len(run.start)
        if not count:
            raise InputError("a closed-loop batch without start states was asked for; give at least one")
        circuit = scaled_circuit(self.circuit, run)
        schedule = schedule_of(run, circuit)
        period = run.coefficients.duration + PAUSE
        parts = [
            self._chunk(run, circuit, schedule, first, at + period * middle_run(first, count), rng)
            for first in range(0, count, CHUNK)
        ]
        return joined(parts), at + period * count

    def _chunk(
        self,
        run: LoopRun,
        circuit: Circuit,
        schedule: Schedule,
        first: int,
        at: float,
        rng: np.random.Generator,
    ) -> LoopResult:
        start = run.start[first : first + CHUNK] * run.volts
        layers = [
            self._layer(region, scale, at, schedule.duration, run.volts)
            for region, scale in zip(run.layers, run.scale, strict=True)
        ]
        found = solve(
            layers,
            circuit,
            schedule,
            start,
            rng=rng,
            read_noise=self._read_noise(run.layers, at, run.volts),
            telegraph=self._telegraph(run.layers, at, run.volts),
            keep=Keep(range(len(start)), run.stride),
            dissipation=True,
        )
        assert found.waveforms is not None and found.dissipation is not None
        w, kept = found.waveforms, max(0, min(run.kept - first, len(start)))
        hidden = tuple(h[:kept] / run.volts for h in (w.hidden1, w.hidden2))
        return LoopResult(
            end=found.end / run.volts,
            time=w.time,
            state=w.state[:kept] / run.volts,
            hidden=hidden,
            output=w.output[:kept] / run.volts,
            trace=w.state.transpose(1, 0, 2) / run.volts,
            energy=found.dissipation.sum(axis=1),
        )

    def _layer(self, region: Region, scale: float, at: float, duration: float, volts: float) -> Layer:
        begin, end = (self._effective(region, moment, volts) for moment in (at, at + duration))
        offset = self.tia_offset[region.rows[0] // self.array.rows, np.array(region.cols)]
        return Layer(begin, scale * region.copies, end, offset)

    def _effective(self, region: Region, at: float, volts: float) -> FloatArray:
        """Return the layer's conductances (S), copies added up, with the drop along the wires in them."""
        a = self.array
        macro, rows = region.rows[0] // a.rows, np.array(region.rows) % a.rows
        index = macro_index(a, macro)
        g = a.population.conductance(index.ravel(), volts, GATE, at).reshape(index.shape)
        # Column drivers stand at row 0; the elimination has them below the last row. Half of the switch of
        # a path is in each of its lines.
        matrix = TransferMatrix.of(g[::-1], a.r_line, a.r_line, 0.5 * a.r_switch).matrix[::-1]
        return added_up(matrix[np.ix_(rows, np.array(region.cols))], region)

    def _read_noise(self, regions: tuple[Region, ...], at: float, volts: float) -> ReadNoise | None:
        """Return the noise of the filaments as the paths show it: on the average over the cells."""
        if not self.options.read_noise:
            return None
        noise = self.array.population.preset.noise
        seen = [self._seen(region_index(self.array, region), at, volts) for region in regions]
        g = np.concatenate([path.ravel() for path, _ in seen])
        power = np.concatenate([(share**2 * path).ravel() for path, share in seen])
        # The preset may divide its bank by a broken number of decades, the loop by a whole one.
        decades = max(1, round(noise.effective_decades))
        relative = noise.relative * sqrt(decades / noise.effective_decades * power.sum() / g.sum())
        taus = tuple(noise.tau_min * 10.0**k for k in range(noise.decades))
        return ReadNoise(relative, noise.g_reference, decades, taus)

    def _seen(self, index: NDArray[np.int64], at: float, volts: float) -> tuple[FloatArray, FloatArray]:
        """Return conductance of the paths (S) and what they show of the filaments' fluctuations."""
        path = self.array.population.conductance(index.ravel(), volts, GATE, at)
        share = fluctuation_share(path, self.array.population.filament(index.ravel(), at))
        return path.reshape(index.shape), share.reshape(index.shape)

    def _telegraph(self, regions: tuple[Region, ...], at: float, volts: float) -> Telegraph | None:
        if not self.options.read_noise:
            return None
        amplitude, dwell = zip(*(self._fluctuators(region, at, volts) for region in regions), strict=True)
        return Telegraph(amplitude, dwell)

    def _fluctuators(self, region: Region, at: float, volts: float) -> tuple[FloatArray, FloatArray]:
        """Return amplitude (S, 0 where none is) and dwell time (s) of the fluctuator of each cell."""
        cells, index = self.array.population.cells, region_index(self.array, region)
        reference = self.array.population.preset.noise.g_reference
        g, share = self._seen(index, at, volts)
        # Fluctuators of the copies act together as one of their summed power, which flips like the strongest.
        each = cells.telegraph[index].astype(float)
        # A cell has a correlation time, 1/(rate up + rate down): it stays twice as long in a state.
        dwell = np.where(each > 0, 2.0 * cells.telegraph_tau[index], 1.0).astype(float)
        amplitude = np.sqrt(added_up((each * share) ** 2 * reference * g, region))
        return amplitude, strongest(dwell, each, region)


def middle_run(first: int, count: int) -> float:
    """Return the number, maybe a half one, of the middle run of the chunk that begins with run `first`."""
    return 0.5 * (first + min(first + CHUNK, count) - 1)


def added_up(values: FloatArray, region: Region) -> FloatArray:
    """Return values per row summed over the copies of each input (inputs x columns)."""
    return np.asarray(values.reshape(region.copies, region.inputs, -1).sum(axis=0), float)


def strongest(dwell: FloatArray, amplitude: FloatArray, region: Region) -> FloatArray:
    """Return the dwell time (s) of the copy with the largest fluctuator (inputs x columns)."""
    shape = (region.copies, region.inputs, -1)
    which = np.argmax(amplitude.reshape(shape), axis=0)[None]
    return np.asarray(np.take_along_axis(dwell.reshape(shape), which, axis=0)[0], float)


def region_index(array: Array, region: Region) -> NDArray[np.int64]:
    """Return the cell numbers of a layer with its reference column (copies * inputs x outputs + 1)."""
    rows = np.array(region.rows, dtype=np.int64)
    if np.unique(rows // array.rows).size > 1:
        raise InputError(f"a layer may not stretch over two macros: rows {region.rows}")
    return rows[:, None] * array.cols + np.array(region.cols, dtype=np.int64)


def draw_circuit(options: LoopOptions, rng: np.random.Generator) -> Circuit:
    """Return a circuit with errors drawn for its two dimensions."""

    def pair(sigma: float) -> FloatArray:
        return rng.normal(0.0, sigma, 2)

    rc_error, offset = pair(options.rc_error), pair(options.offset)
    multipliers = [
        Multiplier(pair(options.multiplier_gain), pair(options.multiplier_offset)) for _ in range(2)
    ]
    # Drawn last: whoever asks for no spread has the circuit that there was without it.
    leak = options.leak_time * np.exp(-pair(options.leak_spread))
    return Circuit(
        clamp=options.clamp,
        rail=options.rail,
        amp_gain=options.opamp_gain if options.opamp_gain < 1e9 else inf,
        dac_bits=options.dac_bits or None,
        f_multiplier=multipliers[0],
        g_multiplier=multipliers[1],
        integrator=Integrator(1.0, rc_error, offset, leak),
    )


def scaled_circuit(circuit: Circuit, run: LoopRun) -> Circuit:
    """Return the circuit with the levels that this run asks for."""
    return replace(circuit, v_bias=run.volts, output_gain=run.gain)


def schedule_of(run: LoopRun, circuit: Circuit) -> Schedule:
    """Return what the converters play, as shares of their full scale."""
    c, rc = run.coefficients, circuit.integrator.rc
    deviation = run.volts * rc / circuit.noise_full_scale * c.noise / np.sqrt(c.tick)
    return Schedule(
        tick=c.tick,
        f=c.drift * rc / circuit.f_full_scale,
        g2=c.drive * rc / circuit.g_full_scale,
        embedding=c.embedding * run.volts / circuit.embedding_full_scale,
        noise=deviation if c.noise.any() else None,
        noise_offset=noise_constant(c, run.volts * rc / circuit.noise_full_scale, circuit.dac_bits),
    )


def noise_constant(c: Coefficients, scale: float, bits: int | None) -> FloatArray | float:
    """Return the constant of the noise channels, as a share of their full scale; `scale` is of the bias."""
    # The board cuts off what is below a code, which would pull every state down: half a code more. Noise
    # spreads a constant over the codes by itself.
    if c.noise.any():
        return np.asarray(half_code(bits) + c.bias * scale)
    return carried(c.bias * scale, bits) if c.bias.any() else 0.0


def half_code(bits: int | None) -> float:
    """Return half a code of a converter of so many bits, as a share of its full scale."""
    return 0.0 if bits is None else 0.5 / 2.0 ** (bits - 1)


def joined(parts: list[LoopResult]) -> LoopResult:
    """Return the chunks of a batch as one result."""

    def over(name: str, axis: int = 0) -> FloatArray:
        return np.concatenate([getattr(part, name) for part in parts], axis=axis)

    hidden = tuple(np.concatenate(layer) for layer in zip(*(part.hidden for part in parts), strict=True))
    return LoopResult(
        over("end"), parts[0].time, over("state"), hidden, over("output"), over("trace", 1), over("energy")
    )

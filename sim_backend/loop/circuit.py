"""Describe the analog circuit around the crossbar and what is imperfect in it.

With x in volts and s the wall time, the two integrators realise, per state dimension,

    rc dx/ds = f_full_scale f (1 + e_f) x + g_full_scale g2 (1 + e_g) y + noise_full_scale n
               + offsets - rc x / leak

where f, g2 and n are normalised DAC values in [-1, 1) and y is the amplified output of the network (V). The
input resistors of the integrator are the three full scales, in units of the integrating resistor.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from math import inf
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Layer:
    """Hold one analog matrix-vector product.

    conductance: effective conductance (S), shape (inputs, outputs + 1) or (runs, inputs, outputs + 1), wires
        included if they matter (a transfer matrix of `sim_backend.wires`); the last column is the reference
        that all outputs of the layer share.
    unit: conductance of one unit of weight (S): the transimpedance is 1 / unit.
    end: the conductance when the run ends (S), same shape; between, it moves linearly in time.
    offset: input offset of the transimpedance amplifiers (V), one for all or one per column.
    """

    conductance: FloatArray
    unit: float
    end: FloatArray | None = None
    offset: float | FloatArray = 0.0

    def __post_init__(self) -> None:
        g = np.asarray(self.conductance, dtype=np.float64)
        if g.ndim not in (2, 3) or g.shape[-1] < 2 or not np.isfinite(g).all():
            raise ValueError(
                f"conductance of a layer has shape {g.shape}; give finite siemens as (inputs, outputs + 1) "
                "or (runs, inputs, outputs + 1), last column the reference"
            )
        if self.end is not None and np.shape(self.end) != g.shape:
            raise ValueError(f"'end' has shape {np.shape(self.end)}, not {g.shape}; give it like conductance")
        if not self.unit > 0:
            raise ValueError(f"unit = {self.unit} S; give the conductance of one unit of weight, > 0")
        object.__setattr__(self, "conductance", g)

    @property
    def inputs(self) -> int:
        """Return the number of input lines."""
        return int(self.conductance.shape[-2])

    @property
    def outputs(self) -> int:
        """Return the number of outputs, the reference not counted."""
        return int(self.conductance.shape[-1]) - 1


@final
@dataclass(frozen=True)
class Multiplier:
    """Hold the errors of an analog multiplier: relative gain error and output offset (V), per dimension."""

    gain_error: ArrayLike = 0.0
    offset: ArrayLike = 0.0


@final
@dataclass(frozen=True)
class Integrator:
    """Hold an integrator: time constant (s), its relative error, input offset (V), leak (s), per dimension.

    `leak` is the time constant with which the capacitor loses its charge through its own leakage.
    """

    rc: float = 1.0
    rc_error: ArrayLike = 0.0
    offset: ArrayLike = 0.0
    leak: ArrayLike = inf


@final
@dataclass(frozen=True)
class Circuit:
    """Hold the analog circuit: nominal values, and its imperfections (all zero unless given).

    v_bias: volts of one unit of the state and of a pre-activation.
    clamp: largest output of a hidden neuron (V). rail: largest output of any amplifier (V).
    output_gain: gain of the amplifier behind the last layer.
    embedding_full_scale: what a full-scale embedding channel adds to a pre-activation (V).
    f_full_scale, g_full_scale (V/V), noise_full_scale (V): what stands behind the other channels.
    amp_gain: open-loop gain of every operational amplifier.
    dac_bits: resolution of all converters, None for ideal ones.
    tia_noise: white current noise of each transimpedance amplifier (A/sqrt(Hz), one-sided).
    """

    v_bias: float = 0.1
    clamp: float = 0.15
    rail: float = 5.0
    output_gain: float = 5.0
    embedding_full_scale: float = 0.2
    f_full_scale: float = 1.0
    g_full_scale: float = 2.0
    noise_full_scale: float = 10.0
    amp_gain: float = inf
    dac_bits: int | None = 12
    tia_noise: float = 0.0
    f_multiplier: Multiplier = field(default_factory=Multiplier)
    g_multiplier: Multiplier = field(default_factory=Multiplier)
    integrator: Integrator = field(default_factory=Integrator)

    def __post_init__(self) -> None:
        positive = ("v_bias", "clamp", "rail", "embedding_full_scale", "noise_full_scale", "amp_gain")
        for name in positive:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)}; it is > 0 (inf means: no limit)")
        if self.dac_bits is not None and not 1 <= self.dac_bits <= 20:
            raise ValueError(f"dac_bits = {self.dac_bits}; give 1 to 20, or None for ideal converters")

    @staticmethod
    def ideal(**values: Any) -> Circuit:
        """Return a circuit without limits: no clamp, no rails, ideal converters; `values` are its numbers."""
        known = {f.name for f in fields(Circuit)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"a circuit has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        return replace(Circuit(clamp=inf, rail=inf, dac_bits=None), **values)

    @staticmethod
    def typical(rng: np.random.Generator, dimensions: int = 2) -> Circuit:
        """Draw one board of ordinary parts: 1 % multipliers (5 mV), 1 % RC, amplifiers of 100 dB.

        The published board names no parts; these are figures of precision analog multipliers, film capacitors
        and operational amplifiers, with offsets trimmed to a tenth.
        """

        def pair(sigma: float) -> FloatArray:
            return rng.normal(0.0, sigma, dimensions)

        return Circuit(
            amp_gain=1e5,
            tia_noise=1e-9,
            f_multiplier=Multiplier(pair(0.01), pair(0.5e-3)),
            g_multiplier=Multiplier(pair(0.01), pair(0.5e-3)),
            integrator=Integrator(1.0, pair(0.01), pair(0.1e-3), 1e3),
        )

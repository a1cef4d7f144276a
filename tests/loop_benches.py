"""Benches whose macros hold something, and what their closed loops really do."""

from dataclasses import replace

import numpy as np

from calibration.loop.multipliers_network import GAIN, HIDDEN
from calibration.loop.runs import Wiring
from calibration.strength.digital import FACTORS as DIGITAL
from calibration.strength.digital import ends
from calibration.strength.fit import agreed
from calibration.strength.procedure import FACTORS
from protocols.network import COPIES, MARGIN
from protocols.sampling import Sampling, starts
from rramlab.corrections.record import Record
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.store import ring_weights
from rramlab.loop import Coefficients, LoopRun, Region
from rramlab.network_mapping import NetworkMapping
from rramlab.reading import ReadSpec
from sim_backend.backend import SimBackend
from sim_backend.loop.pack import rates
from sim_backend.options import ErrorOptions, LoopOptions, Options

# Converters of readings and products without errors: those are calibrated before, and tested there.
STRAIGHT = dict.fromkeys(("dac_gain", "dac_offset", "dac_inl", "adc_gain", "adc_offset", "adc_inl"), 0.0)
QUIET = {"read_noise": False, "dac_bits": 0, "opamp_gain": 1e12}
FAULTLESS = dict.fromkeys(("rc_error", "offset", "multiplier_gain", "multiplier_offset", "leak"), 0.0)
POOR = {
    "rc_error": 0.02,
    "offset": 2e-3,
    "multiplier_gain": 0.02,
    "multiplier_offset": 2e-3,
    "leak": 5e-3,
    "leak_spread": 0.1,
}
VOLTS = 0.05


def bench(seed: int, **loop: object) -> SimBackend:
    """Return a bench whose circuit has hidden errors drawn by the seed."""
    return SimBackend(
        Options(errors=ErrorOptions(seed=seed, **STRAIGHT), loop=LoopOptions(**loop)), seed=seed
    )


def hold(backend: SimBackend, conductance: np.ndarray) -> None:
    """Have the cells of a bench conduct so much (S), as if long ago."""
    memory = dict(backend.memory())
    memory["conductance"] = conductance.ravel()
    backend.restore(memory)
    backend.wait(3e5)


def scattered(seed: int = 0) -> np.ndarray:
    """Return conductances (S) of all kinds."""
    return np.random.default_rng(seed).uniform(12e-6, 90e-6, (96, 32))


def wiring() -> Wiring:
    """Return a network in the first lines of three macros."""
    sizes = ((2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 2))
    places = [
        Region(tuple(range(32 * k, 32 * k + 2 * n)), tuple(range(m + 1)), 2) for k, (n, m) in enumerate(sizes)
    ]
    return Wiring(tuple(places), (2.4e-5, 3.1e-5, 5.9e-5), GAIN)


def truth(backend: SimBackend) -> dict[str, np.ndarray]:
    """Return what the loop does without the network, and to its output, by the names of the record."""
    drift, drive, noise, offset, leak = rates(backend.loop.circuit, 2).T
    circuit = backend.loop.circuit
    bits = circuit.dac_bits
    code = 0.0 if bits is None else 2.0 ** (1 - bits)
    return {
        "drift_gain": drift,
        "drive_gain": drive,
        "noise_gain": noise / circuit.noise_full_scale,
        "offset": offset,
        "leak": leak,
        "drift_cut": np.array(0.5 * code * circuit.f_full_scale),
        "drive_cut": np.array(0.5 * code * circuit.g_full_scale),
    }


def shut_output(backend: SimBackend, wired: Wiring) -> np.ndarray:
    """Return the output (V) while all hidden units are shut."""
    none = np.zeros(1)
    moment = Coefficients(5e-3, none, none, np.full((1, HIDDEN), -3.9), none)
    run = LoopRun(wired.layers, wired.scale, wired.gain, VOLTS, np.zeros((1, 2)), moment, kept=1)
    return VOLTS * backend.solve(run).output[0, 0]


def amplified(backend: SimBackend, wired: Wiring, products: np.ndarray) -> np.ndarray:
    """Return what amplifiers of finite gain leave of the output of a network, for each dimension."""
    gain = backend.loop.options.opamp_gain
    left = np.ones(2) / ((1 + (1 + wired.gain) / gain) * (1 + 2 / gain) ** 2)
    for k, (layer, scale) in enumerate(zip(wired.layers, wired.scale, strict=True)):
        lines = np.ix_(np.array(layer.rows) % 32, np.array(layer.cols[:-1]))
        load = products[k][lines].sum(axis=0) / (scale * layer.copies) + (3 if k < 2 else 2)
        left = left / (1 + (load if k == 2 else load.mean()) / gain)
    return left


def true_record(backend: SimBackend, wired: Wiring) -> Record:
    """Return the record that knows the truth."""
    values = truth(backend)
    values["drive_offset"] = values["drive_gain"] * shut_output(backend, wired)
    size = sum(value.size for value in values.values())
    units = dict.fromkeys(values, "1")
    return Record("loop", values, units, np.zeros((size, size)), {}, 0.0, 1.0)


def ring_mapping() -> NetworkMapping:
    """Return where `with_ring` puts the ring network."""
    return NetworkMapping.fit(ring_weights(), margin=MARGIN, copies=COPIES)


def ring_wiring() -> Wiring:
    """Return the wiring of the ring network there."""
    mapping = ring_mapping()
    return Wiring(mapping.regions(), tuple(layer.scale for layer in mapping.layers), ring_weights().gain)


def with_ring(backend: SimBackend) -> None:
    """Have the cells of a bench hold the ring network, beside cells of 6 uS."""
    mapping = ring_mapping()
    plane = np.full((96, 32), 6e-6)
    for targets in (mapping.reference_targets(), mapping.weight_targets(ring_weights())):
        plane[targets.cells.row, targets.cells.col] = targets.conductances
    filament = plane
    for _ in range(3):  # what is in series with the filaments differs from cell to cell
        hold(backend, filament)
        seen = backend.read_all(ReadSpec(samples=16))
        filament = np.where(seen > 1e-6, filament * plane / np.maximum(seen, 1e-6), filament)


def true_network(backend: SimBackend) -> ScoreWeights:
    """Return the ring network as the macros hold it, without any noise, the drop along wires included."""
    plane = np.zeros((96, 32))
    mapping = ring_mapping()
    for region in mapping.regions():
        mean = backend.loop._effective(region, backend.now(), VOLTS) / region.copies
        plane[np.ix_(np.array(region.rows), np.array(region.cols))] = np.tile(mean, (region.copies, 1))
    return mapping.to_weights(plane, ring_weights())


def true_strength(backend: SimBackend, runs: int = 1200) -> float:
    """Return the factor on the drive with which the loop, without noise, does what its network does."""
    network, start = true_network(backend), starts(runs, np.random.default_rng(5))
    quiet = replace(backend.loop, options=backend.loop.options.model_copy(update={"read_noise": False}))
    run = Sampling(kept=0).declare(ring_weights(), ring_mapping(), start)
    end = []
    for factor in FACTORS:
        c = replace(run.coefficients, drive=factor * run.coefficients.drive)
        asked = backend.correction.run(replace(run, coefficients=c, stride=len(c.drift)))
        end.append(quiet.solve(asked, backend.now(), np.random.default_rng(6))[0].end)
    return 1.0 / agreed(np.array(FACTORS), np.array(end), DIGITAL, ends(network, start))

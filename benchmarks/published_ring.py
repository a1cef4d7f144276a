"""Let the published firmware draw the ring: its table 0, its ticks, and a network that was trained for them.

The weights that belong to the tables are published nowhere. So a ring network is trained on the frequencies
of table 0, programmed into simulated macros, and played by the driver on the virtual board, seen by the
virtual oscilloscope (in memory, in told time). The firmware cannot set a start: each run has a pre-charge of
its own, as if somebody turned it by hand. Goal: distance to the data within 1.3 x that of the digital sampler
from the same starts.
"""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from numpy.typing import NDArray

from drivers.memory_wire import MemoryWire
from drivers.published_board import PublishedBoard
from drivers.published_circuit import published_coefficients
from drivers.published_schedule import PublishedSettings
from drivers.published_tables import published_table
from drivers.spec import BoardSpec, ScopeSpec
from drivers.tektronix_mso4000 import TektronixMso4000
from protocols.network import Writer, network_spec, place, program_network, screen
from protocols.sampling import starts
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.diffusion.data import RING_RADIUS, RING_SPREAD, ring_points
from rramlab.diffusion.metrics import sliced_wasserstein
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.objective import SampleMatching, ScoreMatching
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.schedule import VpSchedule
from rramlab.diffusion.settings import TrainSettings
from rramlab.diffusion.threads import one_thread
from rramlab.diffusion.train import SCALE, Training
from rramlab.loop import LoopRun
from sim_backend.backend import SimBackend
from sim_backend.options import Options
from sim_backend.virtual import memory
from sim_backend.virtual.clock import VirtualClock
from sim_backend.virtual.machine import Machine
from sim_backend.virtual.published import PublishedFirmware, Wiring
from sim_backend.virtual.scpi.digitizer import Digitizer
from sim_backend.virtual.scpi.instrument import Instrument
from sim_backend.virtual.scpi.signals import Signals
from sim_backend.virtual.scpi.tektronix import TektronixScope
from sim_backend.virtual.world import World

FloatArray = NDArray[np.float64]

RUNS, BIAS = 200, 0.05
CHANNELS = {"x1": 1, "x2": 2, "switch": 3}


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    score = trained()
    start = starts(runs, np.random.default_rng(1))
    data = ring_points(6000, np.random.default_rng(2))
    played = play(score, start)
    tell("published firmware", played, data)
    tell("digital sampler", sample(score, runs, steps=1000, kind="ode", seed=0, start=start).points, data)
    tell("as many data", ring_points(runs, np.random.default_rng(3)), data)


def tell(name: str, points: FloatArray, data: FloatArray) -> None:
    """Print radius and distance of points."""
    radius = np.hypot(*points.T)
    print(
        f"{name:20s} radius {radius.mean():.3f} +- {radius.std():.3f} (data {RING_RADIUS} +- {RING_SPREAD})"
        f"  sliced Wasserstein {sliced_wasserstein(points, data):.4f}"
    )


def trained() -> ScoreWeights:
    """Return a ring network whose embedding of the time is that of table 0."""
    settings = TrainSettings()
    draw = torch.Generator().manual_seed(settings.seed)
    schedule, points = VpSchedule(), ring_points(settings.points, np.random.default_rng(settings.seed))
    frequencies = torch.tensor(published_table("0").t_coef, dtype=torch.float32)
    with one_thread():
        run = Training(settings, draw, lambda *_: None)
        run.both(
            ScoreMatching(torch.from_numpy(points).float(), frequencies, schedule, settings, draw),
            SampleMatching([points], frequencies, schedule.scaled(SCALE), settings, draw),
        )
    return run.weights(frequencies, schedule, SCALE, "benchmarks/published_ring.py")


def programmed(score: ScoreWeights) -> tuple[SimBackend, Wiring]:
    """Return macros with the network in them, and the wiring of a board that is made for it."""
    bench = Bench.load(None)
    spec = Spec(window=(bench.window.low, bench.window.high), reading=bench.reading.spec())
    backend = SimBackend(Options(), bench.limits, seed=1)
    with backend:
        mapping = place(score, screen(backend, 3, spec.reading), spec, bench.window.reference)
        writer = Writer(backend, network_spec(spec), lambda *_: None)
        program_network(score, mapping, writer.write, writer.measure, writer.use)
    scale = tuple(layer.scale for layer in mapping.layers)
    return backend, Wiring(mapping.regions(), scale, score.gain)


def play(score: ScoreWeights, start: FloatArray) -> FloatArray:
    """Return the end states (network units) of one run from each start, as the oscilloscope saw them."""
    backend, wiring = programmed(score)
    clock = VirtualClock()
    world = World(Options(), seed=2, clock=clock)
    coefficients = published_coefficients(PublishedSettings("0", BIAS))
    ends = []
    with world:
        put(world, backend)
        firmware = PublishedFirmware(world, wiring, aside=False)
        instrument = Instrument(TektronixScope(Digitizer(Signals(world, {1: "x1", 2: "x2", 3: "switch"}))))
        spec = ScopeSpec(use="tektronix-mso4000", resource="memory", channels=CHANNELS)
        scope = TektronixMso4000(spec, wire_to(instrument), clock)
        scope.open()
        for volts in BIAS * start:
            first, second = volts.tolist()
            firmware.wiring = replace(wiring, start=(first, second))
            board = PublishedBoard(
                BoardSpec(
                    use="published-board",
                    port="memory",
                    start=[first, second],
                    extras={"start_tolerance": 0.2},
                ),
                wire_to(firmware),
                clock,
            )
            board.watch(scope, spec)
            board.open()
            run = LoopRun(
                wiring.layers, wiring.scale, wiring.gain, BIAS, volts[None] / BIAS, coefficients, kept=1
            )
            ends.append(board.solve(run, 1).end[0])
            board.close()
        print(f"hazards: {firmware.hazards or 'none'}; runs: {firmware.runs}")
    return np.array(ends)


def put(world: World, backend: SimBackend) -> None:
    """Bring the programmed macros onto the table."""
    kept = {**backend.memory(), "pulses_seen": world.pulses_seen}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "macro.npz"
        memory.write(path, kept, memory.generator_of(backend))
        world.load(path)


def wire_to(machine: Machine) -> MemoryWire:
    talk = machine.attach()
    return MemoryWire(lambda data: b"".join(talk.feed(data)))


if __name__ == "__main__":
    main()

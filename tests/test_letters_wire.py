"""Letters through instruments on real links: the distribution of the simulation, seen by the oscilloscope."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import commands
import numpy as np
import pytest
from numpy.typing import NDArray
from wire_bench import WireBench, wire_bench

from protocols.letters.loop import under
from protocols.sampling import Sampling, starts
from rramlab.diffusion.store import from_record
from rramlab.network_mapping import NetworkMapping
from rramlab.runfile import RunFile
from sim_backend.backend import SimBackend
from sim_backend.options import Options

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

FloatArray = NDArray[np.float64]
Sets = Mapping[str, FloatArray]

CLASSES = ("H", "K", "U")
SAMPLES, OTHERS = 20, 200
PERMUTATIONS = 2000
P = 0.01
"""The wire gives the distribution of the simulation: fails once in 100 seeds, and this one is fixed."""


@pytest.fixture(scope="module")
def bench() -> Iterator[WireBench]:
    with wire_bench(scope="keysight-infiniivision", options=Options(), seed=3) as served:
        yield served


@pytest.fixture(scope="module")
def record(bench: WireBench, tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    """Return the record of `rramlab letters --samples 20`, network programmed and run over the wire."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("letters"))
        Path("wire.toml").write_text(bench.text)
        words = ("--bench", "wire.toml", "letters", "--samples", str(SAMPLES), "--run", "run")
        commands.run(*words)
        return RunFile.open(Path("run").absolute())


def simulated(
    bench: WireBench, record: RunFile, start: FloatArray, drive: float = 1.0
) -> dict[str, FloatArray]:
    """Return end states of the simulation with the cells as they stand on the bench, from these starts."""
    kept = record.kept
    score = from_record(kept["score"].columns, kept["score"].facts)
    mapping = NetworkMapping.from_dict(kept["mapping"].facts)
    with SimBackend(Options(), seed=11) as sim:
        sim.restore(bench.world.memory())
        run = Sampling(len(start)).declare(score, mapping, start)
        run = replace(run, coefficients=replace(run.coefficients, drive=drive * run.coefficients.drive))
        return {name: sim.solve(under(run, score, name)).end for name in CLASSES}


def others() -> FloatArray:
    """Return start states that the runs over the wire have never seen."""
    return starts(OTHERS, np.random.default_rng(7))


def over_the_wire(record: RunFile) -> dict[str, FloatArray]:
    return {name: np.asarray(record.kept[f"class {name}"].columns["end"]) for name in CLASSES}


def p_value(one: Sets, other: Sets) -> float:
    """Return the p of the energy distance (Szekely and Rizzo, 2004), summed over classes, by permutation.

    All classes of a set begin at the same starts, so that what is exchanged is a start, in all classes alike.
    """
    rng = np.random.default_rng(5)
    apart = [distances(np.concatenate([one[name], other[name]])) for name in one]
    total, n = len(apart[0]), len(next(iter(one.values())))
    found = sum(energy(each, np.arange(total), n) for each in apart)
    orders = (rng.permutation(total) for _ in range(PERMUTATIONS))
    chance = np.array([sum(energy(each, order, n) for each in apart) for order in orders])
    return float((1 + np.sum(chance >= found)) / (1 + PERMUTATIONS))


def distances(points: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=-1))


def energy(apart: FloatArray, order: NDArray[np.intp], n: int) -> float:
    """Return 2 E|X - Y| - E|X - X'| - E|Y - Y'|, with the first n of the order for X."""
    first = np.zeros(len(apart))
    first[order[:n]] = 1.0
    rows = apart @ first
    within = float(first @ rows)
    between = float(rows.sum()) - within
    rest = float(apart.sum()) - 2.0 * between - within
    m = len(apart) - n
    return 2.0 * between / (n * m) - within / n**2 - rest / m**2


def test_letters_over_the_wire_have_the_distribution_of_the_simulation(
    bench: WireBench, record: RunFile
) -> None:
    assert record.complete
    p = p_value(over_the_wire(record), simulated(bench, record, others()))
    assert p > P, f"p = {p:.4f}"


def test_the_same_test_tells_a_weaker_loop_from_it(bench: WireBench, record: RunFile) -> None:
    # 20 samples a class tell a loop of half the strength; a smaller difference shows from the same starts.
    weak = simulated(bench, record, others(), drive=0.5)
    assert p_value(over_the_wire(record), weak) < P


def test_the_same_starts_end_at_the_same_places(bench: WireBench, record: RunFile) -> None:
    start = np.asarray(record.kept["letters"].columns["start"])
    same, weak = (simulated(bench, record, start, drive) for drive in (1.0, 0.9))
    for name, ends in over_the_wire(record).items():
        # Noise of two readings of the network, 0.005; the samples of a class spread by 0.13.
        assert rms(ends - same[name]) < 0.012 < rms(ends - weak[name])


def rms(values: FloatArray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def test_the_oscilloscope_saw_what_the_board_tells(bench: WireBench, record: RunFile) -> None:
    notes = record.tables["notes"]
    seen = np.flatnonzero(notes["verb"] == "oscilloscope")
    assert len(seen) == len(CLASSES)
    for place in seen.tolist():
        wave = record.arrays("notes", place)
        told = record.arrays("solves", int(notes["number"][place]))
        for k in (0, 1):
            volts = np.interp(told["time"], wave["time"], wave[f"x{k + 1}"])
            # A code is 2 mV, 0.04 network units: half of it, and six deviations of the noise of 0.3 codes,
            # which two neighbouring points share.
            assert np.abs(volts / 0.05 - told["state"][0, :, k]).max() < (0.5 + 6 * 0.3) * 0.04
        assert np.ptp(wave["x1"]) > 0.01  # and it moved
        assert {"out1", "out2"} <= wave.keys()
    page = (record.path / "index.html").read_text()
    assert "Waveforms captured by the oscilloscope: first run of each class" in page
    assert "It sees the first run of each batch" in page and "it has no record" not in page

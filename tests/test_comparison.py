"""Analog beside digital samples, and both beside the data."""

from dataclasses import replace

import numpy as np
import pytest

from protocols import comparison
from protocols.comparison import Comparison, compare, floor, knows_ring
from protocols.sample.request import Request
from protocols.sampling import starts
from rramlab.diffusion.data import ring_points
from rramlab.diffusion.metrics import quality
from rramlab.diffusion.network import ScoreWeights
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import ring_weights
from rramlab.loop import LoopResult

RUNS, STEPS = 300, 100
RING = ring_weights()
FOREIGN = replace(RING, metadata={})
START = starts(RUNS, np.random.default_rng(3))
MEASURES = ("sliced_wasserstein", "kl", "kl_published", "histogram")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "DIGITAL_STEPS", STEPS)
    monkeypatch.setattr(comparison, "FRESH", 2000)


def result_of(end: np.ndarray) -> LoopResult:
    none = np.zeros((0, 0, 2))
    return LoopResult(end, np.zeros(0), none, (), none, none, np.zeros(len(end)))


def compared(end: np.ndarray, score: ScoreWeights = RING, kind: str = "ode", seed: int = 7) -> Comparison:
    return compare(Request(runs=RUNS, kind=kind), score, START, result_of(end), seed)


def test_a_network_of_the_ring_is_known_by_how_it_was_made() -> None:
    assert knows_ring(RING)
    assert not knows_ring(FOREIGN)
    assert not knows_ring(replace(RING, metadata={"command": "rramlab train other"}))


@pytest.mark.parametrize("kind", ["ode", "sde"])
def test_digital_samples_begin_where_the_analog_ones_did(kind: str) -> None:
    found = compared(np.zeros((RUNS, 2)), kind=kind)
    again = sample(RING, RUNS, steps=STEPS, kind=kind, seed=7, start=START)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.points["digital"], again.points)
    assert found.digital_seconds > 0


def test_the_ring_is_measured_by_fresh_data_down_to_a_floor() -> None:
    ring = ring_points(RUNS, np.random.default_rng(11))
    found = compared(ring)
    assert set(found.points) == set(found.quality) == {"analog", "digital", "data"}
    assert found.points["analog"] is ring
    least = found.quality["data"].sliced_wasserstein
    # 300 points of a ring of radius 0.7: about 0.7 / sqrt(600) per direction.
    assert 0.005 < least < 0.08
    assert found.quality["analog"].sliced_wasserstein < 4 * least
    # All points in the middle are 2 / pi of the radius away.
    middle = compared(np.zeros((RUNS, 2))).quality["analog"].sliced_wasserstein
    assert middle == pytest.approx(0.7 * 2 / np.pi, abs=0.04)


def test_the_data_are_the_same_for_the_same_seed_only() -> None:
    one, two, other = (compared(np.zeros((RUNS, 2)), seed=seed) for seed in (7, 7, 8))
    assert one.quality == two.quality
    assert one.quality["data"] != other.quality["data"]


def test_the_floor_is_the_mean_over_sets_and_zero_for_the_data_themselves() -> None:
    data, *sets = (ring_points(RUNS, np.random.default_rng(seed)) for seed in range(4))
    single = [quality(points, data) for points in sets]
    for name in MEASURES:
        mean = np.mean([getattr(one, name) for one in single])
        assert getattr(floor(sets, data), name) == pytest.approx(mean)
        assert getattr(floor([data, data[::-1]], data), name) == pytest.approx(0.0, abs=1e-12)


def test_a_network_of_ones_own_is_measured_by_the_digital_sampler() -> None:
    # The measure is drawn with the next seed; samples that equal it have no distance.
    measure = sample(FOREIGN, comparison.FRESH, steps=STEPS, seed=8).points
    found = compared(measure, FOREIGN)
    assert set(found.points) == set(found.quality) == {"analog", "digital"}
    for name in MEASURES:
        assert getattr(found.quality["analog"], name) == pytest.approx(0.0, abs=1e-12)
        assert getattr(found.quality["digital"], name) > 0.01

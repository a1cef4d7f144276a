"""The strength of the loop is found against the digital solution of the network as it was written."""

import numpy as np
import pytest
from loop_benches import FAULTLESS, POOR, QUIET, bench, ring_wiring, true_record, with_ring

from calibration.reference import VISITS, Reference, slow
from calibration.strength.digital import FACTORS, ends
from calibration.strength.fit import agreed, noise_ratio
from calibration.strength.network import ready
from calibration.strength.procedure import FACTORS as PLAYED
from calibration.strength.procedure import Strength, course
from protocols.sampling import starts
from rramlab.corrections.correction import Correction
from rramlab.corrections.record import Record
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import ring_weights
from rramlab.errors import CalibrationError
from rramlab.reading import ReadSpec

RING = ring_weights()


def test_the_digital_ends_are_those_of_the_baseline() -> None:
    start = starts(40, np.random.default_rng(1))
    baseline = sample(RING, 40, steps=4000, start=start).points
    assert np.median(np.linalg.norm(ends(RING, start, [1.0])[0] - baseline, axis=1)) < 2e-3


@pytest.mark.parametrize("strength", [0.94, 1.0, 1.07])
def test_a_loop_of_known_strength_is_recognised(strength: float) -> None:
    start = starts(32, np.random.default_rng(2))
    loop = ends(RING, start, [factor * strength for factor in PLAYED])
    found = agreed(np.array(PLAYED), loop, FACTORS, ends(RING, start))
    assert found == pytest.approx(strength, abs=3e-4)


def test_a_start_near_a_border_does_not_spoil_the_strength() -> None:
    start = starts(32, np.random.default_rng(2))
    loop = ends(RING, start, [factor * 1.03 for factor in PLAYED])
    loop += 2e-3 * np.random.default_rng(3).standard_normal(loop.shape)
    loop[:, :2] *= -1.0  # two that ended on the other side
    assert agreed(np.array(PLAYED), loop, FACTORS, ends(RING, start)) == pytest.approx(1.03, abs=0.01)


def test_a_loop_that_does_something_else_is_refused() -> None:
    start = starts(16, np.random.default_rng(2))
    loop = ends(RING, start, [0.5 * factor for factor in PLAYED])
    with pytest.raises(CalibrationError, match="at any strength"):
        agreed(np.array(PLAYED), loop, FACTORS, ends(RING, start))


def test_ends_between_the_factors_that_were_played_are_had_by_a_parabola() -> None:
    factors = np.array(PLAYED)
    values = (2.0 + 0.3 * factors - 0.5 * factors**2)[:, None, None] * np.ones((3, 2, 2))
    assert course(factors, values, 1.013) == pytest.approx(2.0 + 0.3 * 1.013 - 0.5 * 1.013**2)


def test_the_ratio_of_drive_to_noise_is_told_by_the_spread() -> None:
    rng = np.random.default_rng(4)
    factors = (0.7, 0.85, 1.0, 1.15, 1.3)
    digital = np.array([0.65 + 0.1 * rng.standard_normal(4000) / factor for factor in factors])
    found, u = noise_ratio(0.65 + 0.1 * rng.standard_normal(1000) / 1.1, factors, digital)
    # Odds of a false alarm: 1 in 1000.
    assert abs(found - 1.1) < 3.3 * u
    assert 0.01 < u < 0.1


def test_the_network_is_not_programmed_unasked() -> None:
    backend = bench(1)
    with backend, pytest.raises(CalibrationError, match=r"not in the macros.*--prepare"):
        Strength(ReadSpec()).measure(backend, 0)
    assert not backend.pulses.any()


def test_a_network_that_is_there_is_found_and_left_alone() -> None:
    backend = bench(1)
    with backend:
        with_ring(backend)
        mission = ready(backend, ReadSpec(), prepare=True)
    assert not mission.programmed
    assert not backend.pulses.any()
    assert mission.mapping.regions()[2].cols == (0, 1, 2)


def test_references_are_read_with_their_scatter() -> None:
    backend = bench(1)
    with backend:
        with_ring(backend)
        procedure = Reference(ReadSpec())
        part = procedure.measure(backend, 0)
    found = procedure.evaluate([part], {})
    visits, u = part["visits"], np.sqrt(np.diag(found.covariance))
    assert visits.shape == (VISITS, 60)
    assert found.values["conductance"] == pytest.approx(visits.mean(axis=0))
    assert found.values["deviation"] == pytest.approx(visits.mean(axis=0) - 50e-6, abs=1e-12)
    assert (u[:60] > visits.std(axis=0, ddof=1) / np.sqrt(VISITS)).all()
    assert found.covariance[0, 60] == found.covariance[0, 0]


def test_the_read_chain_moves_all_references_of_a_layer_together() -> None:
    part = {
        "visits": np.full((VISITS, 3), 50e-6),
        "nominal": np.full(3, 50e-6),
        "uncertainty": np.array([1e-8, 2e-8, 3e-8]),
        "macro": np.array([0, 0, 1]),
        "seconds": np.array(15.0),
        "row": np.arange(3),
        "col": np.arange(3),
        "programmed": np.array(0),
    }
    covariance = Reference(ReadSpec()).evaluate([part], {}).covariance[:3, :3]
    assert covariance == pytest.approx(np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 9.0]]) * 1e-16)


def test_noise_slower_than_the_visits_is_as_much_in_each_decade_as_in_theirs() -> None:
    visits = 1e-7 * np.random.default_rng(1).standard_normal((VISITS, 1250))
    visits[:, 0] *= 10.0
    variance = slow(visits, 1e8)  # four decades were seen, eight are to come
    # The median of 1250 variances of seven degrees of freedom is sure to 2 %.
    assert np.median(variance) == pytest.approx(2e-14, rel=0.08)
    assert variance[0] == pytest.approx(2.0 * visits[:, 0].var(ddof=1))


def wrong(record: Record, factor: float) -> Record:
    """Return a record of the loop whose drive is taken for that much stronger than it is."""
    values = {**record.values, "drive_gain": factor * record["drive_gain"]}
    return Record("loop", values, record.units, record.covariance, {}, 0.0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("factor", [0.97, 1.03])
def test_the_strength_makes_up_for_a_drive_that_is_wrong(factor: float) -> None:
    # What differs between the dimensions is not corrected: the factor would weigh one against the other.
    backend = bench(12, **{**POOR, "rc_error": 0.0, "multiplier_gain": 0.0, "leak_spread": 0.0})
    with backend:
        with_ring(backend)
        strength = Strength(ReadSpec())
        record = wrong(true_record(backend, ring_wiring()), factor)
        backend.correction = Correction({"loop": record})
        parts = [strength.measure(backend, k) for k in range(strength.parts(backend))]
        found = strength.evaluate(parts, {"loop": record})
    u = np.sqrt(np.diag(found.covariance))
    # 3.3 standard uncertainties: a false alarm in 1000.
    assert abs(float(found.values["factor"]) - factor) < 3.3 * u[0]
    assert 1e-3 < u[0] < 0.015
    assert abs(float(found.values["drive_to_noise"]) * factor - 1.0) < 3.3 * u[1]


@pytest.mark.slow
def test_a_network_is_programmed_where_that_is_asked_and_a_faultless_loop_has_strength_one() -> None:
    backend = bench(13, **{**FAULTLESS, **QUIET})
    with backend:
        strength = Strength(ReadSpec(), prepare=True)
        parts = [strength.measure(backend, k) for k in range(strength.parts(backend))]
        found = strength.evaluate(parts, {})
    assert found.conditions["programmed"]
    assert abs(float(found.values["factor"]) - 1.0) < 3.3 * np.sqrt(found.covariance[0, 0])
    assert found.conditions["distance_after"] < 0.02

"""Panels 3a, 3c and 3d: what the loop of the ring shows beside the same network in software."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from protocols.ledger.sampled import Sampled
from protocols.reproduce import loop_claims
from protocols.reproduce.claim import Verdict
from protocols.reproduce.state import Done
from protocols.sampling import Sampling, starts
from rramlab.diffusion.network import forward
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import ring_weights
from rramlab.loop import LoopResult, LoopRun
from rramlab.network_mapping import NetworkMapping

SCORE = ring_weights()
START = starts(4, np.random.default_rng(5))
RUN = Sampling(runs=len(START), kept=len(START)).declare(SCORE, NetworkMapping.fit(SCORE), START)
DONE = Done("ring", Path("ring"), {"kind": "ode"})


def ideal() -> LoopResult:
    """Return what a loop without any error would show."""
    states = loop_claims.followed(SCORE, RUN, START)
    inputs = loop_claims.traced(SCORE, RUN, states)
    time = RUN.coefficients.tick * np.arange(states.shape[1])
    energy = np.full(len(START), np.nan)
    return LoopResult(states[:, -1], time, states, inputs[1:3], inputs[3], states.swapaxes(0, 1), energy)


def moments(turn: float, faster: float) -> list[tuple[LoopRun, LoopResult]]:
    """Return a field that is turned (degrees) and faster everywhere than that of software, at two moments."""
    angle, found = np.radians(turn), []
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for moment in (RUN.moment(0.1), RUN.moment(0.6)):
        c = moment.coefficients
        slope = c.drift * START + c.drive * SCORE.gain * forward(SCORE, START, c.embedding)
        found.append((moment, replace(ideal(), end=START + c.duration * faster * slope @ turned)))
    return found


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch):
    """Let the record of the ring hold this result, and these measurements in the open loop."""

    def hold(result: LoopResult, opened: list[tuple[LoopRun, LoopResult]] | None = None) -> None:
        held = Sampled(Path("ring"), 0, SCORE, ((RUN, result),), np.zeros((1, 1)))
        monkeypatch.setattr(loop_claims.Sampled, "open", lambda path: held)
        monkeypatch.setattr(loop_claims.RunFile, "open", lambda path: None)
        monkeypatch.setattr(loop_claims, "loops", lambda file, closed: iter(opened or []))

    return hold


def test_software_goes_where_the_digital_sampler_goes() -> None:
    end = loop_claims.followed(SCORE, RUN, START)[:, -1]
    assert end == pytest.approx(sample(SCORE, len(START), steps=4000, start=START).points, abs=0.01)


def test_a_loop_without_error_has_none_and_one_that_is_off_is_told_by_how_much(seen) -> None:
    seen(ideal())
    found = loop_claims.waveforms(DONE)
    assert "state 0 (worst run 0), hidden 1 0 (worst run 0)" in found.value
    assert found.verdict == Verdict.NOT_COMPARABLE
    off = np.zeros((len(START), 1, 1))
    off[0] = 0.1
    seen(replace(ideal(), output=ideal().output + off))
    worst = 0.1 * 1e3 * RUN.volts
    assert f"output 0 (worst run {worst:g})" in loop_claims.waveforms(DONE).value


def test_what_a_bench_does_not_see_is_told(seen) -> None:
    blind = replace(ideal(), hidden=tuple(np.full_like(each, np.nan) for each in ideal().hidden))
    seen(blind)
    assert "hidden 1 not seen by this bench" in loop_claims.waveforms(DONE).value
    assert "layers 2, 3 not seen by this bench" in loop_claims.voltages(DONE).value


def test_voltages_are_told_beside_those_of_software(seen) -> None:
    half = replace(ideal(), state=0.5 * ideal().state)
    seen(half)
    most = 1e3 * RUN.volts * np.abs(ideal().state).max()
    told = loop_claims.voltages(DONE).value.split("; in software ")
    assert f"largest {most / 2:.0f}," in told[0]
    assert f"largest {most:.0f}," in told[1]


def test_a_field_that_is_turned_and_faster_is_told_as_such(seen) -> None:
    seen(ideal(), moments(turn=3.0, faster=1.07))
    found = loop_claims.field(DONE)
    assert "3.0°, 3.0° in direction, 7.0 %, 7.0 % in speed" in found.value
    assert "4 points" in found.conditions

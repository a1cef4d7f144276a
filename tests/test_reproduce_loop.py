"""Panels 3a, 3c and 3d: what the loop of the ring shows beside the same network in software."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from protocols.reproduce import loop
from protocols.reproduce.claim import Verdict
from protocols.reproduce.loop_claims import CLAIMS
from protocols.reproduce.state import Done
from protocols.sampling import Sampling, starts
from rramlab.diffusion.network import forward
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import record_of, ring_weights
from rramlab.loop import LoopResult, LoopRun
from rramlab.network_mapping import NetworkMapping

SCORE = ring_weights()
START = starts(4, np.random.default_rng(5))
RUN = Sampling(runs=len(START), kept=len(START)).declare(SCORE, NetworkMapping.fit(SCORE), START)


def ideal() -> LoopResult:
    """Return what a loop without any error would show."""
    states = loop.followed(SCORE, RUN, START)
    inputs = loop.traced(SCORE, RUN, states)
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
def told(monkeypatch: pytest.MonkeyPatch):
    """Return the row of a panel where the record of the ring holds this result, and these moments."""

    def row(panel: str, result: LoopResult, opened: list[tuple[LoopRun, LoopResult]] | None = None):
        held = {True: [(RUN, result)], False: opened or []}
        monkeypatch.setattr(loop, "loops", lambda file, closed=True: iter(held[closed]))
        arrays, facts = record_of(SCORE)
        file: Any = SimpleNamespace(kept={"score": SimpleNamespace(columns=arrays, facts=facts)})
        return CLAIMS[panel].row({"ring": Done("ring", Path("ring"), loop.loop_facts(file))}, ["ring"])

    return row


def test_software_goes_where_the_digital_sampler_goes() -> None:
    end = loop.followed(SCORE, RUN, START)[:, -1]
    assert end == pytest.approx(sample(SCORE, len(START), steps=4000, start=START).points, abs=0.01)


def test_a_loop_without_error_has_none_and_one_that_is_off_is_told_by_how_much(told) -> None:
    found = told("3a", ideal())
    assert "state 0 (worst run 0), hidden 1 0 (worst run 0)" in found.value
    assert found.verdict == Verdict.NOT_COMPARABLE
    off = np.zeros((len(START), 1, 1))
    off[0] = 0.1
    worst = 0.1 * 1e3 * RUN.volts
    assert (
        f"output 0 (worst run {worst:g})" in told("3a", replace(ideal(), output=ideal().output + off)).value
    )


def test_what_a_bench_does_not_see_is_told(told) -> None:
    blind = replace(ideal(), hidden=tuple(np.full_like(each, np.nan) for each in ideal().hidden))
    assert "hidden 1 not seen by this bench" in told("3a", blind).value
    assert "layer 3 not seen by this bench, in software" in told("3c", blind).value
    rare = replace(ideal(), state=ideal().state[:, ::2])
    assert told("3a", rare).verdict == Verdict.NOT_MEASURED


def test_voltages_are_told_beside_those_of_software(told) -> None:
    half = replace(ideal(), state=0.5 * ideal().state)
    most = 1e3 * RUN.volts * np.abs(ideal().state).max()
    first = told("3c", half).value.split(";")[0].split(", in software ")
    assert first[0].endswith(f"and {most / 2:.0f}")
    assert first[1].endswith(f"and {most:.0f}")


def test_a_field_that_is_turned_and_faster_is_told_as_such(told) -> None:
    found = told("3d", ideal(), moments(turn=3.0, faster=1.07))
    assert "3.0°, 3.0° in direction, 7.0 %, 7.0 % in speed" in found.value
    assert "4 points" in found.conditions

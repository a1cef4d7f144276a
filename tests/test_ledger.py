"""The account of energy per sample: waveforms, constants, sums."""

import re
from dataclasses import replace

import numpy as np
import pytest

from protocols.ledger.account import ARRAY, Account, Entry, account_of, energy_text
from protocols.ledger.constants import KINDS, SETS, Constants
from protocols.ledger.waveforms import Waveforms, waveforms_of
from protocols.sampling import Sampling
from rramlab.diffusion.network import time_embedding
from rramlab.diffusion.store import ring_weights
from rramlab.loop import LoopResult
from rramlab.network_mapping import NetworkMapping

SCORE = ring_weights()
MAPPING = NetworkMapping.fit(SCORE, copies=(2, 2, 2))
SIEMENS, VOLTS, RUNS = 50e-6, 0.05, 3
STEADY = re.compile(r"(\d+) x (\S+) mW x (\S+) s")


def waveforms(level: float = 1.0, ramp: bool = False, **changed: np.ndarray) -> Waveforms:
    """Return waveforms of runs whose signals stand at a level (network units), or rise to it."""
    run = Sampling(runs=RUNS).declare(SCORE, MAPPING, np.zeros((RUNS, 2)))
    time = np.linspace(0.0, 1.0, 201)
    course = level * (time if ramp else np.ones(201))

    def signal(width: int) -> np.ndarray:
        return np.broadcast_to(course[None, :, None], (RUNS, 201, width)).copy()

    found = LoopResult(
        end=np.zeros((RUNS, 2)),
        time=time,
        state=signal(2),
        hidden=(signal(14), -signal(14)),
        output=signal(2),
        trace=np.zeros((201, RUNS, 2)),
        energy=np.full(RUNS, np.nan),
    )
    return waveforms_of(run, replace(found, **changed), np.full((96, 32), SIEMENS))


# 2 inputs x 15 columns, 14 x 15, 14 x 3, each twice.
CELLS = 2 * np.array([2 * 15, 14 * 15, 14 * 3])


@pytest.mark.parametrize("ramp", [False, True])
def test_the_cells_turn_v2_g_of_all_copies_and_the_reference_into_heat(ramp: bool) -> None:
    account = account_of(waveforms(0.5, ramp), Constants.load("bench"))
    found = [entry.joule for entry in account.entries if entry.group == ARRAY]
    mean_square = (0.5 * VOLTS) ** 2 / (3 if ramp else 1)
    np.testing.assert_allclose(found, mean_square * SIEMENS * CELLS, rtol=2e-5)  # trapezoid of a square
    assert account.array_joule == pytest.approx(sum(found))


def test_a_stretched_run_has_the_same_powers_for_another_time() -> None:
    bench, projected = (account_of(waveforms(), Constants.load(name)) for name in SETS)
    assert projected.seconds == 20e-6
    assert projected.array_joule == pytest.approx(bench.array_joule * 20e-6)
    assert np.isnan(projected.recorded)  # nothing was recorded of what does not exist


def test_energies_add_up_over_entries_and_groups() -> None:
    for name in SETS:
        account = account_of(waveforms(), Constants.load(name))
        assert account.joule == pytest.approx(sum(entry.joule for entry in account.entries), rel=1e-12)
        assert sum(account.groups().values()) == pytest.approx(account.joule, rel=1e-12)
        assert account.watt == pytest.approx(account.joule / account.seconds)
        assert account.rows()[-1][:2] == ["sum", energy_text(account.joule)]


def test_steady_parts_draw_count_times_power_times_time() -> None:
    account = account_of(waveforms(), Constants.load("bench"))
    told = {entry: STEADY.fullmatch(entry.how) for entry in account.entries}
    steady = {entry: match for entry, match in told.items() if match}
    assert len(steady) >= 6
    for entry, match in steady.items():
        count, milliwatt, seconds = map(float, match.groups())
        assert seconds == 1.0
        assert entry.joule == pytest.approx(count * 1e-3 * milliwatt * seconds, rel=1e-5)


def test_the_parts_are_as_many_as_the_network_needs() -> None:
    counts, layers = waveforms().counts(), MAPPING.regions()
    assert counts["column"] == sum(len(layer.cols) for layer in layers)
    assert counts["neuron"] == sum(layer.outputs for layer in layers[:-1])
    assert counts["state"] == SCORE.w1.shape[0]
    assert counts["channel"] == time_embedding(SCORE, 0.5).size + 2 + counts["state"]
    assert counts["word"] == 200 * counts["channel"]


@pytest.mark.parametrize("name", SETS)
def test_every_constant_has_a_source_and_what_is_assumed_says_so(name: str) -> None:
    constants = Constants.load(name)  # type: ignore[arg-type]
    assert {part.per for part in constants.parts} <= set(waveforms().counts())
    assert len({part.name for part in constants.parts}) == len(constants.parts)
    for source in (constants.drive.source, *(part.source for part in constants.parts)):
        kind, _, reason = source.partition(": ")
        assert kind in KINDS
        assert len(reason.split()) > 2
    assert all((part.watt > 0) != (part.joule > 0) for part in constants.parts)


def test_the_two_sets_share_no_figure_of_a_part() -> None:
    bench, projected = (Constants.load(name) for name in SETS)
    assert bench.seconds is None  # the run tells
    figures = [{(part.watt, part.joule) for part in each.parts} for each in (bench, projected)]
    assert not figures[0] & figures[1]
    assert bench.drive != projected.drive


def test_the_load_of_amplifiers_is_what_the_rail_gives_less_what_the_cells_use() -> None:
    loads = {e.name: e.joule for e in account_of(waveforms(), Constants.load("bench")).entries}
    current = VOLTS * SIEMENS * CELLS.sum()  # all inputs at 50 mV, whatever their sign
    assert loads["drivers of the rows"] == pytest.approx(current * (2.5 - VOLTS))
    assert loads["amplifiers of the columns"] == pytest.approx(current * 2.5)
    assert loads["networks at the outputs"] == pytest.approx((2 + 28 + 2) * VOLTS / 10e3 * 2.5)


def test_the_record_of_the_bench_is_set_beside_the_integral() -> None:
    energy = account_of(waveforms(), Constants.load("bench")).array_joule
    beside = account_of(waveforms(energy=np.full(RUNS, 1.02 * energy)), Constants.load("bench"))
    assert beside.recorded == pytest.approx(1.02 * energy)
    assert beside.apart == pytest.approx(0.02 / 1.02)


def test_a_waveform_that_the_bench_cannot_see_is_said_to_be_unknown() -> None:
    unseen = np.full((RUNS, 201, 14), np.nan)
    account = account_of(waveforms(hidden=(unseen, unseen)), Constants.load("bench"))
    names = [entry.name for entry in account.entries if np.isnan(entry.joule)]
    assert "cells of layer 2" in names
    assert "cells of layer 1" not in names
    assert np.isnan(account.array_joule)
    assert ["cells of layer 2", "unknown"] in [row[:2] for row in account.rows()]
    assert np.isfinite(account.joule)


def test_energies_are_told_with_a_prefix() -> None:
    joules = [1.5, 2e-3, 7.2e-6, 31e-9, 20e-12, 0.0, float("nan")]
    told = ["1.5J", "2mJ", "7.2uJ", "31nJ", "20pJ", "0J", "unknown"]
    assert [energy_text(each) for each in joules] == told


def test_an_account_without_entries_is_empty() -> None:
    empty = Account("nothing", 1.0, ())
    assert empty.joule == empty.array_joule == 0
    assert Account("one", 2.0, (Entry("a", ARRAY, 4.0, "", ""),)).watt == 2.0

"""The account of time and energy per sample: sums, units, sources."""

import re

import pytest

from protocols.ledger import account
from rramlab.diffusion.network import time_embedding
from rramlab.diffusion.store import ring_weights
from rramlab.network_mapping import NetworkMapping

HOW = re.compile(r"(\d+) x (\S+) mW x (\S+) s")


def test_energies_add_up_and_each_says_how_it_was_had():
    found = account(3e-6, 2.0, 40e-6)
    array, *parts = found.analog
    assert array.joule == 3e-6
    assert found.analog_joule == pytest.approx(3e-6 + sum(part.joule for part in parts), rel=1e-12)
    for part in parts:
        match = HOW.fullmatch(part.how)
        assert match is not None, part.how
        count, milliwatt, seconds = map(float, match.groups())
        assert seconds == 2.0
        assert part.joule == pytest.approx(count * 1e-3 * milliwatt * seconds)


def test_every_entry_has_a_source_and_what_is_assumed_says_so():
    found = account(3e-6, 1.0, 40e-6)
    array, *parts = found.analog
    assert array.source == "this run"
    assert len({entry.name for entry in found.analog}) == len(found.analog) > 3
    for entry in (*parts, found.digital):
        kind, _, reason = entry.source.partition(": ")
        assert kind in ("assumed", "published", "measured")
        assert len(reason.split()) > 2


def test_the_energy_of_the_parts_grows_with_time_and_that_of_the_array_does_not():
    one, two = account(3e-6, 1.0, 40e-6), account(3e-6, 2.0, 40e-6)
    assert two.analog[0] == one.analog[0]
    for short, long in zip(one.analog[1:], two.analog[1:], strict=True):
        assert long.joule == pytest.approx(2 * short.joule, rel=1e-12)
    assert two.digital == one.digital


def test_the_digital_baseline_is_power_times_measured_time():
    one, two = account(3e-6, 1.0, 40e-6), account(3e-6, 1.0, 80e-6)
    assert two.digital.joule == pytest.approx(2 * one.digital.joule, rel=1e-12)
    watt = one.digital.joule / 40e-6
    assert one.digital.how == f"40 us measured x {watt:g} W"
    assert 1 < watt < 200  # one core, not a cluster and not a watch
    assert two.analog == one.analog


def test_rows_are_in_microjoule_with_the_sum_before_the_baseline():
    found = account(3e-6, 1.0, 40e-6)
    rows = found.rows()
    assert rows[0][:2] == ["cells of the array", "3 uJ"]
    told = [float(row[1].removesuffix(" uJ")) for row in rows]
    assert rows[-2][0] == "analog, sum"
    assert told[-2] == pytest.approx(sum(told[:-2]), rel=1e-3)  # four digits are printed
    assert told[-1] == pytest.approx(1e6 * found.digital.joule, rel=1e-3)
    assert {len(row) for row in rows} == {4}


def test_the_parts_are_as_many_as_the_network_needs():
    score = ring_weights()
    layers = NetworkMapping.fit(score).regions()
    counts = {part.name: int(part.how.split()[0]) for part in account(0.0, 1.0, 0.0).analog[1:]}
    columns, hidden = sum(len(layer.cols) for layer in layers), sum(layer.outputs for layer in layers[:-1])
    assert counts["amplifiers"] == columns + hidden
    states = score.w1.shape[0]
    assert counts["integrators"] == states
    assert counts["multipliers"] == 2 * states  # f x and g2 y
    channels = time_embedding(score, 0.5).size + 2 + states  # embedding, f and g2, noise
    assert counts["digital-to-analog converters"] == channels


def test_an_energy_that_the_bench_cannot_see_is_said_to_be_unknown():
    found = account(float("nan"), 2.0, 40e-6)
    assert found.rows()[0][1:3] == ["unknown", "not measured on this bench"]
    assert found.analog_joule == pytest.approx(account(0.0, 2.0, 40e-6).analog_joule)

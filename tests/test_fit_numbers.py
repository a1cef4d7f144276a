"""The numerical parts of the fit: slices, groups, least squares, parameters."""

import numpy as np
import pytest

from rramlab.errors import InputError
from rramlab.progress import Silent
from sim_backend.fit.compare import Point
from sim_backend.fit.grouping import banded
from sim_backend.fit.least_squares import least_squares
from sim_backend.fit.parameter import Parameter, changed, expand
from sim_backend.fit.slices import Slices
from sim_backend.preset import Preset

HALVES = np.array([0.0, 0.5, 1.0])


def test_slice_means_of_known_values():
    slices = Slices(np.array([0, 0, 0, 0, 1, 1, -1]), HALVES)
    means = slices.means(np.array([4.0, 1.0, 3.0, 2.0, 10.0, 20.0, 99.0]))
    assert means == pytest.approx(np.array([[1.5, 3.5], [10.0, 20.0]]))


def test_weights_are_repetitions_and_copies_are_pooled():
    slices = Slices(np.zeros(3, np.int64), HALVES)
    weighted = slices.means(np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 1.0]))
    repeated = Slices(np.zeros(4, np.int64), HALVES).means(np.array([1.0, 1.0, 2.0, 3.0]))
    assert weighted == pytest.approx(repeated)
    pooled = slices.means(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]))
    assert pooled == pytest.approx(slices.means(np.array([1.0, 2.0, 3.0])))


def test_bands_join_neighbours_until_there_are_enough_and_leave_no_small_rest():
    values = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 10)
    band = banded(values, np.zeros(50, np.int64), 20)
    assert [band[values == v][0] for v in (1, 2, 3, 4, 5)] == [1.0, 1.0, 3.0, 3.0, 3.0]


def test_least_squares_finds_a_curved_valley():
    def rosenbrock(x):
        return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])

    found = least_squares(rosenbrock, np.array([-1.2, 1.0]), np.full(2, 1e-6), 60, Silent(), "")
    assert found.place == pytest.approx([1.0, 1.0], abs=1e-3)


def test_parameters_reach_single_entries_of_lists_and_come_back():
    preset = Preset.load("taox180")
    name = "retention.tc_per_kelvin[1]"
    assert expand(["retention.tc_per_kelvin"], preset)[1] == name
    other = changed(preset, {name: 7e-4, "kinetics.set_v0": 0.6})
    assert Parameter(name).read(other) == 7e-4 and other.kinetics.set_v0 == 0.6
    assert other.retention.tc_per_kelvin[0] == preset.retention.tc_per_kelvin[0]


@pytest.mark.parametrize("name", ["kinetics.set_v0", "relaxation.drift", "relaxation.drift_low"])
def test_coordinates_lead_back_to_the_value(name):
    p = Parameter(name)
    value = p.read(Preset.load("taox180"))
    assert p.decode(p.encode(value)) == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("kinetic.rate", "did you mean 'kinetics'"),
        ("kinetics.rat", "did you mean 'rate'"),
        ("kinetics.rate[x]", "write 'section.key'"),
    ],
)
def test_unknown_parameters_are_refused(name, said):
    with pytest.raises(InputError, match=said.replace("[", r"\[")):
        Parameter(name).read(Preset.load("taox180"))


def test_what_is_off_cannot_be_fitted_on_a_logarithm():
    with pytest.raises(InputError, match="start above zero"):
        Parameter("kinetics.set_onset").encode(0.0)


def test_deviation_and_ratio_of_a_point():
    point = Point("x", "sigma", 10, measured=2.0, error=0.1, predicted=1.0)
    assert point.off == -0.5 and point.ratio == 2.0

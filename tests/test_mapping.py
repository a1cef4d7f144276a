import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rramlab.diffusion import ring_weights
from rramlab.errors import InputError
from rramlab.mapping import LayerMapping
from rramlab.network_mapping import NetworkMapping
from rramlab.placement import Placement

layers = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.floats(-4, 4))


@given(layers, st.floats(0, 5e-6))
def test_fit_holds_every_weight_and_round_trip_is_exact(weights, margin):
    mapping = LayerMapping.fit(weights, margin=margin)
    conductances = mapping.to_conductance(weights)
    slack = margin - 1e-12
    assert conductances.min() >= 20e-6 + slack
    assert conductances.max() <= 100e-6 - slack
    np.testing.assert_allclose(mapping.to_weight(conductances), weights, rtol=1e-12, atol=1e-12)


@given(layers, st.integers(0, 2**32 - 1))
def test_measured_references_cancel(weights, seed):
    references = 50e-6 + np.random.default_rng(seed).uniform(-1e-6, 1e-6, len(weights))
    mapping = LayerMapping.fit(weights, margin=1e-6)
    conductances = mapping.to_conductance(weights, references)
    np.testing.assert_allclose(mapping.to_weight(conductances, references), weights, rtol=1e-12, atol=1e-12)


def test_fit_chooses_the_largest_scale():
    assert LayerMapping.fit([[2.0, -0.5]]).scale == pytest.approx(25e-6)
    assert LayerMapping.fit([[0.5, -2.0]]).scale == pytest.approx(15e-6)
    assert LayerMapping.fit([[-1.0]], window=(10e-6, 90e-6), reference=40e-6).scale == pytest.approx(30e-6)
    assert LayerMapping.fit([[2.0]], margin=2e-6).scale == pytest.approx(24e-6)
    assert LayerMapping.fit([[0.0]]).to_conductance([[0.0]]) == pytest.approx(50e-6)


def test_what_the_window_cannot_hold_is_refused_or_counted():
    mapping = LayerMapping((20e-6, 100e-6), 50e-6, 25e-6)
    assert mapping.weight_range == pytest.approx((-1.2, 2.0))
    weights = [[2.0, 2.1, 0.0], [-1.2, -1.3, -9.0]]
    with pytest.raises(InputError, match="3 of 6 weights cannot be held by the window 20 uS to 100 uS"):
        mapping.to_conductance(weights)
    conductances, clipped = mapping.clip_to_conductance(weights)
    assert clipped == 3
    np.testing.assert_allclose(conductances * 1e6, [[100, 100, 50], [20, 20, 20]])
    # A reference that came out low makes room above and takes it below.
    _, clipped = mapping.clip_to_conductance(weights, [47e-6, 47e-6])
    assert clipped == 3
    assert mapping.clip_to_conductance([[2.1], [-1.2]], [47e-6, 47e-6])[1] == 1


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="1 of 2 weights are not finite"):
        LayerMapping.fit([[np.nan, 1.0]])
    with pytest.raises(InputError, match="not finite"):
        LayerMapping.fit([[1.0]]).to_weight([[np.inf]])
    with pytest.raises(InputError, match="reference must lie inside"):
        LayerMapping((20e-6, 100e-6), 110e-6, 1e-5)
    with pytest.raises(InputError, match="finite and above 0"):
        LayerMapping((20e-6, 100e-6), 50e-6, 0.0)
    with pytest.raises(InputError, match="margin 30 uS"):
        LayerMapping.fit([[1.0]], margin=30e-6)
    with pytest.raises(InputError, match="33 columns of macro 0 were asked for"):
        Placement.first(0, 14, 32)


def plane_of(mapping: NetworkMapping, offset: float, seed: int = 0) -> np.ndarray:
    """Return a map of the macros with references that are a little off, and the weights against them."""
    plane = np.full(mapping.shape, np.nan)
    references = mapping.reference_targets()
    cells = references.cells
    off = np.random.default_rng(seed).uniform(-offset, offset, len(cells))
    plane[cells.row, cells.col] = references.conductances + off
    targets = mapping.weight_targets(ring_weights(), plane)
    assert targets.clipped == 0
    plane[targets.cells.row, targets.cells.col] = targets.conductances
    return plane


def test_network_round_trip_through_a_conductance_map():
    w = ring_weights()
    mapping = NetworkMapping.fit(w, margin=1e-6)
    plane = plane_of(mapping, 1e-6)
    assert np.isfinite(plane).sum() == 252 + 30
    assert np.nanmin(plane) >= 20e-6
    assert np.nanmax(plane) <= 100e-6
    for back, layer in zip(mapping.to_weights(plane, w).layers, w.layers, strict=True):
        np.testing.assert_allclose(back, layer, rtol=1e-10, atol=1e-12)


def test_layers_stand_on_their_macros_with_the_reference_column_behind():
    mapping = NetworkMapping.fit(ring_weights())
    assert mapping.shape == (96, 32)
    second = mapping.placements[1]
    weights, references = second.weight_cells(0), second.reference_cells()
    assert (weights.row.min(), weights.row.max(), weights.col.min(), weights.col.max()) == (32, 45, 0, 13)
    assert set(references.col) == {14}
    np.testing.assert_array_equal(references.row, np.arange(32, 46))


def test_mapping_moves_away_from_unusable_cells():
    usable = np.ones((96, 32), bool)
    usable[:16, :] = False
    usable[40, 3] = False
    mapping = NetworkMapping.fit(ring_weights(), margin=1e-6).moved(usable)
    for place in mapping.placements:
        for cells in (place.weight_cells(0), place.reference_cells()):
            assert usable[cells.row, cells.col].all()
            assert set(cells.row // 32) == {place.macro}
    plane = plane_of(mapping, 1e-6)
    np.testing.assert_allclose(mapping.to_weights(plane, ring_weights()).w2, ring_weights().w2, atol=1e-12)


def test_mapping_survives_plain_numbers():
    mapping = NetworkMapping.fit(ring_weights(), margin=1e-6).moved(np.arange(96 * 32).reshape(96, 32) > 40)
    assert NetworkMapping.from_dict(mapping.to_dict()) == mapping


def test_a_map_of_another_shape_is_refused():
    mapping = NetworkMapping.fit(ring_weights())
    with pytest.raises(InputError, match=r"\(32, 32\) was given.*\(96, 32\)"):
        mapping.to_weights(np.zeros((32, 32)), ring_weights())


def test_the_last_copy_is_trimmed_to_make_up_for_what_all_others_miss():
    w = ring_weights()
    mapping = NetworkMapping.fit(w, margin=4e-6, copies=(4, 2, 2))
    plane, rng = np.full(mapping.shape, np.nan), np.random.default_rng(4)
    for targets in (mapping.reference_targets(), mapping.weight_targets(w)):
        off = rng.uniform(-1e-6, 1e-6, len(targets.cells))
        plane[targets.cells.row, targets.cells.col] = targets.conductances + off
    before = mapping.to_weights(plane, w)
    trimmed = mapping.trimmed(w, mapping.weight_targets(w), plane)
    assert trimmed.clipped == 0
    # The cells of the last copies are 0.5 uS beside their targets and stay so when they are moved.
    moved = trimmed.conductances - mapping.weight_targets(w).conductances[last_copies(mapping)]
    plane[trimmed.cells.row, trimmed.cells.col] += moved
    after = mapping.to_weights(plane, w)
    for was, now, layer in zip(before.layers, after.layers, w.layers, strict=True):
        assert np.abs(was - layer).max() > 1e-3
        np.testing.assert_allclose(now, layer, atol=1e-10)


def last_copies(mapping: NetworkMapping) -> np.ndarray:
    sizes = [(place.copies, place.inputs * place.outputs) for place in mapping.placements]
    return np.concatenate([np.arange(n * size) >= (n - 1) * size for n, size in sizes])

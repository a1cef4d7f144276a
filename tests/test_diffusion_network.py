import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from rramlab.diffusion import (
    ScoreWeights,
    VpSchedule,
    forward,
    load_weights,
    network_inputs,
    ring_weights,
    save_weights,
    score,
    time_embedding,
)
from rramlab.errors import InputError


def some_weights(seed: int = 3) -> ScoreWeights:
    rng = np.random.default_rng(seed)
    return ScoreWeights(
        rng.normal(size=(2, 14)), rng.normal(size=(14, 14)), rng.normal(size=(14, 2)), rng.normal(size=7)
    )


def test_forward_agrees_with_torch():
    w = some_weights()
    x, t = np.random.default_rng(0).normal(size=(50, 2)), np.linspace(0, 1, 50)
    first, second, third = (torch.from_numpy(layer.copy()) for layer in w.layers)
    e = torch.from_numpy(time_embedding(w, t))
    hidden = torch.relu(torch.relu(torch.from_numpy(x) @ first + e) @ second + e)
    np.testing.assert_allclose(forward(w, x, time_embedding(w, t)), (hidden @ third).numpy(), rtol=1e-12)
    np.testing.assert_allclose(score(w, x, t), 5.0 * (hidden @ third).numpy(), rtol=1e-12)


def test_limit_clamps_hidden_activations_only():
    w = some_weights()
    x = np.random.default_rng(1).normal(size=(200, 2))
    e = time_embedding(w, 0.3)
    _, free, _ = network_inputs(w, x, e)
    state, first, second = network_inputs(w, x, e, limit=0.7)
    assert free.max() > 0.7
    assert first.max() == second.max() == 0.7
    np.testing.assert_array_equal(state, x)
    np.testing.assert_allclose(forward(w, x, e, limit=0.7), second @ w.w3)


def test_embedding_is_sines_before_cosines():
    w = some_weights()
    e = time_embedding(w, np.array([[0.0, 0.25]]))
    assert e.shape == (1, 2, 14)
    np.testing.assert_array_equal(e[0, 0], np.repeat([0.0, 1.0], 7))
    np.testing.assert_allclose(e[0, 1, 2], np.sin(2 * np.pi * 0.25 * w.frequencies[2]))
    np.testing.assert_allclose(e[0, 1, 9], np.cos(2 * np.pi * 0.25 * w.frequencies[2]))


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
def test_schedule_keeps_variance(scale):
    s, t = VpSchedule().scaled(scale), np.linspace(0, 1, 101)
    np.testing.assert_allclose(s.mean(t) ** 2 + s.std(t) ** 2, 1.0, rtol=1e-14)
    assert s.std(0.0) == 0.0
    slope = -2.0 * np.gradient(np.log(s.mean(t)), t)
    np.testing.assert_allclose(slope[1:-1], s.beta(t)[1:-1], rtol=1e-10)


def test_schedule_has_the_published_end():
    assert float(VpSchedule().mean(1.0)) == pytest.approx(0.8823, abs=5e-5)
    assert float(VpSchedule().std(1.0)) == pytest.approx(0.4707, abs=5e-5)
    assert float(VpSchedule().scaled(2).std(1.0)) == pytest.approx(0.628, abs=5e-4)


@pytest.mark.parametrize("rates", [(-0.1, 0.5), (0.1, 0.0), (0.1, float("inf")), (float("nan"), 0.5)])
def test_schedule_refuses_impossible_rates(rates):
    with pytest.raises(ValueError, match="noise rates"):
        VpSchedule(*rates)


def test_weights_are_frozen_copies():
    layer = np.zeros((2, 14))
    w = ScoreWeights(layer, np.zeros((14, 14)), np.zeros((14, 2)), np.zeros(7))
    layer[0, 0] = 1.0
    assert w.w1[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        w.w1[0, 0] = 1.0


def test_weights_refuse_wrong_shapes_and_numbers():
    good = some_weights()
    with pytest.raises(ValueError, match="w2 of shape"):
        good.with_layers(good.w1, np.zeros((14, 13)), good.w3)
    with pytest.raises(ValueError, match="w1 holds 1 values that are not finite"):
        good.with_layers(np.where(np.arange(28).reshape(2, 14) == 5, np.nan, good.w1), good.w2, good.w3)
    with pytest.raises(ValueError, match="gain=0"):
        ScoreWeights(*good.layers, good.frequencies, gain=0.0)


def test_file_round_trip_is_exact(tmp_path):
    w = some_weights()
    w = ScoreWeights(*w.layers, w.frequencies, 4.5, VpSchedule(0.002, 0.7), 1.5, 1.25, {"seed": "7"})
    save_weights(w, tmp_path / "w.safetensors")
    back = load_weights(tmp_path / "w.safetensors")
    for mine, other in zip((*w.layers, w.frequencies), (*back.layers, back.frequencies), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert (back.gain, back.scale, back.activation_limit) == (4.5, 1.5, 1.25)
    assert back.schedule == w.schedule
    assert back.metadata == {"seed": "7"}
    (tmp_path / "other").write_text("")  # read by the same people as any other file
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("w.safetensors", "other")]
    assert modes[0] == modes[1]


def test_wrong_files_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(InputError, match="no weight file at"):
        load_weights(path)
    path.write_bytes(b"not a weight file, but long enough to be read as one")
    with pytest.raises(InputError, match="is no score network"):
        load_weights(path)
    save_file({"w1": np.zeros((2, 14))}, path)
    with pytest.raises(InputError, match="its format is 'not named'"):
        load_weights(path)
    save_file({"w1": np.zeros((2, 14))}, path, metadata={"format": "rramlab-score-network-1"})
    with pytest.raises(InputError, match="lacks w2, w3, frequencies"):
        load_weights(path)


def test_shipped_ring_network_fits_its_own_claims():
    w = ring_weights()
    assert [layer.shape for layer in w.layers] == [(2, 14), (14, 14), (14, 2)]
    assert (w.gain, w.scale, w.schedule) == (5.0, 2.0, VpSchedule(0.001, 0.5))
    assert {"command", "seed", "steps", "loss", "settings"} <= set(w.metadata)


def test_weights_are_read_without_torch():
    code = (
        "import sys, numpy as np; from rramlab.diffusion import ring_weights, score;"
        "from rramlab.diffusion import metrics, data, settings; import rramlab.network_mapping;"
        "score(ring_weights(), np.zeros((1, 2)), 0.5); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

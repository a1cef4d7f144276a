"""The closed loop without randomness: limits, analytic cases, order of convergence, finite gain."""

import math

import numpy as np
import pytest

from sim_backend.loop import Circuit, Integrator, Keep, Layer, Multiplier, Reverse, Schedule, evaluate, solve
from sim_backend.loop.dac import code, held

UNIT, REFERENCE = 25e-6, 50e-6
FREQUENCIES = np.random.default_rng(11).normal(0, 1, 7)


def weights(seed=12, size=0.6):
    rng = np.random.default_rng(seed)
    shapes = ((2, 14), (14, 14), (14, 2))
    return [rng.normal(0, size / math.sqrt(n), (n, m)) for n, m in shapes]


def as_layers(matrices, **more):
    columns = [np.column_stack([REFERENCE + UNIT * w, np.full(len(w), REFERENCE)]) for w in matrices]
    return [Layer(g, UNIT, **more) for g in columns]


def embedding(t):
    turns = 2 * np.pi * np.asarray(t)[..., None] * FREQUENCIES
    return np.concatenate([np.sin(turns), np.cos(turns)], axis=-1)


def beta(t):
    return 2 * (0.001 + 0.499 * np.asarray(t))


def digital(matrices, x, embedded):
    h = np.maximum(x @ matrices[0] + embedded, 0)
    h = np.maximum(h @ matrices[1] + embedded, 0)
    return 5 * h @ matrices[2]


def reference(matrices, x, embed, steps=3000):
    """Solve the reverse equation in units of the state by the classical fourth-order scheme."""

    def slope(t, x):
        return 0.5 * beta(t) * (x + digital(matrices, x, embed(t)))

    h = 1 / steps
    for i in range(steps):
        t = 1 - i * h
        a = slope(t, x)
        b = slope(t - h / 2, x + h / 2 * a)
        c = slope(t - h / 2, x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + slope(t - h, x + h * c))
    return x


def errors(make, scheme, ticks, matrices, embed, exact, x):
    """Return the mean distance to the exact end for each number of ticks."""
    circuit = Circuit.ideal()
    plan = Reverse(beta, embed)
    found = []
    for n in ticks:
        end = solve(
            as_layers(matrices), circuit, make(plan, circuit, n), 0.1 * x, scheme=scheme, dtype=np.float64
        ).end
        found.append(np.abs(end / 0.1 - exact).mean())
    return np.array(found)


X = np.random.default_rng(13).normal(size=(64, 2))


def test_held_coefficients_converge_with_first_order_to_the_digital_solution():
    w = weights()
    exact = reference(w, X, embedding)
    ticks = np.array([50, 100, 200, 400])
    e = errors(Reverse.held, "heun", ticks, w, embedding, exact, X)
    order = np.log2(e[:-1] / e[1:])
    assert np.abs(order - 1).max() < 0.1
    assert e[-1] < 0.01


def test_continuous_coefficients_converge_with_the_order_of_the_scheme():
    w = weights()

    def open_neurons(t):  # all neurons conduct: the field has no kinks, which would hide order 4
        return 6.0 + embedding(t)

    exact = reference([0.3 * m for m in w], X, open_neurons)
    for scheme, order, ticks in (("euler", 1, (80, 160)), ("heun", 2, (40, 80)), ("rk4", 4, (10, 20))):
        e = errors(Reverse.continuous, scheme, ticks, [0.3 * m for m in w], open_neurons, exact, X)
        assert math.log2(e[0] / e[1]) == pytest.approx(order, abs=0.15)


def test_kinks_of_the_neurons_leave_second_order():
    w = weights()
    exact = reference(w, X, embedding)
    e = errors(Reverse.continuous, "heun", (50, 400), w, embedding, exact, X)
    assert math.log(e[0] / e[1]) / math.log(8) > 1.8


def test_substeps_are_shorter_steps():
    w, circuit = weights(), Circuit.ideal()
    plan = Reverse(beta, embedding)
    fine = solve(as_layers(w), circuit, plan.continuous(circuit, 100), 0.1 * X, dtype=np.float64).end
    split = solve(as_layers(w), circuit, plan.continuous(circuit, 25, 4), 0.1 * X, dtype=np.float64).end
    np.testing.assert_allclose(split, fine, rtol=1e-12)


def test_single_precision_follows_double():
    w, circuit = weights(), Circuit()
    plan = Reverse(beta, embedding).held(circuit)
    single = solve(as_layers(w), circuit, plan, 0.1 * X).end
    double = solve(as_layers(w), circuit, plan, 0.1 * X, dtype=np.float64).end
    np.testing.assert_allclose(single, double, atol=2e-6)


def constant(f, g2=0.0, ticks=50, tick=0.02, **more):
    return Schedule(tick, np.full(ticks, f), np.full(ticks, g2), np.zeros((ticks, 14)), **more)


SILENT = [np.zeros((2, 14)), np.zeros((14, 14)), np.zeros((14, 2))]


def test_without_a_network_the_integrator_grows_and_leaks_as_computed():
    part = Integrator(rc=0.5, rc_error=(0.0, 0.1), leak=(math.inf, 0.4))
    circuit = Circuit.ideal(integrator=part)
    end = solve(as_layers(SILENT), circuit, constant(0.3), [[0.1, 0.1]], scheme="rk4", dtype=np.float64).end
    expected = 0.1 * np.exp([0.3 / 0.5, 0.3 / 0.55 - 1 / 0.4])
    np.testing.assert_allclose(end[0], expected, rtol=1e-7)


def test_an_integrator_of_finite_gain_leaks_through_its_inputs():
    circuit = Circuit.ideal(amp_gain=100.0)
    end = solve(as_layers(SILENT), circuit, constant(0.0), [[0.1, 0.2]], scheme="rk4", dtype=np.float64).end
    inputs = circuit.f_full_scale + circuit.g_full_scale + circuit.noise_full_scale
    np.testing.assert_allclose(end[0], np.array([0.1, 0.2]) * np.exp(-inputs / 100 / 1.01), rtol=1e-7)


def test_offsets_make_ramps_and_rails_end_them():
    part = Integrator(rc=1.0, offset=(1e-3, 0.5))
    circuit = Circuit.ideal(integrator=part, rail=0.2)
    keep = Keep((0,))
    found = solve(as_layers(SILENT), circuit, constant(0.0), [[0.0, 0.0]], keep=keep, dtype=np.float64)
    np.testing.assert_allclose(found.waveforms.state[0, :, 0], 1e-3 * found.waveforms.time, atol=1e-15)
    np.testing.assert_allclose(found.waveforms.state[0, :, 1], np.minimum(0.5 * found.waveforms.time, 0.2))


def test_noise_channels_carry_constant_trims():
    schedule = constant(0.0, noise_offset=np.array([0.01, -0.02]))
    circuit = Circuit.ideal(noise_full_scale=10.0)
    end = solve(as_layers(SILENT), circuit, schedule, [[0.0, 0.0]], dtype=np.float64).end
    np.testing.assert_allclose(end[0], [0.1, -0.2], rtol=1e-12)


def test_the_open_loop_is_the_digital_network_in_volts():
    w = weights()
    e = embedding(np.array([0.4]))
    found = evaluate(as_layers(w), Circuit.ideal(), 0.1 * X, 0.2, 0.1, 0.5 * e, dtype=np.float64)
    np.testing.assert_allclose(found.output, 0.1 * digital(w, X, e), atol=1e-13)
    np.testing.assert_allclose(found.hidden1, 0.1 * np.maximum(X @ w[0] + e, 0), atol=1e-13)
    np.testing.assert_allclose(found.slope, 0.02 * X + 2 * 0.1 * found.output, atol=1e-13)


def test_hidden_neurons_saturate_at_the_clamp():
    w = weights(size=3.0)
    e = 0.9 * np.ones(14)
    found = evaluate(as_layers(w), Circuit(), 0.1 * X, 0.0, 0.0, e, dtype=np.float64)
    free = evaluate(as_layers(w), Circuit(clamp=math.inf), 0.1 * X, 0.0, 0.0, e, dtype=np.float64)
    assert found.hidden1.max() == 0.15
    np.testing.assert_allclose(found.hidden1, np.minimum(free.hidden1, 0.15), rtol=1e-12)
    assert free.hidden1.max() > 0.15


def test_multipliers_have_gain_and_offset():
    circuit = Circuit.ideal(
        f_multiplier=Multiplier((0.02, 0.0), 1e-3), g_multiplier=Multiplier(-0.03, (0.0, 2e-3))
    )
    found = evaluate(as_layers(weights()), circuit, 0.1 * X, 0.2, 0.1, np.zeros(14), dtype=np.float64)
    expected = 0.2 * np.array([1.02, 1.0]) * 0.1 * X + 0.2 * 0.97 * found.output + [1e-3, 3e-3]
    np.testing.assert_allclose(found.slope, expected, atol=1e-14)


def netlist(layers, circuit, x, embedded):
    """Solve the network as resistors and amplifiers of finite gain, node by node, one state at a time."""
    a, signal = circuit.amp_gain, x
    for number, layer in enumerate(layers):
        g, k, n = layer.conductance, layer.unit, layer.outputs
        # Unknowns: virtual ground and output of the reference, of each column, of the stage behind it.
        size = 2 + 4 * n
        m, r = np.zeros((size, size)), np.zeros(size)

        def stage(v, out, sources, m=m, r=r, k=k):
            """Write Kirchhoff's law at node v of an inverting amplifier whose feedback is the unit."""
            m[v, v] -= k
            m[v, out] += k
            for conductance, source in sources:
                m[v, v] -= conductance
                if isinstance(source, int):
                    m[v, source] += conductance
                else:
                    r[v] -= conductance * source
            m[out, out], m[out, v] = 1.0, a

        stage(0, 1, [(g[i, -1], signal[i]) for i in range(layer.inputs)])
        for j in range(n):
            cells = [(g[i, j], float(signal[i])) for i in range(layer.inputs)] + [(k, 1)]
            base = 2 + 4 * j
            stage(base, base + 1, cells + ([(k, float(embedded[j]))] if number < 2 else []))
            gain = 1.0 if number < 2 else circuit.output_gain
            stage(base + 2, base + 3, [(k * gain, base + 1)])
        signal = np.linalg.solve(m, r)[5::4]
        if number < 2:
            signal = np.maximum(signal, 0.0)
    return signal


@pytest.mark.parametrize("a", [1e3, 1e5, 1e6])
def test_finite_gain_is_that_of_a_netlist_of_resistors_and_amplifiers(a):
    layers, circuit = as_layers(weights()), Circuit.ideal(amp_gain=a)
    e = embedding(np.array([0.7]))[0]
    found = evaluate(layers, circuit, 0.1 * X[:8], 0.0, 0.0, 0.5 * e, dtype=np.float64).output
    exact = np.array([netlist(layers, circuit, 0.1 * x, 0.1 * e) for x in X[:8]])
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-12)


def test_the_error_of_finite_gain_falls_as_its_inverse():
    layers, e = as_layers(weights()), 0.5 * embedding(np.array([0.7]))

    def error(a):
        circuit = Circuit.ideal(amp_gain=a)
        ideal = evaluate(layers, Circuit.ideal(), 0.1 * X, 0.0, 0.0, e, dtype=np.float64).output
        found = evaluate(layers, circuit, 0.1 * X, 0.0, 0.0, e, dtype=np.float64).output
        return np.abs(found - ideal).max() / np.abs(ideal).max()

    assert error(1e5) / error(1e6) == pytest.approx(10, rel=0.02)
    # The reference amplifier loses (1 + 28)/A of 28 volts per volt of input: more than a single stage would.
    assert 6e-4 < error(1e5) < 6e-3


def test_a_common_error_of_reference_and_cells_cancels():
    w = weights()
    plain = as_layers(w)
    shifted = [Layer(layer.conductance + 3e-6, UNIT) for layer in plain]
    a = evaluate(plain, Circuit.ideal(), 0.1 * X, 0.0, 0.0, np.zeros(14), dtype=np.float64).output
    b = evaluate(shifted, Circuit.ideal(), 0.1 * X, 0.0, 0.0, np.zeros(14), dtype=np.float64).output
    np.testing.assert_allclose(b, a, atol=1e-14)


def test_amplifier_offsets_are_multiplied_by_the_noise_gain():
    layers = as_layers(SILENT)
    layers[2] = Layer(layers[2].conductance, UNIT, offset=np.array([1e-3, 0.0, 0.0]))
    found = evaluate(layers, Circuit.ideal(), [[0.0, 0.0]], 0.0, 0.0, np.zeros(14), dtype=np.float64)
    np.testing.assert_allclose(found.output[0], [5 * 1e-3 * (2 + 14 * REFERENCE / UNIT), 0.0], atol=1e-12)


def test_codes_are_truncated_as_on_the_board():
    assert code([-1.0, -0.5, 0.0, 0.125, 1 - 1e-9]).tolist() == [0, 1024, 2048, 2304, 4095]
    assert code(1.9 / 2048) == 2049
    np.testing.assert_allclose(held([0.3, -0.3], 12), [614 / 2048, -615 / 2048])
    assert held(0.3, None) == 0.3


def test_the_loop_sees_the_codes():
    found = evaluate(as_layers(SILENT), Circuit(), [[0.1, 0.1]], 0.3, 0.0, np.zeros(14), dtype=np.float64)
    np.testing.assert_allclose(found.slope[0], 0.1 * 614 / 2048, rtol=1e-12)


def test_a_board_of_ordinary_parts_stays_near_the_nominal_one():
    plan, w = Reverse(beta, embedding), as_layers(weights())
    board = Circuit.typical(np.random.default_rng(1))
    nominal = solve(w, Circuit(), plan.held(Circuit()), 0.1 * X).end
    found = solve(w, board, plan.held(board), 0.1 * X, rng=np.random.default_rng(2)).end
    assert 1e-5 < np.abs(found - nominal).mean() < 0.02


def test_conductances_drift_linearly_to_their_end():
    w = weights()
    start, end = as_layers(w), as_layers([1.2 * m for m in w])
    layers = [Layer(a.conductance, UNIT, b.conductance) for a, b in zip(start, end, strict=True)]
    schedule = Schedule(0.01, np.zeros(10), np.zeros(10), np.full((10, 14), 0.9))
    circuit = Circuit.ideal()
    found = solve(layers, circuit, schedule, 0.1 * X[:3], keep=Keep(range(3)), dtype=np.float64)
    share = (np.arange(10) + 0.5) / 10
    expected = 0.18 + (1 + 0.2 * share)[None, :, None] * (0.1 * X[:3] @ w[0])[:, None, :]
    np.testing.assert_allclose(found.waveforms.hidden1[:, :10], np.maximum(expected, 0), atol=1e-13)


def test_each_run_may_have_its_own_conductances():
    w = [weights(seed) for seed in range(70)]
    batch = [Layer(np.stack([as_layers(m)[i].conductance for m in w]), UNIT) for i in range(3)]
    circuit = Circuit()
    schedule = Reverse(beta, embedding).held(circuit, 20)
    x = 0.1 * np.random.default_rng(1).normal(size=(70, 2))
    together = solve(batch, circuit, schedule, x, dtype=np.float64).end
    for run in (0, 63, 69):
        alone = solve(as_layers(w[run]), circuit, schedule, x[run : run + 1], dtype=np.float64).end
        np.testing.assert_allclose(together[run], alone[0], rtol=1e-12)


def test_waveforms_and_heat_belong_together():
    w = weights()
    layers, circuit = as_layers(w), Circuit()
    schedule = Reverse(beta, embedding).held(circuit, 40)
    every = solve(layers, circuit, schedule, 0.1 * X, keep=Keep((5, 3)), dissipation=True, dtype=np.float64)
    waves = every.waveforms
    assert waves.state.shape == (2, 41, 2)
    np.testing.assert_allclose(waves.state[:, -1], every.end[[5, 3]], rtol=1e-14)
    np.testing.assert_allclose(waves.state[:, 0], 0.1 * X[[5, 3]])
    assert waves.time[-1] == pytest.approx(1.0)
    for i, signal in enumerate((waves.state, waves.hidden1, waves.hidden2)):
        joules = (signal[:, :40] ** 2 @ layers[i].conductance.sum(axis=1)).sum(axis=1) * schedule.tick
        np.testing.assert_allclose(every.dissipation[[5, 3], i], joules, rtol=1e-12)
    sparse = solve(layers, circuit, schedule, 0.1 * X, keep=Keep((5,), 7), dtype=np.float64).waveforms
    np.testing.assert_allclose(sparse.hidden2[0, :-1], waves.hidden2[0, :40:7])
    assert sparse.inputs(1).size == 14 * 7


def test_a_network_of_another_size_works():
    rng = np.random.default_rng(3)
    w = [rng.normal(0, 0.4, shape) for shape in ((3, 5), (5, 5), (5, 3))]
    x, e = rng.normal(size=(10, 3)), rng.uniform(-1, 1, 5)
    found = evaluate(as_layers(w), Circuit.ideal(), 0.1 * x, 0.0, 0.0, 0.5 * e, dtype=np.float64)
    np.testing.assert_allclose(found.output, 0.1 * digital(w, x, e), atol=1e-13)


def refuse(**change):
    circuit = Circuit()
    given = {
        "layers": as_layers(SILENT),
        "circuit": circuit,
        "schedule": constant(0.1),
        "start": [[0.0, 0.0]],
    }
    return solve(**(given | change))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schedule": constant(1.0)}, "f = 1 at 50 of 50 points does not fit the converter"),
        ({"schedule": constant(0.0, noise=np.full(50, 0.2))}, "noise channels may reach 1.2"),
        ({"schedule": constant(0.0, noise=np.full(50, 0.1))}, "give rng="),
        ({"start": [[0.0, 0.0, 0.0]]}, r"give \(runs, 2\) volts"),
        ({"scheme": "simpson"}, "euler, heun, rk4"),
        ({"layers": as_layers(SILENT)[:2]}, "do not form a network"),
        ({"keep": Keep((4,))}, "there are 0 to 0"),
        ({"keep": Keep((0, 0))}, "kept twice"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(change, words):
    with pytest.raises(ValueError, match=words):
        refuse(**change)

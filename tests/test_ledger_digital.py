"""Digital baselines: the same network in float32, the choice of steps, time and energy."""

from pathlib import Path

import numpy as np
import pytest

from protocols.ledger import baseline, lean, power, steps
from protocols.ledger.baseline import Digital, Timed, baselines, energy_of, timed
from protocols.ledger.digital import Euler, Task, numpy_sample, torch_sample
from protocols.ledger.power import EnergyMeter, Rapl, Stated, meter_of, stated
from protocols.ledger.published import claims
from protocols.ledger.steps import choose, reference, sweep
from protocols.sampling import Sampling, starts
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import ring_weights
from rramlab.network_mapping import NetworkMapping

SCORE = ring_weights()
ODE, SDE = (Task(SCORE, stochastic, np.zeros(14)) for stochastic in (False, True))
START = starts(50, np.random.default_rng(0))


def interpreted(euler: Euler, start: np.ndarray, seed: int = 0) -> np.ndarray:
    """Sample as the compiled loop does, without the seconds that compiling takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lean, "_machine_code", lambda: lean.advance)
        return lean.compiled_sample(euler, start, seed)


@pytest.mark.parametrize("sampler", [numpy_sample, torch_sample, interpreted])
def test_every_sampler_is_the_published_integration(sampler) -> None:
    wanted = sample(SCORE, 50, steps=20, start=START).points
    np.testing.assert_allclose(sampler(Euler.of(ODE, 20), START), wanted, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("task", [ODE, SDE])
def test_the_machine_code_does_what_is_written(task: Task) -> None:
    euler = Euler.of(task, 20)
    np.testing.assert_allclose(lean.compiled_sample(euler, START, 1), interpreted(euler, START, 1), atol=2e-6)


@pytest.mark.parametrize("sampler", [numpy_sample, torch_sample, interpreted])
def test_noise_is_drawn_by_seed_and_not_in_the_last_step(sampler) -> None:
    euler = Euler.of(SDE, 20)
    one, two, other = (sampler(euler, START, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).mean() > 0.05
    single = Euler.of(SDE, 1)
    np.testing.assert_array_equal(sampler(single, START, 1), sampler(single, START, 2))


def test_the_start_states_are_left_alone() -> None:
    begin = START.astype(np.float32)
    torch_sample(Euler.of(ODE, 3), begin)
    np.testing.assert_array_equal(begin, START.astype(np.float32))


def test_a_run_tells_noise_and_condition() -> None:
    mapping = NetworkMapping.fit(SCORE)
    for kind in ("ode", "sde"):
        run = Sampling(runs=50, kind=kind).declare(SCORE, mapping, START)  # type: ignore[arg-type]
        task = Task.of(SCORE, run)
        assert task.stochastic == (kind == "sde")
        np.testing.assert_allclose(task.offset, 0.0, atol=1e-12)
    run.coefficients.embedding[:] += np.arange(14)
    np.testing.assert_allclose(Task.of(SCORE, run).offset, np.arange(14))


def test_an_offset_moves_the_embedding_of_every_step() -> None:
    moved = Euler.of(Task(SCORE, False, np.full(14, 0.25)), 7).embedding - Euler.of(ODE, 7).embedding
    np.testing.assert_allclose(moved, 0.25, atol=1e-6)


LADDER = (1, 2, 5, 10)


@pytest.mark.parametrize(
    ("distances", "scatter", "chosen"),
    [
        ((9.0, 1.04, 1.0, 1.0), 0.0, 2),
        ((9.0, 1.06, 1.0, 1.0), 0.0, 5),
        ((9.0, 1.06, 1.0, 1.0), 0.1, 2),
        ((1.0, 1.0, 2.0, 1.0), 0.0, 10),  # from which on: a lucky number before an unlucky one does not count
        ((1.0, 1.0, 1.0, 1.0), 0.0, 1),
        ((float("nan"), 3.0, 2.0, 1.0), 0.0, 10),
    ],
)
def test_steps_are_chosen_where_quality_stops_improving(distances, scatter: float, chosen: int) -> None:
    assert choose(LADDER, distances, scatter) == chosen


def test_the_sweep_finds_the_steps_of_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LADDER", (1, 2, 5, 20, 50))
    monkeypatch.setattr(steps, "DATA", 2000)
    found = sweep(ODE, 0, points=500)
    assert found.distances[0] > 10 * found.distances[-1]  # one step from noise is no ring
    assert found.chosen in (5, 20)
    assert found.scatter_of(2000) == pytest.approx(found.scatter_of(500) / 2)


def test_a_network_of_ones_own_is_measured_by_its_finest_sampler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "LADDER", (1, 10))
    foreign = Task(SCORE.with_layers(SCORE.w1, SCORE.w2, 0 * SCORE.w3), False, np.zeros(14))
    object.__setattr__(foreign.score, "metadata", {})
    data = reference(foreign, 400, 1)
    # Without a score the state only grows: its spread tells that the network itself was sampled.
    growth = float(np.prod(Euler.of(foreign, 10).keep))
    assert data.std() == pytest.approx(growth, rel=0.15)


class Counter(EnergyMeter):
    """Count a joule with each look."""

    name = "a counter"

    def __init__(self) -> None:
        self.looks = 0

    def joule(self) -> float:
        self.looks += 1
        return 10.0 * self.looks


def test_a_call_is_repeated_and_energy_is_that_of_one() -> None:
    calls: list[int] = []
    found = timed(lambda: calls.append(1), Counter(), 0.0)
    assert len(calls) == 1 + baseline.ROUNDS  # the first warms up
    assert found.joule == pytest.approx(10.0 / baseline.ROUNDS)
    lengths = [5.0, 3.0, 4.0, 2.0, 9.0]  # of the rounds: a call each
    ticks = iter([tick for length in lengths for tick in (0.0, length)])
    assert timed(lambda: None, None, 0.0, lambda: next(ticks)) == Timed(2.0, None)


def test_energy_is_read_or_stated_and_says_which() -> None:
    told = Stated(15.0, "a core")
    assert energy_of(Timed(2.0, 7.0), Counter(), told) == (7.0, "measured: a counter")
    assert energy_of(Timed(2.0, None), "no counter", told) == (30.0, "stated: 15 W, a core; no counter")
    joule, how = energy_of(Timed(2.0, 0.0), Counter(), told)  # a counter that never moves counts nothing
    assert joule == 30.0
    assert how.endswith("did not move")


def zone(folder: Path, energy: int) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(f"{energy}\n")
    (folder / "max_energy_range_uj").write_text("1000000\n")


def test_packages_are_counted_once_and_counters_run_over(tmp_path: Path) -> None:
    for name in ("intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0"):
        zone(tmp_path / name, 900_000)
    meter = meter_of("cpu", tmp_path)
    assert isinstance(meter, Rapl)
    assert meter.joule() == 0.0
    zone(tmp_path / "intel-rapl:0", 950_000)
    zone(tmp_path / "intel-rapl:0:0", 990_000)
    assert meter.joule() == pytest.approx(0.05)
    zone(tmp_path / "intel-rapl:1", 100_000)  # ran over
    assert meter.joule() == pytest.approx(0.25)


def test_counters_that_cannot_be_read_are_said_to_be_so(tmp_path: Path) -> None:
    assert "no RAPL counters" in str(meter_of("cpu", tmp_path))
    (tmp_path / "intel-rapl:0").mkdir()
    assert "cannot be read" in str(meter_of("cpu", tmp_path))
    zone(tmp_path / "intel-rapl:0", 1)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("nonsense")
    assert "cannot be read" in str(meter_of("cpu", tmp_path))


def test_an_accelerator_without_its_library_has_no_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(power, "import_module", missing)
    assert "not installed" in str(meter_of("cuda"))


class FakeNvml:
    """Answer as pynvml does."""

    class NVMLError(Exception):
        pass

    def __init__(self, fails: bool) -> None:
        self.fails, self.spent = fails, 5000

    def nvmlInit(self) -> None:
        if self.fails:
            raise self.NVMLError("no driver")

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        return self.spent


@pytest.mark.parametrize("fails", [False, True])
def test_an_accelerator_is_read_in_millijoule_or_says_why_not(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "import_module", lambda name: FakeNvml(fails))
    meter = meter_of("cuda")
    if fails:
        assert "no driver" in str(meter)
    else:
        assert isinstance(meter, EnergyMeter)
        assert meter.joule() == pytest.approx(5.0)


def test_stated_power_is_the_users_where_it_is_given() -> None:
    assert stated("cpu", 8.0).watt == 8.0
    assert "user" in stated("cpu", 8.0).how
    assert 1 < stated("cpu").watt < stated("cuda").watt


def test_each_sampler_is_measured_in_each_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "BATCHES", (1, 7))
    monkeypatch.setattr(baseline, "BUDGET", 0.0)
    monkeypatch.setattr(lean, "_machine_code", lambda: lean.advance)
    monkeypatch.setattr(baseline, "meter_of", lambda device: "none here")
    found = list(baselines(ODE, 5, 0, watt=2.0))
    assert [each.batch for each in found[:6]] == 3 * [1, 7]
    assert [each.lean for each in found[:6]] == 4 * [False] + 2 * [True]
    for each in found:
        assert isinstance(each, Digital)
        assert each.steps == 5
        assert not each.measured
        assert each.joule == pytest.approx(2.0 * each.seconds)


def test_published_claims_are_ratios_above_one() -> None:
    told = claims()
    assert [c.time_ratio for c in told] == pytest.approx([64.8, 156.5, 69.0, 116.5, 150.0])
    # -31.5 % and -52.0 % of the energy; 22.5 uJ against 7.2 uJ.
    assert [c.energy_ratio for c in told] == pytest.approx([5.2, 4.1, 1.460, 2.083, 3.125], abs=1e-3)
    assert told[-1].watts == pytest.approx((0.36, 7.5e-3))
    assert told[0].watts is None

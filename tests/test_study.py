"""The noise study: points with seeds of their own, whoever measures them, and a run that can be cut off."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from commands import run as command
from kills import ONE_THREAD

from protocols.sampling import Sampling
from protocols.study import crew
from protocols.study.crew import Alone, Cluster, Crew, Processes, crew_of
from protocols.study.device import Simulated
from protocols.study.evens import even_ring, even_starts
from protocols.study.findings import Findings
from protocols.study.ideal import IdealMacro
from protocols.study.job import DEVICE, Job, jobs_of
from protocols.study.measure import MEASURES, Setting
from protocols.study.request import AWARE, NETWORKS, Request
from protocols.study.run import Asked, carry_out
from protocols.study.spectrum import Spectrum
from protocols.study.technology import Technology, toml
from protocols.study.tolerance import crossings, tolerances
from protocols.study.yardstick import Yardstick
from rramlab.bench import Bench, embedded
from rramlab.bench import World as Named
from rramlab.diffusion.metrics import sliced_wasserstein
from rramlab.diffusion.sampler import sample
from rramlab.diffusion.store import ring_weights, unaware_ring_weights
from rramlab.errors import InputError, RunError
from rramlab.network_mapping import NetworkMapping
from rramlab.pulse import Columns
from rramlab.session import Session
from rramlab.terminal import Terminal
from sim_backend.preset import Preset

SMALL = Request(
    write=(0.0, 0.06),
    macros=2,
    map_write=(0.0,),
    map_read=(0.0, 0.04),
    map_macros=1,
    chips=0,
    aged_chips=0,
    samples=40,
)
QUIET = Session(None, Terminal(quiet=True))


class Cut(Crew):
    """Measure a few points and break off."""

    def __init__(self, count: int) -> None:
        self._count = count

    def each(self, settings: Mapping[str, Setting], jobs: Sequence[Job]) -> Iterator[tuple[Job, Columns]]:
        yield from Alone().each(settings, jobs[: self._count])
        raise KeyboardInterrupt


def simulated() -> Simulated:
    bench = Bench.load(None)
    return Simulated(bench.text, Technology.of(bench), [])


def settings_of(request: Request) -> dict[str, Setting]:
    rng = np.random.default_rng(3)
    yard = Yardstick.of(even_ring(8 * request.samples, rng), request.samples)
    world, yards = simulated(), {"ode": yard, "sde": yard}
    scores = dict(zip(NETWORKS, (ring_weights(), unaware_ring_weights()), strict=True))
    return {name: Setting(request, 5, score, world, yards, yard) for name, score in scores.items()}


def measured(crew: Crew, request: Request, jobs: Sequence[Job]) -> dict[str, Columns]:
    return {job.name: columns for job, columns in crew.each(settings_of(request), jobs)}


def same(a: Mapping[str, Columns], b: Mapping[str, Columns]) -> bool:
    return a.keys() == b.keys() and all(
        np.array_equal(a[name][column], b[name][column]) for name in a for column in a[name]
    )


def alike(a: Findings, b: Findings) -> bool:
    """Tell whether two studies found the same to the last bit, and made the same of it."""
    pairs = [(a.parts[name].measures[m], b.parts[name].measures[m]) for name in b.parts for m in MEASURES]
    return tolerances(a) == tolerances(b) and all(np.array_equal(one, other) for one, other in pairs)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return carry_out(QUIET, Asked(SMALL, tmp_path_factory.mktemp("study") / "whole", 5), Alone())[0]


# The same numbers, whoever measures.


def test_one_and_two_workers_find_the_same_in_any_order() -> None:
    jobs = list(jobs_of(SMALL))
    alone = measured(Alone(), SMALL, jobs)
    assert same(alone, measured(Processes(2), SMALL, jobs[::-1]))


def test_points_have_randomness_of_their_own_and_macros_share_theirs() -> None:
    jobs = list(jobs_of(Request()))
    assert len({job.name for job in jobs}) == len(jobs)
    assert len({job.own(1).integers(2**63) for job in jobs}) == len(jobs)
    one, other = Job(DEVICE, AWARE, 0, 0, 3), Job(DEVICE, "unaware", 4, 1, 3)
    assert one.shared(1).random() == other.shared(1).random() != one.shared(2).random()


def test_a_study_that_was_cut_off_goes_on_to_the_same_findings(tmp_path: Path, whole: Findings) -> None:
    with pytest.raises(KeyboardInterrupt):
        carry_out(QUIET, Asked(SMALL, tmp_path / "cut", 5), Cut(5))
    later = carry_out(QUIET, Asked(Request(), None, 0, tmp_path / "cut"), Alone())[0]
    assert alike(later, whole)
    assert (tmp_path / "cut" / "index.html").exists()
    assert (tmp_path / "cut" / "tolerance.png").exists()


KILLED = """
import os
from pathlib import Path
from test_study import QUIET, SMALL, Alone, Asked, Crew, carry_out

class Dying(Crew):
    def each(self, settings, jobs):
        for number, found in enumerate(Alone().each(settings, jobs)):
            if number == 4:
                os._exit(9)
            yield found

carry_out(QUIET, Asked(SMALL, Path({folder!r}), 5), Dying())
"""


def test_a_study_that_was_killed_goes_on_to_the_same_findings(tmp_path: Path, whole: Findings) -> None:
    folder = tmp_path / "killed"
    line = [sys.executable, "-c", KILLED.format(folder=str(folder))]
    ended = subprocess.run(line, cwd=Path(__file__).parent, env=os.environ | ONE_THREAD, check=False)
    assert ended.returncode == 9
    assert not (folder / "run.h5").exists()
    later = carry_out(QUIET, Asked(Request(), None, 0, folder), Alone())[0]
    assert alike(later, whole)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask is not installed")
@pytest.mark.filterwarnings("default")
def test_a_local_dask_cluster_finds_the_same_on_circuits_and_devices() -> None:
    import distributed

    kind: Any = distributed.LocalCluster

    request = Request(
        write=(0.0, 0.02), macros=2, map_macros=0, write_factor=(1.0,), read_factor=(1.0,), chips=1,
        device_networks=(AWARE,), passes=(1,), waits=(1.0, 3600.0), aged_chips=1, samples=40,
    )  # fmt: skip
    jobs = list(jobs_of(request))
    alone = measured(Alone(), request, jobs)
    assert same(alone, measured(Processes(2), request, jobs))
    with kind(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        assert same(alone, measured(Cluster(cluster.scheduler_address), request, jobs))


# What is asked of it.


def test_levels_that_do_not_rise_and_sizes_that_are_none_are_refused() -> None:
    cases: tuple[dict[str, Any], ...] = (
        {"write": (0.02, 0.01)},
        {"map_read": ()},
        {"macros": 0},
        {"samples": 3},
    )
    for wrong in cases:
        with pytest.raises(InputError, match=next(iter(wrong)).replace("samples", "3 samples")):
            Request(**wrong)


def test_a_request_comes_back_from_its_parameters() -> None:
    assert Request(**Request.quick().parameters()) == Request.quick()


def test_wrong_options_are_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    place = str(tmp_path / "no")
    assert "--workers 0" in command("study", "noise", "--workers", "0", "--run", place, code=2)
    assert "--seed -1" in command("study", "noise", "--seed", "-1", "--run", place, code=2)
    bench = tmp_path / "card.toml"
    bench.write_text(embedded().replace('card = ""', 'card = "card.csv"'))
    said = command("--bench", str(bench), "study", "noise", "--run", place, code=2)
    assert "cannot be scaled" in said
    assert not Path(place).exists()


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="dask is not installed")
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("address", "why"), [("nonsense", "missing port"), ("", "missing port"), ("foo://here:1", "scheme 'foo'")]
)
def test_what_is_no_address_of_a_scheduler_is_refused_at_once(address: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        crew_of(1, address)


@pytest.mark.parametrize("what", [CancelledError("connection lost"), ModuleNotFoundError("no rramlab there")])
def test_a_cluster_that_is_lost_is_no_bug(what: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise what

    dask = SimpleNamespace(KilledWorker=MemoryError)
    monkeypatch.setattr(crew, "_distributed", lambda: dask)
    monkeypatch.setattr(Cluster, "_client", lambda self, dask: nullcontext(SimpleNamespace(scatter=fails)))
    with pytest.raises(RunError, match=r"gave no answer .*--resume"):
        list(Cluster("tcp://here:1").each({"aware": None}, []))  # type: ignore[dict-item]


# The noise itself.


def test_the_device_is_scaled_whole_and_at_one_it_is_the_preset(tmp_path: Path) -> None:
    device, shipped = simulated().technology, Preset.load("taox180")
    (tmp_path / "one.toml").write_text(toml(device.scaled(1.0, 1.0)))
    (tmp_path / "more.toml").write_text(toml(device.scaled(2.0, 3.0)))
    assert Preset.load(tmp_path / "one.toml") == shipped
    more = Preset.load(tmp_path / "more.toml")
    assert more.relaxation.variance_per_decade == pytest.approx(4 * shipped.relaxation.variance_per_decade)
    assert more.relaxation.drift == pytest.approx(2 * shipped.relaxation.drift)
    assert more.noise.relative == pytest.approx(3 * shipped.noise.relative)
    assert more.noise.white_current == shipped.noise.white_current
    assert more.transistor == shipped.transistor


def test_a_device_with_another_device_below_is_read_whole() -> None:
    bench = Bench.load(None)
    for name in ("neurram", "taox180_5v"):
        named = Named(use=bench.backend.use, options={"preset": name})
        device = Technology.of(bench.model_copy(update={"backend": named}))
        assert device.scaled(1.0, 1.0)["noise"]["relative"] == Preset.load(name).noise.relative


def test_a_macro_without_noise_draws_what_the_digital_sampler_draws() -> None:
    score, start = ring_weights(), even_starts(60, np.random.default_rng(1))
    mapping = NetworkMapping.fit(score)
    macro = IdealMacro.write(score, mapping, 0.0, np.random.default_rng(2))
    found = macro.solve(Sampling().coefficients(score), start, 0.0, np.random.default_rng(3))
    digital = sample(score, 60, steps=1000, start=start).points
    assert macro.error(score) < 1e-6
    # Both integrate in steps of their own; a wrong sign or a lost factor moves points by tenths.
    assert np.abs(found - digital).max() < 0.03


def test_written_conductances_are_off_by_the_relative_deviation() -> None:
    score, mapping = ring_weights(), NetworkMapping.fit(ring_weights())
    macros = [IdealMacro.write(score, mapping, 0.02, np.random.default_rng(i)) for i in range(20)]
    clean = IdealMacro.write(score, mapping, 0.0, np.random.default_rng(0))
    ratio = np.concatenate(
        [
            (a.size / b.size).ravel() - 1.0
            for macro in macros
            for a, b in zip(macro.layers, clean.layers, strict=True)
        ]
    )
    # 5640 cells: the standard error of a deviation is 0.9 %, so 5 % is passed once in 1e7.
    assert ratio.std() == pytest.approx(0.02, rel=0.05)


def test_read_noise_has_its_size_and_its_spectrum() -> None:
    spectrum = Spectrum.of(0.06, 5e-3, 1.0)
    course = spectrum.course((2000, 4), np.random.default_rng(4))
    ticks = np.stack([course.tick() for _ in range(200)])
    band = 0.06**2 / 6
    tau = np.array([1e-6, 1e-5, 1e-4, 1e-3])
    white = 2 * tau.sum() / 5e-3
    # 8000 columns: 5 % is four standard errors of a variance of three bands over correlated ticks.
    assert ticks[-1].var() == pytest.approx(band * (3 + white), rel=0.08)
    apart = (ticks[100] * ticks[0]).mean()
    expected = band * sum(np.exp(-0.5 / t) for t in (1e-2, 1e-1, 1.0))
    assert apart == pytest.approx(expected, rel=0.2)
    assert spectrum.frozen**2 == pytest.approx(2 * band)


def test_noise_takes_quality_away_and_training_with_it_helps(whole: Findings) -> None:
    quality = whole.quality("curve").mean(axis=(2, 3, 4))
    assert (quality[:, 1] < quality[:, 0]).all()
    assert quality[0, 1] > quality[1, 1]


# What is made of it.


def test_a_yardstick_measures_the_sliced_wasserstein_distance() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(300, 2)), rng.normal(0.3, 1.2, size=(300, 2))
    assert Yardstick.of(a, 300).distance(b) == pytest.approx(sliced_wasserstein(a, b), rel=1e-5)


def test_even_points_have_the_moments_of_independent_ones() -> None:
    starts = even_starts(2000, np.random.default_rng(7))
    assert np.abs(starts.mean(axis=0)).max() < 0.01
    assert np.abs(np.cov(starts.T) - np.eye(2)).max() < 0.02
    radius = np.linalg.norm(even_ring(2000, np.random.default_rng(8)), axis=1)
    assert (radius.mean(), radius.std()) == pytest.approx((0.7, 0.04), rel=0.02)


def test_a_tenth_is_lost_between_levels_or_beyond_them() -> None:
    levels = np.array([0.0, 1.0, 2.0])
    loss = np.array([[0.0, 0.05, 0.15], [0.0, 0.02, 0.05], [0.2, 0.3, 0.4], [0.0, 0.2, 0.05]])
    assert crossings(levels, loss).tolist() == pytest.approx([1.5, np.inf, 0.0, 0.5])


def test_a_tolerance_lies_in_its_interval(whole: Findings) -> None:
    found = tolerances(whole)
    assert len(found) == 8
    assert all(each.low <= each.high for each in found)
    assert {each.network for each in found} == set(NETWORKS)

"""Read noise: spectra, Allan deviation and telegraphs against known answers; the command; a cut off run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sim_worlds import bench
from typer.testing import CliRunner

import protocols.read_noise.run as running
from protocols.characterise.retold import Retold
from protocols.noise.bands import Bands
from protocols.noise.line import Line
from protocols.noise.mixture import fit_two
from protocols.noise.reading import ReadNoise
from protocols.noise.scales import allan, within
from protocols.noise.series import Series, take
from protocols.noise.sigma import estimated, mean, robust, standard
from protocols.noise.spectrum import Spectrum, parted, welch
from protocols.noise.telegraph import detect
from protocols.read_noise.request import Request, parse_counts
from rramlab.cells import Cells
from rramlab.cli import app
from rramlab.errors import InputError
from rramlab.reading import ReadSpec
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal

DT = 0.05


def flicker(reads: int, cells: int, rng: np.random.Generator, sigma: float = 0.1) -> np.ndarray:
    """Return a sum of Ornstein-Uhlenbeck processes, one per decade of time from 0.01 to 1000 s."""
    total = np.zeros((reads, cells))
    for tau in 10.0 ** np.arange(-2, 4):
        keep = np.exp(-DT / tau)
        step = rng.normal(0, sigma * np.sqrt(1 - keep**2), (reads, cells))
        step[0] = rng.normal(0, sigma, cells)
        for i in range(1, reads):
            step[i] += keep * step[i - 1]
        total += step
    return total


def telegraph(reads: int, cells: int, tau: float, rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(rng.random((reads, cells)) < 1 - np.exp(-DT / tau), axis=0) % 2


# Spectra.


def test_white_noise_has_its_density_and_no_flicker() -> None:
    rng = np.random.default_rng(0)
    spectrum = welch(rng.normal(0, 2.0, (2048, 20)), DT)
    # sigma^2 over the band of 1/(2 dt); 20 series of 8 segments: 0.3 % of uncertainty, five of them allowed.
    assert spectrum.density.mean() == pytest.approx(4.0 * 2 * DT, rel=0.02)
    parts = parted(spectrum.mean())
    assert abs(parts.white - 8 * DT) < 5 * parts.white_error
    assert parts.flicker < 5 * parts.flicker_error


def test_a_sine_has_its_power() -> None:
    at = np.arange(4096) * DT
    spectrum = welch(np.sin(2 * np.pi * 2.0 * at)[:, None], DT)
    step = spectrum.frequency[1] - spectrum.frequency[0]
    assert spectrum.density.sum() * step == pytest.approx(0.5, rel=0.01)
    assert spectrum.frequency[np.argmax(spectrum.density)] == pytest.approx(2.0, abs=step)


def test_flicker_and_white_noise_are_parted() -> None:
    rng = np.random.default_rng(1)
    series = flicker(4096, 30, rng) + rng.normal(0, 0.2, (4096, 30))
    parts = parted(welch(series, DT).mean())
    # One process per decade is 1/f with sigma^2 = flicker ln 10, to the 4 % of its ripple over frequency.
    assert parts.per_decade == pytest.approx(0.1, rel=0.08)
    assert parts.slope == pytest.approx(1.0, abs=0.1)
    white = parts.white / (2 * DT)
    assert 0.2**2 < white < 0.2**2 + 1.5 * 0.1**2  # with the fastest process, which is not resolved


def test_the_stated_errors_of_the_parts_are_right() -> None:
    rng = np.random.default_rng(2)
    f = np.arange(2, 120) / (120 * 2 * DT)
    model, n = 0.04 + 0.3 / f, 8
    density = model[:, None] * rng.gamma(n, 1 / n, (f.size, 60))
    found = [parted(Spectrum(f, density[:, i : i + 1], np.full(f.size, n))) for i in range(60)]
    for name, truth in (("white", 0.04), ("flicker", 0.3)):
        off = np.array([(getattr(p, name) - truth) / getattr(p, f"{name}_error") for p in found])
        # sd of 60 standard normal numbers: 0.09 of uncertainty; 3 of them allowed (1 in 370).
        assert 0.73 < off.std() < 1.27
        assert abs(off.mean()) < 0.5
    slopes = np.array([p.slope for p in found])
    assert slopes.std() == pytest.approx(np.mean([p.slope_error for p in found]), rel=0.4)


def test_allan_deviation_and_windows_tell_white_from_drifting_noise() -> None:
    rng = np.random.default_rng(3)
    white = rng.normal(0, 1.0, (4096, 20))
    found = allan(white, DT)
    assert found.time[:3].tolist() == pytest.approx([DT, 2 * DT, 4 * DT])
    averages = found.deviation.mean(axis=1) * np.sqrt(found.time / DT)
    assert averages[:7] == pytest.approx(np.ones(7), rel=0.05)
    walk = allan(np.cumsum(white, axis=0), DT).deviation.mean(axis=1)
    assert (np.diff(walk) > 0).all()
    spread = within(white, DT).deviation.mean(axis=1)
    assert spread == pytest.approx(np.ones(spread.size), rel=0.05)


# Telegraphs.


def test_one_level_is_seldom_taken_for_two() -> None:
    rng = np.random.default_rng(4)
    series = np.concatenate(
        [
            flicker(512, 30, rng) + rng.normal(0, 0.1, (512, 30)),
            rng.normal(0, 1.0, (512, 10)),
            flicker(512, 10, rng),
        ],
        axis=1,
    )
    found = detect(series, DT, rng, false_alarm=1e-2)
    # 50 cells at 1 in 100: four or more false alarms in 1 of 600 runs; the seed is fixed.
    assert found.found.sum() <= 3
    # The odds are even: 10 of 50 below 0.2 are expected, up to 21 in all but 1 of 10 000 runs.
    assert (found.odds < 0.2).sum() <= 21


def test_telegraphs_are_found_with_step_and_dwell_times() -> None:
    rng = np.random.default_rng(5)
    quiet = flicker(1024, 30, rng) + rng.normal(0, 0.15, (1024, 30))
    states = telegraph(1024, 15, 1.0, rng)
    quiet[:, :15] += 1.5 * states
    found = detect(quiet, DT, rng)
    assert found.found[:15].sum() >= 14
    assert found.found[15:].sum() <= 1
    told = [each for each in found.telegraphs[:15] if each is not None]
    assert np.median([each.step for each in told]) == pytest.approx(1.5, rel=0.05)
    times = np.array([(each.time_low, each.time_high) for each in told])
    # About 25 dwells each: 20 % of error each, 4 % over all; what is shorter than two readings is missed.
    assert times.mean() == pytest.approx(1.0, rel=0.2)
    assert np.median([each.time_low_error / each.time_low for each in told]) == pytest.approx(0.2, rel=0.5)


def test_a_single_step_is_no_telegraph() -> None:
    rng = np.random.default_rng(6)
    series = rng.normal(0, 0.1, (512, 8))
    series[300:, 0] += 1.0
    assert not detect(series, DT, rng).found.any()


def test_codes_of_a_converter_and_dead_readings_are_no_telegraph() -> None:
    rng = np.random.default_rng(11)
    codes = np.round(rng.normal(0.5, 0.3, (512, 4)))
    assert not detect(np.concatenate([codes, np.ones((512, 2))], axis=1), DT, rng).found.any()


def test_two_levels_are_fitted() -> None:
    rng = np.random.default_rng(7)
    values = np.concatenate([rng.normal(10, 0.5, 3000), rng.normal(12, 0.5, 1000)])
    found = fit_two(values)
    assert (found.low, found.high) == pytest.approx((10, 12), abs=0.1)
    assert (found.sigma, found.share) == pytest.approx((0.5, 0.25), abs=0.05)


# Statistics.


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(100):
        found = estimated(rng.standard_t(5, 60), standard, rng)
        hits += found.low <= np.sqrt(5 / 3) <= found.high
    # The percentile bootstrap of a heavy-tailed sigma is a little short: 85 to 95 of 100 are usual.
    assert hits >= 75
    assert robust(rng.normal(0, 3.0, 20_000)) == pytest.approx(3.0, rel=0.05)
    few = estimated(np.arange(3.0), mean, rng)
    assert few.value == 1.0
    assert np.isnan(few.low)


def test_cells_are_drawn_as_a_whole() -> None:
    rng = np.random.default_rng(9)
    cell = np.repeat(np.arange(20), 10)
    values = rng.normal(0, 1.0, 20)[cell] + rng.normal(0, 0.01, 200)
    alone, grouped = estimated(values, mean, rng), estimated(values, mean, rng, cell)
    assert grouped.uncertainty > 2 * alone.uncertainty  # the ten values of a cell say the same


def test_a_line_has_the_errors_of_its_points() -> None:
    rng = np.random.default_rng(10)
    x, error = np.linspace(0, 1, 12), np.full(12, 0.1)
    found = [Line.fit(x, 1 + 2 * x + rng.normal(0, 0.1, 12), error) for _ in range(200)]
    off = np.array([(line.slope - 2) / line.slope_error for line in found])
    assert 0.75 < off.std() < 1.15
    assert np.isnan(Line.fit(x[:1], x[:1], error[:1]).slope)


# On the simulated bench.


def test_the_noise_of_the_simulated_bench_is_found() -> None:
    with bench(macros=1, chip=3, seed=2) as backend:
        cells = Cells.grid(range(1), range(32))
        backend.array.population.load(np.full(1024, 50e-6), np.random.default_rng(0), 0.0)
        backend.wait(1e4)
        series = take(Retold(backend), cells, ReadSpec(), 768, lambda *_: None)
        truth = backend.array.population.cells.telegraph[: len(cells)]
    assert series.interval == pytest.approx(0.032)
    used = np.ones(len(cells), bool)
    bands = Bands.of(series.conductance.mean(axis=0), np.full(len(cells), 1.0), used)
    noise = ReadNoise.of(series, bands, np.random.default_rng(0))
    # White: 0.1 uS of the system, and the flicker faster than 32 ms (under two decades of 0.08 uS each).
    assert 0.1e-6 < noise.white_sigma(0) < 0.16e-6
    # 0.4 % of 50 uS over six decades, seen through the transistor (a factor 0.6 to 0.8).
    assert 0.045e-6 < noise.parts[0].per_decade < 0.075e-6
    assert noise.parts[0].slope == pytest.approx(1.0, abs=0.2)
    strong = np.abs(truth) > 0.02  # a step of 1 uS and more
    tau = backend.array.population.cells.telegraph_tau[: len(cells)]
    seen = strong & (tau > 0.05) & (tau < 5)
    assert noise.detection.found[seen].all()
    assert not noise.detection.found[truth == 0].any()


def test_options_are_checked() -> None:
    assert parse_counts("16,1,4") == (1, 4, 16)
    with pytest.raises(InputError, match="whole numbers"):
        parse_counts("1,x")
    for wrong in ({"reads": 3}, {"averaging": (0,)}, {"levels": 1000}, {"false_alarm": 1.0}):
        with pytest.raises(InputError, match="possible"):
            Request(**wrong)


SMALL = Request("r0,c0-15", levels=2, reads=64, averaging=(1, 8), settle=60.0)


def test_the_command_ends_the_same_when_it_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["read-noise", "--cells", "r0,c0-15", "--levels", "2", "--reads", "64", "--averaging", "1,8"]
    result = CliRunner().invoke(app, ["--json", *words, "--settle", "1min", "--run", "whole"])
    assert result.exit_code == 0, result.output
    facts = json.loads(result.output)
    assert len(facts["bands"]) == 2
    assert facts["interval_s"] == pytest.approx(0.016)
    assert len(list(Path("whole").glob("*.png"))) >= 5
    session = Session(None, Terminal(quiet=True))
    monkeypatch.setattr(running, "draw", lambda *_: None)
    cut_off_and_resumed(session, monkeypatch)
    whole, cut = (RunFile.open(name).kept["read_noise"].columns for name in ("whole", "cut"))
    for name in whole:
        assert np.array_equal(whole[name], cut[name], equal_nan=True), name


def cut_off_and_resumed(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out in three processes' worth of work: cut in the long and in a short series."""
    folder = Path("cut")

    class Cut(Exception):
        pass

    def cutting(limit: int, short: bool) -> Any:
        def taking(bench: Retold, cells: Cells, spec: ReadSpec, reads: int, watch: Any) -> Series:
            def dying(done: int, total: int) -> None:
                if done == limit and (spec.samples > 1) == short:
                    raise Cut

            return take(bench, cells, spec, reads, dying)

        return taking

    for limit, short in ((40, False), (50, True)):
        monkeypatch.setattr(running, "take", cutting(limit, short))
        with pytest.raises(Cut):
            running.carry_out(session, SMALL, folder, folder if folder.exists() else None, None, 0)
    monkeypatch.setattr(running, "take", take)
    running.carry_out(session, SMALL, None, folder, None, 0)

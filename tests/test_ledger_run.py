"""The ledger of a finished run: what is read from it, what is said, page and JSON."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from protocols.ledger import baseline, findings, lean, needed, steps, words
from protocols.ledger.baseline import Digital
from protocols.ledger.findings import Findings, facts_of, findings_of
from protocols.ledger.page import band, lead, page_of
from protocols.ledger.report import beside, paragraphs
from protocols.ledger.sampled import Sampled
from protocols.network import Writer, network_spec
from protocols.sampling import Sampling, starts
from protocols.stages import kept_score
from protocols.write_verify.spec import Spec
from rramlab.bench import Bench
from rramlab.cli import app
from rramlab.diffusion.condition import Condition
from rramlab.diffusion.store import ring_weights
from rramlab.errors import RunError
from rramlab.network_mapping import NetworkMapping
from rramlab.run import Run

RUNS, KEPT = 24, 8
SCORE = ring_weights()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of the loop around cells as they were delivered: no ring, but honest waveforms."""
    place, bench = tmp_path_factory.mktemp("ledger") / "closed", Bench.load(None)
    mapping, sampling = NetworkMapping.fit(SCORE, copies=(2, 2, 2)), Sampling(runs=RUNS, kept=KEPT)
    backend = bench.open(seed=3)
    run = Run.create(
        place, command="sample", seed=3, bench_text=bench.text, limits=bench.limits, parameters={}
    )
    backend.recorder = run.recorder
    with run, backend:
        spec = network_spec(Spec(window=(bench.window.low, bench.window.high)))
        macro = Writer(backend, spec, lambda *_: None).use("network", 3)
        run.keep("macro", {"conductance": macro}, {"conductance": "S"}, {"clipped": 0})
        run.keep("score", *kept_score(SCORE))
        asked = sampling.declare(SCORE, mapping, starts(RUNS, np.random.default_rng(3)))
        backend.solve(asked)
        backend.solve(asked.moment(0.5))
    return place


@pytest.fixture(scope="module")
def sampled(folder: Path) -> Sampled:
    return Sampled.open(folder)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Sweep two numbers of steps and measure small batches once."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (steps, findings):
            patch.setattr(module, "LADDER", (2, 20))
            patch.setattr(module, "DATA", 400)
        for module in (baseline, findings):
            patch.setattr(module, "BATCHES", (1, 50))
        patch.setattr(baseline, "BUDGET", 0.0)
        patch.setattr(lean, "_machine_code", lambda: lean.advance)  # compiling takes seconds
        yield


@pytest.fixture(scope="module")
def found(sampled: Sampled) -> Findings:
    return findings_of(sampled, lambda *_: None, 10.0)


def test_the_integral_of_the_waveforms_is_what_the_bench_recorded(found: Findings) -> None:
    assert found.bench.recorded > 0
    assert found.agrees
    # The bench adds up tick by tick, the ledger by trapezoids over conductances that were measured.
    assert found.bench.apart < 0.01
    assert "within 1 %" in words.check(found)


def test_only_runs_of_many_ticks_count_and_only_waveforms_that_were_kept(sampled: Sampled) -> None:
    assert len(sampled.batches) == 1
    assert sampled.runs == sampled.recorded.size == RUNS
    drawn = sampled.waveforms()
    assert drawn.runs == KEPT
    assert drawn.seconds == pytest.approx(1.0)


def test_batches_of_a_run_are_taken_together(sampled: Sampled) -> None:
    twice = replace(sampled, batches=2 * sampled.batches)
    assert twice.runs == 2 * RUNS
    assert twice.waveforms().runs == 2 * KEPT
    one, two = (each.waveforms().array_joule().mean() for each in (sampled, twice))
    assert two == pytest.approx(one)


def test_a_bench_that_sees_no_hidden_waveform_has_no_array_energy(found: Findings) -> None:
    run, result = found.sampled.batches[0]
    blind = replace(
        result,
        hidden=tuple(np.full_like(each, np.nan) for each in result.hidden),
        energy=np.full_like(result.energy, np.nan),
    )
    told = findings_of(replace(found.sampled, batches=((run, blind),)), lambda *_: None, 10.0)
    assert told.agrees is None
    assert "nothing to check" in words.check(told)
    assert "not known" in words.energy(told)
    assert "unknown" in page_of(told).html()
    assert np.isfinite(told.projected.joule)


def machine(batch: int, seconds: float, joule: float, how: str = "stated: 15 W") -> Digital:
    return Digital("torch, one core", "cpu", batch, 20, seconds, joule, how)


def test_what_is_said_follows_the_figures(found: Findings) -> None:
    slow = replace(found, digital=(machine(1, 3e-3, 1e-3), machine(1000, 1e-6, 1e-6)))
    assert "150 times faster" in words.time(slow)  # 3 ms beside 20 us
    assert "43.5us to 46.3us" in needed.needed_time(slow)  # 3 ms / 69, 3 ms / 64.8
    assert "150 times, more than any of them" in needed.needed_time(slow)
    assert "20 times slower" in words.batch(slow)
    assert "20 loops side by side" in words.batch(slow)
    fast = replace(found, digital=(machine(1, 40e-6, 1e-6), machine(1000, 30e-6, 1e-6)))
    assert "32.4 times short of the least of them" in needed.needed_time(fast)  # 2 times, not 64.8
    assert "no digital batch of this machine catches up" in words.batch(fast)


def test_a_run_is_set_beside_what_was_published_for_its_task(found: Findings) -> None:
    letters = replace(SCORE, condition=Condition(("H",), np.zeros((1, 14)), "projection"))
    told = replace(found, sampled=replace(found.sampled, score=letters), digital=(machine(1, 3e-3, 1e-3),))
    assert (found.task, told.task) == ("unconditional", "conditional")
    assert "116.5 to 156.5 times faster" in needed.needed_time(told)
    assert "64.8 to 69 times faster" in needed.needed_time(found)
    assert band(told) == pytest.approx([3e-3 / 156.5, 3e-3 / 116.5])
    assert len(needed.claim_rows(told)) == 5  # all stand in the table, each with its task


def test_a_run_that_is_not_finished_is_called_so(found: Findings) -> None:
    cut = replace(found, sampled=replace(found.sampled, finished=False))
    assert "not finished" in lead(cut)
    assert "not finished" not in lead(found)


def test_the_calls_of_a_library_are_told_from_the_arithmetic(found: Findings) -> None:
    compiled = replace(machine(1, 5e-6, 1e-4), name="compiled, one core")
    told = replace(found, digital=(machine(1, 200e-6, 3e-3), compiled, machine(1000, 1e-6, 1e-6)))
    assert told.alone.seconds == 200e-6
    assert told.lean is compiled
    assert "40 times less" in words.calls(told)
    assert "4 times slower than that" in words.calls(told)
    assert "40 times by the calls of a library" in words.carried(told)


def test_the_energy_that_is_needed_is_that_of_the_baseline_over_the_ratio(found: Findings) -> None:
    joule = 10.0 * found.projected.joule
    told = replace(found, digital=(machine(1, 1e-3, joule), machine(10, 1e-4, joule, "measured: RAPL")))
    said = needed.needed_energy(told, told.alone)
    assert "gives 10 times, more than any of them" in said
    assert "stated power" in said
    assert "measured" in needed.needed_energy(told, told.large)
    # 5.2 times at the same power for the digital side less 10 / 5.2.
    watt = joule / 1e-3 * 5.2 / 10
    assert f"if the digital side draws {watt * 1e3:.3g}mW" in said.replace("e+00", "")


def test_the_assumptions_stand_in_order_of_their_weight(found: Findings) -> None:
    said = words.carried(replace(found, digital=(machine(1, 1e-3, 1.0), machine(9, 1e-6, 1.0))))
    assert said.index("50,000 times") < said.index("1,000 times") < said.index("times by 20 steps")


def test_published_watts_are_set_beside_those_of_the_ledger(found: Findings) -> None:
    said = needed.implied(found)
    assert "360mW" in said
    assert "7.5mW" in said
    assert "nearer to the bench as built" in said  # 1.2 W and 31 mW, on a log scale
    low = replace(found, bench=replace(found.bench, seconds=1e3 * found.bench.seconds))
    assert "nearer to the projected version" in needed.implied(low)


def test_both_sets_stand_beside_each_other_and_are_not_added(found: Findings) -> None:
    rows = {row[0]: row[1:] for row in beside(found.bench, found.projected)}
    assert rows["time per sample"] == ["1s", "20us"]
    assert len(paragraphs(found)) >= 8
    facts = json.loads(json.dumps(facts_of(found), default=float))
    assert set(facts["accounts"]) == {"bench", "projected"}
    assert facts["array_agrees"] is True
    assert {each["batch"] for each in facts["digital"]} == {1, 50}
    assert not any(each["measured"] for each in facts["digital"])


def test_the_command_writes_a_page_and_json(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "mine.html"
    ended = CliRunner().invoke(app, ["--json", "ledger", str(folder), "--page", str(page), "--watt", "8W"])
    assert ended.exit_code == 0, ended.output
    facts = json.loads(ended.stdout)
    assert facts["page"] == str(page)
    assert all("given by the user" in each["how"] for each in facts["digital"])
    html = page.read_text()
    assert html.count("<img") == 2
    for claim in ("64.8x", "156.5x", "69x", "116.5x", "150x"):
        assert claim in html


@pytest.mark.parametrize(("watt", "code"), [("0W", 2), ("-3W", 2), ("nonsense", 2)])
def test_a_power_that_is_none_is_refused(watt: str, code: int, folder: Path) -> None:
    ended = CliRunner().invoke(app, ["ledger", str(folder), "--watt", watt])
    assert ended.exit_code == code


def test_a_run_that_closed_no_loop_is_refused_with_what_to_try(tmp_path: Path) -> None:
    bench = Bench.load(None)
    place = tmp_path / "read"
    with Run.create(place, command="read", seed=0, bench_text=bench.text, limits=bench.limits):
        pass
    with pytest.raises(RunError, match="no closed-loop samples"):
        Sampled.open(place)
    ended = CliRunner().invoke(app, ["ledger", str(tmp_path / "nowhere")])
    assert ended.exit_code == 6

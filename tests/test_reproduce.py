"""Reproducing the experiment: claims judged by their rules, runs that fail or go on, one page of all."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import empty_folder
from commands import run as command
from PIL import Image

from protocols.iv.request import Request as IvRequest
from protocols.ledger.published import Claim as Published
from protocols.reproduce import device_claims, ledger_claims, network_claims, noise_claims
from protocols.reproduce import run as running
from protocols.reproduce.claim import Found, Verdict
from protocols.reproduce.experiments import IV, STATES, Experiment, Lab, experiments
from protocols.reproduce.macros import DECODER, with_macros
from protocols.reproduce.pictures import PANELS, Album
from protocols.reproduce.plan import Plan
from protocols.reproduce.run import PAGE, carry_out
from protocols.reproduce.sizes import QUICK, full, quick
from protocols.reproduce.state import Done
from protocols.reproduce.table import claims, rows
from rramlab.bench import Bench, embedded
from rramlab.errors import InputError, LinkError, LinkFault, RunError
from rramlab.limits import Limits
from rramlab.run import Run
from rramlab.runfile import RunFile
from rramlab.session import Session
from rramlab.terminal import Terminal

SESSION = Session(None, Terminal(quiet=True))
Judge = Callable[[Done], Found]


def judged(judge: Judge, facts: dict[str, Any], **asked: Any) -> Verdict:
    return judge(Done("it", Path("it"), facts, asked)).verdict


# Claims.

SPREAD = {"count": 18, "mean": 0.5, "cycle_sigma": 0.01}
CYCLES = {"cells": 2, "cycles": 20, "left_out": 1, "v_set_V": SPREAD, "v_reset_V": SPREAD | {"mean": -0.6}}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.AGREES),
        ({"v_set_V": SPREAD | {"count": 17}}, Verdict.DIFFERS),
        ({"v_reset_V": SPREAD | {"mean": -0.6, "cycle_sigma": 0.07}}, Verdict.DIFFERS),
    ],
)
def test_cycles_repeat_when_all_switch_and_spread_little(change: dict[str, Any], verdict: Verdict) -> None:
    assert judged(device_claims.switching, CYCLES | change, step=0.02) == verdict


@pytest.mark.parametrize(
    ("bits", "converged", "verdict"),
    [(6.01, 96.0, Verdict.AGREES), (5.99, 100.0, Verdict.DIFFERS), (6.6, 31.0, Verdict.DIFFERS)],
)
def test_states_count_only_where_writes_converged(bits: float, converged: float, verdict: Verdict) -> None:
    facts = {
        "cells": 4, "levels": 64, "programmed_percent": converged, "averaged_bits": [1.0, bits],
        "bits_error": [0.1, 0.1], "time_s": [1.0, 10.0], "pulses_per_level": 5.0,
    }  # fmt: skip
    assert judged(device_claims.few_cells, facts, reads=16) == verdict


def _retention(last: float, sigma: float) -> dict[str, Any]:
    states = [
        {"cells": 9, "centre_uS": g, "mean_uS": [g, g - 1.0], "sigma_uS": [0.3, sigma]}
        for g in (40.0, 20.0, 30.0)
    ]
    # A state that no cell reached has no figures.
    gone = {"cells": 0, "centre_uS": 50.0, "mean_uS": [50.0, 0.0], "sigma_uS": [0.0, 0.0]}
    return {
        "cells": 30, "left_out": 3, "last_s": last, "clocks": ["bench"],
        "reads": {"taken": 5, "late": 1, "gap": 1}, "states": [*states, gone],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("last", "sigma", "verdict"),
    [
        (1.1e6, 0.5, Verdict.AGREES),
        (1.0e6, 0.5, Verdict.DIFFERS),  # more than 1e6 s were published
        (1.1e6, 2.6, Verdict.DIFFERS),  # 10 uS apart, 1.96 x 5.2 uS wide
    ],
)
def test_retention_is_long_enough_and_keeps_states_apart(last: float, sigma: float, verdict: Verdict) -> None:
    assert judged(device_claims.retained, _retention(last, sigma)) == verdict


def test_dead_cells_count_against_the_pattern() -> None:
    error = {"within_tolerance_percent": 99.0, "when": "after 1 s", "sigma_uS": 0.4}
    facts = {"cells": 1000, "programmable": 970, "mean_pulses": 3.0, "errors": [error, error]}
    asked = {"tolerance": 1e-6, "strategy": "adaptive"}
    assert judged(device_claims.pattern, facts, **asked) == Verdict.AGREES
    assert judged(device_claims.pattern, facts | {"programmable": 950}, **asked) == Verdict.DIFFERS


def _ledger(seconds: float, joule: float, measured: bool) -> dict[str, Any]:
    alone = {"name": "numpy", "batch": 1, "seconds": seconds, "joule": joule, "measured": measured}
    accounts = {"bench": {"seconds": 1.0, "joule": 1.0}, "projected": {"seconds": 2e-5, "joule": 1e-6}}
    times = {"alone": alone, "large": alone}
    return {"times": times, "accounts": accounts, "steps": {"chosen": 20}, "machine": "this one"}


PUBLISHED = Published("here", "unconditional", time_ratio=60.0, energy_ratio=5.0)


@pytest.mark.parametrize(("ratio", "agrees"), [(39.0, False), (41.0, True), (89.0, True), (91.0, False)])
def test_speeds_agree_within_a_factor(ratio: float, agrees: bool) -> None:
    done = Done("it", Path("it"), _ledger(2e-5 * ratio, 1.0, False))
    assert (ledger_claims.speed(PUBLISHED, done).verdict == Verdict.AGREES) == agrees


@pytest.mark.parametrize(
    ("joule", "measured", "verdict"),
    [
        (5e-6, True, Verdict.AGREES),
        (9e-6, True, Verdict.DIFFERS),
        (5e-6, False, Verdict.NOT_COMPARABLE),  # a stated power is no measurement, near as it may come
    ],
)
def test_energies_compare_only_where_measured(joule: float, measured: bool, verdict: Verdict) -> None:
    done = Done("it", Path("it"), _ledger(1e-3, joule, measured))
    assert ledger_claims.energy(PUBLISHED, done).verdict == verdict


def test_letters_must_be_right_beside_a_digital_side_that_is() -> None:
    facts = {"classes": {"H": {}}, "samples": 5, "kind": "ode", "compared_with": "drawn letters"}
    for analog, digital, verdict in (
        (0.96, 0.98, Verdict.AGREES),
        (0.94, 0.98, Verdict.DIFFERS),
        (0.94, 0.94, Verdict.DIFFERS),
    ):
        shares = {"accuracy": {"analog": analog, "digital": digital}}
        assert judged(network_claims.right_class, facts | shares) == verdict


def test_a_noise_that_no_level_reaches_is_told_as_beyond() -> None:
    told = {"part": "device", "network": "aware", "measure": "quality"}
    levels = [told | {"kind": "ode", "level": 2.5}, told | {"kind": "sde", "level": float("inf")}]
    asked = {"chips": 2, "samples": 100, "write_factor": [0.0, 1.0, 4.0]}
    found = noise_claims.as_it_is(Done("study", Path("study"), {"tolerances": levels}, asked))
    assert found.verdict == Verdict.AGREES
    assert "ODE 2.5 x device" in found.value
    assert "SDE > 4 x device" in found.value


def test_a_run_without_figures_is_a_sentence() -> None:
    claim = next(each for each in claims() if each.experiment == STATES)
    empty: dict[str, list[float]] = {"averaged_bits": [], "time_s": []}
    row = claim.row({STATES: Done(STATES, Path("it"), empty)}, [STATES])
    assert row.verdict == Verdict.NOT_MEASURED
    assert "gave no such figure" in row.value


def test_every_claim_states_a_rule_and_belongs_to_an_experiment_with_pictures() -> None:
    there = {each.name for each in experiments(full())}
    assert {claim.experiment for claim in claims()} <= there == set(PANELS)
    assert all(claim.rule and claim.published for claim in claims())
    assert {each.name for each in experiments(quick())} < there


# Runs.


def pretended(name: str, begin: Callable[[Run], None], result: str = "found") -> Experiment:
    """Return an experiment whose run does what `begin` does."""

    def begun(lab: Lab, folder: Path, resume: Path | None) -> None:
        run = (
            Run.create(folder, command=name, seed=lab.seed, bench_text=embedded(), limits=Limits())
            if resume is None
            else Run.resume(resume, command=name)
        )
        with run:
            begin(run)

    return Experiment(name, 2, name, result, begun)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def take(*listed: Experiment) -> None:
        monkeypatch.setattr(running, "experiments", lambda sizes: listed)

    return take


def plan_in(folder: Path) -> Plan:
    return Plan.new(SESSION, folder / "out", QUICK, 3)


def test_what_failed_is_told_and_tried_again_and_what_is_finished_is_not(tmp_path: Path, few: Any) -> None:
    tried: list[str] = []

    def works(run: Run) -> None:
        tried.append("works")
        run.keep("found", {}, facts={"value": 1.0})

    def first_fails(run: Run) -> None:
        tried.append("fails")
        if tried.count("fails") == 1:
            raise InputError("the cell fell off")
        run.keep("found", {}, facts={"value": 2.0})

    def bug(run: Run) -> None:
        raise ZeroDivisionError("by nought")

    few(pretended(IV, first_fails), pretended("levels", works), pretended(STATES, bug))
    plan = plan_in(tmp_path)
    found = carry_out(SESSION, plan, 1)
    assert found.done[IV].error == "the cell fell off"
    assert found.done["levels"].facts == {"value": 1.0}
    assert "ZeroDivisionError" in found.done[STATES].error
    page = (plan.folder / PAGE).read_text()
    assert "failed: the cell fell off" in page
    told = next(row for row in rows(found) if row.panel == "2c")
    assert told.verdict == Verdict.NOT_MEASURED

    again = carry_out(SESSION, Plan.of_folder(SESSION, plan.folder), 1)
    assert again.done[IV].facts == {"value": 2.0}
    assert RunFile.open(plan.folder / IV).attributes["sessions"] == 2
    assert tried == ["fails", "works", "fails"]


def test_a_bench_that_is_gone_ends_it_and_the_page_is_there(
    tmp_path: Path, few: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(run: Run) -> None:
        raise LinkError(LinkFault.LOST, "outputs may still be ON")

    def never(run: Run) -> None:
        pytest.fail("no experiment may follow on a bench that does not answer")

    few(pretended(IV, lambda run: run.keep("found", {})), pretended(STATES, gone), pretended("levels", never))
    plan = plan_in(tmp_path)
    with pytest.raises(LinkError, match="still be ON"):
        carry_out(SESSION, plan, 1)
    assert "Experiments still to come: 2." in (plan.folder / PAGE).read_text()
    assert f"--resume --out {plan.folder}" in capsys.readouterr().err.replace("\n", "")


def test_a_real_run_and_its_pictures_stand_on_a_page_that_needs_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = IvRequest(cells="r0c0", cycles=3, step=0.1)
    real = experiments(replace(quick(), iv=tiny))[0]
    monkeypatch.setattr(running, "experiments", lambda sizes: (real,))
    plan = plan_in(tmp_path)
    found = carry_out(SESSION, plan, 1)
    assert not found.failed
    page = (plan.folder / PAGE).read_text()
    sources = re.findall(r"(?:src|href)='([^']{0,30})", page)
    assert len(sources) == len(PANELS[IV])
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert RunFile.open(plan.folder / IV).start.seed == 3
    for (_, small), (name, _) in zip(Album().pictures(IV, plan.folder / IV), PANELS[IV], strict=True):
        drawn = plan.folder / IV / f"{name}.png"
        assert b64encode(small).decode() in page
        assert len(small) < drawn.stat().st_size
        shown = np.asarray(Image.open(BytesIO(small)).convert("RGB"), float)
        assert np.abs(shown - np.asarray(Image.open(drawn).convert("RGB"), float)).mean() < 1.0


# The plan, and the command.


def test_a_folder_is_begun_once_and_gone_on_with_on_the_same_bench(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    assert Plan.of_folder(SESSION, plan.folder) == plan
    with pytest.raises(RunError, match="--resume"):
        plan_in(tmp_path)
    with pytest.raises(RunError, match="no reproduction was begun"):
        Plan.of_folder(SESSION, tmp_path)
    other = tmp_path / "other.toml"
    other.write_text(embedded().replace("chip = 1", "chip = 2"))
    with pytest.raises(RunError, match="another bench file"):
        Plan.of_folder(Session(other, Terminal(quiet=True)), plan.folder)
    (plan.folder / "plan.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        Plan.of_folder(SESSION, plan.folder)


def test_the_bench_of_a_decoder_is_the_same_with_more_macros(tmp_path: Path) -> None:
    place = tmp_path / "ten.toml"
    grown, own = with_macros(SESSION, place).bench(), Bench.parse(embedded())
    assert grown.backend.options == own.backend.options | {"macros": DECODER}
    ample = Session(place, Terminal(quiet=True))
    assert with_macros(ample, tmp_path / "not-written.toml") is ample
    assert not (tmp_path / "not-written.toml").exists()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[None]:
    with empty_folder(tmp_path, None):
        yield


@pytest.mark.usefixtures("here")
def test_the_command_prints_json_and_ends_with_one_when_something_failed(few: Any) -> None:
    def fails(run: Run) -> None:
        raise InputError("no such cell")

    few(pretended(IV, fails))
    told = command("--json", "--quiet", "reproduce", "--out", "out", code=1)
    document = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert document["experiments"][IV]["error"] == "no such cell"
    assert document["size"] == QUICK
    assert len(document["rows"]) == len(claims())
    few(pretended(IV, lambda run: run.keep("found", {})))
    told = command("reproduce", "--resume", "--out", "out")
    assert "not measured" in told


@pytest.mark.usefixtures("here")
def test_options_that_do_not_go_together_are_refused() -> None:
    assert "give one of them" in command("reproduce", "--quick", "--full", code=2)
    assert "--workers 0" in command("reproduce", "--workers", "0", "--out", "never", code=2)
    assert not Path("never").exists()
    assert "leave out --seed" in command("reproduce", "--resume", "--seed", "1", code=2)


@pytest.mark.slow
@pytest.mark.usefixtures("here")
@pytest.mark.timeout(680)
def test_the_quick_reproduction_succeeds() -> None:
    told = json.loads(command("--json", "reproduce", "--quick", "--out", "out"))
    assert [name for name, each in told["experiments"].items() if each["error"]] == []
    verdicts = {row["panel"]: row["verdict"] for row in told["rows"]}
    assert {verdicts[panel] for panel in ("2c", "2e", "2f", "3e", "4d", "4e", "4f")} == {"yes"}
    missing = [
        f"{name}/{picture}"
        for name in told["experiments"]
        for picture, _ in PANELS[name]
        if not (Path("out") / name / f"{picture}.png").is_file()
    ]
    assert missing == ["study/programming"]  # passes and waits are left to --full

"""Pattern: a picture goes in, comes back at several times, and its errors are those of the cells."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import RUNNER, empty_folder, run
from PIL import Image

from protocols.pattern import run as pattern_run
from rramlab.cli import app
from rramlab.runfile import RunFile
from sim_backend.backend import SimBackend


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[None]:
    with empty_folder(tmp_path, None if "ships" in request.node.name else pattern_run):
        yield


def picture() -> str:
    grey = np.linspace(0, 255, 96).reshape(8, 12).astype(np.uint8)
    Image.fromarray(grey).save("mine.png")
    return "mine.png"


def test_the_picture_that_ships_is_programmed_and_ages() -> None:
    facts = json.loads(run("--json", "pattern", "--times", "1min,10d", "--passes", "1", "--run", "p"))
    assert facts["cells"] == 1024 and facts["reads"]["taken"] == 2
    written, minute, days = facts["errors"]
    assert written["sigma_uS"] < minute["sigma_uS"] < days["sigma_uS"] < 1.5
    # The simulated device drifts downwards, by about 0.2 uS a decade in the middle of the window.
    assert days["mean_uS"] < minute["mean_uS"] - 5 * minute["mean_uncertainty_uS"]
    kept = RunFile.open("p").kept["pattern"].columns
    assert kept["conductance"].shape == (2, 1024)
    # The moon is bright and the night is dark.
    assert np.median(kept["conductance"][0][kept["target"] > 95e-6]) > 90e-6
    assert np.median(kept["conductance"][0][kept["target"] < 21e-6]) < 25e-6
    assert {"pattern.png", "errors.png"} <= {path.name for path in Path("p").iterdir()}


def test_a_picture_of_ones_own_lands_where_it_is_told() -> None:
    words = ("--at", "r2c3", "--times", "0,1h", "--samples", "4", "--run", "p")
    facts = json.loads(run("--json", "pattern", picture(), *words))
    kept = RunFile.open("p").kept["pattern"].columns
    assert (kept["row"].min(), kept["col"].max()) == (2, 14)
    assert kept["target"].min() == pytest.approx(20e-6) and kept["target"].max() == pytest.approx(100e-6)
    error = kept["conductance"][1] - kept["target"]
    good = facts["errors"][2]
    assert np.median(np.abs(error)) < 1e-6 < 5e-6 and good["within_tolerance_percent"] > 70


def test_a_run_that_was_cut_off_goes_on_to_the_same_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("--json", "pattern", picture(), "--times", "1s,1h,1d", "--passes", "2")
    run(*words, "--run", "whole")
    genuine, left = SimBackend._wait, [0]

    def wait(self: SimBackend, seconds: float) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        genuine(self, seconds)

    # Two waits of programming, then those between readings; a continued run lives through its waits again.
    for begun, after in ((False, 3), (True, 4)):
        left[0] = after
        monkeypatch.setattr(SimBackend, "_wait", wait)
        way = ["--json", "pattern", "--resume", "cut"] if begun else [*words, "--run", "cut"]
        RUNNER.invoke(app, way)
        assert not RunFile.open("cut").complete
        monkeypatch.setattr(SimBackend, "_wait", genuine)
    run("--json", "pattern", "--resume", "cut")
    whole, cut = (RunFile.open(name).kept["pattern"].columns for name in ("whole", "cut"))
    for name in ("conductance", "elapsed", "target"):
        assert np.allclose(cut[name], whole[name], rtol=1e-9), name


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--times", "1h,1s"), "no list of rising times"),
        (("--samples", "0"), "give 1 to"),
        (("--strategy", "pingpong"), "did you mean 'ping-pong'"),
        (("--at", "r90c30"), "lies outside this bench"),
        (("nothing.png",), "there is no file nothing.png"),
    ],
)
def test_what_makes_no_sense_is_refused_before_a_run_is_made(words: tuple[str, ...], told: str) -> None:
    assert told in run("pattern", *words, "--run", "p", code=2)
    assert not Path("p").exists()

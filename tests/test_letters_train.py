"""Training on letters: what is minimised, that it learns, and the command."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import run
from letter_files import emnist
from PIL import Image

from rramlab.figures.letter_training import letter_training
from rramlab.letters import class_centres, draw_letters
from rramlab.letters.autoencoder import Autoencoder
from rramlab.letters.latents import Latents
from rramlab.letters.settings import LetterSettings
from rramlab.letters.store import load_classifier, load_decoder
from rramlab.letters.train import train_letters

SHORT = LetterSettings(epochs=6, judge_epochs=6)


@pytest.fixture(scope="module")
def sets():
    rng = np.random.default_rng(7)
    return draw_letters("HKU", 400, rng), draw_letters("HKU", 60, rng)


@pytest.fixture(scope="module")
def trained(sets):
    return train_letters(*sets, SHORT)


def test_training_learns(trained, sets) -> None:
    assert trained.accuracy > 0.93
    # A decoder that says 0.2 everywhere has about 83 nat; the full training ends at 63.
    assert trained.loss < 82.0
    for name, centre in zip("HKU", class_centres(3) / 8.0, strict=True):
        assert np.linalg.norm(trained.latents.of_class(name).mean(axis=0) - centre) < 0.2
    assert len(trained.latents) == len(sets[0])


def test_training_is_reproducible_and_leaves_torch_alone(sets) -> None:
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    few = LetterSettings(epochs=1, judge_epochs=1)
    one, other = (train_letters(sets[1], sets[1], few) for _ in range(2))
    np.testing.assert_array_equal(one.decoder.w2, other.decoder.w2)
    np.testing.assert_array_equal(one.classifier.w1, other.classifier.w1)
    np.testing.assert_array_equal(one.latents.x, other.latents.x)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_the_loss_is_the_published_one() -> None:
    model = Autoencoder(3, torch.Generator().manual_seed(1))
    images, labels = torch.rand(5, 12, 12), torch.tensor([0, 1, 2, 0, 1])
    noise = torch.randn(5, 2)
    with torch.no_grad():
        mean, log_variance = model.encode(images)
        shown = model.decode(mean + (0.5 * log_variance).exp() * noise).sigmoid()
        fidelity = -(images * shown.log() + (1 - images) * (1 - shown).log()).sum()
        centres = torch.from_numpy(class_centres(3))[labels]
        gap = torch.distributions.kl_divergence(
            torch.distributions.Normal(mean, (0.5 * log_variance).exp()),
            torch.distributions.Normal(centres.float(), 1.0),
        )
        assert float(model.loss(images, labels, noise, 3.0)) == pytest.approx(
            float(fidelity + 3.0 * gap.sum()) / 5, rel=1e-5
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs=0 was asked for; possible is at least 1"),
        ({"rate": 0.0}, "rate=0.0 was asked for; possible is finite and above 0"),
        ({"pull": -1.0}, "pull=-1.0"),
    ],
)
def test_settings_that_no_training_can_use_are_refused(change, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        LetterSettings(**change)


# The command.


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_drawn_letters_are_trained_on_and_named(folder: Path) -> None:
    said = run("train", "letters", "--out", "abc", "--classes", "A,B", "--per-class", "12", "--epochs", "1")
    assert "letters (drawn): 12 A, 12 B" in said
    assert "next: rramlab train latent --letters abc" in said
    decoder = load_decoder("abc/decoder.safetensors")
    assert (decoder.source, decoder.classes) == ("drawn", ("A", "B"))
    command = "rramlab train letters --classes A,B --per-class 12 --epochs 1"
    assert decoder.metadata["command"] == command
    assert Latents.load("abc/latents.npz").source == load_classifier("abc/classifier.safetensors").source
    with Image.open("abc/letters.png") as picture:
        assert picture.width > 800


def test_classes_that_crowd_the_plane_are_announced(folder: Path) -> None:
    crowd = ["--classes", "A,B,C,D,E,F,G", "--per-class", "10", "--epochs", "1"]
    assert "more than 6 classes overlap in the plane" in run("train", "letters", *crowd)


def test_real_letters_are_taken_from_a_folder(folder: Path) -> None:
    emnist(folder / "EMNIST", ["A", "B", "C"], 8)
    said = run("--json", "train", "letters", "--classes", "C,A", "--emnist", "EMNIST", "--epochs", "1")
    facts = json.loads(said)
    assert (facts["source"], facts["letters"]) == ("EMNIST by-class", {"C": 8, "A": 8})
    assert load_decoder("letters/decoder.safetensors").source == "EMNIST by-class"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--classes", "HKU"], "in drawn letters; possible are A to Z; separate classes by commas"),
        (["--classes", "H,7"], "there is no class '7' in drawn letters; possible are A to Z"),
        (["--emnist", "here"], "here lacks emnist-byclass-train-images-idx3-ubyte.gz (or"),
        (["--emnist", "gone"], "gone is no folder"),
        (["--emnist", "here", "--split", "digits"], "no set 'digits' of EMNIST here"),
        (["--out", "here"], "here cannot be written: name a new folder"),
        (["--out", "no/where"], "cannot be written"),
        (["--per-class", "1"], "--per-class 1 is not possible; give 10 to 100000"),
        (["--epochs", "0"], "--epochs is not possible: epochs=0"),
        (["--seed", "-1"], "--seed -1 is not possible"),
    ],
)
def test_what_cannot_end_well_is_not_begun(folder: Path, words: list[str], said: str) -> None:
    (folder / "here").mkdir()
    (folder / "here" / "notes.txt").write_text("no letters")
    assert said in run("train", "letters", *words, code=2)
    assert [each.name for each in folder.iterdir()] == ["here"]


# The figure.


@pytest.mark.parametrize("count", [1, 2, 12])
def test_any_number_of_classes_is_drawn(count: int) -> None:
    names = [f"c{i}" for i in range(count)]
    images = {name: np.random.default_rng(0).uniform(0, 1, (4, 12, 12)) for name in names}
    points = {name: np.zeros((i, 2)) for i, name in enumerate(names)}
    figure = letter_training(images, images, points, np.zeros((9, 12, 12)), extent=1.0, source="drawn")
    texts = [text.get_text() for text in figure.findobj() if hasattr(text, "get_text")]
    assert "Latents (drawn)" in texts and "x₁ (network units)" in texts
    assert set(names) <= set(texts)


def test_a_figure_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="different classes, or for none"):
        letter_training({}, {}, {}, np.zeros((1, 12, 12)), extent=1.0, source="drawn")

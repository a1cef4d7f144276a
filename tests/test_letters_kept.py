"""Runs of letters whose folder of networks is gone: what they need stands in their record."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands import empty_folder, run

from protocols.decoder import run as decoder_run
from protocols.letters import run as letters_run
from protocols.letters.judge import Judge
from protocols.letters.kept_judge import JUDGE, judge_from, judge_record
from protocols.letters.request import LettersRequest, check_network
from rramlab.contents import Kept
from rramlab.diffusion.store import letters_weights
from rramlab.errors import InputError
from rramlab.letters import Latents, letter_encoder
from rramlab.letters.shipped import CLASSIFIER, DECODER, ENCODER, LATENTS
from rramlab.letters.store import save_network
from rramlab.runfile import RunFile

SHIPPED = Judge.open(None, ())
SOURCE = "handwriting of a test"


def leave(folder: str) -> None:
    """Leave networks and latents of letters in a folder, as `rramlab train letters` does."""
    Path(folder).mkdir()
    save_network(letter_encoder(), Path(folder) / ENCODER)
    save_network(SHIPPED.decoder, Path(folder) / DECODER)
    save_network(SHIPPED.classifier, Path(folder) / CLASSIFIER)
    known = SHIPPED.latents
    Latents(known.x, known.labels, known.classes, SOURCE).save(Path(folder) / LATENTS)


def test_a_judge_survives_its_record() -> None:
    columns, facts = judge_record(SHIPPED)
    # A file gives columns back in an order of its own.
    back = judge_from(
        Kept({name: columns[name] for name in sorted(columns)}, {}, json.loads(json.dumps(facts)))
    )
    assert (back.known, back.source) == (SHIPPED.known, SHIPPED.source)
    points = SHIPPED.latents.x[::500]
    np.testing.assert_array_equal(back.letters(points), SHIPPED.letters(points))
    assert back.verdict(points, "K") == SHIPPED.verdict(points, "K")
    assert back.decoder.metadata == SHIPPED.decoder.metadata


def test_letters_of_ones_own_need_a_network_of_ones_own() -> None:
    score = letters_weights()
    with pytest.raises(
        InputError, match=r"in abc are A, B, the network that ships draws H, K, U; name with --w"
    ):
        check_network(LettersRequest(letters="abc"), score, ["A", "B"])
    with pytest.raises(InputError, match="train latent --letters abc writes one"):
        check_network(LettersRequest(letters="abc", classes=("A",)), score, ["A", "B"])
    check_network(LettersRequest(letters="mine", classes=("K",)), score, ["H", "K", "U"])
    check_network(LettersRequest(letters="abc", weights="w"), score, ["A", "B"])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(letters_run, "write_page", lambda *_: None)
    monkeypatch.setattr(decoder_run, "write_page", lambda *_: None)
    with empty_folder(tmp_path, None):
        leave("mine")
        run("bench", "init", "five.toml")
        text = Path("five.toml").read_text()
        Path("five.toml").write_text(text.replace("macros = 3", "macros = 5"))
        yield


FEW = ("--samples", "8", "--passes", "1")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_letters_and_decoding_go_on_without_the_folder(folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(letters_run, "run_classes", lambda *_: 1 / 0)
        run("-q", "letters", "--letters", "mine", "--classes", "K", *FEW, "--run", "cut", code=70)
        patch.setattr(decoder_run, "decode_classes", lambda *_: 1 / 0)
        run("-q", "--bench", "five.toml", "decode", "--letters", "mine", *FEW, "--run", "half", code=70)
    shutil.rmtree("mine")
    again = json.loads(run("--json", "letters", "--resume", "cut"))
    assert again["compared_with"] == f"{SOURCE} letters"
    decoded = json.loads(run("--json", "decode", "--resume", "half"))
    assert decoded["compared_with"] == f"{SOURCE} letters"
    # Runs that go on from these know the same letters, and are continued as well.
    more = json.loads(run("--json", "letters", "--after", "cut", "--samples", "4", "--run", "b"))
    assert more["compared_with"] == f"{SOURCE} letters"
    words = ("--latents", "cut", "--after", "half", "--samples", "4")
    decoded = json.loads(run("--json", "--bench", "five.toml", "decode", *words))
    assert decoded["compared_with"] == f"{SOURCE} letters"
    assert JUDGE in RunFile.open("b").kept

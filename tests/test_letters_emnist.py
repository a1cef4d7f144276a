"""Letters of others: IDX files, EMNIST in a folder or over the wire, archives of one's own."""

import gzip
import hashlib
import struct
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from letter_files import emnist, idx

from rramlab.errors import InputError
from rramlab.letters.archive import load_archive
from rramlab.letters.download import download_emnist
from rramlab.letters.emnist import SPLITS, load_emnist
from rramlab.letters.idx import read_idx
from rramlab.letters.preprocess import preprocess

SOME = arrays(np.uint8, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(array=SOME, packed=st.booleans())
def test_idx_files_come_back_as_they_were_written(array, packed: bool, tmp_path: Path) -> None:
    place = tmp_path / "x"
    place.write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    np.testing.assert_array_equal(read_idx(place), array)


@FEW
@given(array=SOME, packed=st.booleans(), cut=st.integers(1, 40))
def test_a_file_that_ends_early_is_refused(array, packed: bool, cut: int, tmp_path: Path) -> None:
    place = tmp_path / "x"
    whole = gzip.compress(idx(array)) if packed else idx(array)
    place.write_bytes(whole[: max(len(whole) - cut, 0)])
    with pytest.raises(InputError, match=r"is damaged|is no IDX file"):
        read_idx(place)


@FEW
@given(array=SOME, more=st.binary(min_size=1, max_size=9))
def test_a_file_with_more_than_it_promises_is_refused(array, more: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(idx(array) + more)
    with pytest.raises(InputError, match="more follows than the"):
        read_idx(tmp_path / "x")


@FEW
@given(
    content=st.binary(max_size=60), start=st.sampled_from([b"", b"\0\0\x08", b"\0\0\x08\1", b"\x1f\x8b\x08"])
)
def test_any_bytes_give_an_array_or_one_sentence(content: bytes, start: bytes, tmp_path: Path) -> None:
    place = tmp_path / "x"
    place.write_bytes(start + content)
    try:
        array = read_idx(place)
    except InputError as error:
        assert str(place) in str(error)
    else:
        assert idx(array) == place.read_bytes()


@FEW
@given(where=st.integers(0, 400), flip=st.integers(1, 255))
def test_a_flipped_byte_is_seen_or_does_no_harm(where: int, flip: int, tmp_path: Path) -> None:
    array = np.random.default_rng(0).integers(0, 256, (12, 30), dtype=np.uint8)
    content = bytearray(gzip.compress(idx(array)))
    content[where % len(content)] ^= flip
    (tmp_path / "x").write_bytes(content)
    try:
        found = read_idx(tmp_path / "x")
    except InputError:
        return
    np.testing.assert_array_equal(found, array)  # a byte of the name, the time or the system


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it begins with nothing, wanted 00 00 08"),
        (b"label,image\n", "it begins with 6c 61 62 65"),
        (b"\0\0\x0d\1\0\0\0\0", "numbers are of type 0x0d, wanted 0x08"),
        (b"\0\0\x08\x09", "it has 9 dimensions; possible are 1 to 4"),
        (b"\0\0\x08\2\0\0\0\1", "it ends within the header"),
        (struct.pack(">4B3I", 0, 0, 8, 3, *[2**32 - 1] * 3), "its header promises"),
        (idx(np.zeros((2, 2), dtype=np.uint8)), "has 2 dimensions, wanted 3"),
    ],
)
def test_what_is_wrong_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_idx(tmp_path / "x", 3)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_idx(tmp_path)


# EMNIST in a folder.


@pytest.mark.parametrize(("inside", "packed"), [("", True), ("gzip", True), ("EMNIST/raw", False)])
def test_letters_come_upright_with_the_labels_asked_for(tmp_path: Path, inside: str, packed: bool) -> None:
    upright = emnist(tmp_path / inside, ["U", "A", "H", "K"], 3, packed=packed)
    letters = load_emnist(tmp_path, ["H", "K", "U"], part="test")
    assert letters.source == "EMNIST by-class"
    assert letters.counts == {"H": 3, "K": 3, "U": 3}
    np.testing.assert_allclose(letters.of_class("H"), preprocess(upright[2::4] / 255.0))
    np.testing.assert_allclose(letters.of_class("U"), preprocess(upright[0::4] / 255.0))


def test_cases_are_told_apart_by_class_and_not_in_the_letters_set(tmp_path: Path) -> None:
    emnist(tmp_path, ["k", "K", "a"], 2)
    assert load_emnist(tmp_path, ["k", "a"]).counts == {"k": 2, "a": 2}
    emnist(tmp_path, ["K", "A"], 2, split="letters")
    assert load_emnist(tmp_path, ["A", "K"], "letters").source == "EMNIST letters"
    with pytest.raises(InputError, match="no class 'k' in EMNIST letters; possible are A to Z; ask for 'K'"):
        load_emnist(tmp_path, ["k", "A"], "letters")


def test_missing_files_are_named(tmp_path: Path) -> None:
    emnist(tmp_path, ["H", "K"], 1)
    images, labels = SPLITS["by-class"].files("train")
    (tmp_path / images).unlink()
    with pytest.raises(InputError, match=rf"lacks {images} \(or.*\); give the folder into which https://"):
        load_emnist(tmp_path, ["H", "K"])
    (tmp_path / labels).unlink()
    with pytest.raises(InputError, match=rf"lacks {images} .* and 1 more;"):
        load_emnist(tmp_path, ["H", "K"])
    with pytest.raises(InputError, match="is no folder"):
        load_emnist(tmp_path / "nowhere", ["H", "K"])
    emnist(tmp_path, ["H", "K"], 1, split="letters")
    with pytest.raises(InputError, match="it has those of another set: --split letters"):
        load_emnist(tmp_path, ["H", "K"])
    (tmp_path / "gzip.zip").write_bytes(b"")
    with pytest.raises(InputError, match=r"; unpack .*gzip\.zip there"):
        load_emnist(tmp_path, ["H", "K"])


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    emnist(tmp_path, ["H", "K"], 2)
    images, labels = (tmp_path / name for name in SPLITS["by-class"].files("train"))
    with pytest.raises(InputError, match=r"there is no 'U' in .*; it has H, K$"):
        load_emnist(tmp_path, ["H", "U"])
    with pytest.raises(
        InputError, match="no class 'Ä' in EMNIST by-class; possible are 0 to 9, A to Z, a to z"
    ):
        load_emnist(tmp_path, ["H", "Ä"])
    with pytest.raises(InputError, match="no set 'balanced' of EMNIST here; possible are by-class, letters"):
        load_emnist(tmp_path, ["H", "K"], "balanced")
    labels.write_bytes(idx(np.array([17, 20, 99, 17], dtype=np.uint8)))
    with pytest.raises(InputError, match="run from 17 to 99; those of EMNIST by-class run from 0 to 61"):
        load_emnist(tmp_path, ["H", "K"])
    labels.write_bytes(idx(np.array([17], dtype=np.uint8)))
    with pytest.raises(InputError, match=r"holds images \(4, 28, 28\) for 1 labels; .* unpack both anew"):
        load_emnist(tmp_path, ["H", "K"])
    images.write_bytes(gzip.compress(idx(np.zeros((4, 14, 14), dtype=np.uint8))))
    with pytest.raises(InputError, match="EMNIST has 28 x 28 pixels"):
        load_emnist(tmp_path, ["H", "K"])


# Archives of one's own.


def test_an_archive_is_read_as_bytes_or_as_shares(tmp_path: Path) -> None:
    raw = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=raw, labels=[0, 1, 2, 0, 1, 2])
    np.savez(tmp_path / "b.npz", images=raw / 255.0, labels=[0, 1, 2, 0, 1, 2])
    one, other = (load_archive(tmp_path / name) for name in ("a.npz", "b.npz"))
    np.testing.assert_allclose(one.images, other.images)
    assert (one.source, one.counts) == ("a.npz", {"H": 2, "K": 2, "U": 2})


def test_what_is_no_archive_of_letters_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "a.npz"
    with pytest.raises(InputError, match="no letters at"):
        load_archive(place)
    for what in (
        {"pictures": np.zeros((1, 28, 28))},
        {"images": np.zeros((1, 14, 14)), "labels": [0]},
        {"images": np.full((1, 28, 28), 7.0), "labels": [0]},
        {"images": np.zeros((1, 28, 28)), "labels": [5]},
    ):
        np.savez(place, **what)
        with pytest.raises(InputError, match=r"holds no letters \(.*\); wanted images"):
            load_archive(place)
    place.write_bytes(b"no archive")
    with pytest.raises(InputError, match="holds no letters"):
        load_archive(place)


# Over the wire.


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Publish an archive of EMNIST on this machine and give its address."""
    pytest.importorskip("pooch")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    emnist(tmp_path / "made", ["H", "K"], 2)
    emnist(tmp_path / "made", ["H", "K"], 2, split="letters")
    with zipfile.ZipFile(tmp_path / "gzip.zip", "w") as archive:
        for file in (tmp_path / "made").iterdir():
            archive.write(file, f"gzip/{file.name}")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/gzip.zip"
        server.shutdown()
        thread.join()


def test_emnist_is_fetched_once_and_checked(publisher: str, tmp_path: Path) -> None:
    known = "md5:" + hashlib.md5((tmp_path / "gzip.zip").read_bytes()).hexdigest()
    store = tmp_path / "store"
    folder = download_emnist(store, SPLITS["by-class"], publisher, known)
    assert load_emnist(folder, ["H", "K"]).counts == {"H": 2, "K": 2}
    (tmp_path / "gzip.zip").unlink()  # the second set comes from the archive that is there
    assert (
        len(load_emnist(download_emnist(store, SPLITS["letters"], publisher, known), ["H"], "letters")) == 2
    )


def test_an_archive_that_is_another_one_is_refused(publisher: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not what it was"):
        download_emnist(tmp_path / "store", SPLITS["letters"], publisher, "md5:" + "0" * 32)
    assert not (tmp_path / "store" / "emnist-letters").exists()
    with pytest.raises(InputError, match="could not be fetched into"):
        download_emnist(tmp_path / "store", SPLITS["letters"], publisher + "x")

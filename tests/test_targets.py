"""Targets come from .npy, tables and pictures; what is not plainly a map of conductances is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from protocols.targets import load_targets
from rramlab.errors import InputError

WINDOW = (20e-6, 100e-6)
MAP = np.array([[20.0, 50.5, np.nan], [100.0, 30.0, 60.0]])


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def saved(folder: Path, values: object) -> Path:
    np.save(folder / "map.npy", np.asarray(values))
    return folder / "map.npy"


@given(values=arrays(float, array_shapes(min_dims=2, max_dims=2), elements=st.floats(1.0, 150.0)))
def test_a_map_survives_the_file(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray) -> None:
    folder = tmp_path_factory.mktemp("maps")
    np.savetxt(folder / "map.csv", values, delimiter=",", fmt="%.17g")
    for path in (saved(folder, values), folder / "map.csv"):
        np.testing.assert_array_equal(load_targets(path, WINDOW), values * 1e-6)
    np.testing.assert_array_equal(load_targets(saved(folder, values * 1e-6), WINDOW), values * 1e-6)


@pytest.mark.parametrize(
    "text",
    [
        "20,50.5,\n100,30,60\n",
        "20;50.5;nan\n100;30;60",
        "# conductances in uS\n20\t50.5\t\r\n\r\n100\t30\t60 # the last row\r\n",
        "\ufeff20, 50.5, NaN\n100, 3e1, 60.0\n",
        "20 50.5 nan\n100 30   60\n",
    ],
)
def test_tables_of_every_hand_are_read(tmp_path: Path, text: str) -> None:
    for suffix in (".csv", ".txt", ".tsv", ".CSV"):
        path = written(tmp_path, f"map{suffix}", text)
        np.testing.assert_allclose(load_targets(path, WINDOW), MAP * 1e-6, rtol=1e-15)


def test_a_single_column_stays_a_column(tmp_path: Path) -> None:
    assert load_targets(written(tmp_path, "map.csv", "20\n30\n40\n"), WINDOW).shape == (3, 1)
    assert load_targets(written(tmp_path, "map.csv", "20,30,40\n"), WINDOW).shape == (1, 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("20,abc\n", "line 1 holds 'abc' where a conductance is expected"),
        ("c0,c1\n20,30\n", "line 1 holds 'c0'"),
        ("20;50,5\n", "line 1 holds '50,5'"),
        ("# x\n\n20,30\n40\n", "line 4 has 1 columns and the first 2"),
        ("", "a target map has rows and columns"),
        ("# only a heading\n", "a target map has rows and columns"),
        (",\n,\n", "holds no number"),
        ("20,inf\n", "infinite"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        load_targets(written(tmp_path, "map.csv", text), WINDOW)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((2, 2, 2)),
        np.zeros((0, 3)),
        [["a"]],
        [[1 + 1j]],
        [[True]],
        [[np.nan]],
        [[np.inf]],
        [[-np.inf, 3e-5]],
    ],
    ids=str,
)
def test_arrays_that_are_no_map_are_refused(tmp_path: Path, values: object) -> None:
    with pytest.raises(InputError, match=r"map\.npy"):
        load_targets(saved(tmp_path, values), WINDOW)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x93NUMPY\x01\x00", b"PK\x03\x04 cut off"])
def test_a_broken_array_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"not a \.npy file"):
        load_targets(written(tmp_path, "map.npy", content), WINDOW)


def test_an_archive_and_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=MAP)
    with pytest.raises(InputError, match="archive"):
        load_targets((tmp_path / "a.npz").rename(tmp_path / "a.npy"), WINDOW)
    np.save(tmp_path / "b.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"not a \.npy file"):
        load_targets(tmp_path / "b.npy", WINDOW)


@pytest.mark.parametrize(
    ("values", "unit", "expected"),
    [
        ([[20.0, 100.0]], "auto", [[20e-6, 100e-6]]),
        ([[20, 100]], "auto", [[20e-6, 100e-6]]),
        ([[20e-6, 100e-6]], "auto", [[20e-6, 100e-6]]),
        ([[0.5, 100.0]], "uS", [[0.5e-6, 100e-6]]),
        ([[0.5, 2.0]], "S", [[0.5, 2.0]]),
    ],
)
def test_units_are_guessed_only_where_they_are_plain(
    tmp_path: Path, values: object, unit: str, expected: object
) -> None:
    np.testing.assert_allclose(load_targets(saved(tmp_path, values), WINDOW, unit), np.asarray(expected))  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[[0.5, 100.0]], [[0.0, 50.0]], [[20e-6, 100.0]]])
def test_units_in_doubt_are_asked_for(tmp_path: Path, values: object) -> None:
    with pytest.raises(InputError, match="neither plainly S nor plainly uS; say --unit"):
        load_targets(saved(tmp_path, values), WINDOW)


@pytest.mark.parametrize("deep", [False, True], ids=["8 bit", "16 bit"])
def test_a_picture_spans_the_window(tmp_path: Path, deep: bool) -> None:
    grey = np.array([[0, 51, 255]]) * (257 if deep else 1)
    Image.fromarray(grey.astype(np.uint16 if deep else np.uint8)).save(tmp_path / "grey.png")
    np.testing.assert_allclose(
        load_targets(tmp_path / "grey.png", WINDOW), [[20e-6, 36e-6, 100e-6]], rtol=1e-12
    )


def test_a_coloured_picture_is_taken_as_grey(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2), (255, 255, 255)).save(tmp_path / "white.bmp")
    np.testing.assert_allclose(load_targets(tmp_path / "white.bmp", WINDOW), np.full((2, 3), 100e-6))


def test_a_broken_picture_is_refused(tmp_path: Path) -> None:
    Image.new("L", (64, 64)).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    for content in (b"", b"no picture", whole[:50], whole[:40] + b"XXXX" + whole[44:]):
        with pytest.raises(InputError, match="not a picture"):
            load_targets(written(tmp_path, "broken.png", content), WINDOW)


@pytest.mark.parametrize("name", ["missing.npy", "missing", "."])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="there is no file"):
        load_targets(tmp_path / name, WINDOW)


def test_other_files_are_refused_with_what_is_possible(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'\.xlsx' is no target file; possible: \.npy, \.csv, \.png"):
        load_targets(written(tmp_path, "map.xlsx", "x"), WINDOW)

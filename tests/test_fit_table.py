"""Tables of others: separators, headers, units, and one sentence for each thing that can be wrong."""

import gzip

import numpy as np
import pytest

from rramlab.errors import InputError
from sim_backend.fit.roles import with_cells, with_lines
from sim_backend.fit.table import Table, read_table

ROWS = [("7", "20", "4000"), ("8", "1000", "")]


@pytest.mark.parametrize("cut", ["\t", ",", ";", " "])
@pytest.mark.parametrize("header", [True, False])
def test_any_separator_with_and_without_header(tmp_path, cut, header):
    blank = ("8", "1000", "nan")  # blanks cannot show an empty field
    rows = [ROWS[0], blank] if cut == " " else ROWS
    text = "\n".join(cut.join(row) for row in ([("cell", "PW", "R")] if header else []) + rows)
    path = tmp_path / "t.txt"
    path.write_text("# a remark\n" + text + "\n\n")
    names = ("cell", "PW ns", "R ohm") if header else (0, "1 ns", "2 ohm")
    table = read_table(path, dict(zip(("cell", "width", "after"), names, strict=True)))
    assert table["cell"].tolist() == [7.0, 8.0]
    assert table["width"] == pytest.approx([20e-9, 1e-6])
    assert table["after"][0] == pytest.approx(250e-6) and np.isnan(table["after"][1])


def test_gzip_and_units(tmp_path):
    path = tmp_path / "t.tsv.gz"
    path.write_bytes(gzip.compress(b"1\t2\t100\t5\n"))
    table = read_table(path, {"time": "0 h", "drive": "1 mV", "before": "2 kohm", "after": "3 uS"})
    assert table["time"][0] == 3600.0
    assert table["drive"][0] == pytest.approx(2e-3)
    assert table["before"][0] == pytest.approx(1e-5) and table["after"][0] == pytest.approx(5e-6)


def test_no_resistance_is_no_reading(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("0,-1,2\n1,5,2\n")
    assert np.isnan(read_table(path, {"before": "0 ohm", "after": "1 ohm"})["before"][0])


@pytest.mark.parametrize(
    ("text", "columns", "said"),
    [
        ("a,b\n1,x\n", {"cell": "b"}, "line 2, column 1: 'x' is no number"),
        ("a,b\n1,2\n3\n", {"cell": "b"}, "line 3, column 1: has 1 fields"),
        ("a,b\n1,2\n", {"cell": "bb"}, "did you mean 'b'"),
        ("1,2\n", {"cell": "5"}, "positions 0 to 1"),
        ("1,2\n", {"width": "0 mV"}, "'mV' is no unit of 'width'"),
        ("1,2\n", {"widht": 0}, "did you mean 'width'"),
        ("a,b\n", {"cell": "a"}, "no rows"),
        ("a,b\n1,nan\n2,\n", {"after": "b"}, "has no value for 'after'"),
        ("1,-3e-6\n2,-4e-6\n", {"after": 1}, "most values of 'after' are negative"),
        ("a,b\n1,2\n", {"width": "a furlong"}, "'furlong' is no unit of 'width'"),
        ("\n# nothing\n", {"cell": 0}, "is empty"),
    ],
)
def test_wrong_tables_are_refused_in_one_sentence(tmp_path, text, columns, said):
    path = tmp_path / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_table(path, columns)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_missing_and_broken_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.csv", {"cell": 0})
    (tmp_path / "bad.csv.gz").write_bytes(b"no gzip at all")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "bad.csv.gz", {"cell": 0})


def test_a_column_that_was_not_named_is_missed_by_name():
    with pytest.raises(InputError, match="no column 'after'"):
        Table("t", {"cell": np.zeros(1)})["after"]


def test_tables_of_runs_get_cells_and_line_voltages():
    columns = {"row": [0, 1], "col": [2, 0], "polarity": [0, 1], "drive": [2.0, 1.5], "gate": [1.2, 3.3]}
    table = with_lines(with_cells(Table("t", {k: np.array(v, float) for k, v in columns.items()})))
    assert table["cell"].tolist() == [2.0, 3.0]
    assert table["v_bl"].tolist() == [2.0, 0.0] and table["v_sl"].tolist() == [0.0, 1.5]
    assert table["v_wl"].tolist() == [1.2, 3.3]

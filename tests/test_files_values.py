"""Values that are read from files stay as they were written, to the last digit."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from packing import ARRAY, CSV, EXPECTED, LINES, parquet, read

from driftlock.errors import FileError
from driftlock.files import read_table


def test_only_the_empty_csv_cell_is_missing(tmp_path):
    frame = read(tmp_path, "a.csv", b'a,b,c\nNA,None,1\n,nan,\n"",null,3\n')
    assert frame["a"].isna().tolist() == [False, True, True]
    assert frame["b"].tolist() == ["None", "nan", "null"]
    assert frame["c"].tolist()[::2] == [1.0, 3.0]
    assert math.isnan(frame["c"][1])


def test_csv_values_stay_as_written(tmp_path):
    text = 'time,share,flag,text\n2024-01-01,0.1,True," a, b\nc"\n2024-01-02,1e-300,False,é\n'
    frame = read(tmp_path, "a.csv", text.encode())
    assert frame["time"].tolist() == ["2024-01-01", "2024-01-02"]
    assert frame["share"].tolist() == [0.1, 1e-300]
    assert frame["flag"].tolist() == [True, False]
    assert frame["text"].tolist() == [" a, b\nc", "é"]


def test_one_bad_number_leaves_the_others_as_written(tmp_path):
    frame = read(tmp_path, "a.csv", b"n\n" + b"1.50\n" * 300_000 + b"12.x\n")
    assert set(frame["n"]) == {"1.50", "12.x"}


def test_blank_lines_and_byte_order_marks_are_no_data(tmp_path):
    bom = b"\xef\xbb\xbf"
    for name, data in (("a.csv", CSV), ("a.jsonl", LINES), ("a.json", ARRAY)):
        pd.testing.assert_frame_equal(read(tmp_path, name, bom + data + b"\n\n"), EXPECTED)
    spaced = b"\n" + CSV.replace(b"\n", b"\r\n \t\r\n")
    pd.testing.assert_frame_equal(read(tmp_path, "a.csv", spaced), EXPECTED)


def test_csv_cells_may_be_long(tmp_path):
    cell = "x" * 200_000
    frame = read(tmp_path, "a.csv", f"a,b\n1,{cell}\n".encode())
    assert frame["b"].tolist() == [cell]


def test_empty_names_in_the_csv_header_are_told_apart(tmp_path):
    frame = read(tmp_path, "a.csv", b",a,\n0,1,2\n")
    assert list(frame) == ["Unnamed: 0", "a", "Unnamed: 2"]


def test_json_columns_stand_in_order_of_first_appearance(tmp_path):
    frame = read(tmp_path, "a.jsonl", b'{"b": 1}\n{"c": "x", "a": null}\n{"a": 2, "b": 3}\n')
    assert list(frame) == ["b", "c", "a"]
    assert frame.isna().to_numpy().tolist() == [
        [False, True, True],
        [True, False, True],
        [False, True, False],
    ]


def test_json_values_stay_as_written(tmp_path):
    data = b'{"n": NaN, "i": Infinity, "t": "2024-01-01", "d": {"x": [1]}, "s": "a\xe2\x80\xa8b"}\n'
    row = read(tmp_path, "a.jsonl", data).iloc[0]
    assert math.isnan(row["n"])
    assert row["i"] == math.inf
    assert row["t"] == "2024-01-01"
    assert row["d"] == {"x": [1]}
    assert row["s"] == "a\u2028b"


def test_whole_surrogate_pairs_are_characters(tmp_path):
    frame = read(tmp_path, "a.jsonl", b'{"x": "\\ud83d\\ude00"}\n')
    assert frame["x"].tolist() == ["\U0001f600"]


BIG = [2**53 + 1, 2**62 + 1, None]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", "id,b\n" + "".join(f"{'' if v is None else v},x\n" for v in BIG)),
        ("a.jsonl", "".join(json.dumps({"id": v, "b": "x"}) + "\n" for v in BIG)),
        ("a.json", json.dumps([{"id": v, "b": "x"} for v in BIG])),
    ],
)
def test_missing_values_cost_long_integers_no_digit(tmp_path, name, data):
    assert read(tmp_path, name, data.encode())["id"].tolist() == BIG


def test_missing_values_cost_long_parquet_integers_no_digit(tmp_path):
    data = parquet(pd.DataFrame({"id": pd.array(BIG, dtype="Int64")}))
    assert read(tmp_path, "a.parquet", data)["id"].tolist() == BIG


def test_json_integers_beyond_64_bits_stay_exact(tmp_path):
    frame = read(tmp_path, "a.jsonl", b'{"a": %d, "b": 1}\n{"a": -1, "b": 2}\n' % 2**70)
    assert frame["a"].tolist() == [2**70, -1]
    assert frame["b"].dtype == np.int64
    mixed = read(tmp_path, "a.jsonl", b'{"a": %d}\n{"a": 0.5}\n{}\n' % (2**63 + 1))
    assert mixed["a"].tolist()[:2] == [2**63 + 1, 0.5]


def test_large_floats_stay_floats(tmp_path):
    for name, data in (("a.csv", b"a\n1e300\n0.5\n"), ("a.jsonl", b'{"a": 1e300}\n{"a": 0.5}\n')):
        frame = read(tmp_path, name, data)
        assert frame["a"].dtype == np.float64
        assert frame["a"].tolist() == [1e300, 0.5]


def test_parquet_index_and_names_are_columns(tmp_path):
    frame = pd.DataFrame({0: [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    back = read(tmp_path, "a.parquet", parquet(frame.set_axis(["n"], axis=1)))
    assert back.to_dict("list") == {"n": [1, 2], "key": ["x", "y"]}
    assert back.index.tolist() == [0, 1]


def test_parquet_columns_of_equal_name(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "a.parquet")
    with pytest.raises(FileError, match="columns of equal name: 'a'"):
        read_table(tmp_path / "a.parquet")

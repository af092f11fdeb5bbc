"""Files that are written: they come back exactly, or the old file stays."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packing import EXPECTED, PACK

from driftlock.errors import DriftlockWarning, FileError, OptionError
from driftlock.files import read_table, to_json_lines, write_table

if TYPE_CHECKING:
    from pathlib import Path

RICH = pd.DataFrame(
    {
        "text": ["a", 'q"uote,\n', None],
        "float": [0.1 + 0.2, np.nan, -1e-300],
        "int": [1, 2, 2**62 + 1],
        "flag": [True, False, True],
    }
)


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".ndjson", ".parquet"])
def test_what_is_written_is_read_back(tmp_path, ending, packing):
    path = tmp_path / f"out{ending}{packing}"
    write_table(RICH, path)
    pd.testing.assert_frame_equal(read_table(path), RICH, check_exact=True)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b"]),
            st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
            min_size=1,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_json_lines_come_back_value_by_value(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("lines") / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    first = read_table(path)
    write_table(first, path)
    again = read_table(path)
    assert list(again) == list(first)
    for column in first:
        wanted = [row.get(column) for row in rows]
        found = [None if pd.isna(value) else value for value in again[column]]
        assert found == wanted


def test_nested_and_typed_values_are_written(tmp_path):
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2024-01-01T10:00Z", None]),
            "nested": [{"k": [1, "é"]}, None],
            "array": [np.array([1, 2]), None],
            "mixed": [np.int64(7), pd.Timedelta("1h")],
        }
    )
    first, second = (json.loads(line) for line in to_json_lines(frame).splitlines())
    assert first == {
        "time": "2024-01-01T10:00:00+00:00",
        "nested": {"k": [1, "é"]},
        "array": [1, 2],
        "mixed": 7,
    }
    assert second == {"time": None, "nested": None, "array": None, "mixed": "P0DT1H0M0S"}
    write_table(frame, tmp_path / "a.csv")
    assert read_table(tmp_path / "a.csv")["nested"][0] == '{"k": [1, "é"]}'
    assert "nested" in frame
    assert frame["nested"][0] == {"k": [1, "é"]}


def test_parquet_columns_of_several_types_become_text_with_a_warning(tmp_path):
    frame = pd.DataFrame({"amount": [12.5, "12.x", None], "big": [2**70, 1, 2], "n": [1, 2, 3]})
    path = tmp_path / "a.parquet"
    with pytest.warns(DriftlockWarning, match="written as text: 'amount', 'big'"):
        write_table(frame, path)
    back = read_table(path)
    assert back["amount"].tolist()[:2] == ["12.5", "12.x"]
    assert pd.isna(back["amount"][2])
    assert back["big"].tolist() == [str(2**70), "1", "2"]
    assert back["n"].tolist() == [1, 2, 3]


def test_what_parquet_cannot_hold_is_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(FileError, match="cannot be written as Parquet"):
        write_table(pd.DataFrame({"empty": [{}, {}]}), path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.xlsx", "a.json", "a", "-", "a.gz"])
def test_unknown_ending_to_write_lists_the_known(tmp_path, name):
    with pytest.raises(OptionError, match=r"known are '\.csv', '\.jsonl', '\.parquet'"):
        write_table(EXPECTED, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_failure_to_write_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(FileError, match=r"a\.csv: cannot be written: No space left on device"):
        write_table(EXPECTED, path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_that_goes_while_it_is_replaced_is_written_anew(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    write_table(RICH[["float"]], path)
    copy_mode = shutil.copymode

    def gone(source, target):
        path.unlink()
        copy_mode(source, target)

    monkeypatch.setattr("shutil.copymode", gone)
    write_table(EXPECTED, path)
    pd.testing.assert_frame_equal(read_table(path), EXPECTED)
    assert [file.name for file in tmp_path.iterdir()] == ["a.csv"]


def test_writing_into_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(FileError, match="cannot be written: No such file or directory"):
        write_table(EXPECTED, tmp_path / "gone" / "a.csv")


def test_links_and_devices_are_kept(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to("real.csv")
    write_table(EXPECTED, link)
    assert link.is_symlink()
    pd.testing.assert_frame_equal(read_table(tmp_path / "real.csv"), EXPECTED)
    link.unlink()
    link.symlink_to(os.devnull)
    write_table(EXPECTED, link)
    assert not link.resolve().is_file()


def test_written_bytes_are_the_same_each_time(tmp_path):
    for name in ("a.csv.gz", "a.jsonl.zst", "a.parquet"):
        write_table(RICH, tmp_path / name)
        first = (tmp_path / name).read_bytes()
        write_table(RICH, tmp_path / name)
        assert (tmp_path / name).read_bytes() == first

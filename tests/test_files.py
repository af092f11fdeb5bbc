"""Files: what is read comes back exactly, and what cannot be read says where and why."""

from __future__ import annotations

import gzip
import io
import json
import math
import os
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from driftlock.errors import DriftlockWarning, FileError, OptionError
from driftlock.files import read_table, to_json_lines, write_table
from driftlock.files.parse import json_rows
from driftlock.files.reading import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

CSV = b"user,amount\nann,12.5\nbob,9\n"
TSV = b"user\tamount\nann\t12.5\nbob\t9\n"
LINES = b'{"user": "ann", "amount": 12.5}\n{"user": "bob", "amount": 9}\n'
ARRAY = b'[{"user": "ann", "amount": 12.5},\n {"user": "bob", "amount": 9}]\n'
EXPECTED = pd.DataFrame({"user": ["ann", "bob"], "amount": [12.5, 9.0]})


def parquet(frame: pd.DataFrame = EXPECTED, **options: object) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}
PLAIN = {
    ".csv": CSV,
    ".tsv": TSV,
    ".json": ARRAY,
    ".jsonl": LINES,
    ".ndjson": LINES,
    ".parquet": parquet(),
}


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    """A function that puts bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


def read(folder: Path, name: str, data: bytes, **options: str) -> pd.DataFrame:
    path = folder / name
    path.write_bytes(data)
    return read_table(path, **options)


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize("ending", PLAIN)
def test_every_format_and_compression_is_the_same_table(tmp_path, stdin, ending, packing):
    data = PACK[packing](PLAIN[ending])
    by_ending = read(tmp_path, f"Table{ending}{packing}".upper(), data)
    stdin(data)
    by_content = read_table("-")
    by_option = read(tmp_path, "table", data, format="jsonl" if ending == ".ndjson" else ending[1:])
    for frame in (by_ending, by_content, by_option):
        pd.testing.assert_frame_equal(frame, EXPECTED)


def test_json_may_hold_an_object_a_line(tmp_path):
    pd.testing.assert_frame_equal(read(tmp_path, "a.json", LINES), EXPECTED)


def test_several_compressed_frames_are_one_file(tmp_path):
    first, second = LINES.splitlines(keepends=True)
    for ending in (".gz", ".zst"):
        data = PACK[ending](first) + PACK[ending](second)
        pd.testing.assert_frame_equal(read(tmp_path, f"a.jsonl{ending}", data), EXPECTED)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        # not what the ending says
        ("a.csv", gzip.compress(CSV), "is not CSV: it looks like gzip"),
        ("a.csv", LINES, "is not CSV: it looks like JSON objects"),
        ("a.csv", ARRAY, "is not CSV: it looks like a JSON array"),
        ("a.csv", parquet(), "is not CSV: it looks like Parquet"),
        ("a.csv", b"PK\x03\x04xx", "is not CSV: it looks like a zip archive or a spreadsheet"),
        ("a.csv", CSV.decode().encode("utf-16"), "is not CSV: it looks like text in UTF-16"),
        ("a.csv", b"a,b\n\x00\x01,2\n", "is not CSV: it looks like binary data"),
        ("a.csv", b"a;b\n1;2\n", "semicolons but no commas in the header 'a;b'; .* --format"),
        ("a.csv", b"a;b\n1,5;2\n", "semicolons but no commas in the header 'a;b'; .* --format ssv"),
        ("a.csv", b"a|b\n1,5|2\n", "vertical bars but no commas .* --format psv, or --format csv"),
        ("a.csv", TSV, "tabs but no commas in the header"),
        ("a.tsv", CSV, "commas but no tabs in the header 'user,amount'"),
        (
            "a.jsonl",
            CSV,
            "not JSON Lines: it looks like CSV or other text, beginning 'user,amount'",
        ),
        ("a.jsonl", ARRAY, "is not JSON Lines: it looks like a JSON array"),
        ("a.json", parquet(), "is not JSON: it looks like Parquet"),
        ("a.parquet", CSV, "is not Parquet: it looks like CSV or other text, beginning 'user,"),
        ("a.csv.gz", CSV, "not compressed with gzip: it looks like CSV"),
        ("a.csv.zst", gzip.compress(CSV), "not compressed with zstd: it looks like gzip"),
        ("a.csv.gz", gzip.compress(LINES), "is not CSV: it looks like JSON objects"),
        ("a.csv.gz", gzip.compress(gzip.compress(CSV)), "is not CSV: it looks like gzip"),
        # broken off or damaged
        ("a.csv.gz", gzip.compress(CSV)[:-9], "the gzip stream breaks off: .* truncated"),
        ("a.csv.gz", gzip.compress(CSV)[:-4] + b"abcd", "the gzip stream is damaged: "),
        ("a.csv.zst", PACK[".zst"](CSV)[:-3], "the zstd stream breaks off: .* truncated"),
        ("a.csv.zst", PACK[".zst"](CSV) + b"junk", "the zstd stream is damaged: "),
        ("a.parquet", parquet()[:-9], "is broken as Parquet: "),
        ("a.parquet", b"PAR1" + bytes(40) + b"PAR1", "is broken as Parquet: "),
        ("a.parquet", parquet().replace(b"amount", b"amoun\xff"), "is broken as Parquet: "),
        # nothing in it
        ("a.csv", b"", "is empty"),
        ("a.jsonl", b"\n \n", "is empty"),
        ("a.csv.gz", gzip.compress(b""), "is empty inside its gzip compression"),
        ("a.csv", b"user,amount\n", "holds no rows"),
        ("a.json", b"[]", "holds no columns"),
        ("a.jsonl", b"{}\n{}\n", "holds no columns"),
        ("a.parquet", parquet(EXPECTED[:0]), "holds no rows"),
        # CSV
        ("a.csv", b"a,b\n1,2\n3,4,5\n", "line 3: fields: 3, in the header: 2: '3,4,5'"),
        ("a.csv", b"a,b\n1,2,\n3,4,\n", "line 2: fields: 3, in the header: 2"),
        ("a.csv", b"a,b\n1,2\n\n3\n", "line 4: fields: 1, in the header: 2: '3'"),
        ("a.csv", b'a,b\n"x\ny",2\r\n3\n', "line 4: fields: 1, in the header: 2: '3'"),
        ("a.csv", b"a,b,a,c,b\n1,2,3,4,5\n", "line 1: 'a', 'b' twice in the header"),
        ("a.csv", b'a,b\n1,2\n3,"x\n5,6\n', "line 3: a quote is never closed"),
        ("a.csv", b'a,b\n1,2\n3,"x"y\n', "line 3: .* expected after"),
        # JSON
        ("a.jsonl", LINES + b'{"user": \n', "line 3: Expecting value at column 10: '{\"user\": '"),
        ("a.jsonl", LINES + b"\nuser\n", "line 4: Expecting value at column 1: 'user'"),
        ("a.jsonl", LINES + b"[1, 2]\n", r"line 3: not a JSON object: '\[1, 2\]'"),
        ("a.jsonl", b"{user: 1}\n", "line 1: Expecting property name .*: '{user: 1}'"),
        ("a.jsonl", LINES + b'{"a": 1, "a": 2}\n', "line 3: key 'a' stands twice in one object"),
        ("a.jsonl", b'{"x": {"k": 1, "k": 2}}\n', "line 1: key 'k' stands twice in one object"),
        ("a.jsonl", b'{"x": "\\ud83d"}\n', r"line 1: \\ud83d is half of a character"),
        ("a.jsonl", b'{"x": ' + b"[" * 100_000 + b"\n", "line 1: nested too deeply"),
        ("a.jsonl", b'{"x": ' + b"1" * 5000 + b"}\n", "line 1: .* more than 4,300 digits"),
        ("a.json", b'{\n"x": 1\n}\n', "line 1: .* .an object stands on one line, or in an array."),
        ("a.json", ARRAY[:-3], "line 2: Expecting .* at column"),
        ("a.json", ARRAY + b"x", "line 3: Extra data at column 1: 'x'"),
        ("a.json", b'[{"a": 1},\n 5]', "item 2 of the array is not a JSON object: '5'"),
        ("a.json", b"[5, {}]", "item 1 of the array is not a JSON object: '5'"),
        ("a.json", b'[{"a": 1},\n{"b": 2},\n{"a": 1, "a": 2}]', "line 3: key 'a' stands twice"),
        # text
        ("a.csv", CSV + b"caf\xe9,1\n", "line 4: byte 0xe9 is no UTF-8 .*, at byte 30"),
        ("a.csv", CSV + b" " * 5000 + b"\x00,1\n", "line 4: a zero byte, at byte 5027"),
        # names
        ("a.xml", CSV, "unknown ending; known are '.csv', .* '.parquet', .* --format"),
        ("a", CSV, "unknown ending"),
        ("a.gz", gzip.compress(CSV), "unknown ending"),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_where_and_why(tmp_path, name, data, message):
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path, name, data)
    assert str(caught.value).startswith(str(tmp_path / name) + ": ")
    assert "\n" not in str(caught.value)


@given(
    st.sampled_from(sorted(PLAIN)),
    st.sampled_from(sorted(PACK)),
    st.floats(0, 1),
    st.integers(0, 5),
    st.binary(max_size=3),
)
def test_damage_is_a_file_error_or_no_damage(tmp_path_factory, ending, packing, at, drop, new):
    data = PACK[packing](PLAIN[ending])
    place = int(at * len(data))
    path = tmp_path_factory.getbasetemp() / f"damaged{ending}{packing}"
    path.write_bytes(data[:place] + new + data[place + drop :])
    message = ""
    try:
        assert read_table(path).size
    except FileError as error:
        message = str(error)
    assert "\n" not in message


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(FileError, match=r"gone\.csv: no such file"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(FileError, match="is a directory"):
        read_table(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_file_without_permission(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(CSV)
    path.chmod(0)
    with pytest.raises(FileError, match="cannot be read: Permission denied"):
        read_table(path)


def test_broken_standard_input_is_named(stdin):
    stdin(LINES + b"{")
    with pytest.raises(FileError, match="standard input: line 3: "):
        read_table("-")
    stdin(b"")
    with pytest.raises(FileError, match="standard input: is empty"):
        read_table("-")


@pytest.mark.parametrize(("format", "mark"), [("ssv", ";"), ("psv", "|")])
def test_other_separators_are_read_as_asked(tmp_path, stdin, format, mark):
    text = f'\ufeffname{mark}amount\r\n"Li{mark} ""A"""{mark}1.234,50\r\nBo{mark}\r\n'
    expected = {"name": [f'Li{mark} "A"', "Bo"], "amount": ["1.234,50", "(none)"]}
    stdin(gzip.compress(text.encode()))
    for frame in (
        read(tmp_path, "a.csv", text.encode(), format=format),
        read(tmp_path, "a.txt.gz", gzip.compress(text.encode()), format=format),
        read_table("-", format=format),
    ):
        assert frame.fillna("(none)").to_dict("list") == expected
    with pytest.raises(FileError, match="line 3: fields: 1, in the header: 2: 'Bo'"):
        read(tmp_path, "a.csv", text.encode()[: text.encode().rindex(mark.encode())], format=format)


def test_unknown_format_lists_the_known(tmp_path):
    with pytest.raises(OptionError, match=r"format='xlsx' .* 'auto', 'csv', 'tsv', 'json'"):
        read(tmp_path, "a.csv", CSV, format="xlsx")
    assert len(FORMATS) == 9


def test_format_is_held_against_the_content_too(tmp_path):
    with pytest.raises(FileError, match="is not Parquet: it looks like CSV"):
        read(tmp_path, "a.csv", CSV, format="parquet")
    frame = read(tmp_path, "a.csv", b"a;b\n1;2\n", format="csv")
    assert frame.to_dict("list") == {"a;b": ["1;2"]}


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


# --------------------------------------------------------------------------- writing

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


def test_a_log_is_read_line_by_line_and_loses_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'first line\r\n\nsecond \xff line\n{"not": "json"}\n')
    frame = read_table(path)
    assert frame.columns.tolist() == ["line"]
    assert frame["line"].tolist() == ["first line", "second \\xff line", '{"not": "json"}']


@pytest.mark.parametrize(
    ("kind", "text", "line", "message"),
    [
        ("jsonl", '{"a": 1}\n\n{"a": NaN}\n', 3, "NaN is no JSON number; write null"),
        ("jsonl", '{"a": -Infinity}', 1, "-Infinity is no JSON number"),
        ("json", '[{"a": 1},\n {"a": 1e999}]', 2, "'1e999' is beyond the range of numbers"),
        ("json", '[{"a": 1},\n {"a": ]', 2, "Expecting value at column 8"),
        ("jsonl", '{"a": 1}\n{"a": 2, "a": 3}', 2, "key 'a' stands twice"),
    ],
)
def test_strict_json_names_the_line(kind: str, text: str, line: int, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        json_rows(text, kind, "body", strict=True)
    assert caught.value.line == line
    assert str(caught.value).startswith(f"body: line {line}: ")


def test_strict_json_reads_all_that_is_json() -> None:
    text = '[{"a": 1e308, "b": null, "c": -0.5, "d": 12345678901234567890}]'
    assert json_rows(text, "json", "body", strict=True) == json.loads(text)

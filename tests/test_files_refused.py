"""Files that cannot be read: the message says where and why."""

from __future__ import annotations

import gzip
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packing import ARRAY, CSV, EXPECTED, LINES, PACK, PLAIN, TSV, parquet, read

from driftlock.errors import FileError
from driftlock.files import read_table
from driftlock.files.parse import json_rows


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

"""Files of every format, compression and separator are read as the same table."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from packing import CSV, EXPECTED, LINES, PACK, PLAIN, read

from driftlock.errors import FileError, OptionError
from driftlock.files import read_table
from driftlock.files.parse import json_rows
from driftlock.files.reading import FORMATS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch):
    """A function that puts bytes on standard input."""

    def put(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return put


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


def test_a_log_is_read_line_by_line_and_loses_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b'first line\r\n\nsecond \xff line\n{"not": "json"}\n')
    frame = read_table(path)
    assert frame.columns.tolist() == ["line"]
    assert frame["line"].tolist() == ["first line", "second \\xff line", '{"not": "json"}']


def test_strict_json_reads_all_that_is_json() -> None:
    text = '[{"a": 1e308, "b": null, "c": -0.5, "d": 12345678901234567890}]'
    assert json_rows(text, "json", "body", strict=True) == json.loads(text)

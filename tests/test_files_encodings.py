"""Files that are not UTF-8: read as asked, and refused with advice where nothing was asked."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pandas as pd
import pytest
from packing import read

from driftlock.cli import main
from driftlock.errors import FileError, OptionError
from driftlock.files import read_table

EXPECTED = pd.DataFrame({"Käufer": ["Müller", "Groß", "€uro"], "Betrag": [1.5, 2.0, 3.25]})
CSV = EXPECTED.to_csv(index=False)
TEXTS = {
    "a.csv": CSV,
    "a.tsv": EXPECTED.to_csv(index=False, sep="\t"),
    "a.jsonl": EXPECTED.to_json(orient="records", lines=True, force_ascii=False),
    "a.json": EXPECTED.to_json(orient="records", force_ascii=False),
}


@pytest.mark.parametrize("encoding", ["cp1252", "iso8859-15", "utf-16", "utf-16-le", "UTF_32"])
@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_other_encodings_are_the_same_table(tmp_path, monkeypatch, name, encoding):
    data = TEXTS[name].encode(encoding)
    pd.testing.assert_frame_equal(read(tmp_path, name, data, encoding=encoding), EXPECTED)
    packed = read(tmp_path, name + ".gz", gzip.compress(data), encoding=encoding)
    pd.testing.assert_frame_equal(packed, EXPECTED)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    pd.testing.assert_frame_equal(read_table("-", encoding=encoding), EXPECTED)


def test_parquet_has_no_encoding(tmp_path):
    EXPECTED.to_parquet(tmp_path / "a.parquet", index=False)
    found = read_table(tmp_path / "a.parquet", encoding="cp1252")
    pd.testing.assert_frame_equal(found, EXPECTED, check_dtype=False)


def test_lines_of_a_log_are_decoded_as_asked(tmp_path):
    data = "Müller kam\nGroß ging\n".encode("latin-1")
    assert read(tmp_path, "a.log", data, encoding="latin-1")["line"].tolist() == [
        "Müller kam",
        "Groß ging",
    ]
    assert read(tmp_path, "a.log", data)["line"].tolist() == [r"M\xfcller kam", r"Gro\xdf ging"]


@pytest.mark.parametrize(
    ("data", "options", "message", "line"),
    [
        (CSV.encode("cp1252"), {}, "line 1: byte 0xe4 is no UTF-8 .* pass --encoding, such as", 1),
        (CSV.encode("utf-16"), {}, "looks like text in UTF-16; pass --encoding utf-16", None),
        (CSV.encode("utf-32"), {}, "looks like text in UTF-32; pass --encoding utf-32", None),
        (gzip.compress(CSV.encode()), {"encoding": "cp1252"}, "it looks like gzip", None),
        (CSV.encode() + b"\x81,1\n", {"encoding": "ascii"}, "line 1: byte 0xc3 is no ascii", 1),
        (b"a,b\n1,2\n\x81,1\n", {"encoding": "cp1252"}, "line 3: byte 0x81 is no cp1252", 3),
        (b"\xef\xbb\xbfa\n1\n\xff", {"encoding": "utf-8-sig"}, "line 3: byte 0xff .* at byte 7", 3),
        (b"a,b\n1,2\n3,4", {"encoding": "utf-16"}, "line 1: byte 0x34 is no utf-16 .trunc", 1),
        (b"a,b\n1,+2AA-\n", {"encoding": "utf-7"}, "line 2: ", 2),
        (b"PK\x03\x04xx", {"encoding": "cp1252"}, "looks like a zip archive", None),
    ],
)
def test_what_cannot_be_decoded_says_where_and_what_to_do(tmp_path, data, options, message, line):
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path, "a.csv", data, **options)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "encoding", ["klingon", "rot13", "base64", "idna", "Punycode", "", "a\0b", None, 8]
)
def test_an_unknown_encoding_is_an_error(tmp_path, encoding):
    with pytest.raises(OptionError, match="is not known; expected one that Python knows, such as"):
        read(tmp_path, "a.csv", CSV.encode(), encoding=encoding)


@pytest.mark.parametrize("command", ["detect", "compare", "scan", "fit"])
def test_commands_read_what_is_of_another_encoding(tmp_path, monkeypatch, capsys, command):
    """Also the baseline, if it has the same ending."""
    monkeypatch.chdir(tmp_path)
    table = pd.concat([EXPECTED] * 40, ignore_index=True)
    Path("a.csv").write_bytes(table.to_csv(index=False).encode("cp1252"))
    options = {
        "detect": ["--baseline", "a.csv"],
        "compare": ["--baseline", "60", "--permutations", "99"],
        "scan": ["--baseline", "60", "--permutations", "99"],
        "fit": ["--out", "a.npz"],
    }[command]
    assert main([command, "a.csv", *options]) == 2
    assert "pass --encoding" in capsys.readouterr().err
    assert main([command, "a.csv", *options, "--encoding", "cp1252"]) in (0, 1)
    assert main([command, "a.csv", *options, "--encoding", "klingon"]) == 2
    assert "encoding='klingon' is not known" in capsys.readouterr().err

"""A file, or standard input, to a table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from driftlock.errors import FileError, check_choice, listed
from driftlock.files import content, parse

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("auto", "csv", "tsv", "json", "jsonl", "parquet", "lines", "ssv", "psv")


def read_table(
    path: str | os.PathLike[str], *, format: str = "auto", encoding: str = "utf-8"
) -> pd.DataFrame:
    """Read a table from a file or from standard input.

    Nothing is guessed, filled in or left out: what does not fit is an error. Values stay as they
    are written: dates are not parsed, and "NA" is a string.

    Parameters
    ----------
    path : str or path
        The file; "-" is standard input, whose format and compression are told by its bytes.
    format : {"auto", "csv", "tsv", "json", "jsonl", "parquet", "lines", "ssv", "psv"}
        "auto" goes by the ending: .csv, .tsv, .json (an array of objects, or an object a line),
        .jsonl, .ndjson, .parquet, or .log and .txt (a row a line, in a column called line), each
        also followed by .gz or .zst. The content must agree.
    encoding : str
        Of a text: any that Python knows, such as "cp1252" or "utf-16". Parquet has none.

    Returns
    -------
    DataFrame
        Rows in file order, numbered from 0; columns in order of first appearance. Missing are
        empty CSV cells, nulls, and keys that an object lacks. Blank lines are no rows.

    Raises
    ------
    FileError
        If the file cannot be read, is not what its ending says or breaks off; for a broken line
        the message gives its number.
    OptionError
        If `format` or `encoding` is not known.

    Examples
    --------
    >>> import tempfile
    >>> import pandas as pd
    >>> from driftlock.files import read_table, write_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(pd.DataFrame({"amount": [12.5, 9.0]}), f"{folder}/amounts.csv.gz")
    ...     print(read_table(f"{folder}/amounts.csv.gz"))
       amount
    0    12.5
    1     9.0
    """
    check_choice("format", format, FORMATS)
    encoding = content.check_encoding(encoding)
    name = "standard input" if os.fspath(path) == "-" else os.fspath(path)
    data = content.read_bytes(path, name)
    kind, data = _identify(data, path, name, wanted=format, encoding=encoding)
    content.check_content(data, kind, name)
    if kind == "parquet":
        frame = parse.parquet(data, name)
    elif kind in parse.SEPARATORS:
        frame = parse.delimited(_as_text(data, name), kind, name, format == "auto")
    elif kind == "lines":
        frame = parse.lines(data)
    else:
        frame = parse.json_objects(_as_text(data, name), kind, name)
    if not frame.size:
        raise FileError(f"{name}: holds no {'rows' if len(frame.columns) else 'columns'}")
    return frame


def _as_text(data: bytes, name: str) -> str:
    try:
        return content.as_text(data, name)
    except FileError as error:
        advice = "; if it is of another encoding, pass --encoding, such as cp1252"
        raise FileError(f"{error}{advice}", line=error.line) from None


def _identify(
    data: bytes, path: str | os.PathLike[str], name: str, *, wanted: str, encoding: str
) -> tuple[str, bytes]:
    """Tell the format, unpack, and recode. The ending decides; where none counts, the bytes do."""
    stdin = os.fspath(path) == "-"
    kind, packing = (None, None) if stdin else content.split_ending(path)
    if wanted == "auto" and kind is None and not stdin:
        raise FileError(
            f"{name}: unknown ending; known are {listed(content.ENDINGS)}, each also with .gz or "
            f".zst; for a file of another name pass --format {'|'.join(FORMATS[1:])}"
        )
    looks = content.looks_like(data)
    if packing is None and (stdin or wanted != "auto") and looks in content.PACKINGS.values():
        packing = looks
    if packing is not None:
        data = content.unpack(data, packing, name)
        looks = content.looks_like(data)
    if encoding != content.UTF_8 and looks not in content.BINARY:
        data = content.in_utf_8(data, encoding, name)
        looks = content.looks_like(data)
    if wanted != "auto":
        kind = wanted
    elif kind is None:
        told = {"array": "json", "objects": "json", "parquet": "parquet"}
        kind = told.get(looks) or content.separator(data)
    return kind, data

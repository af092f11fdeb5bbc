"""Text and bytes to tables: a format a function, every broken line an error that names it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from driftlock.errors import FileError, listed
from driftlock.files.content import BOM, quote

WHOLE = 2.0**53  # from here on a float cannot hold every integer
SEPARATORS = {"csv": ",", "tsv": "\t", "ssv": ";", "psv": "|"}
WORDS = {"csv": "commas", "tsv": "tabs", "ssv": "semicolons", "psv": "vertical bars"}
HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
# From 3.1 on pandas reads every float exactly, and warns when it is asked to.
EXACT: dict[str, Any] = (
    {"float_precision": "round_trip"}
    if tuple(int(part) for part in pd.__version__.split(".")[:2]) < (3, 1)
    else {}
)


def delimited(text: str, kind: str, name: str, by_ending: bool) -> pd.DataFrame:
    """Read CSV and its like. Only the empty cell is missing; pandas tells the types of columns."""
    separator = SEPARATORS[kind]
    _check_records(text, separator, name, kind if by_ending else None)
    options: dict[str, Any] = {
        "sep": separator,
        "index_col": False,
        "keep_default_na": False,
        "na_values": [""],
        "low_memory": False,  # chunks would give one column several types
    }
    try:
        frame: pd.DataFrame = pd.read_csv(io.StringIO(text, newline=""), **options, **EXACT)
        wide = _inexact(frame)
        digits = pd.read_csv(io.StringIO(text, newline=""), **options, dtype=str) if wide else frame
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileError(f"{name}: {_one_line(error)}") from None
    for column in wide:
        if digits[column].dropna().str.fullmatch(r"\s*[+-]?\d+\s*").all():
            frame[column] = _whole([None if pd.isna(v) else int(v) for v in digits[column]])
    return frame


def _check_header(header: list[str], kind: str, name: str) -> None:
    """Refuse one field that another separator would part, unless the format was asked for."""
    other = next((k for k, mark in SEPARATORS.items() if mark in header[0]), None)
    if len(header) == 1 and other:
        raise FileError(
            f"{name}: {WORDS[other]} but no {WORDS[kind]} in the header {quote(header[0])}; pass "
            f"--format {other}, or --format {kind} if it is right as it stands"
        )


def _check_records(text: str, separator: str, name: str, assumed: str | None) -> None:
    """Raise unless every record has as many fields as the header; `assumed` is a format unasked.

    pandas would fill short records and rename columns of equal name without a word.
    """
    header: list[str] = []
    line = 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    csv.field_size_limit(min(max(csv.field_size_limit(), len(text)), 2**31 - 1))
    try:
        for record in reader:
            if not header:
                header = [] if _is_blank(record) else record
                if header and assumed:
                    _check_header(header, assumed, name)
                if repeated := _repeated([cell for cell in header if cell]):
                    raise FileError(f"{name}: line {line}: {listed(repeated)} twice in the header")
            elif len(record) != len(header) and not _is_blank(record):
                raise FileError(
                    f"{name}: line {line}: fields: {len(record)}, in the header: {len(header)}: "
                    f"{quote(separator.join(record))}"
                )
            line = reader.line_num + 1
    except csv.Error as error:
        reason = "a quote is never closed" if "end of data" in str(error) else str(error)
        raise FileError(f"{name}: line {line}: {reason}") from None


def _is_blank(record: list[str]) -> bool:
    """Tell a blank line, which pandas skips, from a record."""
    return not record or (len(record) == 1 and record[0] != "" and not record[0].strip(" \t"))


def _repeated(names: list[str]) -> list[str]:
    """Pick the names that stand more than once."""
    return [name for name, times in Counter(names).items() if times > 1]


def lines(data: bytes) -> pd.DataFrame:
    """Read text line by line, as a log; bytes that are no UTF-8 are written out in hex."""
    text = data.removeprefix(BOM).decode("utf-8", "backslashreplace")
    kept = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    return pd.DataFrame({"line": pd.Series(kept, dtype=object)})


def json_objects(text: str, kind: str, name: str) -> pd.DataFrame:
    """Read an array of objects, or an object per line; of kind "jsonl", only the latter."""
    return as_table(json_rows(text, kind, name))


def json_rows(text: str, kind: str, name: str, *, strict: bool = False) -> list[dict[str, Any]]:
    """Read the same as a list; `strict` refuses NaN and infinities, which JSON has no word for."""
    array = kind == "json" and text.lstrip().startswith("[")
    return (_array if array else _lines)(text, name, _STRICT if strict else _DECODER)


def as_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a table, integers exact beside missing values."""
    try:
        frame = pd.DataFrame(rows)
    except OverflowError:  # before pandas 3, of whole numbers that no float can hold
        frame = pd.DataFrame(
            {name: _told(c) for name, c in pd.DataFrame(rows, dtype=object).items()}
        )
    for column in _inexact(frame):
        values = [row.get(column) for row in rows]
        if any(type(value) is int for value in values):
            frame[column] = _whole(values)
    return frame


def _lines(text: str, name: str, decoder: json.JSONDecoder) -> list[dict[str, Any]]:
    """Read an object per line. Only a newline ends one: strings may hold other line ends."""
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _decode(line, decoder)
        except (ValueError, RecursionError) as error:
            raise FileError(
                f"{name}: line {number}: {_reason(error)}: {quote(line)}", line=number
            ) from None
        if not isinstance(row, dict):
            raise FileError(f"{name}: line {number}: not a JSON object: {quote(line)}", line=number)
        rows.append(row)
    return rows


def _array(text: str, name: str, decoder: json.JSONDecoder) -> list[dict[str, Any]]:
    """Read the objects of one JSON array."""
    try:
        rows = _decode(text, decoder)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else _bad_item(text, decoder)
        start = text.split("\n")[line - 1].strip()
        raise FileError(
            f"{name}: line {line}: {_reason(error)}: {quote(start)}", line=line
        ) from None
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict):
            at, stop = next(islice(array_items(text), number - 1, None))
            raise FileError(
                f"{name}: item {number} of the array is not a JSON object: {quote(text[at:stop])}",
                line=text.count("\n", 0, at) + 1,
            )
    return list(rows)


def array_items(text: str) -> Iterator[tuple[int, int]]:
    """Where each item of a JSON array stands, one read at a time, up to the first that is none."""
    at = text.index("[") + 1
    skip = re.compile(r"[\s,]*")
    scan = json.JSONDecoder().raw_decode
    while True:
        start = skip.match(text, at).end()  # type: ignore[union-attr]
        try:
            _, at = scan(text, start)
        except (ValueError, RecursionError):
            return
        yield start, at


def _bad_item(text: str, decoder: json.JSONDecoder) -> int:
    """Find the line on which the first item begins that parses but is not accepted."""
    stop = text.index("[") + 1
    for start, stop in array_items(text):
        try:
            _decode(text[start:stop], decoder)
        except (ValueError, RecursionError):
            return text.count("\n", 0, start) + 1
    gap = re.compile(r"[\s,]*").match(text, stop)
    return text.count("\n", 0, gap.end() if gap else stop) + 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object. Of a key that stands twice, json alone would keep the last value."""
    row = dict(pairs)
    if len(row) != len(pairs):
        repeated = _repeated([key for key, _ in pairs])
        raise ValueError(f"key {repeated[0]!r} stands twice in one object")
    return row


def _no_number(name: str) -> float:
    """Refuse a word that some writers of JSON put where a number would be."""
    raise ValueError(f"{name} is no JSON number; write null for a missing one")


def _finite(digits: str) -> float:
    """Refuse a number that a float cannot hold: it would silently become an infinity."""
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{quote(digits, 20)} is beyond the range of numbers")
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)
_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite
)


def _decode(text: str, decoder: json.JSONDecoder) -> Any:
    """Parse JSON. Half a surrogate pair is refused: it is no character, and no file can hold it."""
    value = decoder.decode(text)
    if HALF_PAIR.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = f"\\u{ord(error.object[error.start]):04x}"
            raise ValueError(f"{half} is half of a character") from None
    return value


def _reason(error: Exception) -> str:
    """Say what a parser has against a text, with the column where it knows it."""
    if isinstance(error, json.JSONDecodeError):
        hint = " (an object stands on one line, or in an array)" if error.doc.strip() == "{" else ""
        return f"{error.msg} at column {error.colno}{hint}"
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if str(error).startswith("Exceeds the limit"):  # Python's own, of turning digits into a number
        return f"a whole number of more than {sys.get_int_max_str_digits():,} digits"
    return str(error)


def parquet(data: bytes, name: str) -> pd.DataFrame:
    """Read Parquet as it stands: an index that pandas stored with it is a column like others."""
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read()
        repeated = _repeated(table.column_names)
        frame: pd.DataFrame = pd.DataFrame() if repeated else table.to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: of broken names
        raise FileError(f"{name}: is broken as Parquet: {_one_line(error)}") from None
    if repeated:
        raise FileError(f"{name}: columns of equal name: {listed(repeated)}")
    for column in _inexact(frame):
        if pa.types.is_integer(table.schema.field(column).type):
            frame[column] = _whole(table.column(column).to_pylist())
    return frame


def _told(values: pd.Series[Any]) -> pd.Series[Any]:
    """A column of objects in the type that they have, if they have one."""
    try:
        return values.infer_objects()
    except OverflowError:
        return values


def _one_line(error: Exception) -> str:
    """Put a library's message on one line."""
    return " ".join(str(error).split())


def _inexact(frame: pd.DataFrame) -> list[str]:
    """Name the float columns that may have cost an integer its last digits."""
    floats = frame.select_dtypes("float64")
    return [str(column) for column in floats if floats[column].abs().max() >= WHOLE]


def _whole(values: list[Any]) -> pd.Series[Any]:
    """Hold integers with gaps exactly."""
    return pd.Series(values, dtype=object)

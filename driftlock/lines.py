"""Anything as bytes: a table as compact JSON lines, the form in which codecs see rows.

Keys stand in the order of the columns, times in ISO 8601, missing values as null; UTF-8.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from driftlock.errors import InputError
from driftlock.fields import column_names, to_frame

ACCEPTED = "bytes, str, a Series, a list of values or a table"


def row_lines(frame: pd.DataFrame) -> list[bytes]:
    """Each row as one line of JSON, its line end included."""
    names = column_names(frame.columns)
    columns = [frame.iloc[:, i].astype(object).tolist() for i in range(len(names))]
    return [_line(dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)]


def as_bytes(x: Any, name: str = "x") -> bytes:
    """Bytes as they are, text as UTF-8, values a line each, rows a line of JSON each.

    Raises
    ------
    InputError
        If it is nothing of the kind.
    """
    if isinstance(x, (bytes, bytearray, memoryview)):
        return bytes(x)
    if isinstance(x, str):
        return x.encode("utf-8", "surrogatepass")
    if isinstance(x, pd.Series) or _is_flat(x):
        return b"".join(value_lines(x))
    if x is None or isinstance(x, (int, float)):
        raise InputError(f"{name}={x!r} is nothing to compress; expected {ACCEPTED}")
    return b"".join(row_lines(to_frame(x, name)))


def as_frame(x: Any, name: str = "x") -> pd.DataFrame:
    """A table as it is, values as its only column."""
    if _is_flat(x):
        x = pd.Series(x, name="value", dtype=None if len(x) else object)
    return to_frame(x, name)


def _is_flat(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.ndim == 1
    return isinstance(x, (list, tuple)) and not any(isinstance(item, dict) for item in x)


def value_lines(values: Iterable[Any]) -> list[bytes]:
    """Each value on a line: text and bytes as they are, all else as JSON."""
    if isinstance(values, (pd.Series, np.ndarray)):
        values = values.tolist()
    lines = []
    for value in values:
        if isinstance(value, str):
            lines.append(value.encode("utf-8", "surrogatepass") + b"\n")
        elif isinstance(value, (bytes, bytearray)):
            lines.append(bytes(value) + b"\n")
        else:
            lines.append(_line(value))
    return lines


def _line(value: Any) -> bytes:
    text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"), default=str)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _plain(value: Any) -> Any:
    """What JSON knows: missing as null, times in ISO 8601, bytes as text with escapes."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124
        value = None
    elif isinstance(value, float) and math.isinf(value):
        value = str(value)
    elif isinstance(value, (datetime, date)):
        value = value.isoformat()
    elif isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "backslashreplace")
    return value

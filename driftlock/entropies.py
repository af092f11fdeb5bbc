"""Entropies of whatever users have: bytes, text, columns and tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Ints
from driftlock.distance import conditional_entropy, counts_entropy
from driftlock.errors import InputError, OptionError, listed
from driftlock.fields import column_names
from driftlock.fields.kinds import decide
from driftlock.fields.nested import is_nested
from driftlock.lines import as_bytes, as_frame
from driftlock.windows.table import encode


def entropy(
    x: Any, *, given: str | None = None, fields: Mapping[str, str] | None = None
) -> float | pd.Series[float]:
    """Shannon entropy in bits per symbol.

    Parameters
    ----------
    x : bytes, str, Series, list of values or table
        Symbols are the bytes of bytes and text (UTF-8), else the values: numbers that seldom repeat
        are cut at their deciles, times are taken by hour and weekday.
    given : str, optional
        Field of a table: entropies of the other fields given that one.
    fields : mapping of str to str, optional
        Kinds of fields that override what the values say, as in `Detector`.

    Returns
    -------
    float or Series
        One number; for a table a number for each field.

    Raises
    ------
    InputError
        If there is no symbol, or no such field.

    References
    ----------
    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27, 1948.

    Examples
    --------
    >>> import driftlock as dl
    >>> dl.entropy(b"abab"), dl.entropy(["x", "x", "y", "z"])
    (1.0, 1.5)
    """
    if isinstance(x, (str, bytes, bytearray, memoryview)):
        if given is not None:
            raise OptionError(f"given={given!r} needs a table; bytes and text have no fields")
        return counts_entropy(_byte_counts(x))
    frame = as_frame(x, "x")
    parts = _symbols(frame, len(frame), fields)
    if given is not None and given not in parts:
        raise InputError(f"given={given!r} is no field; there are {listed(parts)}")
    found = {
        name: _bits(codes, parts.get(given) if given else None) for name, codes in parts.items()
    }
    if given is not None:
        del found[given]
    return _result(found, x)


def entropy_delta(
    x: Any, y: Any, *, fields: Mapping[str, str] | None = None
) -> float | pd.Series[float]:
    """Entropy of y less that of x, in bits per symbol.

    Parameters
    ----------
    x, y : bytes, str, Series, list of values or table
        Both of one sort. Kinds of fields come from x, bins of numbers from both together.
    fields : mapping of str to str, optional
        Kinds of fields that override what the values of x say.

    Returns
    -------
    float or Series
        One number; for tables a number for each field.

    Examples
    --------
    >>> import driftlock as dl
    >>> dl.entropy_delta(b"abab", b"aaaa")
    -1.0
    """
    texts = (str, bytes, bytearray, memoryview)
    if isinstance(x, texts) and isinstance(y, texts):
        return counts_entropy(_byte_counts(y)) - counts_entropy(_byte_counts(x))
    first, second = as_frame(x, "x"), as_frame(y, "y")
    if not isinstance(x, pd.DataFrame) and len(second.columns) == len(first.columns) == 1:
        second = second.set_axis(first.columns, axis=1)  # one column each, whatever it is called
    parts = _symbols(first, len(first), fields, second)
    n = len(first)
    found = {name: _bits(codes[n:]) - _bits(codes[:n]) for name, codes in parts.items()}
    return _result(found, x)


def _byte_counts(x: Any) -> Ints:
    data = as_bytes(x, "x")
    if not data:
        raise InputError("x is empty; an entropy needs at least one symbol")
    return np.bincount(np.frombuffer(data, np.uint8))


def _symbols(
    x: pd.DataFrame, n: int, fields: Mapping[str, str] | None, *others: pd.DataFrame
) -> dict[str, Ints]:
    """Codes of each field over the rows of all tables; near-unique values are symbols here."""
    names = column_names(x.columns, "x")
    kinds = {
        name: "category"
        for i, name in enumerate(names)
        if not is_nested(x.iloc[:, i]) and decide(x.iloc[:, i]).kind in ("id", "text")
    }
    table = encode([x, *others], n, kinds | dict(fields or {}))
    rows = np.arange(len(table.codes))
    symbols = table.pool(rows, rows[:0]).symbols
    return {
        name: np.unique(symbols[:, table.field_of == place], axis=0, return_inverse=True)[1].ravel()
        for place, name in enumerate(table.names[:-1])
    }


def _bits(codes: Ints, given: Ints | None = None) -> float:
    if given is not None:
        return conditional_entropy(codes, given)
    return counts_entropy(np.bincount(codes))


def _result(found: dict[str, float], x: Any) -> float | pd.Series[float]:
    """A number for values, a number a field for a table."""
    is_column = isinstance(x, (pd.Series, list, tuple)) or getattr(x, "ndim", 2) == 1
    if is_column and len(found) == 1:
        return next(iter(found.values()))
    return pd.Series(found, name="bits", dtype=float)

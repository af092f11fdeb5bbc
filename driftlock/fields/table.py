"""Any table in, a pandas frame with distinct text names out."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from driftlock.errors import InputError, listed

ACCEPTED = "a pandas, polars or pyarrow table, a Series, a 2-D array or a list of records"


def to_frame(table: Any, role: str = "events") -> pd.DataFrame:
    """The same table as a pandas frame, its own column labels kept.

    Parameters
    ----------
    table : DataFrame, Series, polars or pyarrow table, ndarray of shape (n, F), or list of dict
        Rows to read. pandas frames are returned as they are.
    role : str
        What the table is in the caller's words, for messages.

    Returns
    -------
    DataFrame
        With at least one row and one column.

    Raises
    ------
    InputError
        If it is no table, or has no rows or no columns.
    """
    frame = _as_pandas(table, role)
    if not len(frame.columns):
        raise InputError(f"{role} has no columns; at least one is needed")
    if not len(frame):
        raise InputError(f"{role} has no rows; at least one is needed")
    return frame


def _as_pandas(table: Any, role: str) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    if isinstance(table, pd.Series):
        return table.to_frame("value" if table.name in (None, "") else table.name)
    if isinstance(table, np.ndarray):
        if table.ndim != 2:
            raise InputError(f"{role} is an array of shape {table.shape}; expected (rows, columns)")
        return pd.DataFrame(table, columns=[f"x{i}" for i in range(table.shape[1])])
    if isinstance(table, list) and all(isinstance(row, dict) for row in table):
        return pd.DataFrame(table)
    import narwhals as nw

    try:
        eager = nw.from_native(table, eager_only=True, allow_series=True)
    except TypeError as error:
        hint = "; call .collect() first" if hasattr(table, "collect") else ""
        raise InputError(
            f"{role} is of type {type(table).__name__}; expected {ACCEPTED}{hint}"
        ) from error
    try:
        return _as_pandas(eager.to_pandas(), role)
    except pa.ArrowException as error:
        raise InputError(f"{role} cannot be turned into a pandas frame: {error}") from error


def simplify(values: pd.Series[Any]) -> pd.Series[Any]:
    """The same column in a dtype that the fields know: what differs is the container only."""
    dtype = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return pd.Series(pa.array(values.array).to_pandas())
    if isinstance(dtype, pd.SparseDtype):
        return pd.Series(np.asarray(values.array))
    if isinstance(dtype, pd.PeriodDtype):
        return pd.Series(values.array.to_timestamp())
    return values.astype(object) if dtype.kind == "c" else values


def column_names(labels: pd.Index[Any], role: str = "events") -> list[str]:
    """Text names of column labels: levels joined by dots, whatever else by its text.

    Raises
    ------
    InputError
        If two columns have the same name.
    """
    names = [_text(label) for label in labels]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError(
            f"{role} has more than one column named {listed(twice)}; rename or drop them"
        )
    return names


def _text(label: Hashable) -> str:
    if isinstance(label, tuple):
        return ".".join(str(level) for level in label if str(level) != "")
    return str(label)

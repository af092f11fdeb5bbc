"""Any table in, a pandas frame with distinct text names out."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

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
        return table.to_frame("value" if table.name is None else table.name)
    if isinstance(table, np.ndarray):
        if table.ndim != 2:
            raise InputError(f"{role} is an array of shape {table.shape}; expected (rows, columns)")
        return pd.DataFrame(table, columns=[f"x{i}" for i in range(table.shape[1])])
    if isinstance(table, list) and all(isinstance(row, dict) for row in table):
        return pd.DataFrame(table)
    import narwhals as nw

    try:
        eager = nw.from_native(table, eager_only=True)
    except TypeError as error:
        hint = "; call .collect() first" if hasattr(table, "collect") else ""
        raise InputError(
            f"{role} is a {type(table).__name__}; expected {ACCEPTED}{hint}"
        ) from error
    return eager.to_pandas()


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

"""Nested columns: dicts and lists of dicts, laid out as plain columns with dotted names.

A dict's entry gets the path ``key``, a list's ``position`` up to eight and its length ``#``. Lists
of anything but dicts stay one value. The column's own name is kept for its set of keys, so that a
key never seen before is evidence of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from driftlock.errors import InputError

MAX_DEPTH = 32
MAX_POSITIONS = 8
TOO_DEEP = f"(nested beyond {MAX_DEPTH} levels)"


def is_nested(values: pd.Series[Any]) -> bool:
    """Whether any value of a column is a dict or a list of dicts."""
    if (
        values.dtype != object
        and "struct" not in str(values.dtype)
        and "list" not in str(values.dtype)
    ):
        return False
    return any(_is_branch(value) for value in values.to_numpy(object))


def lay_out(name: str, values: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    """Columns of one nested column: its set of keys under its own name, then every path, sorted.

    Raises
    ------
    InputError
        If two entries of one value have the same dotted name.
    """
    rows = [_leaves(name, value) for value in values.to_numpy(object)]
    keys = [None if row is None else _key_set(row) for row in rows]
    columns = {name: pd.Series(keys, index=values.index, dtype=object)}
    for path in sorted({path for row in rows if row for path in row}):
        column = np.array([None] * len(rows), dtype=object)
        for i, row in enumerate(rows):
            if row:
                column[i] = row.get(path)
        columns[f"{name}.{path}"] = pd.Series(column, index=values.index, dtype=object)
    return columns


def plain(value: Any) -> str:
    """Canonical text of a nested value that is coded as one symbol."""
    try:
        return json.dumps(_listed(value), sort_keys=True, ensure_ascii=False, default=str)
    except (RecursionError, TypeError, ValueError):
        return TOO_DEEP


def _listed(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _is_branch(value: Any) -> bool:
    if isinstance(value, dict):
        return True
    if isinstance(value, (list, tuple, np.ndarray)):
        return len(value) > 0 and all(isinstance(item, dict) for item in value)
    return False


def _leaves(name: str, value: Any) -> dict[str, Any] | None:
    """Leaves of one value by dotted path; None where it is missing or not nested at all."""
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    if not _is_branch(value):
        return {"": value}
    leaves: dict[str, Any] = {}
    for path, leaf in _walk(value, "", 0):
        if path in leaves:
            raise InputError(
                f"column {name!r} has two entries named {path!r}; rename one of the keys"
            )
        leaves[path] = leaf
    return leaves


def _walk(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if not _is_branch(value):
        yield path, value
    elif depth >= MAX_DEPTH:
        yield path, TOO_DEEP
    else:
        start = f"{path}." if path else ""
        for key, item in _entries(value):
            yield from _walk(item, f"{start}{key}", depth + 1)


def _entries(value: Any) -> list[tuple[str, Any]]:
    """Named items of a dict or of a list of dicts."""
    if isinstance(value, dict):
        return [(str(key), item) for key, item in value.items()]
    entries: list[tuple[str, Any]] = [("#", len(value))]
    entries += [(str(i), item) for i, item in enumerate(value[:MAX_POSITIONS])]
    if len(value) > MAX_POSITIONS:
        entries.append((f"{MAX_POSITIONS}+", plain(value[MAX_POSITIONS:])))
    return entries


def _key_set(row: dict[str, Any]) -> str:
    """The keys of one value, positions of lists left out."""
    if "" in row:
        return f"(not nested: {type(row['']).__name__})"
    names = {".".join("*" if part.isdigit() else part for part in path.split(".")) for path in row}
    return "{" + ", ".join(sorted(names)) + "}"

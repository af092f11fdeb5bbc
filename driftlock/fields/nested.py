"""Nested columns: dicts and lists of dicts, laid out as plain columns with dotted names.

A dict's entry gets the path ``key``, a list's ``position`` up to eight and its length ``#``. Lists
of anything but dicts stay one value. The column's own name is kept for its set of keys, so that a
key never seen before is evidence of its own.
"""

from __future__ import annotations

import json
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.errors import InputError

MAX_DEPTH = 32
MAX_POSITIONS = 8
TOO_DEEP = f"(nested beyond {MAX_DEPTH} levels)"
BRANCHES = (dict, list, tuple, np.ndarray)  # what may hold further entries
PLAIN = "(value)"  # the entry of a value that is not nested, among others that are


def is_nested(values: pd.Series[Any]) -> bool:
    """Whether any value of a column is a dict or a list of dicts."""
    if values.dtype != object:
        return False
    if not pd.api.types.infer_dtype(values, skipna=True).startswith("mixed"):
        return False
    return any(_is_branch(value) for value in values.to_numpy(object))


def lay_out(name: str, values: pd.Series[Any]) -> dict[str, pd.Series[Any]]:
    """Columns of one nested column: its set of keys under its own name, then every path, sorted.

    Raises
    ------
    InputError
        If two entries of one value have the same dotted name.
    """
    each = values.to_numpy(object)
    records = _records_alike(each)
    if records is not None:
        named = {name: records.pop("")} | {
            f"{name}.{path}": records[path] for path in sorted(records)
        }
        return {path: pd.Series(column, dtype=object) for path, column in named.items()}
    keys = np.full(len(each), None, dtype=object)
    columns: dict[str, NDArray[np.object_]] = {}
    key_sets: dict[tuple[str, ...], str] = {}
    for i in np.flatnonzero(values.notna().to_numpy(bool)):
        if _is_record(each[i]):  # the common case, without the walk
            shape = tuple(each[i])
            if shape not in key_sets:
                key_sets[shape] = _key_set(each[i], list(shape))
                for path in set(shape) - columns.keys():
                    columns[path] = np.full(len(each), None, dtype=object)
            for path, leaf in each[i].items():
                columns[path][i] = leaf
            keys[i] = key_sets[shape]
            continue
        leaves: list[tuple[str, str, Any]] = []
        _walk(each[i], ("", ""), 0, leaves)
        for path, _, leaf in leaves:
            if path not in columns:
                columns[path] = np.full(len(each), None, dtype=object)
            columns[path][i] = leaf
        keys[i] = _key_set(each[i], [pattern for _, pattern, _ in leaves])
        if len({path for path, _, _ in leaves}) < len(leaves):
            raise InputError(
                _collision(name, values.index[int(i)], [path for path, _, _ in leaves])
            )
    named = {name: keys} | {f"{name}.{path}": columns[path] for path in sorted(columns)}
    return {path: pd.Series(column, dtype=object) for path, column in named.items()}


def _records_alike(each: NDArray[np.object_]) -> dict[str, NDArray[np.object_]] | None:
    """Columns of dicts of one and the same keys, the set of keys under ""; None of any others."""
    if not len(each) or not _is_record(each[0]) or set(map(type, each)) != {dict}:
        return None
    shape = tuple(each[0])
    if any(tuple(value) != shape for value in each):
        return None
    keys = np.empty(len(each), dtype=object)
    keys[:] = _key_set(each[0], list(shape))
    columns = {"": keys}
    for path in shape:
        leaves = np.fromiter(map(itemgetter(path), each), object, len(each))
        if any(issubclass(kind, BRANCHES) for kind in set(map(type, leaves))):
            return None
        columns[path] = leaves
    return columns


def plain(value: Any) -> str:
    """Canonical text of a nested value that is coded as one symbol."""
    try:
        return json.dumps(_listed(value), sort_keys=True, ensure_ascii=False, default=_listed)
    except (RecursionError, TypeError, ValueError):
        return TOO_DEEP


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return value if isinstance(value, (dict, list, tuple)) else str(value)


def _is_branch(value: Any) -> bool:
    if isinstance(value, dict):
        return True
    if isinstance(value, (list, tuple, np.ndarray)):
        return len(value) > 0 and all(isinstance(item, dict) for item in value)
    return False


def _is_record(value: Any) -> bool:
    """Whether a value is a dict of texts to values that are not nested themselves."""
    return (
        type(value) is dict
        and len(value) > 0
        and not any(isinstance(item, BRANCHES) for item in value.values())
        and all(type(key) is str and key != "" for key in value)
    )


def _walk(value: Any, at: tuple[str, str], depth: int, leaves: list[tuple[str, str, Any]]) -> None:
    """Append path, path with ``*`` for every position, and value, of every leaf."""
    if not _is_branch(value) or (depth and not len(value)):
        leaves.append((*(at if depth else (PLAIN, PLAIN)), value))
    elif depth >= MAX_DEPTH:
        leaves.append((*at, TOO_DEEP))
    else:
        path, pattern = (f"{start}." if start else "" for start in at)
        for key, general, item in _entries(value):
            _walk(item, (path + key, pattern + general), depth + 1, leaves)


def _entries(value: Any) -> list[tuple[str, str, Any]]:
    """Items of a dict or of a list of dicts: name, name with ``*`` for a position, item."""
    if isinstance(value, dict):
        names = [str(key) or "''" for key in value]
        return list(zip(names, names, value.values(), strict=True))
    entries: list[tuple[str, str, Any]] = [("#", "#", len(value))]
    entries += [(str(i), "*", item) for i, item in enumerate(value[:MAX_POSITIONS])]
    if len(value) > MAX_POSITIONS:
        rest = f"{MAX_POSITIONS}+"
        entries.append((rest, rest, plain(value[MAX_POSITIONS:])))
    return entries


def _key_set(value: Any, patterns: list[str]) -> str:
    """The keys of one value, positions of lists left out."""
    if not _is_branch(value):
        return f"(not nested: {type(value).__name__})"
    return "{" + ", ".join(sorted(set(patterns))) + "}"


def _collision(name: str, label: Any, paths: list[str]) -> str:
    twice = next(path for path in paths if paths.count(path) > 1)
    return (
        f"column {name!r} has two entries named {twice!r} in the row {label!r}; "
        "rename one of the keys"
    )

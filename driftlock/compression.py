"""Distances and code lengths of whatever users have: bytes, text, columns and tables."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from driftlock.coders.codec import CODECS, Codec, get_codec
from driftlock.distance import (
    cdm_of,
    check_balance,
    check_pair,
    check_reach,
    joint_sizes,
    ncd_of,
)
from driftlock.draws import Draws
from driftlock.errors import InputError, OptionError, check_choice
from driftlock.lines import as_bytes, as_frame
from driftlock.threads import in_ranges
from driftlock.windows.permuted import stacked
from driftlock.windows.table import WindowTable, encode
from driftlock.windows.text import TextRows, text_lines

TEXTS = (str, bytes, bytearray, memoryview)


def ncd(
    x: Any, y: Any, *, coder: str = "zstd", level: int | None = None, both_orders: bool = False
) -> float:
    """Normalised compression distance: by a codec near 0 for the same, near 1 for unrelated.

    Parameters
    ----------
    x, y : bytes, str, Series, list of values or table
        What is compared. A table is compressed as compact JSON lines, a column as a line a value.
    coder : {"zstd", "lz4", "gzip", "openzl", "fields", "text"}, default "zstd"
        A codec; or counts, exact and blind to the order of rows: of the typed fields of tables, or
        of bytes in their contexts, as in `compare`.
    level : int, optional
        Of the codec; higher is smaller and slower. Counts have none.
    both_orders : bool, default False
        Whether to take the mean of C(xy) and C(yx): codecs are not symmetric.

    Returns
    -------
    float
        (C(xy) - min(C(x), C(y))) / max(C(x), C(y)), never clamped: it may exceed 1. By counts it
        is near 1 for equal sides too, since counts know shares and no copies: compare distances.

    Raises
    ------
    InputError
        If a side is empty.
    OptionError
        If the codec or the level is not known.

    References
    ----------
    Cilibrasi and Vitanyi, "Clustering by compression", IEEE Transactions on Information Theory
    51(4), 2005. Cebrian, Alfonseca and Ortega, "Common pitfalls using the normalized compression
    distance", Communications in Information and Systems 5(4), 2005: why sides beyond the codec's
    window, which warn, have a large distance even to themselves.

    Examples
    --------
    >>> import driftlock as dl
    >>> text = "the quick brown fox jumps over the lazy dog. " * 20
    >>> dl.ncd(text, text) < dl.ncd(text, "".join(map(str, range(400))))
    True
    """
    check_choice("coder", coder, (*CODECS, "fields", "text"))
    if coder not in CODECS:
        if level is not None:
            raise OptionError(f"level={level!r} is for codecs; coder={coder!r} has no levels")
        return _ncd_by_counts(x, y, coder)
    codec = get_codec(coder, level)
    a, b = as_bytes(x, "x"), as_bytes(y, "y")
    check_pair(a, b, codec)
    return ncd_of(*joint_sizes(a, b, codec, both_orders=both_orders))


def cdm(
    x: Any, y: Any, *, coder: str = "zstd", level: int | None = None, both_orders: bool = False
) -> float:
    """Compression-based dissimilarity C(xy) / (C(x) + C(y)): 1/2 for the same, 1 for unrelated.

    Parameters
    ----------
    x, y : bytes, str, Series, list of values or table
        What is compared.
    coder : {"zstd", "lz4", "gzip", "openzl"}, default "zstd"
        The codec.
    level : int, optional
        Of the codec.
    both_orders : bool, default False
        Whether to take the mean of C(xy) and C(yx).

    Returns
    -------
    float

    References
    ----------
    Keogh, Lonardi and Ratanamahatana, "Towards parameter-free data mining", KDD 2004.

    Examples
    --------
    >>> import driftlock as dl
    >>> 0.5 <= dl.cdm("abc" * 100, "abc" * 100) < 0.8
    True
    """
    codec = _codec(coder, level)
    a, b = as_bytes(x, "x"), as_bytes(y, "y")
    check_pair(a, b, codec)
    return cdm_of(*joint_sizes(a, b, codec, both_orders=both_orders))


def ncd_matrix(
    items: Any, *, coder: str = "zstd", level: int | None = None, progress: bool = False
) -> pd.DataFrame:
    """NCD of every pair, both orders averaged.

    Parameters
    ----------
    items : mapping of label to item, Series, DataFrame, or list of items
        Each item is anything that `ncd` takes; those of a DataFrame are its columns.
    coder : {"zstd", "lz4", "gzip", "openzl"}, default "zstd"
    level : int, optional
        Of the codec.
    progress : bool, default False
        Whether to show a progress bar.

    Returns
    -------
    DataFrame
        Symmetric, labelled on both sides. The diagonal is the distance of each item to itself:
        small, but not 0, and near 1 beyond the codec's window.

    Examples
    --------
    >>> import driftlock as dl
    >>> found = dl.ncd_matrix({"a": "spam " * 50, "b": "spam " * 40, "c": "0123456789" * 9})
    >>> bool(found.loc["a", "b"] < found.loc["a", "c"])
    True
    """
    labels, values = _labelled(items)
    codec = _codec(coder, level)
    sides = [
        as_bytes(value, f"item {label!r}") for label, value in zip(labels, values, strict=True)
    ]
    for label, side in zip(labels, sides, strict=True):
        if not side:
            raise InputError(f"item {label!r} is empty; a distance needs at least one byte")
    smallest, largest = min(map(len, sides)), max(map(len, sides))
    check_reach(2 * largest, codec)  # each item is also held against itself
    check_balance(smallest, largest)
    alone = [codec.size(side) for side in sides]
    pairs = [(i, i) for i in range(len(sides))] + list(combinations(range(len(sides)), 2))
    result = np.empty((len(sides), len(sides)))
    with _progress(len(pairs), show=progress) as bar:

        def work(first: int, stop: int) -> None:
            for i, j in pairs[first:stop]:
                both = (codec.size(sides[i] + sides[j]) + codec.size(sides[j] + sides[i])) / 2
                result[i, j] = result[j, i] = ncd_of(alone[i], alone[j], both)
                bar.update()

        in_ranges(work, 0, len(pairs))
    return pd.DataFrame(result, index=labels, columns=labels)


def code_length(
    x: Any, *, given: Any = None, coder: str = "zstd", level: int | None = None
) -> float:
    """Compressed length in bits, for a reader who may know something already.

    Parameters
    ----------
    x : bytes, str, Series, list of values or table
        What is compressed.
    given : the same, optional
        What the reader has: a dictionary for zstd, lz4 and gzip (whose reach is their window); for
        openzl, C(given x) - C(given).
    coder : {"zstd", "lz4", "gzip", "openzl"}, default "zstd"
    level : int, optional
        Of the codec.

    Returns
    -------
    float
        Bits: eight times the compressed bytes, the frame of the codec included.

    Examples
    --------
    >>> import driftlock as dl
    >>> line = "user=anna action=login result=ok"
    >>> dl.code_length(line, given="user=eva action=login result=ok") < dl.code_length(line)
    True
    """
    codec, data = _codec(coder, level), as_bytes(x, "x")
    if given is None:
        return 8.0 * codec.size(data)
    known = as_bytes(given, "given")
    return 8.0 * (codec.size_given(data, known) if known else codec.size(data))


def compression_ratio(x: Any, *, coder: str = "zstd", level: int | None = None) -> float:
    """Raw bytes by compressed bytes: 1 for noise, more the more repeats.

    Parameters
    ----------
    x : bytes, str, Series, list of values or table
        What is compressed.
    coder : {"zstd", "lz4", "gzip", "openzl"}, default "zstd"
        The codec.
    level : int, optional
        Of the codec.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If there is nothing to compress.

    Examples
    --------
    >>> import driftlock as dl
    >>> dl.compression_ratio("spam " * 1000) > 100
    True
    """
    data = as_bytes(x, "x")
    if not data:
        raise InputError("x is empty; a compression ratio needs at least one byte")
    return len(data) / _codec(coder, level).size(data)


def _codec(coder: str, level: int | None) -> Codec:
    check_choice("coder", coder, CODECS)
    return get_codec(coder, level)


def _ncd_by_counts(x: Any, y: Any, coder: str) -> float:
    if coder == "text" and isinstance(x, TEXTS) and isinstance(y, TEXTS):
        lines = [as_bytes(x, "x"), as_bytes(y, "y")]
        if not all(lines):
            raise InputError(f"{'y' if lines[0] else 'x'} is empty; a distance needs two sides")
        n, m = 1, 1
        source: TextRows | WindowTable = TextRows.of(lines)
    else:
        baseline, window = as_frame(x, "x"), as_frame(y, "y")
        n, m = len(baseline), len(window)
        table = encode([baseline, window], n)
        source = table
        if coder == "text":
            source = TextRows.of(text_lines(stacked([baseline, window]), table.schema))
    pool = source.pool(np.arange(n), np.arange(n, n + m))
    return float(Draws.rows(n, n + m, 1, 0).measure(pool, 0, 1)[0, 0]) * 1e-9


def _labelled(items: Any) -> tuple[list[Any], list[Any]]:
    if isinstance(items, TEXTS):
        raise InputError(f"items is one {type(items).__name__}; expected a mapping or a list")
    if isinstance(items, (Mapping, pd.Series, pd.DataFrame)):
        labels, values = map(list, zip(*items.items(), strict=True)) if len(items) else ([], [])
    else:
        values = list(items)
        labels = list(range(len(values)))
    if not values:
        raise InputError("items is empty; a matrix needs at least one item")
    return labels, values


def _progress(total: int, *, show: bool) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, disable=not show, unit="pair")

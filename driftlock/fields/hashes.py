"""Hashes of the content of rows, the same whatever their order and their dtypes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.fields.values import symbols


def content_hashes(columns: Iterable[pd.Series[Any]], key: str) -> NDArray[np.uint64]:
    """A 64-bit hash of the content of each row; `key` (16 characters) chooses the function."""
    total: NDArray[np.uint64] | None = None
    for values in columns:
        codes, texts = symbols(values)
        hashes = text_hashes(texts, key)[codes]
        total = hashes if total is None else scrambled(total) + hashes
    assert total is not None
    return total


def unordered_hashes(columns: Sequence[pd.Series[Any]], key: str) -> NDArray[np.uint64]:
    """The same whatever the order of the columns: each has a salt made of all its values.

    A row's hash is then one among the rows of this table, and another in another table.
    """
    total = np.zeros(len(columns[0]), np.uint64)
    for values in columns:
        codes, texts = symbols(values)
        hashes = text_hashes(texts, key)
        salt = hashes[codes].sum(dtype=np.uint64)
        total += scrambled(hashes ^ salt)[codes]
    return total


def text_hashes(texts: list[str], key: str = "0" * 16) -> NDArray[np.uint64]:
    """A 64-bit hash of each text; surrogates that no encoding has are written as escapes."""
    try:
        each = np.array(texts, dtype=object)
        return pd.util.hash_array(each, hash_key=key, categorize=False)
    except UnicodeEncodeError:
        spelt = [text.encode("utf-8", "backslashreplace").decode() for text in texts]
        return text_hashes(spelt, key)


def scrambled(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: every bit of the input reaches every bit of the output."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))

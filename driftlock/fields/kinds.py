"""What kind of field a column is, decided once, on the baseline, by its values alone."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints
from driftlock.fields.values import is_text, numbers, symbols, times

KINDS = ("category", "number", "time", "text", "id")
FEW_VALUES = 8
MOST = 0.97  # share of the values present that must read as a number or a time
EPOCHS = {
    "s": (1e9, 2e9),
    "ms": (1e12, 2e12),
    "us": (1e15, 2e15),
    "ns": (1e18, 2e18),
}  # 2001 to 2033
SURELY_UNIQUE = 10.0  # pairs expected to collide by chance; none did
ID_SHARE = 0.95
SAMPLE = 5_000


@dataclass(frozen=True)
class Decision:
    """A kind and the reason for it, in words; `unit` of an epoch."""

    kind: str
    reason: str
    unit: str | None = None


def decide(values: pd.Series[Any]) -> Decision:
    """The kind of a baseline column, and why."""
    present = values[values.notna().to_numpy(bool)]
    if not len(present):
        return Decision("category", "every value is missing in the baseline")
    dtype = values.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Decision("time", f"dtype {dtype}")
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return Decision("category", f"dtype {dtype}")
    if pd.api.types.is_timedelta64_dtype(dtype):
        return Decision("number", f"dtype {dtype}, in seconds")
    if dtype.kind in "iuf":
        return _decide_number(numbers(present).values, "")
    return _decide_object(present)


def _decide_object(present: pd.Series[Any]) -> Decision:
    """Strings and mixed values, none missing."""
    codes, texts = symbols(present)
    n, distinct = len(codes), len(texts)
    looked_at = _sample(present, codes, texts)
    parsed = numbers(looked_at)
    if parsed.share > MOST and not (is_text(looked_at) and _has_leading_zeros(looked_at)):
        everything = numbers(present)
        how = f"{everything.share:.1%} of the values read as numbers; "
        return _decide_number(everything.values[everything.readable], how)
    if parsed.share < 1 - MOST:
        as_times = times(looked_at).share
        if as_times > MOST:
            return Decision("time", f"{as_times:.1%} of the values read as ISO times")
    seldom = f"{distinct:,} different values in {n:,} rows"
    if 2 * distinct <= n:
        return Decision("category", seldom)
    shape = _structureless(texts)
    if shape:
        return Decision("id", f"{seldom}, {shape}")
    return Decision("text", f"{seldom}, of varied shape")


def _sample(present: pd.Series[Any], codes: Ints, texts: list[str]) -> pd.Series[Any]:
    """Rows that stand for a long column: some values, by hash, in proportion to their counts.

    Which rows these are does not depend on the order of the column.
    """
    if len(codes) <= SAMPLE:
        return present
    first = np.empty(len(texts), np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    counts = np.bincount(codes, minlength=len(texts))
    if len(texts) > SAMPLE:
        hashes = pd.util.hash_array(np.array(texts, dtype=object))
        chosen = np.argsort(hashes, kind="stable")[:SAMPLE]
        first, counts = first[chosen], counts[chosen]
    repeats = np.ceil(counts * (SAMPLE / counts.sum())).astype(np.int64)
    return present.iloc[np.repeat(first, repeats)]


def _decide_number(values: Floats, how: str) -> Decision:
    """Readable numbers, not one missing."""
    finite = values[np.isfinite(values)]
    distinct = np.unique(finite)
    if distinct.size <= FEW_VALUES:
        return Decision("category", f"{how}only {distinct.size} different numbers")
    whole = bool((finite == np.rint(finite)).all())
    span = float(distinct[-1]) - float(distinct[0]) + 1.0
    if whole and distinct.size == finite.size:
        expected = 0.5 * finite.size * (finite.size - 1) / span
        if expected > SURELY_UNIQUE:
            return Decision(
                "id", f"{how}whole numbers of which none repeats, though chance would make them"
            )
    for unit, (low, high) in EPOCHS.items():
        if whole and low <= distinct[0] and distinct[-1] < high:
            return Decision(
                "time", f"{how}whole numbers in the range of epoch times ({unit})", unit
            )
    return Decision("number", f"{how}{distinct.size:,} different numbers")


def _has_leading_zeros(present: pd.Series[Any]) -> bool:
    """Whether one text in a hundred is a whole number with a leading zero, as in codes."""
    texts = present.astype(str).str.strip()
    return bool(texts.str.fullmatch(r"0\d+").mean() > 0.01)


def _structureless(texts: list[str]) -> str:
    """Why near-unique texts are mere identifiers, or nothing if they have inner structure.

    Their letters and digits are looked at, not what they mean: one token each, and either the same
    skeleton (every run with a digit in it is one ``#``) or the same length.
    """
    step = max(1, len(texts) // SAMPLE)
    sample = sorted(texts)[::step]
    if sum(any(c.isspace() for c in text) for text in sample) > (1 - ID_SHARE) * len(sample):
        return ""
    skeletons = Counter(re.sub(r"[^\W_]*\d[^\W_]*", "#", text) for text in sample)
    skeleton, count = skeletons.most_common(1)[0]
    if count >= ID_SHARE * len(sample) and "#" in skeleton:
        return f"all of the shape {skeleton!r} (# stands for letters and digits)"
    lengths = Counter(len(text) for text in sample)
    length, count = lengths.most_common(1)[0]
    if count >= ID_SHARE * len(sample) and length > 3:
        return f"one word each, all {length} characters long"
    return ""

"""What kind of field a column is, decided once, on the baseline, by its values alone."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints
from driftlock.errors import OptionError
from driftlock.fields.times import epoch_unit, times
from driftlock.fields.values import (
    EXACT_WHOLE,
    Parsed,
    is_text,
    numbers,
    shown,
    symbols,
    text_hashes,
)

KINDS = ("category", "number", "time", "text", "id")
FEW_VALUES = 8
MOST = 0.97  # share of the values present that must read as a number or a time
SURELY_UNIQUE = 10.0  # pairs expected to collide by chance; none did
# numbers with a currency, separators, more than one point, or a unit behind them
FORMATTED = re.compile(
    r"[$\u20ac\u00a3\u00a5]\s?-?\d[\d.,]*|-?\d+(?:[.,]\d+)+\s?(?:%|[^\W\d_]{1,3})?|-?\d+\s?(?:%|[^\W\d_]{1,3})"
)
SPACE = re.compile(r"\s")
WITH_DIGIT = re.compile(r"[^\W_]*\d[^\W_]*")
FEW_SENTENCES, WORDS_PER_SENTENCE, WORD_REUSE = 30, 4, 4
ID_SHARE = 0.95
SAMPLE = 5_000
GLANCE = 512  # of the sample, enough to see what it is not


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
        return _decide_number(numbers(present).values, present.nunique, "")
    return _decide_object(present)


def as_asked(name: str, kind: str, values: pd.Series[Any]) -> Decision:
    """A kind that overrides what the values say.

    Raises
    ------
    OptionError
        If the column has values and none of them reads as a number, or as a time.
    """
    present = values[values.notna().to_numpy(bool)]
    unit, readable = None, True
    if kind == "number":
        readable = bool(numbers(present).readable.any())
    elif kind == "time":
        as_numbers = numbers(present)
        unit = epoch_unit(as_numbers.values[as_numbers.readable])
        readable = bool(times(present, unit=unit).readable.any())
    if len(present) and not readable:
        raise OptionError(
            f"fields[{name!r}]={kind!r} is not possible: nothing in the baseline reads as a {kind} "
            f"(it starts with {str(present.iloc[0])[:40]!r}); 'category' is possible for any column"
        )
    return Decision(kind, "as asked", unit)


def _decide_object(present: pd.Series[Any]) -> Decision:
    """Strings and mixed values, none missing."""
    codes, texts = symbols(present)
    n, distinct = len(codes), len(texts)
    looked_at, repeats, chosen = _sample(present, codes, texts)
    may_be_numbers, may_be_times = (
        _may_be_most(read, looked_at, repeats) for read in (numbers, times)
    )
    as_numbers = 0.0
    if may_be_numbers or may_be_times:
        as_numbers = _share(numbers(looked_at), repeats)
    if as_numbers > MOST and not (is_text(looked_at) and _has_leading_zeros(looked_at, repeats)):
        everything = numbers(present)
        how = f"{everything.share:.1%} of the values read as numbers; "
        return _decide_number(everything.values[everything.readable], lambda: distinct, how)
    if may_be_times and as_numbers < 1 - MOST:
        as_times = _share(times(looked_at), repeats)
        if as_times > MOST:
            return Decision("time", f"{as_times:.1%} of the values read as ISO times")
    seldom = f"{distinct:,} different values in {n:,} rows"
    if distinct == 1:
        seldom = f"the same value in all {n:,} rows"
    sentences = _recombined([shown(text) for text in chosen])
    if sentences:
        return Decision("text", f"{seldom}, {sentences}")
    if 2 * distinct <= n:
        return Decision("category", seldom)
    shape = _structureless([shown(text) for text in chosen])
    if shape:
        return Decision("id", f"{seldom}, {shape}")
    return Decision("text", f"{seldom}, of varied shape")


def _sample(
    present: pd.Series[Any], codes: Ints, texts: list[str]
) -> tuple[pd.Series[Any], Ints, list[str]]:
    """A row of each value that stands for a long column, how often it does, and its text.

    Some values, by hash, as often as they are there, so that which these are does not depend on
    the order of the column.
    """
    first = np.empty(len(texts), np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    counts = np.bincount(codes, minlength=len(texts))
    if len(codes) <= SAMPLE:
        return present.iloc[first], counts, texts
    if len(texts) > SAMPLE:
        chosen = np.argpartition(text_hashes(texts), SAMPLE)[:SAMPLE]
        first, counts, texts = first[chosen], counts[chosen], [texts[i] for i in chosen]
    repeats = np.ceil(counts * (SAMPLE / counts.sum())).astype(np.int64)
    return present.iloc[first], repeats, texts


def _share(parsed: Parsed[Any], repeats: Ints) -> float:
    """Readable share of the rows that are not missing, each value as often as it is there."""
    return float(repeats[parsed.readable].sum() / max(repeats[~parsed.missing].sum(), 1))


def _may_be_most(
    read: Callable[[pd.Series[Any]], Parsed[Any]], looked_at: pd.Series[Any], repeats: Ints
) -> bool:
    """Whether more than `MOST` may read so: not if too few of the first ones do to catch up."""
    if len(repeats) <= GLANCE:
        return True
    lost = repeats[:GLANCE][read(looked_at.iloc[:GLANCE]).unreadable].sum()
    return bool(lost < (1 - MOST) * repeats.sum())


def _decide_number(values: Floats, count: Callable[[], int], how: str) -> Decision:
    """Readable numbers, not one missing; `count` says how many differ where floats cannot."""
    finite = values[np.isfinite(values)]
    largest = float(np.abs(finite).max(initial=0.0))
    distinct = np.unique(finite).size if largest < EXACT_WHOLE else count()
    if distinct <= FEW_VALUES:
        some = f"only {distinct} different numbers" if distinct != 1 else "only one number"
        return Decision("category", how + some)
    whole = bool((finite == np.rint(finite)).all())
    unit = epoch_unit(finite)
    if whole and distinct == finite.size and unit != "s":
        span = float(finite.max()) - float(finite.min()) + 1.0
        expected = 0.5 * finite.size * (finite.size - 1) / span
        if expected > SURELY_UNIQUE:
            return Decision(
                "id", f"{how}whole numbers of which none repeats, though chance would make them"
            )
    if unit:
        return Decision("time", f"{how}whole numbers in the range of epoch times ({unit})", unit)
    return Decision("number", f"{how}{distinct:,} different numbers")


def _has_leading_zeros(present: pd.Series[Any], repeats: Ints) -> bool:
    """Whether one text in a hundred is a whole number with a leading zero, as in codes."""
    coded = present.astype(str).str.strip().str.fullmatch(r"0\d+").to_numpy(bool)
    return bool(repeats[coded].sum() > 0.01 * repeats.sum())


def _recombined(texts: list[str]) -> str:
    """How texts put the same words together again and again, or nothing if they do not.

    A log's messages and a sequence of event numbers repeat as a whole, yet are no symbols.
    """
    words = [text.split() for text in set(texts)]
    total = sum(map(len, words))
    if len(words) < FEW_SENTENCES or total < WORDS_PER_SENTENCE * len(words):
        return ""
    vocabulary = len({word for sentence in words for word in sentence})
    if vocabulary * WORD_REUSE > total:
        return ""
    return f"of {vocabulary:,} words that come again in other values"


def _structureless(texts: list[str]) -> str:
    """Why near-unique texts are mere identifiers, or nothing if they have inner structure.

    Their letters and digits are looked at, not what they mean: one token each, and either the same
    skeleton (every run with a digit in it is one ``#``) or the same length.
    """
    if sum(bool(SPACE.search(text)) for text in texts) > (1 - ID_SHARE) * len(texts):
        return ""
    most_odd = len(texts) - math.ceil(ID_SHARE * len(texts))
    odd = (text for text in texts if not FORMATTED.fullmatch(text))
    if len(list(islice(odd, most_odd + 1))) <= most_odd:
        return ""  # an amount, a share or an address: its digits say how much
    skeletons = Counter(WITH_DIGIT.sub("#", text) for text in texts)
    skeleton, count = skeletons.most_common(1)[0]
    if count >= ID_SHARE * len(texts) and "#" in skeleton:
        return f"all of the shape {skeleton!r} (# stands for letters and digits)"
    lengths = Counter(len(text) for text in texts)
    length, count = lengths.most_common(1)[0]
    if count >= ID_SHARE * len(texts) and length > 3:
        return f"one word each, all {length} characters long"
    return ""

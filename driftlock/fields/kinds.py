"""What kind of field a column is, decided once, on the baseline, by its values alone."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints
from driftlock.errors import OptionError
from driftlock.fields.times import date_format, epoch_unit, times
from driftlock.fields.values import (
    EXACT_WHOLE,
    Parsed,
    is_spelt_missing,
    is_text,
    numbers,
    shown,
    symbols,
    text_hashes,
)
from driftlock.fields.written import Written, learn_written, looks_written

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


@dataclass(frozen=True)
class Decision:
    """A kind and the reason for it, in words.

    `unit` is that of an epoch, or the format of written dates; `written` how numbers are written
    that Python itself does not read.
    """

    kind: str
    reason: str
    unit: str | None = None
    written: Written | None = None


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
    each = np.ones(len(present), np.int64)
    unit, written, readable, reason = None, None, True, "as asked"
    if kind == "number":
        parsed = numbers(present)
        written = _convention(present, each, parsed, is_asked=True)
        if written is not None:
            parsed = numbers(written.rewritten(present))
            reason = f"as asked, {_how(written, parsed.share)}"
        readable = bool(parsed.readable.any())
    elif kind == "time":
        as_numbers = numbers(present)
        unit = epoch_unit(as_numbers.values[as_numbers.readable]) or date_format(
            present, each, MOST
        )
        readable = bool(times(present, unit=unit).readable.any())
    if len(present) and not readable:
        raise OptionError(
            f"fields[{name!r}]={kind!r} is not possible: nothing in the baseline reads as a {kind} "
            f"(it starts with {str(present.iloc[0])[:40]!r}); 'category' is possible for any column"
        )
    return Decision(kind, reason, unit, written)


def _decide_object(present: pd.Series[Any]) -> Decision:
    """Strings and mixed values, none missing."""
    codes, texts = symbols(present)
    distinct = len(texts)
    looked_at, repeats, chosen = _sample(present, codes, texts)
    if not _may_be_read(looked_at, repeats):
        return _decide_texts(chosen, len(codes), distinct)
    parsed = numbers(looked_at)
    share = parsed.weighted_share(repeats)
    written = _convention(looked_at, repeats, parsed)
    if share > MOST and not (is_text(looked_at) and _has_leading_zeros(looked_at, repeats)):
        return _decide_as_numbers(present, distinct, written)[0]
    if share < 1 - MOST:
        dated = _decide_time(looked_at, repeats)
        if dated is not None:
            return dated
    if written is not None:
        found, share = _decide_as_numbers(present, distinct, written)
        if share > MOST and found.kind == "number":
            return found
    return _decide_texts(chosen, len(codes), distinct)


def _may_be_read(present: pd.Series[Any], repeats: Ints) -> bool:
    """Whether most values may be numbers or times, however written: not if none of the first is.

    These are as few as there can be, and yet more than may be spared.
    """
    first = int(np.searchsorted(np.cumsum(repeats), (1 - MOST) * repeats.sum(), side="right")) + 1
    few = present.iloc[:first]
    as_numbers = numbers(few)
    return bool(
        (as_numbers.readable | as_numbers.missing).any()
        or any(isinstance(value, str) and looks_written(value) for value in few)
        or times(few).readable.any()
    )


def _decide_texts(chosen: list[str], n: int, distinct: int) -> Decision:
    """Values that are neither numbers nor times, some of which stand for all."""
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


def _decide_time(present: pd.Series[Any], repeats: Ints) -> Decision | None:
    """Texts that are times, if they are: ISO, or dates of which days and months can be told."""
    as_times = times(present).weighted_share(repeats)
    if as_times > MOST:
        return Decision("time", f"{as_times:.1%} of the values read as ISO times")
    unit = date_format(present, repeats, MOST)
    if unit is None:
        return None
    share = times(present, unit=unit).weighted_share(repeats)
    order = "day" if unit.startswith("%d") else "month"
    return Decision("time", f"{share:.1%} of the values read as dates, {order} first", unit)


def _convention(
    present: pd.Series[Any], repeats: Ints, parsed: Parsed[Floats], *, is_asked: bool = False
) -> Written | None:
    """How numbers are written, where more of the values read as numbers so than as they stand."""
    if not parsed.unreadable.any():
        return None
    counts: Counter[str] = Counter()
    total = 0
    for value, count in zip(present, repeats.tolist(), strict=True):
        if not is_spelt_missing(value):
            total += count
            if isinstance(value, str):
                counts[value] += count
    written = learn_written(counts, total, is_asked=is_asked)
    if written is None:
        return None
    reread = numbers(written.rewritten(present)).weighted_share(repeats)
    return written if reread > parsed.weighted_share(repeats) else None


def _decide_as_numbers(
    present: pd.Series[Any], distinct: int, written: Written | None
) -> tuple[Decision, float]:
    """The kind of a column that reads as numbers, and the share of the values that do."""
    parsed = numbers(present if written is None else written.rewritten(present))
    how = f"{_how(written, parsed.share)}; "
    found = _decide_number(parsed.values[parsed.readable], lambda: distinct, how)
    return replace(found, written=written), parsed.share


def _how(written: Written | None, share: float) -> str:
    example = "" if written is None else f" written {written.example}"
    return f"{share:.1%} of the values read as numbers{example}"


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
    coded = [bool(re.fullmatch(r"\s*0\d+\s*", text)) for text in present]
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

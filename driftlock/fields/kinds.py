"""What kind of field a column is, decided once, on the baseline, by its values alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints
from driftlock.errors import OptionError
from driftlock.fields.glance import (
    is_plainly_read,
    is_spelt_missing,
    may_be_iso_time,
    may_be_number,
)
from driftlock.fields.hashes import text_hashes
from driftlock.fields.raw import Raw
from driftlock.fields.shapes import shape_of
from driftlock.fields.times import date_format, epoch_unit, times
from driftlock.fields.values import EXACT_WHOLE, MARK, Parsed, is_text, numbers, shown
from driftlock.fields.written import Written, learn_written, looks_written

KINDS = ("category", "number", "time", "text", "id")
FEW_VALUES = 8
MOST = 0.97  # share of the values present that must read as a number or a time
SURELY_UNIQUE = 10.0  # pairs expected to collide by chance; none did
LEADING_ZERO = re.compile(r"\s*0\d+\s*")
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
    return decided(Raw(values))


def decided(column: Raw) -> Decision:
    """The same of a column that is to be read on."""
    if column.gaps.all():
        return Decision("category", "every value is missing in the baseline")
    dtype = column.values.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Decision("time", f"dtype {dtype}")
    if isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_bool_dtype(dtype):
        return Decision("category", f"dtype {dtype}")
    if pd.api.types.is_timedelta64_dtype(dtype):
        return Decision("number", f"dtype {dtype}, in seconds")
    if dtype.kind in "iuf":
        values = column.numbers.values[~column.gaps]
        return _decide_number(values, column.values.nunique, "")
    return _decide_object(column)


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


def _decide_object(column: Raw) -> Decision:
    """Strings and mixed values."""
    codes, texts = column.present
    sample = _Sample.of(column)
    may_be_read, may_be_written = sample.glance()
    if not may_be_read:
        return Decision(*shape_of(sample.shown, len(codes), len(texts)))
    looked_at, repeats = sample.column, sample.repeats
    parsed = looked_at.numbers
    share = parsed.weighted_share(repeats)
    written = _convention(looked_at.values, repeats, parsed) if may_be_written else None
    is_coded = is_text(looked_at.values) and _has_leading_zeros(looked_at.values, repeats)
    if share > MOST and not is_coded:
        return _decide_as_numbers(column, len(texts), written)[0]
    if share < 1 - MOST:
        dated = _decide_time(looked_at, repeats)
        if dated is not None:
            return dated
    if written is not None:
        found, share = _decide_as_numbers(column, len(texts), written)
        if share > MOST and found.kind == "number":
            return found
    return Decision(*shape_of(sample.shown, len(codes), len(texts)))


@dataclass(frozen=True, eq=False)
class _Sample:
    """A row of each value that stands for a long column, how often it does, and its text.

    Some values, by hash, as often as they are there, so that which these are does not depend on
    the order of the column.
    """

    whole: Raw
    codes: Ints
    texts: list[str]
    repeats: Ints

    @classmethod
    def of(cls, column: Raw) -> _Sample:
        """A sample of the rows that are not missing."""
        codes, texts = column.present
        counts = np.bincount(codes, minlength=len(texts))
        chosen = np.arange(len(texts))
        if len(codes) <= SAMPLE:
            return cls(column, chosen, texts, counts)
        if len(texts) > SAMPLE:
            chosen = np.argpartition(text_hashes(texts), SAMPLE)[:SAMPLE]
            counts, texts = counts[chosen], [texts[i] for i in chosen]
        repeats = np.ceil(counts * (SAMPLE / counts.sum())).astype(np.int64)
        return cls(column, chosen, texts, repeats)

    @cached_property
    def column(self) -> Raw:
        """The values themselves."""
        distinct = self.whole.distinct
        codes, texts = self.whole.present
        if distinct is not None:
            is_whole = len(self.texts) == len(texts)
            return distinct if is_whole else Raw(distinct.values.iloc[self.codes])
        first = np.empty(len(texts), np.int64)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        return Raw(self.whole.values[~self.whole.gaps].iloc[first[self.codes]])

    @property
    def shown(self) -> list[str]:
        """The texts as a person would write them."""
        return [shown(text) for text in self.texts]

    def glance(self) -> tuple[bool, bool]:
        """Whether most values may be numbers or times, and whether numbers by a convention.

        Not if none of the first is. These are as few as there can be, and yet more than may be
        spared; texts that say that there is nothing tell nothing of the others.
        """
        total = np.cumsum(self.repeats)
        first = int(np.searchsorted(total, (1 - MOST) * total[-1], side="right")) + 1
        likely = [i for i, text in enumerate(self.texts[:first]) if _may_be_read(text)]
        if not likely:
            return False, False
        few = self.column.values.iloc[likely]
        if any(is_spelt_missing(v) or (isinstance(v, str) and looks_written(v)) for v in few):
            return True, True
        if any(isinstance(value, str) and is_plainly_read(value) for value in few):
            return True, False
        as_numbers = numbers(few)
        may_be_read = (as_numbers.readable | as_numbers.missing).any() or times(few).readable.any()
        return bool(may_be_read), False


def _may_be_read(symbol: str) -> bool:
    """Whether a value may be a number or a time, as far as its text tells."""
    return (
        symbol.startswith(MARK)  # no text
        or is_spelt_missing(symbol)
        or may_be_number(symbol)
        or may_be_iso_time(symbol)
        or looks_written(symbol)
    )


def _decide_time(column: Raw, repeats: Ints) -> Decision | None:
    """Texts that are times, if they are: ISO, or dates of which days and months can be told."""
    as_times = column.times().weighted_share(repeats)
    if as_times > MOST:
        return Decision("time", f"{as_times:.1%} of the values read as ISO times")
    unit = date_format(column.values, repeats, MOST)
    if unit is None:
        return None
    share = column.times(unit=unit).weighted_share(repeats)
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
    column: Raw, distinct: int, written: Written | None
) -> tuple[Decision, float]:
    """The kind of a column that reads as numbers, and the share of the values that do."""
    parsed = column.plain(written).numbers
    how = f"{_how(written, parsed.share)}; "
    found = _decide_number(parsed.values[parsed.readable], lambda: distinct, how)
    return replace(found, written=written), parsed.share


def _how(written: Written | None, share: float) -> str:
    example = "" if written is None else f" written {written.example}"
    return f"{share:.1%} of the values read as numbers{example}"


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
    coded = [LEADING_ZERO.fullmatch(text) is not None for text in present]
    return bool(repeats[coded].sum() > 0.01 * repeats.sum())

"""Typed fields: each learned on a baseline column, then turning any column into bare arrays."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock import arrays
from driftlock._kernels.number import written_decimals
from driftlock.arrays import Column, Floats, Ints
from driftlock.errors import warn
from driftlock.fields import times
from driftlock.fields import values as read
from driftlock.fields.kinds import Decision
from driftlock.fields.raw import Raw
from driftlock.fields.text import TextField
from driftlock.fields.written import Written, text_decimals

USUAL_SYMBOLS = 3
ZONES_READ = "times without a zone are read as they stand"


@dataclass(frozen=True, eq=False)
class CategoryField:
    """Symbols by their place in the alphabet of the baseline."""

    name: str
    alphabet: dict[str, int]
    counts: Ints

    @classmethod
    def learn(cls, name: str, column: Raw, _: Decision) -> CategoryField:
        """Learn the field from a baseline column."""
        codes, texts = column.symbols
        counts = dict(zip(texts, np.bincount(codes, minlength=len(texts)).tolist(), strict=True))
        # a code is a place in the sorted alphabet, so that the order of rows cannot matter
        used = sorted(text for text, count in counts.items() if count)
        places = {text: place for place, text in enumerate(used)}
        return cls(name, places, np.array([counts[text] for text in used], np.int64))

    def encode(self, column: Raw) -> Column:
        """A column, of the baseline or later, as bare arrays."""
        codes, texts = column.symbols
        places = np.array([self.alphabet.get(text, -1) for text in texts], np.int32)
        if (places >= 0).all():
            return arrays.Symbols(places[codes], len(self.alphabet))
        ranks = {text: rank for rank, text in enumerate(sorted(texts))}  # however they come
        own = [-2 - ranks[text] if at < 0 else at for text, at in zip(texts, places, strict=True)]
        return arrays.Symbols(places[codes], len(self.alphabet), np.array(own, np.int32)[codes])

    def usual(self) -> str:
        """What is usual in the baseline, in a few words."""
        n, counts = int(self.counts.sum()), self.counts.tolist()
        common = nsmallest(
            USUAL_SYMBOLS, self.alphabet, key=lambda text: (-counts[self.alphabet[text]], text)
        )
        shares = [
            f"{shortened(read.shown(text))} {counts[self.alphabet[text]] / n:.0%}"
            for text in common
        ]
        more = len(self.alphabet) - USUAL_SYMBOLS
        return ", ".join(shares) + (f", {more} more" if more > 0 else "")


@dataclass(frozen=True, eq=False)
class NumberField:
    """Numbers by class, value and written decimals; quantiles of the baseline for explanations.

    `written` says how they are written, where Python does not read them as they are.
    """

    name: str
    quantiles: tuple[float, ...]
    written: Written | None = None

    @classmethod
    def learn(cls, name: str, column: Raw, decision: Decision) -> NumberField:
        """Learn the field from a baseline column."""
        written = decision.written
        parsed = column.plain(written).numbers
        finite = parsed.values[np.isfinite(parsed.values)]
        quantiles = tuple(np.quantile(finite, [0.05, 0.5, 0.95])) if finite.size else ()
        return cls(name, quantiles, written)

    def encode(self, column: Raw) -> Column:
        """A column, of the baseline or later, as bare arrays."""
        plain = column.plain(self.written)
        parsed = plain.numbers
        classes = np.select(
            [
                parsed.missing,
                parsed.unreadable,
                parsed.values == np.inf,
                parsed.values == -np.inf,
                parsed.values == 0,
                parsed.values < 0,
            ],
            [
                arrays.MISSING,
                arrays.UNREADABLE,
                arrays.PLUS_INF,
                arrays.MINUS_INF,
                arrays.ZERO,
                arrays.NEGATIVE,
            ],
            arrays.POSITIVE,
        ).astype(np.uint8)
        dense = (classes == arrays.NEGATIVE) | (classes == arrays.POSITIVE)
        kept: Floats = np.where(dense, parsed.values, 0.0)
        decimals = written_decimals(kept)
        if self.written is not None:
            decimals = np.where(dense, text_decimals(plain.values, decimals), 0).astype(np.int8)
        return arrays.Numbers(classes, kept, decimals)

    def usual(self) -> str:
        """What is usual in the baseline, in a few words."""
        if not self.quantiles:
            return "no number"
        low, middle, high = (f"{q:.6g}" for q in self.quantiles)
        return f"{low} to {high}, median {middle}"


@dataclass(frozen=True, eq=False)
class TimeField:
    """Times by hour and weekday, in the zone of the baseline, if it has one.

    `is_aware` says whether the baseline's times carry a zone; None where some do and some do not.
    """

    name: str
    zone: Any
    unit: str | None
    is_aware: bool | None
    cycles: tuple[str, ...]
    hour_counts: Ints

    @classmethod
    def learn(cls, name: str, column: Raw, decision: Decision) -> TimeField:
        """Learn the field from a baseline column."""
        dtype = column.values.dtype
        zone = column.values.dt.tz if isinstance(dtype, pd.DatetimeTZDtype) else None
        parsed = column.times(zone, decision.unit)
        instants = parsed.values[parsed.readable]
        span = int(instants.max() - instants.min()) if instants.size else 0
        # a rhythm is only learned where the baseline has been once around it
        cycles = tuple(
            cycle
            for cycle, days in (("hour", 1), ("weekday", 7))
            if span >= 0.95 * days * times.DAY
        )
        hours, _ = times.hours_and_weekdays(instants)
        counts = np.bincount(hours, minlength=24)
        aware = set() if parsed.aware is None else set(parsed.aware[parsed.readable].tolist())
        if len(aware) > 1:
            _warn(name, f"some times of the baseline have a zone and some have none; {ZONES_READ}")
        is_aware = aware.pop() if len(aware) == 1 else None
        return cls(name, zone, decision.unit, is_aware, cycles, counts)

    def encode(self, column: Raw) -> Column:
        """A column, of the baseline or later, as bare arrays."""
        parsed = column.times(self.zone, self.unit)
        self._warn_of_zones(parsed)
        hours, weekdays = times.hours_and_weekdays(parsed.values)
        gone = [parsed.missing, parsed.unreadable]
        hours = np.select(gone, [arrays.HOUR_MISSING, arrays.HOUR_UNREADABLE], hours)
        weekdays = np.where(parsed.readable, weekdays, arrays.NO_WEEKDAY)
        return arrays.Times(hours.astype(np.int8), weekdays.astype(np.int8), self.cycles)

    def _warn_of_zones(self, parsed: read.Parsed[NDArray[np.int64]]) -> None:
        if parsed.aware is None or self.is_aware is None:
            return
        other = int((parsed.aware[parsed.readable] != self.is_aware).sum())
        if other:
            here, there = ("no zone", "a zone") if self.is_aware else ("a zone", "no zone")
            _warn(
                self.name,
                f"{other:,} times with {here}, where the baseline has {there}; {ZONES_READ}",
            )

    def usual(self) -> str:
        """What is usual in the baseline, in a few words."""
        n = self.hour_counts.sum()
        if "hour" not in self.cycles or not n:
            return "any time"
        quiet = [f"{hour:02d}h" for hour in np.flatnonzero(self.hour_counts == 0)]
        busiest = int(self.hour_counts.argmax())
        never = f"; never at {', '.join(quiet)}" if 0 < len(quiet) <= 12 else ""
        return f"busiest at {busiest:02d}h ({self.hour_counts[busiest] / n:.0%}){never}"


def shortened(text: str, width: int = 40) -> str:
    """A text to be shown: cut where it is long, surrogates that no encoding has as escapes."""
    cut = text if len(text) <= width else text[: width - 3] + "..."
    return cut.encode("utf-8", "backslashreplace").decode()


def _warn(name: str, what: str) -> None:
    warn(f"column {name!r}: {what}", stacklevel=2)


CodedField: TypeAlias = CategoryField | NumberField | TimeField | TextField
CODED: dict[str, type[CodedField]] = {
    "category": CategoryField,
    "number": NumberField,
    "time": TimeField,
    "text": TextField,
}

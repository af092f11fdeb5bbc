"""Typed fields: each learned on a baseline column, then turning any column into bare arrays."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from driftlock import arrays
from driftlock._kernels.number import written_decimals
from driftlock.arrays import Column, Floats, Ints
from driftlock.errors import DriftlockWarning
from driftlock.fields import values as read
from driftlock.fields.kinds import Decision

USUAL_SYMBOLS = 3


@dataclass(frozen=True, eq=False)
class CategoryField:
    """Symbols by their place in the alphabet of the baseline."""

    name: str
    alphabet: dict[str, int]
    counts: Ints

    @classmethod
    def learn(cls, name: str, values: pd.Series[Any], _: Decision) -> CategoryField:
        codes, texts = read.symbols(values)
        counts = np.bincount(codes, minlength=len(texts))
        used = [text for text, count in zip(texts, counts, strict=True) if count]
        return cls(
            name, {text: i for i, text in enumerate(dict.fromkeys(used))}, counts[counts > 0]
        )

    def encode(self, values: pd.Series[Any]) -> Column:
        codes, texts = read.symbols(values)
        places = np.array([self.alphabet.get(text, -1) for text in texts], np.int32)
        return arrays.Symbols(places[codes], len(self.alphabet))

    def usual(self) -> str:
        n = self.counts.sum()
        common = sorted(self.alphabet, key=lambda text: (-self.counts[self.alphabet[text]], text))
        shares = [
            f"{read.shown(text)} {self.counts[self.alphabet[text]] / n:.0%}"
            for text in common[:USUAL_SYMBOLS]
        ]
        more = len(common) - USUAL_SYMBOLS
        return ", ".join(shares) + (f", {more} more" if more > 0 else "")


@dataclass(frozen=True, eq=False)
class NumberField:
    """Numbers by class, value and written decimals; quantiles of the baseline for explanations."""

    name: str
    quantiles: tuple[float, ...]

    @classmethod
    def learn(cls, name: str, values: pd.Series[Any], _: Decision) -> NumberField:
        parsed = read.numbers(values)
        finite = parsed.values[np.isfinite(parsed.values)]
        return cls(name, tuple(np.quantile(finite, [0.05, 0.5, 0.95])) if finite.size else ())

    def encode(self, values: pd.Series[Any]) -> Column:
        parsed = read.numbers(values)
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
        return arrays.Numbers(classes, kept, written_decimals(kept))

    def usual(self) -> str:
        if not self.quantiles:
            return "no number"
        low, middle, high = (f"{q:.6g}" for q in self.quantiles)
        return f"{low} to {high}, median {middle}"


@dataclass(frozen=True, eq=False)
class TimeField:
    """Times by hour and weekday, in the zone of the baseline, if it has one."""

    name: str
    zone: Any
    unit: str | None
    is_aware: bool
    cycles: tuple[str, ...]
    hour_counts: Ints

    @classmethod
    def learn(cls, name: str, values: pd.Series[Any], decision: Decision) -> TimeField:
        zone = values.dt.tz if isinstance(values.dtype, pd.DatetimeTZDtype) else None
        parsed = read.times(values, zone=zone, unit=decision.unit)
        instants = parsed.values[parsed.readable].astype(np.int64)
        span = int(instants.max() - instants.min()) if instants.size else 0
        # a rhythm is only learned where the baseline has been once around it
        cycles = tuple(
            cycle for cycle, days in (("hour", 1), ("weekday", 7)) if span >= 0.95 * days * read.DAY
        )
        hours, _ = read.hours_and_weekdays(instants)
        is_aware = parsed.aware is not None and bool(parsed.aware[parsed.readable].all())
        return cls(name, zone, decision.unit, is_aware, cycles, np.bincount(hours, minlength=24))

    def encode(self, values: pd.Series[Any]) -> Column:
        parsed = read.times(values, zone=self.zone, unit=self.unit)
        self._warn_of_zones(parsed)
        hours, weekdays = read.hours_and_weekdays(parsed.values)
        gone = [parsed.missing, parsed.unreadable]
        hours = np.select(gone, [arrays.HOUR_MISSING, arrays.HOUR_UNREADABLE], hours)
        weekdays = np.where(parsed.readable, weekdays, arrays.NO_WEEKDAY)
        return arrays.Times(hours.astype(np.int8), weekdays.astype(np.int8), self.cycles)

    def _warn_of_zones(self, parsed: read.Parsed) -> None:
        if parsed.aware is None:
            return
        other = int((parsed.aware[parsed.readable] != self.is_aware).sum())
        if other:
            here, there = ("no zone", "a zone") if self.is_aware else ("a zone", "no zone")
            warnings.warn(
                f"column {self.name!r}: {other:,} times with {here}, where the baseline has {there}; "
                "times without a zone are read as they stand, the others as UTC",
                DriftlockWarning,
                stacklevel=2,
            )

    def usual(self) -> str:
        n = self.hour_counts.sum()
        if "hour" not in self.cycles or not n:
            return "any time"
        quiet = [f"{hour:02d}h" for hour in np.flatnonzero(self.hour_counts == 0)]
        busiest = int(self.hour_counts.argmax())
        never = f"; never at {', '.join(quiet)}" if 0 < len(quiet) <= 12 else ""
        return f"busiest at {busiest:02d}h ({self.hour_counts[busiest] / n:.0%}){never}"


CodedField: TypeAlias = CategoryField | NumberField | TimeField
CODED: dict[str, type[CodedField]] = {
    "category": CategoryField,
    "number": NumberField,
    "time": TimeField,
}

"""Time coder: the hour of the day, circular, and the weekday; never the raw instant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftlock.arrays import HOUR_MISSING, HOUR_UNREADABLE, NO_WEEKDAY, Column, Floats, Ints, Times
from driftlock.coders.krichevsky_trofimov import kt_bits
from driftlock.coders.measure import Measure, summed

HOUR_PRIOR = 0.05  # rows


@dataclass(frozen=True, eq=False)
class TimeCoder:
    """Code of one time column, in three parts: whether it is there, its hour and its weekday.

    Attributes
    ----------
    hour_counts : ndarray of int64, shape (26,)
        Baseline rows per hour of the day, then those missing and those unreadable.
    weekday_counts : ndarray of int64, shape (7,)
        Baseline rows per weekday, Monday first.

    Notes
    -----
    With H the hour counts, n their sum over the day, and r, d as for categories::

        p(z) = (r * (H[z]/2 + H[z-1]/4 + H[z+1]/4) - d/2 + h) / (r * n - d + 24 h)

    with h = 1/20: the hours beside it lend an hour enough already, and half a row of prior, as
    elsewhere, would make the dead of night look like a quiet evening.

    Whether a time is there, missing or unreadable, and the weekday, are Krichevsky-Trofimov codes.
    """

    hour_counts: Ints
    weekday_counts: Ints
    own_tables: tuple[Floats, Floats, Floats]
    new_tables: tuple[Floats, Floats, Floats]
    parts: tuple[str, ...] = ("class", "hour", "weekday")

    @classmethod
    def fit(cls, column: Times) -> TimeCoder:
        """Count the hours and weekdays of a baseline column."""
        hours = np.bincount(column.hours, minlength=HOUR_UNREADABLE + 1).astype(np.int64)
        weekdays = np.bincount(column.weekdays, minlength=NO_WEEKDAY + 1).astype(np.int64)
        own, new = (
            _tables(hours, weekdays[:NO_WEEKDAY], column.cycles, own=o) for o in (True, False)
        )
        return cls(hours, weekdays[:NO_WEEKDAY], own, new)

    def measure(self, column: Column, *, own: bool) -> Measure:
        """Code length of class, hour and weekday in bits."""
        assert isinstance(column, Times)
        of_class, hour, weekday = self.own_tables if own else self.new_tables
        return summed([of_class[column.hours], hour[column.hours], weekday[column.weekdays]])


def _tables(
    hours: Ints, weekdays: Ints, cycles: tuple[str, ...], *, own: bool
) -> tuple[Floats, Floats, Floats]:
    """Bits by hour code (of class and hour) and by weekday code; 0 where a part says nothing."""
    in_day = hours[:HOUR_MISSING]
    per_class = np.array([in_day.sum(), hours[HOUR_MISSING], hours[HOUR_UNREADABLE]])
    here, missing, unreadable = kt_bits(per_class, own=own)
    of_class = np.append(np.full(HOUR_MISSING, here), [missing, unreadable])
    hour = np.zeros(HOUR_UNREADABLE + 1)
    if "hour" in cycles:
        hour[:HOUR_MISSING] = _circular_bits(in_day, own=own)
    weekday = np.zeros(NO_WEEKDAY + 1)
    if "weekday" in cycles:
        weekday[:NO_WEEKDAY] = kt_bits(weekdays, own=own)
    return of_class, hour, weekday


def _circular_bits(counts: Ints, *, own: bool) -> Floats:
    """Bits of each hour, the hours beside it counted half as much."""
    n, removed = int(counts.sum()), float(own)
    thinning = 1.0 if own else max(n - 1, 0) / max(n, 1)
    near = counts / 2 + np.roll(counts, 1) / 4 + np.roll(counts, -1) / 4
    share = np.maximum(thinning * near - removed / 2, 0.0) + HOUR_PRIOR
    return -np.log2(share / (max(thinning * n - removed, 0.0) + 24 * HOUR_PRIOR))

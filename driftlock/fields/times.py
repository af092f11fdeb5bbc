"""Times of one column as wall-clock instants, whatever they come as: dtypes, texts, epochs."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Floats, Ints, Mask
from driftlock.fields.glance import may_be_iso_time
from driftlock.fields.values import Parsed, numbers

EPOCH_UNITS = {"s": 10**6, "ms": 10**3, "us": 1}  # microseconds in each; "ns" is divided
EPOCHS = {
    "s": (1e9, 2e9),
    "ms": (1e12, 2e12),
    "us": (1e15, 2e15),
    "ns": (1e18, 2e18),
}  # 2001 to 2033
YEARS_READABLE = (1678, 2261)
DAY = 86_400_000_000  # microseconds
LOOSE_TIME = re.compile(
    r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?"
    r"\s*(?:Z|([+-]\d{2}):?(\d{2}))?\s*"
)
DIGIT = re.compile(r"\d", re.ASCII)
WRITTEN_DATE = re.compile(
    r"\d{1,2}([/.-])\d{1,2}\1\d{4}(?:(,?[ T])\d{1,2}:\d\d(:\d\d(?:\.\d{1,6})?)?( ?[AP]M)?)?",
    re.ASCII | re.IGNORECASE,
)


def epoch_unit(values: Floats) -> str | None:
    """Unit in which finite whole numbers all are times of 2001 to 2033; None if there is none."""
    if values.size and (values == np.rint(values)).all():
        for unit, (low, high) in EPOCHS.items():
            if low <= values.min() and values.max() < high:
                return unit
    return None


def date_format(values: pd.Series[Any], repeats: Ints, least: float) -> str | None:
    """Format of dates as 31/12/2025 23:59 or 12/31/2025, if most texts read in one order only.

    Each value counts as often as `repeats` says. More than the share `least` must read with the day
    first, or with the month first, and not with both: a day beyond the twelfth decides.
    """
    shapes: Counter[tuple[str, str]] = Counter()
    for value, count in zip(values, repeats.tolist(), strict=True):
        if isinstance(value, str) and (match := WRITTEN_DATE.fullmatch(value)):
            shapes[_date_shape(match)] += count
    if not shapes:
        return None
    (mark, time), _ = shapes.most_common(1)[0]
    formats = [f"%d{mark}%m{mark}%Y{time}", f"%m{mark}%d{mark}%Y{time}"]
    fitting = [unit for unit in formats if times(values, unit=unit).weighted_share(repeats) > least]
    return fitting[0] if len(fitting) == 1 else None


def _date_shape(match: re.Match[str]) -> tuple[str, str]:
    """The mark between the parts of a date, and the format of the time behind it."""
    mark, between, seconds, half = match.groups()
    if between is None:
        return mark, ""
    second = "" if seconds is None else ":%S.%f" if "." in seconds else ":%S"
    hour, half = ("%H", "") if half is None else ("%I", half[:-2] + "%p")
    return mark, f"{between}{hour}:%M{second}{half}"


def times(
    values: pd.Series[Any], *, zone: Any = None, unit: str | None = None
) -> Parsed[NDArray[np.int64]]:
    """Wall-clock times in microseconds since 1970.

    With `unit`, numbers are epochs in it, or texts are written in that format.
    What carries a zone or an offset is converted to `zone` (UTC where that is None), what carries
    none is taken as it stands.
    """
    if unit in EPOCHS:
        return _epochs(values, unit)
    missing = values.isna().to_numpy(bool)
    aware = np.zeros(len(values), bool)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        aware[:] = True
        values = values.dt.tz_convert(zone or "UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(values.dtype):
        instants = values.to_numpy(copy=True)
    else:
        instants, aware = _read_times(values, zone, unit)
    lost = np.isnat(instants)
    years = instants.astype("datetime64[Y]").astype(np.int64) + 1970
    odd = ~lost & ((years < YEARS_READABLE[0]) | (years > YEARS_READABLE[1]))
    instants[lost | odd] = np.datetime64("1970-01-01")
    unreadable = (lost & ~missing) | odd
    return Parsed(instants.astype("datetime64[us]").astype(np.int64), missing, unreadable, aware)


def _epochs(values: pd.Series[Any], unit: str) -> Parsed[NDArray[np.int64]]:
    parsed = numbers(values)
    scale = 1e-3 if unit == "ns" else float(EPOCH_UNITS[unit])
    instants = np.where(parsed.readable, parsed.values, 0.0) * scale
    outside = parsed.readable & ~(np.abs(instants) < 9e15)
    return Parsed(
        np.where(outside, 0.0, instants).astype(np.int64),
        parsed.missing,
        parsed.unreadable | outside,
    )


def _read_times(
    values: pd.Series[Any], zone: Any, written: str | None
) -> tuple[NDArray[np.datetime64], Mask]:
    """Naive times of texts and datetime objects, NaT where there is none; which had a zone.

    Texts are ISO times, or `written` in a format.
    """
    kept = values.to_numpy(object).copy()
    kept[[not _may_be_time(value, written) for value in kept]] = None
    gone = pd.isna(kept)
    if gone.all():
        return np.full(len(kept), "NaT", "datetime64[us]"), np.zeros(len(kept), bool)
    if any(issubclass(kind, str) and kind is not str for kind in set(map(type, kept))):
        kept[:] = [str.__str__(v) if isinstance(v, str) else v for v in kept]  # pandas 2 fails
    aware = np.array([_has_zone(value) for value in kept], bool)
    naive = np.full(len(kept), "NaT", "datetime64[us]")
    for alike in (~gone & aware, ~gone & ~aware):  # apart: pandas 2 hands offsets on to others
        if alike.any():
            naive[alike] = _read_alike(kept[alike], written)
    failed = np.flatnonzero(np.isnat(naive) & ~gone)
    if failed.size and written is None:
        naive[failed] = [_loose_time(kept[i]) for i in failed]
    if zone is not None and aware.any():
        there = pd.DatetimeIndex(naive[aware]).tz_localize("UTC").tz_convert(zone)
        naive[aware] = there.tz_localize(None).to_numpy()
    return naive, aware


def _read_alike(kept: NDArray[np.object_], written: str | None) -> NDArray[np.datetime64]:
    """Times that all have a zone, or none of them, in UTC."""
    objects = pd.Index(kept, dtype=object)
    read = pd.to_datetime(objects, format=written or "ISO8601", errors="coerce", utc=True)
    return read.as_unit("us").tz_localize(None).to_numpy()


def _may_be_time(value: Any, written: str | None) -> bool:
    """Whether to read a value at all: pandas would take "now" for the time of the call."""
    if isinstance(value, str):
        may_be = may_be_iso_time(value) if written is None else DIGIT.search(value) is not None
        return may_be and value.isascii()
    return isinstance(value, (datetime, date, np.datetime64))


def _has_zone(value: Any) -> bool:
    if isinstance(value, str):  # ends in Z, or has +hh:mm, +hhmm or +hh behind the time
        clock = value.partition("T")[2] or value.partition(":")[2]
        signs = clock if ":" not in value else clock + value[-6:-5]
        return value[-1:] in "Zz" or "+" in signs or "-" in signs
    return getattr(value, "tzinfo", None) is not None


def _loose_time(value: Any) -> datetime | None:
    """A time whose parts lack their leading zeros, as 2025-11-10T10:02:1Z; None if it is none."""
    match = LOOSE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second, offset, rest = (
        int(part or 0) for part in match.groups()
    )
    try:
        shift = timedelta(hours=offset, minutes=rest if offset >= 0 else -rest)
        return datetime(year, month, day, hour, minute, second) - shift  # noqa: DTZ001  (UTC)
    except (ValueError, OverflowError):
        return None


def hours_and_weekdays(instants: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hour 0-23 and weekday 0-6 (Monday is 0) of microseconds since 1970, a Thursday."""
    return (instants % DAY) // 3_600_000_000, (instants // DAY + 3) % 7

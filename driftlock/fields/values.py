"""Values of one column as symbols, numbers or times, whatever dtype they come in.

Nothing is dropped: what is no number or no time is marked unreadable, what is not there missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Floats, Ints, Mask
from driftlock.fields.nested import plain

MARK = "\x1f"  # in front of a symbol that is no text: 5 and "5" are different symbols
MISSING_SYMBOL = MARK + "(missing)"
MISSING_SPELLINGS = frozenset(["", "-", "na", "n/a", "nan", "<na>", "nat", "none", "null"])
EPOCH_UNITS = {"s": 10**6, "ms": 10**3, "us": 1}  # microseconds in each; "ns" is divided
YEARS_READABLE = (1678, 2261)
DAY = 86_400_000_000  # microseconds
LOOSE_TIME = re.compile(
    r"\s*(\d{4})[-/](\d{1,2})[-/](\d{1,2})[T ]+(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?"
    r"\s*(?:Z|([+-]\d{2}):?(\d{2}))?\s*"
)


@dataclass(frozen=True, eq=False)
class Parsed:
    """A column read as numbers (or as times, in microseconds), shape (n,) each."""

    values: Floats | Ints
    missing: Mask
    unreadable: Mask
    aware: Mask | None = None

    @property
    def readable(self) -> Mask:
        """Rows that hold a value."""
        return ~(self.missing | self.unreadable)

    @property
    def share(self) -> float:
        """Readable share of the rows that are not missing; 0 where all are."""
        return float(self.readable.sum() / max((~self.missing).sum(), 1))


def is_text(values: pd.Series[Any]) -> bool:
    """Whether every value that is there is a string."""
    if isinstance(values.dtype, pd.StringDtype):
        return True
    if isinstance(values.dtype, pd.CategoricalDtype):
        return is_text(values.cat.categories.to_series())
    if values.dtype == object:
        return pd.api.types.infer_dtype(values, skipna=True) == "string"
    return isinstance(values.dtype, pd.ArrowDtype) and values.dtype.type is str


def symbols(values: pd.Series[Any]) -> tuple[Ints, list[str]]:
    """Codes of shape (n,) and the text of each code; missing is a symbol like any other."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes, uniques = values.cat.codes.to_numpy(), list(values.cat.categories)
        texts = [symbol(unique) for unique in uniques]
    elif values.dtype == object and not is_text(values):
        missing = values.isna().to_numpy()
        each = [None if gap else symbol(value) for value, gap in zip(values, missing, strict=True)]
        codes, found = pd.factorize(np.array(each, dtype=object))
        texts = list(found)
    else:
        codes, found = pd.factorize(values)
        texts = [symbol(unique) for unique in found.tolist()]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(texts), codes)
        texts.append(MISSING_SYMBOL)
    return codes.astype(np.int64), texts


def content_hashes(columns: Iterable[pd.Series[Any]], key: str) -> NDArray[np.uint64]:
    """A 64-bit hash of the content of each row; `key` (16 characters) chooses the function."""
    total: NDArray[np.uint64] | None = None
    for values in columns:
        codes, texts = symbols(values)
        hashes = pd.util.hash_array(np.array(texts, dtype=object), hash_key=key)[codes]
        total = hashes if total is None else scrambled(total) + hashes
    assert total is not None
    return total


def scrambled(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64: every bit of the input reaches every bit of the output."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def symbol(value: Any) -> str:
    """Canonical text of one value: 5, 5.0 and numpy's 5 are one symbol, "5" and True are others."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return f"{MARK}{bool(value)}"
    if isinstance(value, Integral):
        return f"{MARK}{int(value)}"
    if isinstance(value, (Real, Decimal)):
        number = float(value)
        whole = number.is_integer() and abs(number) < 1e15
        return f"{MARK}{int(number) if whole else number!r}"
    if isinstance(value, (datetime, date)):
        return f"{MARK}{value.isoformat()}"
    if isinstance(value, (dict, list, tuple, np.ndarray)):
        return MARK + plain(value)
    return f"{MARK}{value}"


def shown(text: str) -> str:
    """A symbol as a person would write it."""
    return text.removeprefix(MARK)


def numbers(values: pd.Series[Any]) -> Parsed:
    """Values as float64; timedeltas in seconds, integers beyond floats as infinite."""
    missing = values.isna().to_numpy(bool, copy=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        parsed = values.dt.total_seconds().to_numpy(np.float64, na_value=np.nan)
    elif pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind in "iuf":
        parsed = values.to_numpy(np.float64, na_value=np.nan).copy()
    elif is_text(values):
        parsed = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
        unclear = np.flatnonzero(np.isnan(parsed) & ~missing)
        texts = values.to_numpy(object)
        spelt = np.array([_is_spelt_missing(texts[i]) for i in unclear], bool)
        missing[unclear[spelt]] = True
        parsed[unclear] = [_float_of(texts[i]) for i in unclear]
    else:
        each = values.to_numpy(object)
        missing |= np.array([_is_spelt_missing(value) for value in each], bool)
        parsed = np.array([_float_of(value) for value in each], np.float64)
    missing |= np.isnan(parsed) & _were_numbers(values)
    return Parsed(parsed, missing, np.isnan(parsed) & ~missing)


def _were_numbers(values: pd.Series[Any]) -> Mask:
    """Rows that held a float of their own, so that NaN means missing there."""
    if values.dtype == object:
        return np.array([isinstance(value, (float, Decimal)) for value in values], bool)
    return np.full(len(values), values.dtype.kind == "f")


def _is_spelt_missing(value: Any) -> bool:
    return isinstance(value, str) and value.strip().lower() in MISSING_SPELLINGS


def _float_of(value: Any) -> float:
    """One value as a float, NaN where it is none."""
    if isinstance(value, (timedelta, np.timedelta64)):
        return float(pd.Timedelta(value).total_seconds())
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, str) and "_" in value):
        return np.nan
    if not isinstance(value, (Real, Decimal, str)):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf  # type: ignore[operator]
    except ValueError:
        return np.nan


def times(values: pd.Series[Any], *, zone: Any = None, unit: str | None = None) -> Parsed:
    """Wall-clock times in microseconds since 1970; with `unit`, numbers are epochs in it.

    A dtype with a zone is converted to `zone` (UTC where that is None); every other time that
    carries an offset is read as UTC.
    """
    if unit is not None:
        return _epochs(values, unit)
    missing = values.isna().to_numpy(bool)
    aware = np.zeros(len(values), bool)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        aware[:] = True
        values = values.dt.tz_convert(zone or "UTC").dt.tz_localize(None)
    if not pd.api.types.is_datetime64_dtype(values.dtype):
        values, aware = _read_times(values)
    instants = values.to_numpy("datetime64[us]").astype(np.int64)
    lost = values.isna().to_numpy(bool)
    years = instants.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    odd = ~lost & ((years < YEARS_READABLE[0]) | (years > YEARS_READABLE[1]))
    return Parsed(instants, missing, (lost & ~missing) | odd, aware)


def _epochs(values: pd.Series[Any], unit: str) -> Parsed:
    parsed = numbers(values)
    scale = 1e-3 if unit == "ns" else float(EPOCH_UNITS[unit])
    instants = np.where(parsed.readable, parsed.values, 0.0) * scale
    outside = parsed.readable & ~(np.abs(instants) < 9e15)
    return Parsed(
        np.where(outside, 0.0, instants).astype(np.int64),
        parsed.missing,
        parsed.unreadable | outside,
    )


def _read_times(values: pd.Series[Any]) -> tuple[pd.Series[Any], Mask]:
    """Naive UTC datetimes of texts and datetime objects, NaT where there is none; which had a zone."""
    kept = values.to_numpy(object)
    if not is_text(values):
        kept = kept.copy()
        kept[[not isinstance(v, (str, datetime, date, np.datetime64)) for v in kept]] = None
    aware = np.array([_has_zone(value) for value in kept], bool)
    read = pd.to_datetime(
        pd.Series(kept, dtype=object), format="ISO8601", errors="coerce", utc=True
    )
    read = read.dt.tz_localize(None)
    failed = np.flatnonzero(read.isna().to_numpy() & ~pd.isna(kept))
    if failed.size:
        loose = pd.Series([_loose_time(kept[i]) for i in failed], dtype="datetime64[us]")
        read = read.astype("datetime64[us]")
        read.iloc[failed] = loose.to_numpy()
    return read, aware


def _has_zone(value: Any) -> bool:
    if isinstance(value, str):  # ends in Z, +hh:mm or +hhmm
        return value[-1:] in "Zz" or (
            ":" in value and not {value[-6:-5], value[-5:-4]}.isdisjoint("+-")
        )
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
        return datetime(year, month, day, hour, minute, second) - shift
    except (ValueError, OverflowError):
        return None


def hours_and_weekdays(instants: Ints) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Hour 0-23 and weekday 0-6 (Monday is 0) of microseconds since 1970, a Thursday."""
    return (instants % DAY) // 3_600_000_000, (instants // DAY + 3) % 7

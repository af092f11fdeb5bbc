"""Values of one column as symbols or numbers, whatever dtype they come in.

Nothing is dropped: what is no number or no time is marked unreadable, what is not there missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Floats, Ints, Mask
from driftlock.fields.glance import is_spelt_missing, may_be_number
from driftlock.fields.nested import plain

HALF_CHARACTER = re.compile("[\ud800-\udfff]")
ENDS_AT_ZERO = int(pd.__version__.partition(".")[0]) < 3  # a text, to pandas that tells them apart
LONG_EXPONENT = re.compile(r"[eE][+-]?\d{10}")  # pandas before 3 ends the process at some of them
Values = TypeVar("Values", Floats, NDArray[np.int64])

MARK = "\x1f"  # in front of a symbol that is no text: 5 and "5" are different symbols
MISSING_SYMBOL = MARK + "(missing)"
NUMERIC = (float, Real, Decimal)  # floats first: the abstract class answers slowly
SPANS = (timedelta, np.timedelta64)  # NumPy's is a whole number to Python, and has no text of one
NO_OBJECTS = "no objects"
# What pandas calls an object column of one type; equal values of one type are one symbol there.
ALIKE = (
    NO_OBJECTS,
    *("string", "boolean", "integer", "floating", "decimal", "bytes", "date", "datetime"),
)
EXACT_WHOLE = 2**53  # whole numbers up to here are floats, exactly
WIDEST_WHOLE = 2**64  # whole numbers from here on are in no dtype that could turn to floats


@dataclass(frozen=True, eq=False)
class Parsed(Generic[Values]):
    """A column read as numbers (or as times, in microseconds), shape (n,) each."""

    values: Values
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

    def weighted_share(self, repeats: Ints) -> float:
        """The same where each row stands for several."""
        return float(repeats[self.readable].sum() / max(repeats[~self.missing].sum(), 1))

    def spread(self, codes: Ints) -> Parsed[Values]:
        """The values that codes stand for; the code behind the last value is a missing one."""
        gap = np.nan if self.values.dtype.kind == "f" else 0
        aware = None if self.aware is None else np.append(self.aware, False)[codes]
        return Parsed(
            np.append(self.values, self.values.dtype.type(gap))[codes],
            np.append(self.missing, True)[codes],
            np.append(self.unreadable, False)[codes],
            aware,
        )


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
    kind = _kind_of(values)
    if kind == "categorical":
        codes, uniques = values.cat.codes.to_numpy(), values.cat.categories.tolist()
    elif kind == "string":  # without an Index in between, which would tell the type once more
        is_object = isinstance(values.dtype, np.dtype)
        codes, uniques = _factorized(values.to_numpy() if is_object else values.array)
    elif kind in ALIKE:
        codes, uniques = _factorized(values)
    else:
        gaps = values.isna().to_numpy()
        each = [None if gap else symbol(value) for value, gap in zip(values, gaps, strict=True)]
        codes, uniques = _factorized(np.array(each, dtype=object))
    texts = uniques
    if kind != "string" and pd.api.types.infer_dtype(uniques) != "string":
        merged, texts = _factorized(np.array([symbol(unique) for unique in uniques], dtype=object))
        codes = np.append(merged, -1)[codes]
    if (codes < 0).any():
        codes = np.where(codes < 0, len(texts), codes)
        texts.append(MISSING_SYMBOL)
    return codes.astype(np.int64), texts


def _kind_of(values: pd.Series[Any]) -> str:
    """What a column holds, as pandas calls it."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return "categorical"
    if isinstance(values.dtype, pd.StringDtype):
        return "string"
    return pd.api.types.infer_dtype(values, skipna=True) if values.dtype == object else NO_OBJECTS


def _factorized(values: Any) -> tuple[Ints, list[Any]]:
    """Codes and the value of each; -1 where it is missing."""
    codes, found = pd.factorize(values)
    if isinstance(found.dtype, pd.StringDtype):
        found = found.to_numpy(object)
    uniques = found.tolist()
    if _are_merged(values, uniques):
        gaps = pd.isna(values)
        places: dict[Any, int] = {}
        each = zip(values, gaps, strict=True)
        codes = np.array([-1 if gap else places.setdefault(v, len(places)) for v, gap in each])
        uniques = list(places)
    return codes, uniques


def _are_merged(values: Any, uniques: list[Any]) -> bool:
    """Whether different texts may have become one, as they do to pandas before 3.

    All with half a character are the same one there, and all that are the same up to a zero byte.
    """
    if not _are_ascii(uniques) and any(
        type(u) is str and HALF_CHARACTER.search(u) for u in uniques
    ):
        return True
    is_at_risk = ENDS_AT_ZERO and len(uniques) and isinstance(uniques[0], str)
    return bool(is_at_risk) and any(isinstance(v, str) and "\x00" in v for v in values)


def _are_ascii(values: list[Any]) -> bool:
    """Whether all are texts of ASCII, the cheap way."""
    try:
        return all(map(str.isascii, values))
    except TypeError:
        return False


def symbol(value: Any) -> str:
    """Canonical text of one value: 5, 5.0 and numpy's 5 are one symbol, "5" and True are others."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)):
        return f"{MARK}{bool(value)}"
    if isinstance(value, NUMERIC) and not isinstance(value, SPANS):
        return f"{MARK}{_number_symbol(value)}"
    if isinstance(value, (datetime, date)):
        return f"{MARK}{value.isoformat()}"
    if isinstance(value, (dict, list, tuple, set, frozenset, np.ndarray)):
        return MARK + plain(value)
    return f"{MARK}{value}"


def _number_symbol(value: Any) -> str:
    """Text of a number, the same for every type that can hold it, floats among them."""
    is_whole = not isinstance(value, float) and isinstance(value, Integral)
    exact = int(value) if is_whole else None
    if exact is not None and not EXACT_WHOLE < abs(exact) < WIDEST_WHOLE:
        return _digits(exact)
    try:
        number = float(value)
    except OverflowError:
        return _digits(value)
    return str(int(number)) if number.is_integer() else repr(number)


def _digits(value: Any) -> str:
    """Text of a number; in base 16 where Python refuses to write so many digits in base 10."""
    try:
        return str(value)
    except ValueError:
        ends = value.numerator, value.denominator
        return "/".join(hex(end) for end in ends if end != 1)


def spelt(value: Any) -> str:
    """A value as text to be shown, whole numbers too long for Python to write by their size."""
    try:
        return str(value)
    except ValueError:
        if not isinstance(value, int):
            return f"{type(value).__name__} with a whole number too long to be shown"
        power = int((abs(value).bit_length() - 1) * np.log10(2))
        return f"{'-' if value < 0 else ''}1e{power} or more, a whole number"


def shown(text: str) -> str:
    """A symbol as a person would write it."""
    return text.removeprefix(MARK)


def numbers(values: pd.Series[Any]) -> Parsed[Floats]:
    """Values as float64; timedeltas in seconds, integers beyond floats as infinite."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _numbers_of_categories(values)
    missing = values.isna().to_numpy(bool, copy=True)
    if pd.api.types.is_timedelta64_dtype(values.dtype):
        parsed = values.dt.total_seconds().to_numpy(np.float64, na_value=np.nan)
    elif pd.api.types.is_numeric_dtype(values.dtype) and values.dtype.kind in "iuf":
        parsed = values.to_numpy(np.float64, na_value=np.nan).copy()
    elif is_text(values):
        return _numbers_of_texts(values, missing)
    else:
        each = values.to_numpy(object)
        missing |= np.array([is_spelt_missing(v) for v in each], bool)
        parsed = np.array([v if type(v) is float else _float_of(v) for v in each], np.float64)
    unread = np.isnan(parsed) & ~missing
    if unread.any():
        missing |= unread & _were_numbers(values)
    return Parsed(parsed, missing, unread & ~missing)


def _numbers_of_texts(values: pd.Series[Any], missing: Mask) -> Parsed[Floats]:
    """Texts, and gaps that are marked as missing already; pandas reads them first."""
    texts = values.to_numpy(object)
    if any(may_be_number(text) for text, gap in zip(texts, missing, strict=True) if not gap):
        spared = _without_long_exponents(values, texts, missing)
        parsed = pd.to_numeric(spared, errors="coerce").to_numpy(np.float64, na_value=np.nan).copy()
        unclear = np.flatnonzero(np.isnan(parsed) & ~missing)
        parsed[unclear] = [_float_of(texts[i]) for i in unclear]
    else:
        parsed = np.full(len(texts), np.nan)
        unclear = np.flatnonzero(~missing)
    missing[unclear] = [is_spelt_missing(texts[i]) for i in unclear]
    return Parsed(parsed, missing, np.isnan(parsed) & ~missing)


def _without_long_exponents(
    values: pd.Series[Any], texts: NDArray[np.object_], missing: Mask
) -> pd.Series[Any]:
    """The same texts without those that are left to Python, which reads any exponent."""
    joined = "\n".join(texts[~missing].tolist())
    if ("e" not in joined and "E" not in joined) or not LONG_EXPONENT.search(joined):
        return values
    each = zip(texts, missing, strict=True)
    kept = [None if gap or LONG_EXPONENT.search(text) else text for text, gap in each]
    return pd.Series(kept, dtype=object)


def _numbers_of_categories(values: pd.Series[Any]) -> Parsed[Floats]:
    parsed = numbers(values.cat.categories.to_series())
    codes = values.cat.codes.to_numpy()  # -1, missing, takes the entry appended
    return Parsed(
        np.append(parsed.values, np.nan)[codes],
        np.append(parsed.missing, True)[codes],
        np.append(parsed.unreadable, False)[codes],
    )


def _were_numbers(values: pd.Series[Any]) -> Mask:
    """Rows that held a float of their own, so that NaN means missing there."""
    if values.dtype == object:
        return np.array([isinstance(value, (float, Decimal)) for value in values], bool)
    return np.full(len(values), values.dtype.kind == "f")


def _float_of(value: Any) -> float:
    """One value as a float, NaN where it is none."""
    if isinstance(value, str):
        if "_" in value or not may_be_number(value):
            return np.nan
    elif isinstance(value, (bool, np.bool_)) or not isinstance(value, (*NUMERIC, *SPANS)):
        return np.nan
    try:
        return float(pd.Timedelta(value).total_seconds() if isinstance(value, SPANS) else value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf
    except ValueError:
        return np.nan

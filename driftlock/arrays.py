"""Typed columns as bare arrays: what fields hand to coders.

Every array is C-contiguous, of one dtype, and made here or by NumPy, never a view of a frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.integer[Any]]
Floats: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

# Classes of a number. Only negative and positive ones have a density.
NUMBER_CLASSES = ("missing", "zero", "negative", "positive", "+inf", "-inf", "unreadable")
MISSING, ZERO, NEGATIVE, POSITIVE, PLUS_INF, MINUS_INF, UNREADABLE = range(7)

# Codes of a time's hour beside 0-23, and of its weekday beside 0-6 (Monday is 0).
HOUR_MISSING, HOUR_UNREADABLE = 24, 25
NO_WEEKDAY = 7


@dataclass(frozen=True, slots=True)
class Symbols:
    """A category column: int32 codes, shape (n,); -1 is a symbol the alphabet lacks."""

    codes: Ints
    n_symbols: int

    def take(self, rows: Ints | Mask) -> Symbols:
        """The same column for some rows."""
        return Symbols(self.codes[rows], self.n_symbols)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number column: uint8 classes, float64 values (0 unless negative or positive), int8 decimals."""

    classes: Ints
    values: Floats
    decimals: Ints

    def take(self, rows: Ints | Mask) -> Numbers:
        """The same column for some rows."""
        return Numbers(self.classes[rows], self.values[rows], self.decimals[rows])

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, slots=True)
class Times:
    """A time column: int8 hours and weekdays, with codes of their own for missing and unreadable.

    `cycles` says which of "hour" and "weekday" the baseline is long enough to have a rhythm in.
    """

    hours: Ints
    weekdays: Ints
    cycles: tuple[str, ...]

    def take(self, rows: Ints | Mask) -> Times:
        """The same column for some rows."""
        return Times(self.hours[rows], self.weekdays[rows], self.cycles)

    def __len__(self) -> int:
        return len(self.hours)


Column: TypeAlias = Symbols | Numbers | Times

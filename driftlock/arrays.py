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

Rows: TypeAlias = Ints | Mask | slice  # which rows to take

# Classes of a number. Only negative and positive ones have a density.
NUMBER_CLASSES = ("missing", "zero", "negative", "positive", "+inf", "-inf", "unreadable")
MISSING, ZERO, NEGATIVE, POSITIVE, PLUS_INF, MINUS_INF, UNREADABLE = range(7)

# Codes of a time's hour beside 0-23, and of its weekday beside 0-6 (Monday is 0).
HOUR_MISSING, HOUR_UNREADABLE = 24, 25
NO_WEEKDAY = 7


@dataclass(frozen=True, slots=True)
class Symbols:
    """A category column: int32 codes, shape (n,); -1 is a symbol the alphabet lacks.

    `identities` tell such symbols apart: a code where there is one, else a number below -1 of
    their own. They are the codes where that was not asked for.
    """

    codes: Ints
    n_symbols: int
    identities: Ints | None = None

    def take(self, rows: Rows) -> Symbols:
        """The same column for some rows."""
        identities = None if self.identities is None else self.identities[rows]
        return Symbols(self.codes[rows], self.n_symbols, identities)

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number column: uint8 classes, float64 values, int8 decimals.

    Values and decimals are 0 unless the class is negative or positive.
    """

    classes: Ints
    values: Floats
    decimals: Ints

    def take(self, rows: Rows) -> Numbers:
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

    def take(self, rows: Rows) -> Times:
        """The same column for some rows."""
        return Times(self.hours[rows], self.weekdays[rows], self.cycles)

    def __len__(self) -> int:
        return len(self.hours)


@dataclass(frozen=True, slots=True)
class Texts:
    """A text column: UTF-8 bytes of all rows one after the other, and where each row starts.

    `data` is uint8, `offsets` int64 of shape (n + 1,), `classes` uint8: 0 where there is a text,
    1 where it is missing, 2 where the value is something else (its text is coded all the same).
    """

    data: Ints
    offsets: Ints
    classes: Ints

    def take(self, rows: Rows) -> Texts:
        """The same column for some rows."""
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(len(self))
            bounds = self.offsets[start : stop + 1]
            data = self.data[bounds[0] : bounds[-1]]
            return Texts(data, bounds - bounds[0], self.classes[start:stop])
        places = np.arange(len(self))[rows]
        lengths = np.diff(self.offsets)[places]
        offsets = np.append(0, np.cumsum(lengths))
        starts = np.repeat(self.offsets[places] - offsets[:-1], lengths)
        return Texts(self.data[starts + np.arange(offsets[-1])], offsets, self.classes[places])

    def rows(self) -> list[bytes]:
        """The text of each row."""
        data = self.data.tobytes()
        bounds = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
        return [data[start:end] for start, end in bounds]

    def __len__(self) -> int:
        return len(self.classes)


Column: TypeAlias = Symbols | Numbers | Times | Texts


@dataclass(frozen=True, slots=True)
class Entities:
    """Whose each row is."""

    owners: Symbols

    def take(self, rows: Rows) -> Entities:
        """The same for some rows."""
        return Entities(self.owners.take(rows))

    def __len__(self) -> int:
        return len(self.owners)


# What a schema makes of a table: a column for every coded field, and the entities if asked for.
Encoded: TypeAlias = Column | Entities

"""Coders: one typed column in, the bits of each of its values out.

A coder is fitted on the baseline and frozen. `parts` names what it measures; `bits(column,
own=...)` gives a float64 array per part. With ``own=True`` the column must be the baseline itself:
each row's own count is taken out, exactly. With ``own=False`` the rows are new and the baseline's
counts are thinned by (n - 1) / n, so that both are coded by models of n - 1 rows.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

from driftlock.arrays import Column, Floats, Numbers, Symbols
from driftlock.coders.category import CategoryCoder
from driftlock.coders.number import NumberCoder
from driftlock.coders.time import TimeCoder

__all__ = ["CategoryCoder", "Coder", "NumberCoder", "TimeCoder", "fit_coder"]


class Coder(Protocol):
    """What scoring asks of a coder."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of what is measured, in the order of `bits`."""

    def bits(self, column: Column, *, own: bool) -> list[Floats]:
        """Code length of each value in bits, an array of shape (n,) per part."""


AnyCoder: TypeAlias = CategoryCoder | NumberCoder | TimeCoder


def fit_coder(column: Column) -> AnyCoder:
    """The coder of a column's kind, fitted on that column."""
    if isinstance(column, Symbols):
        return CategoryCoder.fit(column)
    if isinstance(column, Numbers):
        return NumberCoder.fit(column)
    return TimeCoder.fit(column)

"""Coders: typed columns in, the bits of each value out.

A coder is fitted on the baseline and frozen. With ``own=True`` it measures the baseline itself, and
each row's own count is taken out, exactly. With ``own=False`` the rows are new and the baseline's
counts are thinned by (n - 1) / n, so that both are coded by models of n - 1 rows.
"""

from driftlock.coders.category import CategoryCoder
from driftlock.coders.measure import Measure
from driftlock.coders.number import NumberCoder
from driftlock.coders.row import (
    FIELD_BLOCKS,
    NO_FIELD,
    ROW_BLOCKS,
    SUMS,
    Reading,
    RowCoder,
    fit_coder,
)
from driftlock.coders.text import TextCoder
from driftlock.coders.time import TimeCoder

__all__ = [
    "FIELD_BLOCKS",
    "NO_FIELD",
    "ROW_BLOCKS",
    "SUMS",
    "CategoryCoder",
    "Measure",
    "NumberCoder",
    "Reading",
    "RowCoder",
    "TextCoder",
    "TimeCoder",
    "fit_coder",
]

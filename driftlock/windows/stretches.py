"""Whether stretches of a baseline differ more than stretches of rows in random order would."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from driftlock._kernels.scan import FIRST_RANK, RANK
from driftlock.arrays import Ints
from driftlock.windows.table import WindowTable

ALL = "all fields"
FEWEST = 5  # stretches
LEAST = 1e-9  # variance of what always comes out the same


class Patchiness(NamedTuple):
    """How much more than by chance stretches of rows differ, where they do most.

    Attributes
    ----------
    field : str
    rows : int
        Of a stretch.
    excess : float
        Of their chi-square over what it is for rows in random order, as a share of that.
    sigmas : float
        How many standard deviations that is.
    """

    field: str
    rows: int
    excess: float
    sigmas: float


def patchiness(table: WindowTable, rows: Ints, window: int) -> Patchiness:
    """Cut baseline rows, in order, into stretches of about the rows of a window, at least five.

    A rhythm that is too weak to show from row to row adds up over the rows of a window, in one
    field or, weaker still, in many.
    """
    if rows.size < 2 * FEWEST:
        return Patchiness(ALL, rows.size, 0.0, 0.0)
    count = max(rows.size // window, FEWEST)
    stretches = np.arange(rows.size) * count // rows.size
    size = int(np.ceil(rows.size / count))
    found, sums = [], np.zeros(3)
    for codes, sort, place in zip(table.codes[rows].T, table.sorts, table.field_of, strict=True):
        terms = chi_square(stretches, _tenths(codes) if sort == RANK else codes)
        sums += terms
        found.append(_standing(table.names[place], size, *terms))
    return max([*found, _standing(ALL, size, *sums)], key=lambda each: each.sigmas)


def chi_square(first: Ints, second: Ints) -> tuple[float, float, float]:
    """Pearson's chi-square of two series of symbols, its mean and variance over all orders of one.

    References
    ----------
    Haldane, "The mean and variance of chi-squared, when used as a test of homogeneity, when
    expectations are small", Biometrika 31(3/4), 1940.

    Examples
    --------
    >>> import numpy as np
    >>> chi_square(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]))[:2]
    (4.0, 1.3333333333333333)
    """
    n = first.size
    (first, rows), (second, columns) = (_counted(codes) for codes in (first, second))
    pairs, counts = np.unique(first * columns.size + second, return_counts=True)
    products = rows[pairs // columns.size] * columns[pairs % columns.size]
    value = n * (float((counts**2 / products).sum()) - 1)
    mean = n * (rows.size - 1) * (columns.size - 1) / (n - 1)
    (v1, w1), (v2, w2) = (_spread(counts, n) for counts in (rows, columns))
    variance = 2 * n / (n - 3) * (v1 - w1) * (v2 - w2) + n * n / (n - 1) * w1 * w2
    return value, mean, variance


def _counted(codes: Ints) -> tuple[Ints, Ints]:
    places, counts = np.unique(codes, return_inverse=True, return_counts=True)[1:]
    return places.astype(np.int64), counts.astype(np.int64)


def _spread(counts: Ints, n: int) -> tuple[float, float]:
    k = counts.size
    return (k - 1) * (n - k) / (n - 1), (float((n / counts).sum()) - k * k) / (n - 2)


def _standing(field: str, size: int, value: float, mean: float, variance: float) -> Patchiness:
    """In standard deviations, as the gain of a column is in `max_field`."""
    if mean <= 0 or variance < LEAST * mean:
        return Patchiness(field, size, 0.0, 0.0)
    freedom = 2 * mean**2 / variance
    sigmas = np.sqrt(2 * freedom * max(value, 0.0) / mean) - np.sqrt(max(2 * freedom - 1, 0.0))
    return Patchiness(field, size, value / mean - 1, float(sigmas))


def _tenths(codes: Ints) -> Ints:
    """Ranks cut at their deciles, classes as they are."""
    is_rank = codes >= FIRST_RANK
    if not is_rank.any():
        return codes
    cuts = np.quantile(codes[is_rank], np.arange(1, 10) / 10)
    return np.where(is_rank, FIRST_RANK + np.searchsorted(cuts, codes, side="left"), codes)

"""Number coder: its class, a kernel density on an asinh scale, and its written precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftlock._kernels import number as kernels
from driftlock.arrays import (
    MINUS_INF,
    MISSING,
    NEGATIVE,
    NUMBER_CLASSES,
    PLUS_INF,
    POSITIVE,
    UNREADABLE,
    Column,
    Floats,
    Ints,
    Mask,
    Numbers,
)
from driftlock.coders.krichevsky_trofimov import kt_bits
from driftlock.coders.measure import Measure, summed

LOG_SCALE_DECADES = 2.5
BANDWIDTH_FLOOR = 0.01
CELLS_PER_BANDWIDTH = 8
MIN_CELLS, MAX_CELLS = 512, 8192
PRECISION_QUANTILE = 0.995
TINY = 1e-300  # the smallest spread: half of it is still a normal float


@dataclass(frozen=True, eq=False)
class Density:
    """Kernel density of the scaled values g = asinh((x - center) / spread), binned on a grid.

    Notes
    -----
    The kernel is 0.9 Normal + 0.1 Cauchy with the bandwidth of Silverman's rule, at least 0.01.
    A Normal kernel alone doubles false discoveries: the tail of a baseline is heavier than that.

    References
    ----------
    Silverman, "Density Estimation for Statistics and Data Analysis", 1986, section 3.4.
    Wand, "Fast computation of multivariate kernel estimators", Journal of Computational and
    Graphical Statistics 3, 1994 (linear binning).
    """

    center: float
    spread: float
    grid: tuple[float, float, float]  # low, step, bandwidth
    masses: Ints
    smoothed: Floats
    size: int

    @classmethod
    def fit(cls, values: Floats, *, by_magnitude: bool = True) -> Density:
        """Learn scale, bandwidth and grid from finite values of a baseline.

        With `by_magnitude`, values that span decades are scaled around 0.
        """
        ordered = np.sort(values)
        center, spread = _scale(ordered, by_magnitude)
        scaled = kernels.asinh_scale(ordered, center, spread)
        bandwidth = _bandwidth(scaled)
        low, step, n_cells = _grid(scaled, bandwidth)
        bandwidth = max(bandwidth, step)  # or the kernels fall between the cells
        masses = kernels.bin_masses(scaled, low, step, n_cells)
        smoothed = kernels.smooth(masses, step, bandwidth)
        return cls(center, spread, (low, step, bandwidth), masses, smoothed, len(values))

    def bits(self, values: Floats, *, own: bool) -> Floats:
        """-log2(0.05 * density) of each value: 0.05 is the precision that a value is coded to."""
        scaled = kernels.asinh_scale(values, self.center, self.spread)
        sums = kernels.density_sums(scaled, self.masses, self.smoothed, self.grid, own)
        thinning = 1.0 if own else (self.size - 1) / self.size
        removed = 1.0 if own else 0.0
        return kernels.density_bits(scaled, sums, thinning, float(self.size), removed)  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class NumberCoder:
    """Code of one number column, in three parts: its class, its value and its written precision.

    They are judged apart: an unreadable number is strange however few bits a missing density
    leaves it with.

    Attributes
    ----------
    class_counts : ndarray of int64, shape (7,)
        Baseline rows per class, in the order of `driftlock.arrays.NUMBER_CLASSES`.
    density : Density or None
        Of the finite, non-zero values; None where the baseline has none.
    usual_decimals : int
        All but 0.5 % of the baseline's values are written with at most so many decimals.
    precision_counts : ndarray of int64, shape (2,)
        Finite, non-zero baseline values with at most so many decimals, and with more.
    """

    class_counts: Ints
    density: Density | None
    usual_decimals: int
    precision_counts: Ints
    parts: tuple[str, ...] = ("class", "value", "precision")

    @classmethod
    def fit(cls, column: Numbers) -> NumberCoder:
        """Learn the code of a baseline column."""
        class_counts = np.bincount(column.classes, minlength=len(NUMBER_CLASSES)).astype(np.int64)
        dense = _has_density(column)
        decimals = np.sort(column.decimals[dense])
        usual = int(decimals[_rank(PRECISION_QUANTILE, decimals.size)]) if decimals.size else 0
        longer = int((decimals > usual).sum())
        precision = np.array([decimals.size - longer, longer], np.int64)
        density = Density.fit(column.values[dense]) if decimals.size else None
        return cls(class_counts, density, usual, precision)

    def measure(self, column: Column, *, own: bool) -> Measure:
        """Code length of class, value and precision in bits."""
        assert isinstance(column, Numbers)
        of_class = kt_bits(self.class_counts, own=own)[column.classes]
        value = np.zeros(len(column))
        precision = np.zeros(len(column))
        dense = _has_density(column)
        if self.density is not None and dense.any():
            value[dense] = self.density.bits(column.values[dense], own=own)
            longer = column.decimals[dense] > self.usual_decimals
            precision[dense] = kt_bits(self.precision_counts, own=own)[longer.astype(np.intp)]
        return summed([of_class, value, precision])

    def scaled(self, column: Numbers) -> Floats:
        """Values on the scale of the density, infinite ones at its ends, NaN where none is."""
        if self.density is None:
            return np.full(len(column), np.nan)
        scaled = kernels.asinh_scale(column.values, self.density.center, self.density.spread)
        scaled[column.classes == PLUS_INF] = kernels.LIMIT
        scaled[column.classes == MINUS_INF] = -kernels.LIMIT
        scaled[(column.classes == MISSING) | (column.classes == UNREADABLE)] = np.nan
        return scaled  # type: ignore[no-any-return]


def _has_density(column: Numbers) -> Mask:
    return (column.classes == NEGATIVE) | (column.classes == POSITIVE)  # type: ignore[no-any-return]


def _rank(quantile: float, size: int) -> int:
    """Position of a quantile among sorted values: the smallest with that share at or below."""
    return min(max(int(np.ceil(quantile * size)) - 1, 0), size - 1)


def _scale(ordered: Floats, by_magnitude: bool) -> tuple[float, float]:
    """Center and spread of sorted values: 0 and the 5 % quantile where magnitudes span decades."""
    magnitudes = np.sort(np.abs(ordered))
    small, large = np.quantile(magnitudes, [0.05, 0.95])
    if by_magnitude and large / 10**LOG_SCALE_DECADES > small:
        return 0.0, max(float(small), TINY)
    center = 2.0 * float(np.median(ordered / 2))
    for prepared in (np.asarray, np.unique):
        spread = 1.4826 * float(np.median(np.abs(prepared(ordered) / 2 - center / 2))) * 2
        if TINY < spread < np.inf:
            return center, spread
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(ordered.std())
    return center, spread if TINY < spread < np.inf else max(abs(center), TINY)


def _bandwidth(scaled: Floats) -> float:
    """Silverman's rule on sorted scaled values, with a floor."""
    quarter, three_quarters = np.quantile(scaled, [0.25, 0.75])
    width = min(float(scaled.std()), float(three_quarters - quarter) / 1.34)
    return max(BANDWIDTH_FLOOR, float(1.06 * width * scaled.size**-0.2))


def _grid(scaled: Floats, bandwidth: float) -> tuple[float, float, int]:
    """Lowest cell, step and number of cells that cover sorted scaled values finely enough."""
    low, high = float(scaled[0]), float(scaled[-1])
    wanted = int((high - low) / bandwidth * CELLS_PER_BANDWIDTH) + 2
    n_cells = min(max(wanted, MIN_CELLS), MAX_CELLS)
    step = (high - low) / (n_cells - 2) if high > low else bandwidth / CELLS_PER_BANDWIDTH
    return low - step / 2, step, n_cells

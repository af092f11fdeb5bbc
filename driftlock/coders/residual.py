"""What a number is beyond what others predict: the mean of its category, or a regression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftlock._kernels import context as kernels
from driftlock.arrays import Column, Floats, Ints, Numbers, Symbols
from driftlock.coders.number import Density, NumberCoder

FIXED = 1 << 10  # sums of scaled values are sums of whole multiples of 2**-10
MIN_ROWS = 20
MIN_GAIN = 0.02
RIDGE = 0.001
LEAST_PRIOR = 1e-6  # rows; where groups have no variance a new one still gets the overall mean
NEARLY = 0.01  # of the spread: more than the rounding of values can amount to
UNCLIPPED = 400.0  # scaled values whose differences are below the clip of residuals
REACH = 30.0  # standardised values are clipped there


@dataclass(frozen=True, eq=False)
class GroupCoder:
    """A number less the shrunken mean of its category.

    Notes
    -----
    With S and n the sum and size of the group, the own value out, m the overall mean, and kappa the
    variance within groups over that between them, the residual is g - (S + kappa m) / (n + kappa).
    The category is the one with the largest leave-one-out R2, if above 0.02.
    """

    number: int
    category: int
    sums: Ints
    sizes: Ints
    mean: float
    kappa: float
    density: Density

    def residual(self, scaled: Floats, codes: Ints, *, own: bool) -> Floats:
        """Residual of each value, NaN where there is none."""
        return _group_residual(
            scaled, codes, (self.sums, self.sizes), (self.mean, self.kappa), own=own
        )


def fit_group(
    number: int,
    scaled: Floats,
    categories: Sequence[tuple[int, Symbols]],
    *,
    least: float = MIN_GAIN,
) -> GroupCoder | None:
    """The category that explains a number best, or None if none has a larger R2 than `least`."""
    there = ~np.isnan(scaled)
    fixed = np.where(there, np.rint(np.nan_to_num(scaled) * FIXED), 0).astype(np.int64)
    n = int(there.sum())
    if n < MIN_ROWS:
        return None
    mean = int(fixed.sum()) / n / FIXED
    spread = int((fixed * fixed).sum()) / FIXED**2 - n * mean * mean
    # With no row left out a group's mean explains the most. Where rounding and clipping are small
    # beside the spread, a category that does too little even so needs no further look.
    settled = spread > n / 4 and np.abs(scaled[there]).max() < UNCLIPPED
    best: tuple[float, int, Ints, Ints, float] | None = None
    for place, column in categories:
        codes: Ints = np.where(there, column.codes, -1).astype(np.int32)
        sums, squares, sizes = kernels.group_sums(codes, fixed, column.n_symbols)
        used = sizes > 0
        between_squares = float((sums[used].astype(float) ** 2 / sizes[used]).sum()) / FIXED**2
        unexplained = int(squares.sum()) / FIXED**2 - between_squares
        if settled and unexplained >= (1.0 - least + NEARLY) * spread:
            continue
        within = unexplained / max(n - int(used.sum()), 1)
        kappa = max(within / max(spread / n - within, 1e-9), LEAST_PRIOR)
        residual = _group_residual(scaled, codes, (sums, sizes), (mean, kappa), own=True)[there]
        left = int(np.rint(np.minimum(residual**2, 1e6) * FIXED).astype(np.int64).sum()) / FIXED
        gain = 1.0 - left / spread if spread > 0 else 0.0
        if gain > least and (best is None or gain > best[0]):
            best = gain, place, sums, sizes, kappa
    if best is None:
        return None
    _, place, sums, sizes, kappa = best
    codes = dict(categories)[place].codes
    residual = _group_residual(scaled, codes, (sums, sizes), (mean, kappa), own=True)
    density = Density.fit(residual[there], by_magnitude=False)
    return GroupCoder(number, place, sums, sizes, mean, kappa, density)


def _group_residual(
    scaled: Floats, codes: Ints, groups: tuple[Ints, Ints], prior: tuple[float, float], *, own: bool
) -> Floats:
    mean, kappa = prior
    sums, sizes = (np.append(values, 0).astype(float) for values in groups)
    if own:
        sums, sizes = sums[codes] - np.rint(scaled * FIXED), sizes[codes] - 1.0
    center = (sums / FIXED + kappa * mean) / (np.maximum(sizes, 0.0) + kappa)
    return np.asarray(scaled - (center if own else center[codes]), np.float64)


@dataclass(frozen=True, eq=False)
class RegressionCoder:
    """Every number given all the others: residuals of a ridge regression (block R).

    Notes
    -----
    P = (Z'Z / n + 0.001 I)^-1 on standardised scaled values, missing ones at their mean. The sums
    are of whole numbers, exact in any order.
    """

    numbers: tuple[int, ...]
    means: Floats
    deviations: Floats
    precision: Floats
    size: int
    densities: tuple[Density, ...]

    @classmethod
    def fit(cls, scaled: dict[int, Floats]) -> RegressionCoder | None:
        """Learn the regression of baseline numbers, by field; None for fewer than two."""
        usable = {f: g for f, g in scaled.items() if (~np.isnan(g)).sum() >= MIN_ROWS}
        if len(usable) < 2:
            return None
        moments = [_moments(g) for g in usable.values()]
        means, deviations = (np.array(values) for values in zip(*moments, strict=True))
        standard = _standardised(list(usable.values()), means, deviations)
        whole = standard * FIXED
        size = standard.shape[0]
        cross = (whole.T @ whole) / FIXED**2  # sums of whole numbers below 2**53: exact
        precision = np.linalg.inv(cross / size + RIDGE * np.eye(len(usable)))
        errors = kernels.regress(standard, precision, True, size)
        densities = tuple(
            Density.fit(np.ascontiguousarray(errors[~np.isnan(g), i]), by_magnitude=False)
            for i, g in enumerate(usable.values())
        )
        return cls(tuple(usable), means, deviations, precision, size, densities)

    def parts(self, scaled: dict[int, Floats], *, own: bool) -> Iterator[tuple[int, Floats]]:
        """Field and code lengths of its residuals."""
        columns = [scaled[field] for field in self.numbers]
        standard = _standardised(columns, self.means, self.deviations)
        errors = kernels.regress(standard, self.precision, own, self.size)
        del standard
        for i, (field, density) in enumerate(zip(self.numbers, self.densities, strict=True)):
            residual = np.where(np.isnan(scaled[field]), np.nan, errors[:, i])
            yield field, residual_bits(residual, density, own=own)


@dataclass(frozen=True, eq=False)
class GroupBlock:
    """The numbers that some category explains (part of block C)."""

    coders: tuple[GroupCoder, ...]

    @classmethod
    def fit(cls, columns: Sequence[Column], scaled: dict[int, Floats]) -> GroupBlock:
        """Find the category of every number of a baseline; half the rows must repeat a symbol."""
        n = len(columns[0])
        categories = [
            (place, column)
            for place, column in enumerate(columns)
            if isinstance(column, Symbols) and 1 < column.n_symbols < n / 2
        ]
        found = [fit_group(field, values, categories) for field, values in scaled.items()]
        return cls(tuple(coder for coder in found if coder is not None))

    def parts(
        self, columns: Sequence[Column], scaled: dict[int, Floats], *, own: bool
    ) -> Iterator[tuple[int, Floats]]:
        """Field and code lengths of its residuals."""
        for coder in self.coders:
            codes = columns[coder.category].codes  # type: ignore[union-attr]
            residual = coder.residual(scaled[coder.number], codes, own=own)
            yield coder.number, residual_bits(residual, coder.density, own=own)


def scaled_numbers(coders: Sequence[object], columns: Sequence[Column]) -> dict[int, Floats]:
    """Scaled values of every number field, by its place."""
    return {
        place: coder.scaled(column)
        for place, (coder, column) in enumerate(zip(coders, columns, strict=True))
        if isinstance(coder, NumberCoder) and isinstance(column, Numbers) and coder.density
    }


def residual_bits(residual: Floats, density: Density, *, own: bool) -> Floats:
    """Code length of residuals; nothing where there is no number."""
    there = ~np.isnan(residual)
    bits = np.zeros(residual.size)
    bits[there] = density.bits(np.ascontiguousarray(residual[there]), own=own)
    return bits


def _moments(scaled: Floats) -> tuple[float, float]:
    """Mean and deviation of clipped values, from sums of whole numbers."""
    there = scaled[~np.isnan(scaled)]
    fixed = np.rint(np.clip(there, -REACH, REACH) * FIXED).astype(np.int64)
    mean = int(fixed.sum()) / fixed.size
    variance = int((fixed * fixed).sum()) / fixed.size - mean * mean
    return mean / FIXED, float(np.sqrt(max(variance, 1.0))) / FIXED


def _standardised(columns: list[Floats], means: Floats, deviations: Floats) -> Floats:
    """Standardised values in multiples of 2**-10, missing ones 0; shape (n, m)."""
    rows = (np.stack(columns, axis=1) - means) / deviations
    clipped = np.clip(np.nan_to_num(rows, nan=0.0), -REACH, REACH)
    return np.ascontiguousarray(np.rint(clipped * FIXED) / FIXED)

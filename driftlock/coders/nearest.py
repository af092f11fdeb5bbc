"""Block D: a row given the rows most like it, as a dictionary coder points at an earlier phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import nearest as kernels
from driftlock.arrays import HOUR_MISSING, Column, Floats, Ints, Symbols, Times
from driftlock.coders.residual import FIXED, _moments

MAX_EXEMPLARS = 2000
REACH = 4.0  # standardised values are clipped there, so that one number cannot be all the distance
MISMATCH = np.float32(2.0)  # squared distance of two different one-hot vectors
FLOOR = 0.01  # of the median distance, so that exact repeats have a logarithm


@dataclass(frozen=True, eq=False)
class NearestCoder:
    """Distance of a row to its five nearest exemplars, and the same beside their own distances.

    Exemplars are baseline rows, at most 2,000 of them, chosen by a hash of their content. Numbers
    count by their standardised scaled values, times by the hour on a circle, categories as one-hot
    vectors. A baseline row is no neighbour of itself.

    References
    ----------
    Ziv and Lempel, "A universal algorithm for sequential data compression", IEEE Transactions on
    Information Theory 23(3), 1977; Breunig et al., "LOF: identifying density-based local
    outliers", SIGMOD 2000.
    """

    numbers: tuple[int, ...]
    means: Floats
    deviations: Floats
    exemplars: tuple[NDArray[np.float32], NDArray[np.int32]]
    own_means: Floats
    floor: float
    places: Ints  # of every baseline row among the exemplars, or -1

    @classmethod
    def fit(cls, columns: Sequence[Column], scaled: dict[int, Floats]) -> NearestCoder | None:
        """Choose the exemplars of a baseline; None where no field has a distance."""
        moments = [_moments(g) for g in scaled.values()]
        means, deviations = np.array(moments).reshape(-1, 2).T.copy()
        rows = _features(columns, scaled, means, deviations)
        if rows[0].shape[1] + rows[1].shape[1] == 0:
            return None
        whole = np.rint(rows[0].astype(float) * FIXED).astype(np.int64)
        hashes = kernels.content_hashes(whole, rows[1])
        chosen = np.argsort(hashes, kind="stable")[:MAX_EXEMPLARS]
        places = np.full(len(hashes), -1, np.int64)
        places[chosen] = np.arange(chosen.size)
        exemplars = (
            np.ascontiguousarray(rows[0][chosen].T),
            np.ascontiguousarray(rows[1][chosen].T),
        )
        themselves = (np.ascontiguousarray(rows[0][chosen]), np.ascontiguousarray(rows[1][chosen]))
        nothing = np.zeros(chosen.size)
        own_means = kernels.nearest(themselves, exemplars, places[chosen], MISMATCH, nothing)[
            0
        ].copy()
        floor = FLOOR * float(np.median(own_means)) + 1e-6
        return cls(tuple(scaled), means, deviations, exemplars, own_means, floor, places)

    def parts(
        self, columns: Sequence[Column], scaled: dict[int, Floats], *, own: bool
    ) -> tuple[Floats, Floats]:
        """log2 of the mean distance, and log2 of its ratio to that of the neighbours, (n,) each."""
        rows = self.features(columns, scaled)
        places = self.places if own else np.full(rows[0].shape[0], -1, np.int64)
        means = kernels.nearest(rows, self.exemplars, places, MISMATCH, self.own_means)
        distance = means[0] + self.floor
        return np.log2(distance), np.log2(distance / (means[1] + self.floor))

    def features(
        self, columns: Sequence[Column], scaled: dict[int, Floats], *, apart: bool = False
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Numbers and symbols of rows; with `apart`, symbols new to the baseline differ."""
        return _features(columns, scaled, self.means, self.deviations, apart=apart)


def _features(
    columns: Sequence[Column],
    scaled: dict[int, Floats],
    means: Floats,
    deviations: Floats,
    *,
    apart: bool = False,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Numbers (float32, multiples of 2**-10) and symbols (int32) of rows, shape (n, F), (n, K)."""
    numbers = []
    for g, mean, deviation in zip(scaled.values(), means, deviations, strict=True):
        numbers.append(np.clip(np.nan_to_num((g - mean) / deviation, nan=0.0), -REACH, REACH))
    symbols = [
        column.identities if apart and column.identities is not None else column.codes
        for column in columns
        if isinstance(column, Symbols)
    ]
    for column in columns:
        if isinstance(column, Times) and "hour" in column.cycles:
            angle = np.where(column.hours < HOUR_MISSING, column.hours, 0) * (np.pi / 12)
            numbers += [np.cos(angle), np.sin(angle)]
    n = len(columns[0])
    whole = np.rint(np.stack(numbers, axis=1) * FIXED) / FIXED if numbers else np.empty((n, 0))
    codes = np.stack(symbols, axis=1) if symbols else np.empty((n, 0))
    return (
        np.ascontiguousarray(whole, dtype=np.float32),
        np.ascontiguousarray(codes, dtype=np.int32),
    )

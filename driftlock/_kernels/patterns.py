"""Cells of rows around centers, and the exact tail of how a cell's rows fall on two sides."""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.nearest import FAR, squared_distances

NEGLIGIBLE = 1e-18
SMALLEST = 2.2250738585072014e-308  # a p-value is never 0


@jit
def cells(rows, centers, sizes):  # type: ignore[no-untyped-def]
    """Nearest of the first sizes[s] centers to each row, for every s; shape (S, n). O(n C F).

    rows = (int16 of shape (n, F), uint8 of shape (n, K)), centers the same, transposed; sizes
    rise. Of equal distances the first center counts.
    """
    numbers, symbols = rows
    n, n_centers = numbers.shape[0], centers[0].shape[1]
    distances = np.empty(n_centers, np.int32)
    differing = np.empty(n_centers, np.uint8)
    found = np.empty((sizes.size, n), np.int64)
    for i in range(n):
        squared_distances(numbers[i], symbols[i], centers, distances, differing)
        best, place = np.int32(FAR), 0
        start = 0
        for s in range(sizes.size):
            for c in range(start, sizes[s]):
                if distances[c] < best:
                    best, place = distances[c], c
            found[s, i] = place
            start = sizes[s]
    return found


@jit
def hypergeometric_tails(tested, total, m, n):  # type: ignore[no-untyped-def]
    """P(at least `tested` of a pattern's `total` rows are among the m tested of n + m rows).

    Terms are added from the observed count upwards until they no longer matter; where it is below
    its mean the tail is not worth the sum and 1 is returned, which is never too small.
    """
    tails = np.empty(tested.size, np.float64)
    for i in range(tested.size):
        tails[i] = 1.0
        x, k = tested[i], total[i]
        if x * (n + m) <= k * m:
            continue
        log_term = (
            math.lgamma(k + 1.0) - math.lgamma(x + 1.0) - math.lgamma(k - x + 1.0)
            + math.lgamma(n + m - k + 1.0) - math.lgamma(m - x + 1.0) - math.lgamma(n - k + x + 1.0)
            - math.lgamma(n + m + 1.0) + math.lgamma(m + 1.0) + math.lgamma(n + 1.0)
        )  # fmt: skip
        term, total_tail = 1.0, 0.0
        while term > NEGLIGIBLE:
            total_tail += term
            if x >= min(k, m):
                break
            term *= (k - x) * (m - x) / ((x + 1.0) * (n - k + x + 1.0))
            x += 1
        tails[i] = min(max(math.exp(log_term) * total_tail, SMALLEST), 1.0)
    return tails

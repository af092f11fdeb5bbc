"""Slow, plain twins of the pattern kernels, and partitions of rows by their content.

Nothing of the package is imported.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

SMALLEST = 2.2250738585072014e-308


def cells(distances, sizes):
    """distances[i][c] of row i to center c; the nearest of the first centers, for each size."""
    return [
        [min(range(size), key=lambda c: (of_row[c], c)) for of_row in distances] for size in sizes
    ]


def hypergeometric_tails(tested, total, m, n):
    """By whole numbers; 1 where the count is not above its mean."""
    tails = []
    for x, k in zip(tested, total):
        ways = sum(comb(k, i) * comb(n + m - k, m - i) for i in range(x, min(k, m) + 1))
        p = float(Fraction(ways, comb(n + m, m)))
        tails.append(max(p, SMALLEST) if x * (n + m) > k * m else 1.0)
    return tails

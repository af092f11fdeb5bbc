"""How much each part of a pool gains by coding a window apart, on a scale that all parts share.

The gain of a part is the mutual information of its symbol and the side that a row is on, by N rows:
N log2 N - n log2 n - m log2 m - sum over symbols of (t log2 t - c log2 c - (t - c) log2 (t - c)),
with t rows of a symbol in the pool and c of them in the window (log likelihood ratio, G / 2 ln 2).
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.largest import by_falling
from driftlock._kernels.ranks import ascending


@jit
def split_moments(t, size, m, tables):  # type: ignore[no-untyped-def]
    """Mean and variance of f and its covariance with c, and the variance of c. O(min(t, m)).

    f = c log2 c + (t - c) log2 (t - c) - t log2 t in units of `tables`; c is hypergeometric: of t
    rows among `size`, those in a window of m.
    """
    low, high = max(0, t - (size - m)), min(t, m)
    mode = min(max((t + 1) * (m + 1) // (size + 2), low), high)
    middle = tables[mode, 1] + tables[t - mode, 1]  # all sums are of differences from the mode
    weight, mean, square, product, mean_c, square_c = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for step in (1, -1):
        c, p = mode, 1.0
        while True:
            if step == 1 or c < mode:
                f, d = float(tables[c, 1] + tables[t - c, 1] - middle), float(c - mode)
                weight += p
                mean += p * f
                square += p * f * f
                product += p * f * d
                mean_c += p * d
                square_c += p * d * d
            if (c == high and step == 1) or (c == low and step == -1) or p < 1e-18:
                break
            if step == 1:
                p *= (m - c) * (t - c) / ((c + 1.0) * (size - m - t + c + 1.0))
            else:
                p *= c * (size - m - t + c) / ((m - c + 1.0) * (t - c + 1.0))
            c += step
    mean /= weight
    mean_c /= weight
    variance, variance_c = square / weight - mean * mean, square_c / weight - mean_c * mean_c
    covariance = product / weight - mean * mean_c
    return mean + float(middle - tables[t, 1]), variance, covariance, variance_c


@jit
def part_scales(totals, halves, m, size, tables):  # type: ignore[no-untyped-def]
    """Where the symbols of each part begin, (P + 1,), and the scale of its gain, (P, 3).

    scales[p] = (a, b, u): a gain of g units is sqrt(a g) - b standard deviations from its mean over
    random windows of m rows; u is the sum of t log2 t, a whole number. Where no window of m rows
    gains other than another, a = b = 0. Mean and variance are exact for each symbol, their sum is
    conditioned on the size of the window (Morris 1975); sqrt is Fisher's transformation of a
    chi-squared variable scaled to both (Satterthwaite). O(S), and moments of each total.
    """
    parts = halves.size
    starts, scales = np.zeros(parts + 1, np.int64), np.zeros((parts, 3), np.float64)
    whole = float(tables[size, 1] - tables[m, 1] - tables[size - m, 1])
    for p in range(parts):
        starts[p + 1] = starts[p] + int(2 * halves[p])
        own = np.empty(starts[p + 1] - starts[p], np.int64)
        for s in range(own.size):
            own[s] = totals[starts[p] + s]
        order = ascending(own)  # whatever the numbering of symbols, the same sums
        mean, variance, covariance, variance_c, used = whole, 0.0, 0.0, 0.0, 0.0
        moments = (0.0, 0.0, 0.0, 0.0)
        for s in range(own.size):
            t = own[order[s]]
            if s == 0 or t != own[order[s - 1]]:
                moments = split_moments(t, size, m, tables)
            mean += moments[0]
            variance += moments[1]
            covariance += moments[2]
            variance_c += moments[3]
            used += tables[t, 1]
        scales[p, 2] = used
        if variance_c > 0.0:
            variance -= covariance * covariance / variance_c
        variance *= own.size / max(own.size - 1.0, 1.0)
        if mean > 0.0 and variance > 1e-9 * mean * mean:
            freedom = 2.0 * mean * mean / variance
            scales[p, 0] = 2.0 * freedom / mean
            scales[p, 1] = math.sqrt(max(2.0 * freedom - 1.0, 0.0))
    return starts, scales


@jit
def measured_pool(symbols, totals, halves, bits, m, tables):  # type: ignore[no-untyped-def]
    """What subsets of a pool are measured with, for windows of m rows: parts of one symbol go.

    (symbols, totals, halves, bits, first symbol of each part, scales, place of each row by falling
    bits, sums of falling bits). A part in which all rows are alike has no length, no entropy and no
    gain in any subset. O(N P + S).
    """
    kept = 0
    for p in range(halves.size):
        kept += halves[p] > 0.5
    varied, varied_halves = (
        np.empty((symbols.shape[0], kept), np.uint32),
        np.empty(kept, np.float64),
    )
    varied_totals = np.empty(totals.size - (halves.size - kept), np.uint32)
    place, first, begin = 0, 0, 0
    for p in range(halves.size):
        size = int(2 * halves[p])
        if size > 1:
            for i in range(symbols.shape[0]):
                varied[i, place] = symbols[i, p] - first + begin
            for s in range(size):
                varied_totals[begin + s] = totals[first + s]
            varied_halves[place] = halves[p]
            place += 1
            begin += size
        first += size
    starts, scales = part_scales(varied_totals, varied_halves, m, symbols.shape[0], tables)
    places, sums = by_falling(bits)
    return varied, varied_totals, varied_halves, bits, starts, scales, places, sums

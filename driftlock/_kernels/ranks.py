"""How extreme each draw is among all draws, and how extreme its most extreme statistic is."""

from __future__ import annotations

import numpy as np

from driftlock._kernels.jit import jit


@jit
def extremes(values, two_sided, counts):  # type: ignore[no-untyped-def]
    """How many of B values are at least as extreme as each of them, itself included. O(B log B).

    Upper tail; with `two_sided` twice the smaller tail, at most B.
    """
    size = values.size
    order = np.argsort(values)
    first = 0
    while first < size:
        stop = first + 1
        while stop < size and values[order[stop]] == values[order[first]]:
            stop += 1
        count = size - first
        if two_sided:
            count = min(size, 2 * min(count, stop))
        for place in range(first, stop):
            counts[order[place]] = count
        first = stop


@jit
def extreme_of_first(values, two_sided):  # type: ignore[no-untyped-def]
    """The same count for the first value alone. O(B)."""
    above, below_ = 0, 0
    for b in range(values.size):
        above += values[b] >= values[0]
        below_ += values[b] <= values[0]
    return min(values.size, 2 * min(above, below_)) if two_sided else above


@jit
def verdicts(statistics, two_sided, in_verdict):  # type: ignore[no-untyped-def]
    """Extreme counts of row 0 in each of k columns, then of the smallest of them: (k + 1,).

    The last compares the smallest count of row 0 with the smallest count of every row, over the
    columns of the verdict: with B rows, p = count / B throughout.
    """
    size, k = statistics.shape
    result = np.empty(k + 1, np.int64)
    counts, smallest = np.empty(size, np.int64), np.full(size, size, np.int64)
    for j in range(k):
        column = np.ascontiguousarray(statistics[:, j])
        if not in_verdict[j]:
            result[j] = extreme_of_first(column, two_sided[j])
            continue
        extremes(column, two_sided[j], counts)
        result[j] = counts[0]
        smallest = np.minimum(smallest, counts)
    result[k] = np.sum(smallest <= smallest[0])
    return result

"""How extreme each draw is among all draws, and how extreme its most extreme statistic is."""

from __future__ import annotations

import numpy as np

from driftlock._kernels.jit import jit


@jit
def ascending(values):  # type: ignore[no-untyped-def]
    """Places of int64 values from the smallest to the largest, equal ones as they stand.

    O(N) for each byte of their range: a radix sort, which is compiled once for all that need an
    order and takes the compiler a fifth of the time of NumPy's.
    """
    size = values.size
    order, other = np.empty(size, np.int64), np.empty(size, np.int64)
    if size == 0:
        return order
    for i in range(size):
        order[i] = i
    least, most = values[0], values[0]
    for value in values:
        least, most = min(least, value), max(most, value)
    starts = np.empty(257, np.int64)
    span = most - least
    for shift in range(0, 64, 8):
        if span >> shift == 0:
            break
        starts[:] = 0
        for i in range(size):
            starts[(((values[i] - least) >> shift) & 255) + 1] += 1
        for digit in range(256):
            starts[digit + 1] += starts[digit]
        for i in range(size):
            digit = ((values[order[i]] - least) >> shift) & 255
            other[starts[digit]] = order[i]
            starts[digit] += 1
        order, other = other, order
    return order


@jit
def extremes(values, two_sided, counts):  # type: ignore[no-untyped-def]
    """How many of B values are at least as extreme as each of them, itself included. O(B).

    Upper tail; with `two_sided` twice the smaller tail, at most B.
    """
    size = values.size
    order = ascending(values)
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
    counts, smallest = np.empty(size, np.int64), np.empty(size, np.int64)
    smallest[:] = size
    column = np.empty(size, np.int64)
    for j in range(k):
        for b in range(size):
            column[b] = statistics[b, j]
        if not in_verdict[j]:
            result[j] = extreme_of_first(column, two_sided[j])
            continue
        extremes(column, two_sided[j], counts)
        result[j] = counts[0]
        for b in range(size):
            smallest[b] = min(smallest[b], counts[b])
    result[k] = 0
    for b in range(size):
        result[k] += smallest[b] <= smallest[0]
    return result

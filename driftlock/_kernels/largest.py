"""The largest values of a subset: places by falling value, marked in a bit set."""

from __future__ import annotations

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.ranks import ascending

NO_BIT, ONE_BIT, TO_WORD, IN_WORD = np.uint64(0), np.uint64(1), np.uint64(6), np.uint64(63)
_HALVES = np.array(  # words with the bits set whose place has bit k, k = 0 ... 5
    [sum(1 << place for place in range(64) if place >> k & 1) for k in range(6)], np.uint64
)


@jit
def by_falling(bits):  # type: ignore[no-untyped-def]
    """Place of each of N values from the largest to the smallest, and sums of the first. O(N)."""
    size = bits.size
    wide = np.empty(size, np.int64)
    for i in range(size):
        wide[i] = -np.int64(bits[i])
    order = ascending(wide)
    places, sums = np.empty(size, np.uint32), np.zeros(size + 1, np.int64)
    for i in range(size):
        places[order[i]] = i
        sums[i + 1] = sums[i] + bits[order[i]]
    return places, sums


@jit
def sum_of_largest(seen, sums, k):  # type: ignore[no-untyped-def]
    """Sum of the k largest bits of the rows that are seen. O(N / 64) at worst.

    A bit of `seen` (N // 64 + 1,) is set where a row stands among all N by falling bits; sums
    (N + 1,) are those of so many first bits in that order. No branch depends on the values, so that
    none is mispredicted, as those of a heap are.
    """
    total, w = 0, 0
    while k > 0:
        word = seen[w]
        while word != NO_BIT and k > 0:
            less = word & (word - ONE_BIT)
            place = 64 * w + place_of(word ^ less)
            total += sums[place + 1] - sums[place]
            word = less
            k -= 1
        w += 1
    return total


@jit
def sum_of_largest_left(seen, sums, k):  # type: ignore[no-untyped-def]
    """Sum of the k largest bits of the rows that are not seen, as in `sum_of_largest`.

    It is the sum of so many first places that k of them are left, less those that are not.
    """
    taken, end, w = 0, k, 0
    while 64 * w < end:
        word = seen[w]
        while word != NO_BIT:
            less = word & (word - ONE_BIT)
            place = 64 * w + place_of(word ^ less)
            if place >= end:
                break
            taken += sums[place + 1] - sums[place]
            word = less
            end += 1
        w += 1
    return sums[end] - taken


@jit
def mean_of_largest(rows, first, stop, is_rest, places, sums, seen):  # type: ignore[no-untyped-def]
    """Mean of the largest tenth of a subset's bits, in 1e-9 bit; `seen` is clear afterwards."""
    m = stop - first
    if is_rest:
        m = places.size - m
    k = max(1, m // 10)
    total = sum_of_largest_left(seen, sums, k) if is_rest else sum_of_largest(seen, sums, k)
    for i in range(first, stop):
        seen[np.uint64(places[rows[i]]) >> TO_WORD] = NO_BIT
    return total * 1_000_000 // k


@jit
def place_of(bit):  # type: ignore[no-untyped-def]
    """Which bit of a word is set, the only one that is: 0 to 63."""
    place = 0
    for k in range(6):
        if bit & _HALVES[k] != NO_BIT:
            place += 1 << k
    return place

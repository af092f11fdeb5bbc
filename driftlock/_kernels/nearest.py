"""Nearest exemplars of each row: mean distance, and that distance beside the neighbours' own."""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit

NEIGHBOURS = 5
UNIT = 128  # numbers are whole multiples of 1/128, so that distances are whole numbers, exact
MISMATCH = 2 * UNIT * UNIT  # squared distance of two different one-hot vectors
STRETCH, FOLDED = 64, 16
AT_ONCE = 255  # symbols that may differ before a byte overflows
FAR = 2**31 - 1
PLACES = 1 << 32


@jit
def squared_distances(numbers, symbols, exemplars, result, differing):  # type: ignore[no-untyped-def]
    """Distances of one row to all E exemplars, in units of 1/128 squared, into result (int32).

    exemplars = (int16 of shape (F, E), uint8 of shape (K, E)); differing is scratch of E bytes.
    """
    others, labels = exemplars
    result[:] = np.int32(0)
    for f in range(0, others.shape[0] - 1, 2):  # two at once: half the sums to load and store
        x, y = np.int32(numbers[f]), np.int32(numbers[f + 1])
        column, other = others[f], others[f + 1]
        for e in range(column.size):
            dx, dy = np.int32(column[e]) - x, np.int32(other[e]) - y
            result[e] += dx * dx + dy * dy
    if others.shape[0] % 2:
        x = np.int32(numbers[others.shape[0] - 1])
        column = others[others.shape[0] - 1]
        for e in range(column.size):
            dx = np.int32(column[e]) - x
            result[e] += dx * dx
    for first in range(0, labels.shape[0], AT_ONCE):
        differing[:] = np.uint8(0)
        for k in range(first, min(first + AT_ONCE, labels.shape[0])):
            code = symbols[k]
            label = labels[k]
            for e in range(label.size):
                differing[e] += np.uint8(label[e] != code)
        for e in range(result.size):
            result[e] += np.int32(MISMATCH) * np.int32(differing[e])


@jit
def bound_of(least, wanted):  # type: ignore[no-untyped-def]
    """A distance that at least so many (at most `FOLDED`) do not exceed, of those in `least`.

    It is exact for the least of every so-manieth of them.
    """
    folded = least[:FOLDED]
    for start in range(FOLDED, least.size, FOLDED):
        for c in range(FOLDED):
            folded[c] = min(folded[c], least[start + c])
    bound = np.int32(FAR)
    for c in range(FOLDED):
        within = 0
        for other in range(FOLDED):
            within += folded[other] <= folded[c]
        bound = min(bound, folded[c] if within >= wanted else np.int32(FAR))
    return bound


@jit
def keep_nearest(distances, scratch, best, who):  # type: ignore[no-untyped-def]
    """The smallest distances in rising order, and whose they are; the first of equal ones. O(E).

    scratch = (least, copy of it, keys). Of the least of every `STRETCH`-th distance some tell a
    bound, and only what is within it is sorted, by keys of distance and place; few branches hang on
    what the distances are.
    """
    least, copy, keys = scratch
    least[:] = FAR
    for start in range(0, distances.size, STRETCH):
        stretch = distances[start : start + STRETCH]
        for e in range(stretch.size):
            least[e] = min(least[e], stretch[e])
    for c in range(STRETCH):
        copy[c] = least[c]
    bound = min(bound_of(copy, best.size), np.int32(FAR - 1))
    keys[:] = np.int64(FAR) << 32
    for c in range(STRETCH):
        if least[c] > bound:
            continue
        for e in range(c, distances.size, STRETCH):
            if distances[e] <= bound:
                carried = (np.int64(distances[e]) << 32) | e
                for slot in range(keys.size):
                    key = keys[slot]
                    keys[slot] = min(key, carried)
                    carried = max(key, carried)
    for slot in range(keys.size):
        best[slot] = keys[slot] >> 32
        who[slot] = keys[slot] & (PLACES - 1)


@jit
def nearest(rows, exemplars, places, own_means):  # type: ignore[no-untyped-def]
    """Mean distance to the nearest exemplars, and the mean of their own such means; (2, n).

    rows = (int16 of shape (n, F), uint8 of shape (n, K)); places[i] is the exemplar that row i
    itself is, or -1. Of equal distances the first exemplar counts. O(n E (F + K)).
    """
    numbers, symbols = rows
    n, n_exemplars = numbers.shape[0], exemplars[0].shape[1]
    wanted = min(NEIGHBOURS, n_exemplars - 1)
    distances = np.empty(n_exemplars, np.int32)
    differing = np.empty(n_exemplars, np.uint8)
    best = np.empty(wanted, np.int32)
    least = np.empty((2, STRETCH), np.int32)
    scratch = least[0], least[1], np.empty(wanted, np.int64)
    who = np.empty(wanted, np.int64)
    means = np.zeros((2, n), np.float64)
    for i in range(n):
        squared_distances(numbers[i], symbols[i], exemplars, distances, differing)
        if places[i] >= 0:
            distances[places[i]] = FAR
        keep_nearest(distances, scratch, best, who)
        for slot in range(wanted):
            means[0, i] += math.sqrt(best[slot]) / (UNIT * wanted)
            means[1, i] += own_means[who[slot]] / wanted
    return means


@jit
def content_hashes(numbers, symbols, salts):  # type: ignore[no-untyped-def]
    """A 64-bit hash of each row of whole numbers: which rows are exemplars. O(n (F + K)).

    numbers : int16, shape (n, F); symbols : uint8, shape (n, K); salts : int64, shape (F + K,), one
    for each field. What the fields add does not depend on their order.
    """
    n_numbers = numbers.shape[1]
    hashes = np.empty(numbers.shape[0], np.uint64)
    for i in range(numbers.shape[0]):
        total = np.uint64(0)
        for f in range(n_numbers + symbols.shape[1]):
            own = np.int64(numbers[i, f]) if f < n_numbers else np.int64(symbols[i, f - n_numbers])
            word = np.uint64(own + salts[f]) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
            total += word ^ (word >> np.uint64(29))
        hashes[i] = total
    return hashes

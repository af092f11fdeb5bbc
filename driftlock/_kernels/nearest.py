"""Nearest exemplars of each row: mean distance, and that distance beside the neighbours' own."""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit

NEIGHBOURS = 5


@jit
def squared_distances(numbers, symbols, exemplars, weight, result):  # type: ignore[no-untyped-def]
    """Distances of one row to all E exemplars, into result (float32).

    exemplars = (numbers of shape (F, E), symbols of shape (K, E)); a symbol that differs adds
    `weight`.
    """
    others, labels = exemplars
    result[:] = np.float32(0.0)
    for f in range(others.shape[0]):
        x = numbers[f]
        column = others[f]
        for e in range(column.size):
            difference = column[e] - x
            result[e] += difference * difference
    for k in range(labels.shape[0]):
        code = symbols[k]
        label = labels[k]
        for e in range(label.size):
            result[e] += weight if label[e] != code else np.float32(0.0)


@jit
def nearest(rows, exemplars, places, weight, own_means):  # type: ignore[no-untyped-def]
    """Mean distance to the nearest exemplars, and the mean of their own such means.

    rows = (float32 of shape (n, F), int32 of shape (n, K)); places[i] is the exemplar that row i
    itself is, or -1. Shape (2, n), float64. Of equal distances the first exemplar counts. O(n E F).
    """
    numbers, symbols = rows
    n, n_exemplars = numbers.shape[0], exemplars[0].shape[1]
    wanted = min(NEIGHBOURS, n_exemplars - 1)
    distances = np.empty(n_exemplars, np.float32)
    best = np.empty(wanted, np.float32)
    who = np.empty(wanted, np.int64)
    means = np.zeros((2, n), np.float64)
    for i in range(n):
        squared_distances(numbers[i], symbols[i], exemplars, weight, distances)
        if places[i] >= 0:
            distances[places[i]] = np.float32(np.inf)
        best[:] = np.float32(np.inf)
        who[:] = 0
        for e in range(n_exemplars):
            distance = distances[e]
            if distance < best[wanted - 1]:
                slot = wanted - 1
                while slot > 0 and best[slot - 1] > distance:
                    best[slot] = best[slot - 1]
                    who[slot] = who[slot - 1]
                    slot -= 1
                best[slot] = distance
                who[slot] = e
        for slot in range(wanted):
            means[0, i] += math.sqrt(best[slot]) / wanted
            means[1, i] += own_means[who[slot]] / wanted
    return means


@jit
def content_hashes(numbers, symbols):  # type: ignore[no-untyped-def]
    """A 64-bit hash of each row of whole numbers: which rows are exemplars. O(n (F + K))."""
    hashes = np.empty(numbers.shape[0], np.uint64)
    for i in range(numbers.shape[0]):
        word = np.uint64(0x243F6A8885A308D3)
        for f in range(numbers.shape[1] + symbols.shape[1]):
            own = numbers[i, f] if f < numbers.shape[1] else symbols[i, f - numbers.shape[1]]
            word = (word ^ np.uint64(np.int64(own) + (1 << 40))) * np.uint64(0xBF58476D1CE4E5B9)
            word ^= word >> np.uint64(31)
        hashes[i] = word * np.uint64(0x94D049BB133111EB)
    return hashes

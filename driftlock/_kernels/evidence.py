"""From calibrated code lengths to the largest evidence of a row, in whole millibits."""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit

MOST = 2e9  # millibits; an int32 holds them


@jit
def evidence(lengths, table, low, tail):  # type: ignore[no-untyped-def]
    """Calibrated evidence of each code length. O(n).

    table[v - low] holds the evidence of the baseline's own lengths up to its threshold;
    tail = (threshold, evidence at the threshold, slope per millibit) is the line beyond.
    """
    result = np.empty(lengths.size, np.int32)
    for i in range(lengths.size):
        if lengths[i] > tail[0]:
            result[i] = int(round(tail[1] + (lengths[i] - tail[0]) * tail[2]))
        else:
            result[i] = table[min(max(lengths[i] - low, 0), table.size - 1)]
    return result


@jit
def count_at_least(survivors, low, scores):  # type: ignore[no-untyped-def]
    """Baseline scores >= each score; survivors[v - low] counts those >= v. O(n)."""
    counts = np.empty(scores.size, np.int64)
    last = survivors.size - 1
    for i in range(scores.size):
        position = scores[i] - low
        counts[i] = survivors[min(max(position, 0), last)]
    return counts


@jit
def round_millibits(bits):  # type: ignore[no-untyped-def]
    """Bits as whole millibits, two million bits at most: exact ties, sums free of order. O(n)."""
    rounded = np.empty(bits.size, np.int32)
    for i in range(bits.size):
        rounded[i] = int(math.floor(min(bits[i] * 1000.0, MOST) + 0.5))
    return rounded

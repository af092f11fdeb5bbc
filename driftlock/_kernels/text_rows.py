"""Rows of text before and after coding: which are equal, their streams, and their evidence."""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.text import HALF, PRIME, SEED


@jit
def are_equal(data, offsets, left, right):  # type: ignore[no-untyped-def]
    """Whether two rows have the same bytes."""
    size = offsets[left + 1] - offsets[left]
    if size != offsets[right + 1] - offsets[right]:
        return False
    one = data[offsets[left] : offsets[left + 1]]
    other = data[offsets[right] : offsets[right + 1]]
    differing = np.uint8(0)
    for i in range(size):
        differing |= one[i] ^ other[i]
    return not differing


@jit
def row_hash(row):  # type: ignore[no-untyped-def]
    """Hash of the bytes of a row: four of every fourth byte, then those of the four."""
    a = b = c = d = SEED
    whole = row.size // 4 * 4
    for i in range(0, whole, 4):
        a = (a ^ np.uint64(row[i])) * PRIME
        b = (b ^ np.uint64(row[i + 1])) * PRIME
        c = (c ^ np.uint64(row[i + 2])) * PRIME
        d = (d ^ np.uint64(row[i + 3])) * PRIME
    for i in range(whole, row.size):
        a = (a ^ np.uint64(row[i])) * PRIME
    for part in (b, c, d):
        a = ((a ^ (a >> HALF)) * PRIME) ^ part
    return (a ^ (a >> HALF)) * PRIME


@jit
def first_equals(data, offsets):  # type: ignore[no-untyped-def]
    """For each row the first one that has the same bytes. O(bytes)."""
    n, places = offsets.size - 1, 1
    while places < 2 * n:
        places *= 2
    table, first = np.empty(places, np.int64), np.empty(n, np.int64)
    table[:] = -1
    for row in range(n):
        hashed = row_hash(data[offsets[row] : offsets[row + 1]])
        place = np.int64((hashed ^ (hashed >> HALF)) & np.uint64(places - 1))
        while table[place] >= 0 and not are_equal(data, offsets, table[place], row):
            place = (place + 1) & (places - 1)
        if table[place] < 0:
            table[place] = row
        first[row] = table[place]
    return first


@jit
def pick(data, offsets, rows, picked):  # type: ignore[no-untyped-def]
    """The bytes of some rows, one row after the other."""
    place = 0
    for row in rows:
        source = data[offsets[row] : offsets[row + 1]]
        into = picked[place : place + source.size]
        for i in range(source.size):
            into[i] = source[i]
        place += source.size


@jit
def frame(data, offsets, ends, symbols):  # type: ignore[no-untyped-def]
    """All rows, one after the other, each between the two symbols `ends`."""
    for row in range(offsets.size - 1):
        source = data[offsets[row] : offsets[row + 1]]
        place = offsets[row] + 2 * row
        into = symbols[place : place + source.size + 2]
        into[0] = ends[0]
        for i in range(source.size):
            into[i + 1] = source[i]
        into[source.size + 1] = ends[1]


@jit
def count_rows_with(data, offsets, wanted):  # type: ignore[no-untyped-def]
    """How many rows have a byte that is wanted, a mask of all 256."""
    count = 0
    for row in range(offsets.size - 1):
        for i in range(offsets[row], offsets[row + 1]):
            if wanted[data[i]]:
                count += 1
                break
    return count


@jit
def sum_contexts(offsets, weights, codes, by_context):  # type: ignore[no-untyped-def]
    """Add the code lengths of rows to the sums of their contexts, each as often as its weight."""
    fixed, contexts = codes
    for row in range(offsets.size - 1):
        start, end, weight = offsets[row] - row, offsets[row + 1] - row - 1, weights[row]
        lengths, places = fixed[start:end], contexts[start:end]
        for i in range(lengths.size):
            if places[i] >= 0:
                place = np.uint32(places[i])
                by_context[place, 0] += weight * lengths[i]
                by_context[place, 1] += weight


@jit
def excesses(offsets, own, codes, by_context, mean):  # type: ignore[no-untyped-def]
    """Each row's sum of bits beyond the mean of their contexts, over the root of its length.

    codes = (fixed, contexts) as from `code_own_rows`; by_context[c] = (sum, number) of the code
    lengths in a context; with `own` a row's share is taken out of its contexts first. In units of
    2**-20 bits, as floats.
    """
    fixed, contexts = codes
    result = np.empty(offsets.size - 1, np.float64)
    for row in range(offsets.size - 1):
        start, end = offsets[row] - row, offsets[row + 1] - row - 1
        lengths, places = fixed[start:end], contexts[start:end]
        if own:
            for i in range(lengths.size):
                place = np.uint32(places[i])
                by_context[place, 0] -= lengths[i]
                by_context[place, 1] -= 1
        total = 0.0
        for i in range(lengths.size):
            if places[i] < 0:
                total += lengths[i] - mean
            else:
                place = np.uint32(places[i])
                others = by_context[place, 0] + mean
                total += lengths[i] - others / (by_context[place, 1] + 1)
        if own:
            for i in range(lengths.size):
                place = np.uint32(places[i])
                by_context[place, 0] += lengths[i]
                by_context[place, 1] += 1
        result[row] = total / math.sqrt(max(end - start, 1))
    return result


@jit
def row_sums(fixed, offsets):  # type: ignore[no-untyped-def]
    """Sum of the code lengths of each row, in units of 2**-20 bits."""
    sums = np.zeros(offsets.size - 1, np.int64)
    for row in range(offsets.size - 1):
        total = np.int64(0)
        for length in fixed[offsets[row] - row : offsets[row + 1] - row - 1]:
            total += length
        sums[row] = total
    return sums

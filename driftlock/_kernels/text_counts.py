"""Rows of text as windows: code lengths from the counts of grams and of their contexts.

N = rows in the pool, the baseline's first; I = items, the contexts and the grams of all orders. A
row is sparse: items[offsets[i] : offsets[i + 1]] and how often it has each. A set of rows has the
code length sum over items of sign * (log2 gamma(c + w/2) - log2 gamma(w/2)), c being the count: for
a context the sign is 1 and w the size of its alphabet, for a gram they are -1 and 1. All of it in
integers of 2**-24 bit.
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.largest import IN_WORD, ONE_BIT, TO_WORD, mean_of_largest
from driftlock._kernels.permute import (
    BLOCK,
    ENTROPY,
    MEAN_BITS,
    NANO,
    NCD,
    TOP_BITS,
    UNIT,
    draw_range,
    room_for,
)

MOST_BITS = 2**31 - 1


@jit
def text_bits(pool, tables, orders, out):  # type: ignore[no-untyped-def]
    """Code length of each row given all others, in millibits, mean over orders. O(entries).

    What is more than 2**31 - 1 millibits counts as that.
    """
    offsets, items, times, totals, widths, signs = pool[:6]
    lengths = tables[0]
    for i in range(offsets.size - 1):
        units = 0
        for j in range(offsets[i], offsets[i + 1]):
            item = items[j]
            whole = 2 * totals[item] + widths[item]
            units += signs[item] * (lengths[whole] - lengths[whole - 2 * times[j]])
        out[i] = min((units * 1000 // orders + UNIT // 2) // UNIT, MOST_BITS)


@jit
def whole_sums(totals, widths, signs, tables):  # type: ignore[no-untyped-def]
    """Code length of the pool and its entropy term, in units. O(I)."""
    length, used = 0, 0
    for item in range(totals.size):
        c, w = totals[item], widths[item]
        length += signs[item] * (tables[0][2 * c + w] - tables[0][w])
        used += signs[item] * tables[1][c]
    return length, used


@jit
def measure_texts(rows, starts, is_rest, pool, tables, out):  # type: ignore[no-untyped-def]
    """The four statistics of subsets of rows of text against all other rows. O(listed entries).

    rows[starts[b] : starts[b + 1]] is subset b, or, if `is_rest`, all other rows; pool = (offsets
    (N + 1,), items, times, totals (I,), widths (I,), signs (I,), sizes (N,): coded symbols, bits
    (N,), place of each row by falling bits, sums of falling bits); tables = (log2 gamma(k / 2) by
    k, c log2 c by c) in units.
    """
    offsets, items, times, totals, widths, signs, sizes, bits, places, sums = pool
    lengths, used = tables
    counts, seen = np.zeros(totals.size, np.int64), np.zeros(bits.size // 64 + 1, np.uint64)
    length, used_both = whole_sums(totals, widths, signs, tables)
    size = 0
    for row in range(sizes.size):
        size += sizes[row]
    for b in range(starts.size - 1):
        first, stop = starts[b], starts[b + 1]
        spent, symbols = 0, 0
        for i in range(first, stop):
            row = rows[i]
            spent += int(bits[row])
            place = np.uint64(places[row])
            seen[place >> TO_WORD] |= ONE_BIT << (place & IN_WORD)
            symbols += sizes[row]
            for j in range(offsets[row], offsets[row + 1]):
                counts[items[j]] += times[j]
        length_w, used_w, length_r, used_r = 0, 0, length, used_both
        for i in range(first, stop):
            for j in range(offsets[rows[i]], offsets[rows[i] + 1]):
                item = items[j]
                c = counts[item]
                if c > 0:
                    r, w, sign = totals[item] - c, widths[item], signs[item]
                    length_w += sign * (lengths[2 * c + w] - lengths[w])
                    length_r += sign * (lengths[2 * r + w] - lengths[2 * (r + c) + w])
                    used_w += sign * used[c]
                    used_r += sign * (used[r] - used[r + c])
                    counts[item] = 0
        longest = max(length_w, length_r)
        # below a thousandth of a bit there is nothing but the rounding of tables
        ncd = (length - min(length_w, length_r)) / longest if longest > UNIT // 1000 else 0.0
        m = stop - first
        if is_rest:
            m, symbols = bits.size - m, size - symbols
            used_w, used_r = used_r, used_w
            spent = sums[bits.size] - spent
        delta = used_w / symbols / UNIT - used_r / (size - symbols) / UNIT
        out[b, NCD] = int(math.floor(ncd * NANO + 0.5))
        out[b, ENTROPY] = int(math.floor(delta * NANO + 0.5))
        out[b, MEAN_BITS] = spent * 1_000_000 // m
        out[b, TOP_BITS] = mean_of_largest(rows, first, stop, is_rest, places, sums, seen)


@jit
def permute_texts(first, stop, draw, pool, tables, out):  # type: ignore[no-untyped-def]
    """Statistics of draws first ... stop - 1 into the rows of `out`, as in `permute_range`."""
    size = pool[7].size
    listed, starts, is_rest = room_for(stop - first, draw[2], size)
    for begin in range(first, stop, BLOCK):
        end = min(begin + BLOCK, stop)
        draw_range(begin, end, draw, size, listed)
        own = starts[: end - begin + 1]
        measure_texts(listed, own, is_rest, pool, tables, out[begin:end])

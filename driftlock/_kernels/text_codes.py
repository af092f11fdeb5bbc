"""Code lengths of all symbols of many rows by the gram counts of `text`, what recurs coded once.

The rows and tables are those of `text`: a row is a start symbol and the symbols to be coded.
"""

from __future__ import annotations

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.text import (
    GOLDEN,
    NEAR,
    ONE,
    PRIME,
    SEED,
    add,
    code_row,
    locate,
    locate_some,
)

MOST_KEPT = 1 << 16  # code lengths of grams: about what a second-level cache holds
HALF, LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)


@jit
def are_equal(symbols, offsets, left, right):  # type: ignore[no-untyped-def]
    """Whether two rows have the same symbols."""
    size = offsets[left + 1] - offsets[left]
    if size != offsets[right + 1] - offsets[right]:
        return False
    for i in range(size):
        if symbols[offsets[left] + i] != symbols[offsets[right] + i]:
            return False
    return True


@jit
def first_equals(symbols, offsets):  # type: ignore[no-untyped-def]
    """For each row the first one that has the same symbols. O(symbols)."""
    n, places = offsets.size - 1, 1
    while places < 2 * n:
        places *= 2
    table, first = np.full(places, -1, np.int64), np.empty(n, np.int64)
    for row in range(n):
        hashed = SEED
        for i in range(offsets[row], offsets[row + 1]):
            hashed = (hashed ^ np.uint64(symbols[i])) * PRIME
        place = np.int64((hashed ^ (hashed >> np.uint64(32))) & np.uint64(places - 1))
        while table[place] >= 0 and not are_equal(symbols, offsets, table[place], row):
            place = (place + 1) & (places - 1)
        if table[place] < 0:
            table[place] = row
        first[row] = table[place]
    return first


@jit
def copy_row(offsets, source, row, out):  # type: ignore[no-untyped-def]
    """Give a row the code lengths and contexts of an equal one before it."""
    start, end = offsets[row] - row, offsets[row + 1] - row - 1
    begin = offsets[source] - source
    for i in range(end - start):
        out[0][start + i] = out[0][begin + i]
        out[1][start + i] = out[1][begin + i]


@jit
def gram_key(symbols, t, order):  # type: ignore[no-untyped-def]
    """Key of the longest gram that ends at t: up to order + 1 symbols, as in `locate_at`."""
    hashed = SEED
    last = min(t, order)
    for k in range(last + 1):
        hashed = (hashed ^ np.uint64(symbols[t - k] + 1)) * PRIME
        hashed ^= hashed >> np.uint64(32)
    return (hashed + np.uint64(last + 1) * GOLDEN) | ONE


@jit
def code_new_rows(symbols, offsets, first, tables, totals, out):  # type: ignore[no-untyped-def]
    """`code_rows` of rows that were not learned.

    What a symbol costs then hangs on the gram that ends with it and on nothing else in its row, so
    that what was worked out for a gram is kept until another one takes its place.
    """
    keys, counts, followers, slots = tables
    fixed, contexts = out
    order = max(slots.shape[1] - 1, NEAR)  # the context of two symbols is kept as well
    places = 1
    while places < min(fixed.size, MOST_KEPT):
        places *= 2
    kept = np.zeros((places, 2), np.uint64)  # a key, its code length and context
    for row in range(offsets.size - 1):
        if first[row] < row:
            copy_row(offsets, first[row], row, out)
            continue
        stream = symbols[offsets[row] : offsets[row + 1]]
        start = offsets[row] - row - 1
        located = -1
        for t in range(1, stream.size):
            key = gram_key(stream, t, order)
            place = np.int64((key >> np.uint64(40)) & np.uint64(places - 1))
            i = start + t
            if kept[place, 0] == key:
                fixed[i] = np.int64(kept[place, 1] >> HALF)
                contexts[i] = np.int64(kept[place, 1] & LOWER) - 1
                continue
            locate_some(stream, t if located == t - 1 else t - 1, t + 1, keys, False, slots)
            located = t
            code_row(slots[t - 1 : t + 1], 2, counts, followers, totals, fixed[i : i + 1])
            contexts[i] = slots[t - 1, 1] if t > 1 else slots[0, 0]
            kept[place, 0] = key
            kept[place, 1] = np.uint64(fixed[i]) << HALF | np.uint64(contexts[i] + 1)


@jit
def code_rows(symbols, offsets, own, tables, totals, out):  # type: ignore[no-untyped-def]
    """Code lengths of every symbol, and the slot of the two symbols before it.

    out = (fixed, contexts), one entry for each coded symbol. With `own` the rows are those that
    were learned, and each is taken out while it is coded. Equal rows are coded once.
    """
    first = first_equals(symbols, offsets)
    if not own:
        code_new_rows(symbols, offsets, first, tables, totals, out)
        return
    keys, counts, followers, slots = tables
    fixed, contexts = out
    for row in range(offsets.size - 1):
        if first[row] < row:
            copy_row(offsets, first[row], row, out)
            continue
        stream = symbols[offsets[row] : offsets[row + 1]]
        start = offsets[row] - row
        locate(stream, keys, False, slots)
        add(slots, stream.size, -1, counts, followers, totals)
        code_row(slots, stream.size, counts, followers, totals, fixed[start:])
        add(slots, stream.size, 1, counts, followers, totals)
        for t in range(1, stream.size):
            contexts[start + t - 1] = slots[t - 1, 1] if t > 1 else slots[0, 0]

"""Gram counts of symbol streams: code lengths by interpolated contexts, one row taken out exactly.

A row is a start symbol and the symbols to be coded, the last of them an end. grams = a hash table
(open addressing, linear probing) of every gram of 1 to order + 1 symbols: its key, how often it
occurs, and how many different symbols follow it. The context of a symbol is the gram before it, so
that one look-up serves as a count now and as a context at the next symbol.
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit

FIXED = 1 << 20  # code lengths are summed as whole multiples of 2**-20 bits
SEED = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x100000001B3)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
ONE = np.uint64(1)
NEAR, NEAR_SHARE = 2, 0.05  # the order whose estimate always has a share


@jit
def find(keys, key):  # type: ignore[no-untyped-def]
    """Slot of a key, or of the free place where it would go."""
    mask = np.uint64(keys.size - 1)
    slot = (key ^ (key >> np.uint64(29))) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + ONE) & mask
    return np.int64(slot)


@jit
def locate_some(symbols, first, stop, keys, insert, slots):  # type: ignore[no-untyped-def]
    """Slots of the grams that end at first ... stop - 1; how many keys were new."""
    new = 0
    for t in range(first, stop):
        hashed = SEED
        absent = False
        for k in range(slots.shape[1]):
            if absent or k > t:
                slots[t, k] = -1
                continue
            hashed = (hashed ^ np.uint64(symbols[t - k] + 1)) * PRIME
            hashed ^= hashed >> np.uint64(32)
            key = (hashed + np.uint64(k + 1) * GOLDEN) | ONE
            slot = find(keys, key)
            if keys[slot] == 0 and insert:
                keys[slot] = key
                new += 1
            absent = keys[slot] == 0
            slots[t, k] = -1 if absent else slot
    return new


@jit
def locate(symbols, keys, insert, slots):  # type: ignore[no-untyped-def]
    """Slots of all grams of one row: slots[t, k] is that of the k + 1 symbols up to t, or -1.

    Returns how many keys were new. A gram that is absent has no longer ones either.
    """
    return locate_some(symbols, 0, symbols.size, keys, insert, slots)


@jit
def add(slots, length, sign, counts, followers, totals):  # type: ignore[no-untyped-def]
    """Put the grams of one row into the counts (sign 1) or take them out (sign -1).

    totals = (symbols coded, different symbols, keys in the table).
    """
    if slots[0, 0] >= 0:
        counts[slots[0, 0]] += sign
    for t in range(1, length):
        for k in range(slots.shape[1]):
            slot = slots[t, k]
            if slot < 0:
                break
            counts[slot] += sign
            if counts[slot] == (1 if sign > 0 else 0):
                if k == 0:
                    totals[1] += sign
                elif slots[t - 1, k - 1] >= 0:
                    followers[slots[t - 1, k - 1]] += sign
        totals[0] += sign


@jit
def code_row(slots, length, counts, followers, totals, fixed):  # type: ignore[no-untyped-def]
    """Code lengths of one row's symbols in units of 2**-20 bits, into fixed.

    Witten-Bell, mixed with the estimate of the two symbols before: longer contexts that were seen
    at the same places only would otherwise each charge for the same surprise.
    """
    for t in range(1, length):
        p = near = 1.0 / 256.0
        for k in range(slots.shape[1]):
            if k == 0:
                seen, different = totals[0], totals[1]
            elif slots[t - 1, k - 1] < 0:
                break
            else:
                seen = np.int64(counts[slots[t - 1, k - 1]])
                different = np.int64(followers[slots[t - 1, k - 1]])
            if different <= 0:  # an end's own symbol may stand there without anything after it
                break
            count = counts[slots[t, k]] if slots[t, k] >= 0 else 0
            p = (count + different * p) / (seen + different)
            if k <= NEAR:
                near = p
        p = (1.0 - NEAR_SHARE) * p + NEAR_SHARE * near
        fixed[t - 1] = int(math.floor(-math.log2(p) * FIXED + 0.5))


@jit
def learn(symbols, offsets, first, tables, totals):  # type: ignore[no-untyped-def]
    """Count the grams of rows from `first` on, until the table is 60 % full; the next row.

    tables = (keys, counts, followers, slots).
    """
    keys, counts, followers, slots = tables
    limit = int(keys.size * 0.6) - slots.size
    for row in range(first, offsets.size - 1):
        if totals[2] > limit:
            return row
        stream = symbols[offsets[row] : offsets[row + 1]]
        totals[2] += locate(stream, keys, True, slots)
        add(slots, stream.size, 1, counts, followers, totals)
    return offsets.size - 1


@jit
def rehash(old_keys, old_counts, old_followers, tables):  # type: ignore[no-untyped-def]
    """Move every gram into larger tables."""
    keys, counts, followers, _ = tables
    for old in range(old_keys.size):
        if old_keys[old] != 0:
            slot = find(keys, old_keys[old])
            keys[slot] = old_keys[old]
            counts[slot] = old_counts[old]
            followers[slot] = old_followers[old]


@jit
def sum_contexts(fixed, contexts, sums, sizes, sign):  # type: ignore[no-untyped-def]
    """Add code lengths to the sums of their contexts, or take them off (sign -1)."""
    for i in range(fixed.size):
        if contexts[i] >= 0:
            sums[contexts[i]] += sign * fixed[i]
            sizes[contexts[i]] += sign


@jit
def excesses(offsets, own, codes, by_context, mean):  # type: ignore[no-untyped-def]
    """Each row's sum of bits beyond the mean of their contexts, over the root of its length.

    codes = (fixed, contexts) as from `code_rows`; by_context = (sums, sizes); with `own` a row's
    share is taken out of its contexts first. In units of 2**-20 bits, as floats.
    """
    fixed, contexts = codes
    sums, sizes = by_context
    result = np.empty(offsets.size - 1, np.float64)
    for row in range(offsets.size - 1):
        start, end = offsets[row] - row, offsets[row + 1] - row - 1
        if own:
            sum_contexts(fixed[start:end], contexts[start:end], sums, sizes, -1)
        total = 0.0
        for i in range(start, end):
            if contexts[i] < 0:
                total += fixed[i] - mean
            else:
                total += fixed[i] - (sums[contexts[i]] + mean) / (sizes[contexts[i]] + 1)
        if own:
            sum_contexts(fixed[start:end], contexts[start:end], sums, sizes, 1)
        result[row] = total / math.sqrt(max(end - start, 1))
    return result


@jit
def row_sums(fixed, offsets):  # type: ignore[no-untyped-def]
    """Sum of the code lengths of each row, in units of 2**-20 bits."""
    sums = np.zeros(offsets.size - 1, np.int64)
    for row in range(offsets.size - 1):
        for i in range(offsets[row] - row, offsets[row + 1] - row - 1):
            sums[row] += fixed[i]
    return sums

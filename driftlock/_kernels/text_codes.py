"""Code lengths of all symbols of many rows by the gram counts of `text`, one row left out exactly.

The counts of a row's grams are brought side by side, a row of `values` for each length, so that
what follows runs over many symbols at once. Where places are unsigned, it is for speed: no look is
taken whether they are counted from the end. Tables, totals and shape are those of `text`.
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit
from driftlock._kernels.text import (
    BLOCK,
    FIRST,
    FOLLOWER,
    OCCURRENCES,
    ONE,
    fetch,
    find,
    read_keys,
    shorter_key,
)

FIXED = 1 << 20  # code lengths are summed as whole multiples of 2**-20 bits
NEAR, NEAR_SHARE = 2, 0.05  # the order whose estimate always has a share


@jit
def one_order_more(here, before, shares):  # type: ignore[no-untyped-def]
    """Estimates of one order more: counts of grams here, and of the contexts before them."""
    for t in range(shares.size):
        different = before[t] >> 32
        known = different > 0
        count, seen = here[t] & OCCURRENCES, before[t] & OCCURRENCES
        above = count + different * shares[t] if known else shares[t]
        shares[t] = above / (seen + different if known else 1)


@jit
def code_block(values, at, n, left, shares, fixed):  # type: ignore[no-untyped-def]
    """Code lengths of n symbols in units of 2**-20 bits, into fixed.

    values[k, at + 1 + t] = the counts of the gram of k + 1 symbols that ends with symbol t, 0
    where there is none; values[:, at] those before the first. left = (symbols coded, different
    symbols).
    Witten-Bell, mixed with the estimate of the two symbols before: longer contexts that were seen
    at the same places only would otherwise each charge for the same surprise.
    """
    seen, different = left
    share, near = shares[0, :n], shares[1, :n]
    alone = values[0, at + 1 : at + n + 1]
    for t in range(n):
        count = alone[t] & OCCURRENCES
        share[t] = (count + different / 256.0) / (seen + different) if different > 0 else 1 / 256.0
        near[t] = share[t]
    for k in range(1, values.shape[0]):
        one_order_more(values[k, at + 1 : at + n + 1], values[k - 1, at : at + n], share)
        if k <= NEAR:
            for t in range(n):
                near[t] = share[t]
    for t in range(n):
        p = (1.0 - NEAR_SHARE) * share[t] + NEAR_SHARE * near[t]
        fixed[t] = int(math.floor(-math.log2(p) * FIXED + 0.5))


@jit
def take_out(ends, counts, suffixes, levels, undo):  # type: ignore[no-untyped-def]
    """Take the grams of one row out of the counts.

    levels[k, t] gets the node of the k + 1 symbols up to t, `undo` the contexts that have lost a
    follower. Returns how many these are, and how many symbols the row alone has.
    """
    n_undo, lost = np.uint64(0), 0
    order, t = levels.shape[0] - 1, np.uint64(0)
    levels[0, 0] = ends[0]
    counts[ends[0]] -= 1
    for end in ends[1:]:
        t += ONE
        node, k = end, np.uint64(min(np.int64(t), order))
        while k > FIRST:
            levels[k, t] = node
            left = counts[node] - 1
            counts[node] = left
            if left & OCCURRENCES == 0:
                context = levels[k - ONE, t - ONE]
                counts[context] -= FOLLOWER
                undo[n_undo] = context
                n_undo += ONE
            node = suffixes[node]
            k -= ONE
        levels[FIRST, t] = node
        counts[node] -= 1
        if counts[node] & OCCURRENCES == 0:
            lost += 1
    return np.int64(n_undo), lost


@jit
def put_back(size, counts, levels, undo):  # type: ignore[no-untyped-def]
    """Put the grams of a row of some size back; `undo` is what has to have one more follower."""
    for k in range(levels.shape[0]):
        for node in levels[k, min(k, size) : size]:
            counts[node] += 1
    for context in undo:
        counts[context] += FOLLOWER


@jit
def gather(levels, first, stop, counts, values):  # type: ignore[no-untyped-def]
    """Counts of the grams that end at first ... stop - 1, for `code_block`."""
    for k in range(levels.shape[0]):
        short = max(min(k, stop) - first, 0)
        values[k, :short] = 0
        nodes, into = levels[k, first + short : stop], values[k, short : stop - first]
        for t in range(nodes.size):
            into[t] = counts[nodes[t]]


@jit
def code_own_rows(offsets, order, tables, totals, ends, out):  # type: ignore[no-untyped-def]
    """Code lengths of the symbols of learned rows, each row left out, and their contexts' numbers.

    ends = the nodes from `learn`; out = (fixed, contexts), one entry for each coded symbol.
    """
    counts, suffixes, tags = tables[2:]
    fixed, contexts = out
    longest = 1
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    levels = np.zeros((order + 1, longest), np.uint32)
    undo = np.empty(longest * (order + 1), np.uint32)
    values = np.zeros((order + 1, BLOCK + 1), np.int64)
    shares = np.empty((2, BLOCK), np.float64)
    for row in range(offsets.size - 1):
        size = offsets[row + 1] - offsets[row]
        n_undo, lost = take_out(
            ends[offsets[row] : offsets[row + 1]], counts, suffixes, levels, undo
        )
        left = totals[0] - (size - 1), totals[1] - lost
        begin = offsets[row] - row
        for first in range(1, size, BLOCK):
            stop = min(first + BLOCK, size)
            gather(levels, first - 1, stop, counts, values)
            into = slice(begin + first - 1, begin + stop - 1)
            code_block(values, np.int64(0), stop - first, left, shares, fixed[into])
        put_back(size, counts, levels, undo[:n_undo])
        contexts[begin] = 0
        seconds, into_contexts = levels[1, 1 : size - 1], contexts[begin + 1 : begin + size - 1]
        for t in range(seconds.size):
            into_contexts[t] = tags[seconds[t]]


@jit
def find_ends(symbols, span, shape, tables, work, found):  # type: ignore[no-untyped-def]
    """Node and length of the longest known grams that end within a span; length 0 where none is.

    span = (start of the row, first, stop); work = (longest, sought, fetched, active); found =
    (nodes, lengths).
    """
    longest, sought, fetched, active = work
    nodes, lengths = found
    start, first, stop = span
    read_keys(symbols, start, first, stop, shape, longest)
    for i in range(stop - first):
        active[i] = i
        lengths[i] = min(first + i - start, shape[0]) + 1
    left = stop - first
    while left > 0:
        for a in range(left):
            j = np.uint64(active[a])
            sought[a] = shorter_key(symbols, first + active[a], lengths[j], shape[1], longest[j])
        fetch(tables[0], sought, left, fetched)
        still = 0
        for a in range(left):
            j = np.uint64(active[a])
            node = find(tables[0], tables[1], sought[a])
            nodes[j] = max(node, 0)
            if node < 0:
                lengths[j] -= 1
                if lengths[j] > 0:
                    active[still] = j
                    still += 1
        left = still


@jit
def walk(found, n, tables, values, seconds):  # type: ignore[no-untyped-def]
    """From n longest grams to all that they end with: their counts, and tags of two symbols.

    values[k, 1 + j] gets the counts of the gram of k + 1 symbols, 0 where it is not known, and
    values[k, 0] what stood last, for blocks after the first; seconds[j] gets a tag or -1. What is
    found (nodes, lengths) is left at its first symbols.
    """
    counts, suffixes, tags = tables[2:]
    nodes, lengths = found
    for k in range(values.shape[0] - 1, -1, -1):
        values[k, 0] = values[k, BLOCK]
        into = values[k, 1:]
        for j in range(n):
            node = nodes[j]
            known = lengths[j] > k
            into[j] = counts[node] if known else 0
            if k == 1:
                seconds[j] = tags[node] if known else -1
            nodes[j] = suffixes[node] if known and k > 0 else node


@jit
def code_new_rows(symbols, offsets, shape, tables, totals, out):  # type: ignore[no-untyped-def]
    """Code lengths of the symbols of new rows, and their contexts' numbers, -1 where not known."""
    fixed, contexts = out
    keys = np.empty((3, BLOCK), np.uint64)
    work = keys[0], keys[1], keys[2], np.empty(BLOCK, np.int64)
    found = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.int64)
    values = np.zeros((shape[0] + 1, BLOCK + 1), np.int64)
    shares, seconds = np.empty((2, BLOCK), np.float64), np.empty(BLOCK, np.int32)
    left = totals[0], totals[1]
    for row in range(offsets.size - 1):
        start, end = offsets[row], offsets[row + 1]
        context = -1
        for first in range(start, end, BLOCK):
            stop = min(first + BLOCK, end)
            find_ends(symbols, (start, first, stop), shape, tables, work, found)
            walk(found, stop - first, tables, values, seconds)
            for j in range(stop - first):
                if first + j > start:
                    contexts[first + j - row - 1] = context  # numbers are of what is coded
                context = seconds[j] if first + j > start else 0
            skip = 1 if first == start else 0
            n = stop - first - skip
            begin = first + skip - row - 1
            code_block(values, skip, n, left, shares, fixed[begin : begin + n])

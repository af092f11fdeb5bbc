"""Gram counts of symbol streams: every gram of 1 to order + 1 symbols a node, found by one look-up.

A row is a start symbol and the symbols to be coded, the last of them an end. A node knows how often
its gram occurs, how many different symbols follow it, and its suffix: the same gram without its
first symbol. So only the longest gram that ends at a symbol is looked up, and the shorter ones are
reached from it. The context of a symbol is the gram before it.

tables = (slots, keys, counts, suffixes, tags). slots = a hash table (open addressing, linear
probing) of node + 1 in the upper half and 32 bits of the key's hash in the lower one; the others
have a place for each node: its key; its followers in the upper half and its occurrences in the
lower one; its suffix; and -length, or the number of the context for excesses (the start alone is 0,
grams of two symbols have the others). totals = (symbols coded, different symbols, nodes, contexts).
shape = (order, width): bits of a key for each symbol, fewer than 64 in all, or 0 where keys are
hashes.
"""

from __future__ import annotations

import numpy as np

from driftlock._kernels.jit import jit

SEED = np.uint64(0xCBF29CE484222325)
PRIME = np.uint64(0x100000001B3)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, ONE = np.uint64(0), np.uint64(1)  # places are unsigned: not counted from the end
HALF, LOWER = np.uint64(32), np.uint64(0xFFFFFFFF)
FOLLOWER, OCCURRENCES = 1 << 32, (1 << 32) - 1  # of counts
BLOCK = 256  # symbols that are looked up together


@jit
def scrambled(key):  # type: ignore[no-untyped-def]
    """Hash of a key, all of whose bits count."""
    mixed = key * GOLDEN
    mixed ^= mixed >> HALF
    return mixed * GOLDEN


@jit
def fetch(slots, sought, n, fetched):  # type: ignore[no-untyped-def]
    """What stands at the places of n keys: asked for together, it comes into the cache together."""
    for j in range(n):
        hashed = scrambled(sought[j])
        fetched[j] = slots[((hashed >> HALF) * np.uint64(slots.size)) >> HALF]


@jit
def find(slots, keys, key):  # type: ignore[no-untyped-def]
    """Node of a key, or -1 - the free place where it would go."""
    hashed = scrambled(key)
    size = np.uint64(slots.size)
    place = ((hashed >> HALF) * size) >> HALF
    while slots[place] != 0:
        slot = slots[place]
        if (slot & LOWER) == (hashed & LOWER):
            node = (slot >> HALF) - ONE
            if keys[node] == key:
                return np.int64(node)
        place = place + ONE if place + ONE < size else FIRST
    return -1 - np.int64(place)


@jit
def gram_key(symbols, last, length, width):  # type: ignore[no-untyped-def]
    """Key of the gram of some length that ends with a symbol."""
    key = np.uint64(0)
    if width > 0:
        for i in range(last - length + 1, last + 1):
            key = (key << np.uint64(width)) | np.uint64(symbols[i] + 1)
        return key
    key = SEED + np.uint64(length) * GOLDEN
    for i in range(last - length + 1, last + 1):
        key = (key ^ np.uint64(symbols[i] + 1)) * PRIME
        key ^= key >> HALF
    return key


@jit
def shorter_key(symbols, last, length, width, key):  # type: ignore[no-untyped-def]
    """`gram_key`, where the key of a longer gram that ends there is known."""
    if width > 0:
        return key & ((ONE << np.uint64(width * length)) - ONE)
    return gram_key(symbols, last, length, width)


@jit
def read_keys(symbols, start, first, stop, shape, longest):  # type: ignore[no-untyped-def]
    """Keys of the longest grams that end at first ... stop - 1, of the row from `start` on."""
    order, width = shape
    if width == 0:
        for i in range(first, stop):
            longest[i - first] = gram_key(symbols, i, min(i - start, order) + 1, width)
        return
    whole = (ONE << np.uint64(width * (order + 1))) - ONE
    key = np.uint64(0)
    if first > start:
        key = gram_key(symbols, first - 1, min(first - 1 - start, order) + 1, width)
    for i in range(first, stop):
        key = ((key << np.uint64(width)) | np.uint64(symbols[i] + 1)) & whole
        longest[i - first] = key


@jit
def add_missing(symbols, start, n_missing, shape, tables, totals, ends, work):  # type: ignore[no-untyped-def]
    """Add the longest grams at some places, and then, round by round, what they end with.

    work = (longest, sought, fetched, places, active, newest, known): the key of the longest gram at
    each place, and in `known` the length of the longest that had a node before.
    """
    slots, keys, counts, suffixes, tags = tables
    longest, sought, fetched, places, active, newest, known = work
    order, width = shape
    for i in range(n_missing):
        active[i], newest[i], known[i] = i, -1, min(places[i] - start, order) + 1
    left, n_nodes = n_missing, np.uint64(totals[2])
    while left > 0:
        for a in range(left):
            j = np.uint64(active[a])
            sought[a] = shorter_key(symbols, places[j], known[j], width, longest[j])
        fetch(slots, sought, left, fetched)
        still = 0
        for a in range(left):
            j, key = np.uint64(active[a]), sought[a]
            found = find(slots, keys, key)
            if found >= 0:
                node = np.uint64(found)
            else:
                node = n_nodes
                n_nodes += ONE
                slots[np.uint64(-1 - found)] = (n_nodes << HALF) | (scrambled(key) & LOWER)
                keys[node], counts[node], suffixes[node], tags[node] = key, 0, 0, -known[j]
                if known[j] == 2 or places[j] == start:
                    tags[node] = totals[3]
                    totals[3] += 1
                if known[j] > 1:
                    active[still] = j
                    still += 1
                known[j] -= 1
            if newest[j] < 0:
                ends[np.uint64(places[j])] = node
            else:
                suffixes[np.uint64(newest[j])] = node
            newest[j] = node
        left = still
    totals[2] = n_nodes


@jit
def learn_block(symbols, span, weight, shape, tables, totals, ends, work):  # type: ignore[no-untyped-def]
    """Count the longest grams that end within a span, and add them and their suffixes.

    span = (start of the row, first, stop); work is that of `add_missing`.
    """
    slots, keys, counts, suffixes, _ = tables
    longest, _, fetched, places, _, _, known = work
    start, first, stop = span
    read_keys(symbols, start, first, stop, shape, longest)
    fetch(slots, longest, stop - first, fetched)
    n_missing = np.int64(0)  # of no type of its own, for `add_missing` to be compiled once
    for i in range(first, stop):
        key = longest[i - first]
        node = find(slots, keys, key)
        if node < 0:
            longest[n_missing], places[n_missing] = key, i
            n_missing += 1
        else:
            ends[np.uint64(i)] = node
            counts[np.uint64(node)] += weight
    add_missing(symbols, start, n_missing, shape, tables, totals, ends, work)
    for j in range(n_missing):
        i = places[j]
        counts[ends[i]] += weight
        if i == start:
            continue
        context = ends[i - 1]
        if i - start > shape[0]:
            context = suffixes[context]
        for length in range(min(i - start, shape[0]) + 1, known[j], -1):
            if length == 1:
                totals[1] += 1
            else:
                counts[context] += FOLLOWER
                context = suffixes[context]


@jit
def learn(symbols, offsets, weights, begin, shape, tables, totals, ends):  # type: ignore[no-untyped-def]
    """Count the grams of rows, each as often as its weight, as far as the tables have room.

    begin = (row, place in it) to go on from, moved on; `ends` gets the node of the longest gram at
    each symbol. Occurrences are those as the longest gram until `settle` is called.
    """
    keys, numbers = np.empty((3, BLOCK), np.uint64), np.empty((4, BLOCK), np.int64)
    work = keys[0], keys[1], keys[2], numbers[0], numbers[1], numbers[2], numbers[3]
    room = BLOCK * (shape[0] + 1)
    while begin[0] < offsets.size - 1:
        row = begin[0]
        start, end, weight = offsets[row], offsets[row + 1], weights[row]
        first = start + begin[1]
        while first < end:
            if totals[2] + room > tables[1].size:
                begin[1] = first - start
                return
            span = start, first, min(first + BLOCK, end)
            learn_block(symbols, span, weight, shape, tables, totals, ends, work)
            first += BLOCK
        totals[0] += weight * (end - start - 1)
        begin[0], begin[1] = row + 1, 0


@jit
def settle(order, tables, totals):  # type: ignore[no-untyped-def]
    """Count every gram where longer ones were counted that end with it."""
    counts, suffixes, tags = tables[2:]
    for length in range(order + 1, 1, -1):
        for node in range(1, totals[2]):
            if tags[node] == -length or (length == 2 and tags[node] > 0):
                counts[suffixes[node]] += counts[node] & OCCURRENCES


@jit
def rehash(keys, n_nodes, slots):  # type: ignore[no-untyped-def]
    """Enter nodes into an empty table of another size."""
    size = np.uint64(slots.size)
    for node in range(n_nodes):
        hashed = scrambled(keys[node])
        place = ((hashed >> HALF) * size) >> HALF
        while slots[place] != 0:
            place = place + ONE if place + ONE < size else FIRST
        slots[place] = (np.uint64(node + 1) << HALF) | (hashed & LOWER)

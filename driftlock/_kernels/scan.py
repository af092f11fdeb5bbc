"""Many windows in one call: each pooled with its baseline, coded anew and permuted.

T = rows of the table, P = parts. A part is of one of three sorts. SYMBOL: codes as they are. RANK,
of a number: below `FIRST_RANK` a class, from there on a rank among all rows, which a pool cuts at
its own deciles. CONTENT, of a whole row: equal for equal rows; what a pool has once is code 0.
"""

from __future__ import annotations

import numpy as np

from driftlock._kernels.gains import measured_pool
from driftlock._kernels.jit import jit
from driftlock._kernels.permute import (
    N_STATISTICS,
    RANDOM_SHIFT,
    SHIFT,
    mix,
    permute_range,
)
from driftlock._kernels.ranks import ascending, verdicts

FIRST_RANK = 8
BINS = 10
SYMBOL, RANK, CONTENT = range(3)


@jit
def cut_ranks(raw):  # type: ignore[no-untyped-def]
    """Ranks to numbers of decile, classes as they are, in place; equal ranks alike. O(N)."""
    wide = np.empty(raw.size, np.int64)
    first = 0
    for i in range(raw.size):
        wide[i] = raw[i]
        first += raw[i] < FIRST_RANK
    order = ascending(wide)
    dense = raw.size - first
    if dense == 0:
        return
    cuts = np.empty(BINS, np.int32)
    for k in range(BINS):
        cuts[k] = raw[order[first + k * dense // BINS]]
    for i in range(raw.size):
        if raw[i] >= FIRST_RANK:
            below_ = 0
            for k in range(BINS):
                below_ += cuts[k] <= raw[i]
            raw[i] = FIRST_RANK + below_


@jit
def lump_single(raw, place):  # type: ignore[no-untyped-def]
    """Codes that occur once to 0, in place; `place` holds -1 before and after. O(N)."""
    single = np.empty(raw.size, np.bool_)
    for i in range(raw.size):
        place[raw[i]] += 1
    for i in range(raw.size):
        single[i] = place[raw[i]] == 0
    for i in range(raw.size):
        place[raw[i]] = -1
        if single[i]:
            raw[i] = 0


@jit
def pool_symbols(codes, sorts, place, rows):  # type: ignore[no-untyped-def]
    """Symbols of the rows of one pool, without gaps: (symbols (N, P), totals (S,), halves (P,)).

    `place`, an entry for every code, holds -1 before and after: it is made once for many pools.
    O(N P), and a sort for each number part. Which number a symbol has depends on the order of
    rows, but no statistic does.
    """
    size, parts = rows.size, codes.shape[1]
    symbols = np.empty((size, parts), np.uint32)
    totals = np.zeros(size * parts, np.uint32)
    halves = np.empty(parts, np.float64)
    raw = np.empty(size, np.int32)
    used = 0
    for p in range(parts):
        for i in range(size):
            raw[i] = codes[rows[i], p]
        if sorts[p] == RANK:
            cut_ranks(raw)
        elif sorts[p] == CONTENT:
            lump_single(raw, place)
        first = used
        for i in range(size):
            if place[raw[i]] < 0:
                place[raw[i]] = used
                used += 1
            symbols[i, p] = place[raw[i]]
            totals[symbols[i, p]] += 1
        for i in range(size):
            place[raw[i]] = -1
        halves[p] = (used - first) / 2.0
    return symbols, totals[:used].copy(), halves


@jit
def pool_rows(spans, w):  # type: ignore[no-untyped-def]
    """Rows of window w's pool, its baseline first.

    spans = (baseline rows, window rows, bounds (W, 4)): the pool is baseline[b0:b1], window[b2:b3].
    """
    baseline, window, bounds = spans
    n, m = bounds[w, 1] - bounds[w, 0], bounds[w, 3] - bounds[w, 2]
    rows = np.empty(n + m, np.int64)
    for i in range(n):  # slices would do, and take the compiler ten times as long
        rows[i] = baseline[bounds[w, 0] + i]
    for i in range(m):
        rows[n + i] = window[bounds[w, 2] + i]
    return rows, n


@jit
def scan_range(windows, table, spans, draw, tables, rule, out):  # type: ignore[no-untyped-def]
    """Observed statistics and extreme counts of some windows into the rows of `out`.

    windows : their numbers; table = (codes (T, P), sorts (P,), n_codes, bits (T,)); draw =
    (kind, key, number of draws); rule = (two-sided, in verdict), a flag per statistic. out[w] = (5
    statistics, 5 counts, count of the verdict, number of draws). Shifts are all taken where they
    are no more than the draws. Window w draws from mix(key + mix(w)): neither the order of windows
    nor their number matters.
    """
    kind, key, most = draw
    place = np.empty(table[2], np.int32)
    place[:] = -1
    for w in windows:
        rows, n = pool_rows(spans, w)
        own_bits = np.empty(rows.size, np.int32)
        for i in range(rows.size):
            own_bits[i] = table[3][rows[i]]
        symbols, totals, halves = pool_symbols(table[0], table[1], place, rows)
        pool = measured_pool(symbols, totals, halves, own_bits, rows.size - n, tables)
        draws = most
        own_kind = kind
        if kind == RANDOM_SHIFT and rows.size - 1 <= most:
            own_kind, draws = SHIFT, rows.size - 1
        statistics = np.empty((draws + 1, N_STATISTICS), np.int64)
        own_key = mix(np.uint64(key) + mix(np.uint64(w)))
        permute_range(np.int64(0), draws + 1, (own_kind, own_key, n), pool, tables, statistics)
        counts = verdicts(statistics, rule[0], rule[1])
        for k in range(N_STATISTICS):
            out[w, k] = statistics[0, k]
        for k in range(N_STATISTICS + 1):
            out[w, N_STATISTICS + k] = counts[k]
        out[w, 2 * N_STATISTICS + 1] = draws

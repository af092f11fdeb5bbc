"""One call of every kernel of windows, on arrays of the dtypes that the library uses."""

from __future__ import annotations

import numpy as np

from driftlock._kernels import gains, largest, permute, ranks, scan, text_counts


def compile_windows() -> None:
    """Compile the kernels of permutations and scans of fields, or load them from the cache."""
    codes = np.zeros((4, 1), np.int32)
    sorts, bits = np.zeros(1, np.int8), np.ones(4, np.int32)
    rows = np.arange(4, dtype=np.int64)
    n_codes = scan.FIRST_RANK + scan.BINS + 1
    place = np.full(n_codes, -1, np.int32)
    tables = np.zeros((5, 2), np.int64)
    symbols, totals, halves = scan.pool_symbols(codes, sorts, place, rows)
    pool = gains.measured_pool(symbols, totals, halves, bits, 2, tables)
    draw = (permute.ROWS, np.uint64(1), 2)
    out = np.empty((2, permute.N_STATISTICS), np.int64)
    permute.permute_range(0, 2, draw, pool, tables, out)
    members = np.empty(4, np.uint32)
    permute.draw_range(0, 2, draw, 4, members)
    starts = np.array([0, 2, 4], np.int64)
    permute.measure_subsets(members, starts, False, pool, tables, out)
    flags = np.ones(permute.N_STATISTICS, np.bool_)
    ranks.verdicts(out, flags, flags)
    spans = (rows, rows, np.array([[0, 2, 2, 4]], np.int64))
    windows, table = np.zeros(1, np.int64), (codes, sorts, n_codes, bits)
    counted = np.zeros((1, 2 * permute.N_STATISTICS + 2), np.int64)
    scan.scan_range(windows, table, spans, (0, np.uint64(1), 2), tables, (flags, flags), counted)


def compile_sums() -> None:
    """The same for the kernel of mean bits alone, which only `permutation_test` asks for."""
    draw = (permute.ROWS, np.uint64(1), 2)
    permute.sum_range(0, 2, draw, np.ones(4, np.int32), np.empty(2, np.int64))


def compile_texts() -> None:
    """The same for the kernels of rows of text: four rows of one gram in one context."""
    draw, starts = (permute.ROWS, np.uint64(1), 2), np.array([0, 2, 4], np.int64)
    ones = np.ones(2, np.int64)
    entries = np.tile(np.arange(2, dtype=np.int32), 4)
    counts = (np.arange(5) * 2, entries, np.ones(8, np.int32), 4 * ones, ones, ones, ones.repeat(2))
    tables = (np.zeros(10, np.int64), np.zeros(5, np.int64))
    bits, out = np.empty(4, np.int32), np.empty((2, permute.N_STATISTICS), np.int64)
    text_counts.text_bits(counts, tables, 2, bits)
    pool = (*counts, bits, *largest.by_falling(bits))
    text_counts.permute_texts(0, 2, draw, pool, tables, out)
    members = np.empty(4, np.uint32)
    permute.draw_range(0, 2, draw, 4, members)
    text_counts.measure_texts(members, starts, False, pool, tables, out)

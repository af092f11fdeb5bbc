"""One call of every kernel of windows, on arrays of the dtypes that the library uses."""

from __future__ import annotations

import numpy as np

from driftlock._kernels import permute, ranks, scan


def compile_windows() -> None:
    """Compile the kernels of permutations and scans, or load them from the cache."""
    codes = np.zeros((4, 1), np.int32)
    sorts, bits = np.zeros(1, np.int8), np.ones(4, np.int32)
    rows = np.arange(4, dtype=np.int64)
    n_codes = scan.FIRST_RANK + scan.BINS + 1
    pool = (*scan.pool_symbols(codes, sorts, n_codes, rows), bits)
    tables = np.zeros((5, 2), np.int64)
    draw = (permute.ROWS, np.uint64(1), 2)
    out = np.empty((2, permute.N_STATISTICS), np.int64)
    permute.permute_range(0, 2, draw, pool, tables, out)
    permute.sum_range(0, 2, draw, bits, out[:, 0].copy())
    members = permute.draw_range(0, 2, draw, 4)
    starts = np.array([0, 2, 4], np.int64)
    permute.measure_subsets(members.ravel(), starts, pool, tables, out)
    flags = np.ones(permute.N_STATISTICS, np.bool_)
    ranks.verdicts(out, flags, flags)
    spans = (rows, rows, np.array([[0, 2, 2, 4]], np.int64))
    windows, table = np.zeros(1, np.int64), (codes, sorts, n_codes, bits)
    counted = np.zeros((1, 2 * permute.N_STATISTICS + 2), np.int64)
    scan.scan_range(windows, table, spans, (0, np.uint64(1), 2), tables, (flags, flags), counted)
    fields = (np.array([0, 1], np.int64), bits.reshape(1, 4))
    scan.field_range(windows, table, spans, fields, tables, np.zeros((1, 1, 2), np.int64))

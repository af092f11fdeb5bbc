"""Draws of a scan: each window has its own, whatever the threads and the order of windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from windowing import DRAWS, table

from driftlock import threads
from driftlock._kernels import permute
from driftlock._kernels import scan as scan_kernels
from driftlock.distance import count_tables
from driftlock.draws import STATISTICS, Draws, code_space
from driftlock.permutation import TWO_SIDED, VERDICT
from driftlock.windows import scan, scan_run
from driftlock.windows.nulls import choose_null
from driftlock.windows.options import ScanOptions
from driftlock.windows.scan_run import ScanJob, draws_for_one
from driftlock.windows.spans import Spans, by_rows
from driftlock.windows.table import encode

pytestmark = pytest.mark.usefixtures("_usual_threads")


K = len(STATISTICS)


@pytest.mark.jit
@pytest.mark.parametrize("count", [2, 3, 7])
def test_threads_change_no_bit_of_a_scan(stream, count):
    threads.set_threads(1)
    alone = scan(stream, hop=20, n_permutations=DRAWS, rng=1)
    threads.set_threads(count)
    again = scan(stream, hop=20, n_permutations=DRAWS, rng=1)
    pd.testing.assert_frame_equal(again.table, alone.table, check_exact=True)
    pd.testing.assert_frame_equal(again.fields, alone.fields, check_exact=True)


def test_the_order_of_windows_changes_no_bit(stream):
    chosen = ScanOptions(n_permutations=DRAWS, null="rows", rng=1)
    coded, spans = encode([stream], 400), by_rows(400, stream[400:], 50, 20, None)
    null = choose_null("rows", False, coded, np.arange(400), 50)
    job = ScanJob(coded, spans, null, chosen, chosen.seed(), [])
    windows = np.arange(len(spans))
    orders = [windows, windows[::-1], np.random.default_rng(1).permutation(windows)]
    found = []
    for order in orders:
        out = np.zeros((len(spans), 2 * K + 2), np.int64)
        for part in np.array_split(order, 3):
            scan_run._measure(job, np.ascontiguousarray(part), DRAWS, out)
        found.append(out)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert len(np.unique(found[0][:, 2 * K])) > 5  # counts of the verdict


def scanned_by_kernels(pairs, key, draws, kind=permute.ROWS):
    """Counts of windows given as pairs of row numbers, and each field's NCD and top bits."""
    coded = encode([table(60)], 40)
    arrays = coded.codes, coded.sorts, code_space(coded.codes), coded.row_bits
    rows = np.arange(60, dtype=np.int64)
    bounds = np.array([[0, 40, first, last] for first, last in pairs], np.int64)
    spans, windows, tables = (rows, rows, bounds), np.arange(len(pairs)), count_tables(60)
    out = np.zeros((len(pairs), 2 * K + 2), np.int64)
    draw, rule = (kind, np.uint64(key), draws), (TWO_SIDED, VERDICT)
    scan_kernels.scan_range(windows, arrays, spans, draw, tables, rule, out)
    of_pairs = Spans(*spans, pd.RangeIndex(len(pairs)), [], [], pd.DataFrame())
    job = ScanJob(coded, of_pairs, None, ScanOptions(), 0, [])
    return coded, out, scan_run.field_statistics(job)[:, :, [permute.NCD, permute.TOP_BITS]]


def test_each_window_draws_its_own():
    _, out, _ = scanned_by_kernels([(40, 60), (40, 60), (40, 60)], 5, 60)
    assert (out[:, :K] == out[0, :K]).all()  # the same rows
    assert len({tuple(row) for row in out[:, K : 2 * K + 1]}) > 1  # other draws


@pytest.mark.parametrize("coder", ["text", "zstd"])
def test_each_window_draws_its_own_by_any_coder(coder):
    window = table(20, 2)
    events = pd.concat([table(60), window, window, window], ignore_index=True)
    options = {"coder": coder, "null": "rows", "n_permutations": 60, "rng": 1}
    found = scan(events, baseline=60, window=20, **options).table
    name = "ncd" if coder == "text" else "ncd_zstd"
    assert found[name].nunique() == 1
    assert found["p_value"].nunique() > 1


def test_shifts_of_a_scan_are_all_taken_where_they_are_few():
    for draws, taken in ((10, 10), (58, 58), (59, 59), (900, 59)):
        _, out, _ = scanned_by_kernels([(40, 60)], 5, draws, permute.RANDOM_SHIFT)
        assert out[0, -1] == taken
    _, again, _ = scanned_by_kernels([(40, 60)], 6, 59, permute.RANDOM_SHIFT)
    assert np.array_equal(again[0, :-1], out[0, :-1])  # nothing is left to chance


def test_fields_of_a_scan_are_those_of_their_pool():
    pairs = [(40, 60), (40, 50), (45, 60)]
    coded, _, fields = scanned_by_kernels(pairs, 5, 1)
    for found, (first, last) in zip(fields, pairs, strict=True):
        rows = np.append(np.arange(40), np.arange(first, last))
        pool = coded.pool(rows[:40], rows[40:])
        for place in range(len(coded.names)):
            alone = pool.parts(
                np.flatnonzero(coded.field_of == place).tolist(), coded.bits[place][rows]
            )
            measured = Draws.rows(40, rows.size, 1, 0).measure(alone, 0, 1)[0]
            assert found[place].tolist() == measured[[permute.NCD, permute.TOP_BITS]].tolist()


def test_more_draws_are_the_same_stream(stream):
    """A window's p-value from its final draws does not depend on how it got there."""
    found = scan(stream, n_permutations=49, max_permutations=499, rng=1)
    whole = scan(stream, n_permutations=499, max_permutations=499, rng=1)
    both = found.table["draws"] == 499
    assert both.any()
    assert (found.table.loc[both, "p_value"] == whole.table.loc[both, "p_value"]).all()


def test_a_window_goes_on_until_ten_draws_were_as_extreme(stream):
    found = scan(stream, n_permutations=49, max_permutations=2_999, rng=1).table
    extreme = found["p_value"] * (found["draws"] + 1) - 1
    assert ((extreme > 9.5) | (found["draws"] == draws_for_one(len(found), ScanOptions()))).all()
    assert found["draws"].nunique() > 1
    assert (found["draws"] <= 2_999).all()

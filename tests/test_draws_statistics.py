"""Statistics of draws: equal to refitted counts, on one scale, and each kernel to its twin."""

from __future__ import annotations

import itertools
import math

import naive_windows as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pooling import random_pool

from driftlock._kernels import largest, permute, ranks, scan
from driftlock._kernels.gains import part_scales
from driftlock.distance import count_tables, counts_entropy, counts_length
from driftlock.draws import Draws, Pool
from driftlock.permutation import TWO_SIDED, VERDICT, verdict


@pytest.mark.parametrize(("n", "m"), [(40, 12), (9, 30), (60, 2), (5, 5)])
@pytest.mark.parametrize("alphabets", [(2,), (3, 30), (1, 4)])
def test_statistics_equal_refitted_counts(n, m, alphabets):
    pool, codes, bits = random_pool(n, m, 1, alphabets)
    columns = [c.tolist() for c in codes.T[:-1]]
    columns.append(naive.cut(codes[:, -1].tolist(), scan.FIRST_RANK))
    draws = Draws.rows(n, n + m, 6, 9) if math.comb(n + m, n) > 7 else None
    assert draws is not None
    found = draws.measure(pool) * 1e-9
    for values, members in zip(found, draws.members(0, 7), strict=True):
        expected = naive.statistics(columns, bits.tolist(), members.tolist())
        np.testing.assert_allclose(values, expected, atol=2e-7)


@pytest.mark.parametrize("null", ["rows", "shifts"])
@pytest.mark.parametrize(("n", "m"), [(7, 90), (60, 70), (40, 12)])
@pytest.mark.parametrize("alphabets", [(3, 30), (200, 250)])
def test_either_side_may_be_listed(null, n, m, alphabets):
    pool, _, bits = random_pool(n, m, 8, alphabets)
    draws = getattr(Draws, null)(n, n + m, 11, 1)
    subsets = draws.subsets()
    listed = np.empty((len(subsets), 5), np.int64)
    starts = np.arange(len(subsets) + 1) * m
    pool.measure_subsets(np.concatenate(subsets).astype(np.uint32), starts, listed)
    assert np.abs(draws.measure(pool) - listed).max() <= 1  # 1e-9: sums in another order
    assert np.array_equal(draws.mean_bits(pool), listed[:, permute.MEAN_BITS])
    assert listed[:, permute.MEAN_BITS].tolist() == [
        int(bits[rows].sum()) * 1_000_000 // m for rows in subsets
    ]


@pytest.mark.parametrize(("n", "m"), [(40, 12), (12, 40)])
def test_a_last_block_that_is_not_full(n, m):
    pool, _, _ = random_pool(n, m, 4)
    draw, tables = (permute.ROWS, np.uint64(3), n), count_tables(n + m)
    stop = permute.BLOCK + 44
    out = np.full((stop + permute.BLOCK, 5), -1, np.int64)
    permute.permute_range(0, stop, draw, pool.arrays, tables, out[:stop])
    assert (out[stop:] == -1).all()
    for b in (0, 1, permute.BLOCK - 1, permute.BLOCK, stop - 1):
        alone = np.empty((b + 1, 5), np.int64)
        permute.permute_range(b, b + 1, draw, pool.arrays, tables, alone)
        assert alone[b].tolist() == out[b].tolist()


def test_large_alphabets_take_the_other_path():
    pool, _, bits = random_pool(300, 3, 2, (250, 200), numbers=False)
    assert pool.totals.size > 4 * 3 * 2
    columns = pool.symbols.T.tolist()
    draws = Draws.rows(300, 303, 4, 9)
    for values, members in zip(draws.measure(pool) * 1e-9, draws.members(0, 5), strict=True):
        expected = naive.statistics(columns, bits.tolist(), members.tolist())
        np.testing.assert_allclose(values, expected, atol=2e-7)


def test_subsets_of_any_size_are_measured_alike():
    pool, _, bits = random_pool(30, 10, 3, (4,), numbers=False)
    labels = np.repeat([0, 1, 2, 3, 4, 5], [8, 9, 6, 7, 4, 6])
    draws = Draws.groups(labels, 30, 999, 1)
    assert draws.exact
    assert draws.count == math.comb(6, 2) - 1
    for values, members in zip(draws.measure(pool) * 1e-9, draws.subsets(), strict=True):
        assert all(
            np.isin(labels[members], labels[members[:1]])
            | np.isin(labels[members], labels[members[-1:]])
        )
        columns = pool.symbols.T.tolist()
        expected = naive.statistics(columns, bits.tolist(), members.tolist(), m=10)
        np.testing.assert_allclose(values, expected, atol=2e-7)


@pytest.mark.parametrize(("size", "m"), [(30, 11), (40, 39), (25, 2), (400, 100)])
def test_scales_of_gains_equal_their_twin(size, m):
    rng = np.random.default_rng(size)
    columns = [rng.permutation(np.repeat(np.arange(k), -(-size // k))[:size]) for k in (1, 2, 7)]
    columns += [np.arange(size), rng.integers(0, size, size) // 2]
    codes = np.column_stack([np.unique(c, return_inverse=True)[1] for c in columns])
    pool = Pool.of(codes.astype(np.int32), np.zeros(5, np.int8), np.zeros(size, np.int32), size - m)
    starts, scales = part_scales(pool.totals, pool.halves, m, size, count_tables(size))
    for p, column in enumerate(codes.T.tolist()):
        assert starts[p + 1] - starts[p] == len(set(column))
        mean, variance = naive.gain_scale(column, m)
        if variance <= 1e-9 * max(mean**2, 1e-9):  # no window gains other than another
            assert scales[p, :2].tolist() == [0.0, 0.0]
            continue
        freedom = 2 * mean**2 / variance
        assert scales[p, 0] * permute.UNIT == pytest.approx(2 * freedom / mean, rel=1e-5)
        assert scales[p, 1] == pytest.approx(np.sqrt(max(2 * freedom - 1, 0)), rel=1e-5)
    assert (scales[[0, 3], :2] == 0).all()


def test_gains_are_on_one_scale_whatever_the_alphabet():
    """Over random windows each part has about mean 0 and deviation 1: none drowns others."""
    rng = np.random.default_rng(3)
    codes = np.column_stack([rng.integers(0, k, 500) for k in (2, 3, 10, 60, 300)]).astype(np.int32)
    for p in range(codes.shape[1]):
        one = np.ascontiguousarray(codes[:, [p]])
        pool = Pool.of(one, np.zeros(1, np.int8), np.zeros(500, np.int32), 400)
        values = Draws.rows(400, 500, 2_000, 1).measure(pool)[:, permute.MAX_FIELD] * 1e-9
        assert abs(values.mean()) < 0.2
        assert 0.8 < values.std() < 1.15  # sqrt of chi-squared with one degree: 0.85


def test_parts_in_which_all_rows_are_alike_are_not_measured():
    rng = np.random.default_rng(4)
    codes = np.column_stack([np.zeros(60), rng.integers(0, 5, 60), np.ones(60)]).astype(np.int32)
    bits = rng.integers(0, 9_999, 60)
    whole = Pool.of(codes, np.zeros(3, np.int8), bits, 45)
    alone = Pool.of(np.ascontiguousarray(codes[:, [1]]), np.zeros(1, np.int8), bits, 45)
    assert whole.symbols.shape == (60, 3)
    assert whole.arrays[0].shape == (60, 1)
    draws = Draws.rows(45, 60, 200, 1)
    assert np.array_equal(draws.measure(whole), draws.measure(alone))


def test_a_table_of_one_value_has_no_distance():
    codes = np.zeros((20, 2), np.int32)
    pool = Pool.of(codes, np.zeros(2, np.int8), np.zeros(20, np.int32), 15)
    measured = Draws.rows(15, 20, 50, 1).measure(pool)
    assert (measured[:, [0, 2, 3, 4]] == 0).all()
    assert np.abs(measured[:, 1]).max() < 10  # 1e-9 bit: the rounding of the table
    assert verdict(measured)[1] == 1.0


def test_lengths_are_a_code():
    """Kraft: over all sequences of a size, 2**-length sums to one."""
    for alphabet, size in [(1, 4), (2, 6), (3, 5)]:
        total = 0.0
        for sequence in itertools.product(range(alphabet), repeat=size):
            counts = np.bincount(sequence, minlength=alphabet)
            total += 2.0 ** -counts_length(counts)
        assert total == pytest.approx(1.0, abs=1e-12)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_length_of_counts_is_that_of_coding_one_by_one(counts):
    column = [s for s, c in enumerate(counts) for _ in range(c)]
    assert counts_length(np.array(counts)) == pytest.approx(
        naive.code_length(column, len(counts)), abs=1e-9
    )


def test_tables_hold_lengths_and_entropies():
    table = count_tables(60) / permute.UNIT
    for c in (0, 1, 2, 59, 60):
        exact = (math.lgamma(c + 0.5) - math.lgamma(0.5)) / math.log(2)
        assert table[c, 0] == pytest.approx(exact, abs=1e-7)
        assert table[c, 1] == pytest.approx(c * math.log2(c) if c else 0.0, abs=1e-7)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(1, 12))
def test_the_largest_are_summed(values, k):
    k = min(k, len(values))
    some = np.random.default_rng(0).permutation(300)[: len(values)].astype(np.uint32)
    bits = np.full(300, 25, np.int32)
    bits[some] = values
    places, sums = largest.by_falling(bits)
    seen = np.zeros(300 // 64 + 1, np.uint64)
    for place in places[some].tolist():
        seen[place // 64] |= np.uint64(1 << place % 64)
    assert largest.sum_of_largest(seen, sums, k) == sum(sorted(values)[-k:])
    for wanted in (k, 100, 300 - len(values)):  # of the others
        expected = sum(sorted(np.delete(bits, some).tolist())[-wanted:])
        assert largest.sum_of_largest_left(seen, sums, wanted) == expected


@given(st.lists(st.integers(-50, 2**31 - 1), max_size=60))
def test_falling_values_and_their_places(values):
    found = largest.by_falling(np.array(values, np.int32))
    assert [array.tolist() for array in found] == list(naive.by_falling(values))


def test_the_place_of_a_bit():
    assert [largest.place_of(np.uint64(1 << place)) for place in range(64)] == list(range(64))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=25), st.booleans())
def test_extreme_counts_equal_their_twin(values, two_sided):
    counts = np.empty(len(values), np.int64)
    ranks.extremes(np.array(values, np.int64), two_sided, counts)
    assert counts.tolist() == naive.extremes(values, two_sided)
    first = ranks.extreme_of_first(np.array(values, np.int64), two_sided)
    assert first == naive.extremes(values, two_sided)[0]


def test_verdicts_equal_their_twin():
    table = np.random.default_rng(0).integers(0, 15, size=(40, len(TWO_SIDED)))
    found = ranks.verdicts(table, TWO_SIDED, VERDICT)
    assert found.tolist() == naive.verdicts(table.tolist(), TWO_SIDED, VERDICT)


@given(st.lists(st.integers(-(2**40), 2**40) | st.integers(-3, 3), max_size=30))
def test_ascending(values):
    order = ranks.ascending(np.array(values, np.int64))
    assert order.tolist() == naive.ascending(values)


def test_entropy_agrees_with_scipy():
    from scipy import stats

    counts = np.array([5, 0, 3, 9, 1])
    assert counts_entropy(counts) == pytest.approx(stats.entropy(counts, base=2))


def test_rows_that_occur_once_are_one_symbol():
    codes = np.array([[3], [1], [0], [2], [1], [3], [3]], np.int32)
    rows = np.array([0, 1, 3, 4, 5], np.int64)  # codes 3 1 2 1 3
    place, sorts = np.full(20, -1, np.int32), np.array([scan.CONTENT], np.int8)
    symbols, totals, halves = scan.pool_symbols(codes, sorts, place, rows)
    assert symbols.ravel().tolist() == [0, 1, 2, 1, 0]
    assert totals.tolist() == [2, 2, 1]
    assert halves.tolist() == [1.5]
    assert (place == -1).all()  # as the next pool needs it
    symbols, totals, _ = scan.pool_symbols(codes, sorts, place, rows[:3])
    assert (symbols == 0).all()  # none repeats
    assert totals.tolist() == [3]


@pytest.mark.jit
def test_no_kernel_has_two_signatures():
    from driftlock._kernels.compile_windows import compile_windows

    compile_windows()
    for module in (largest, permute, ranks, scan):
        for name, kernel in vars(module).items():
            if hasattr(kernel, "signatures"):
                assert len(kernel.signatures) <= 1, (name, kernel.signatures)

"""Draws, counts and p-values against their slow twins, scipy and the mathematics."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import naive_windows as naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftlock import threads
from driftlock._kernels import largest, permute, ranks, scan
from driftlock._kernels.gains import part_scales
from driftlock.distance import count_tables, counts_entropy, counts_length
from driftlock.draws import Draws, Pool, _subsets
from driftlock.errors import InputError, OptionError
from driftlock.permutation import (
    TWO_SIDED,
    VERDICT,
    autocorrelation,
    evaluate,
    p_of,
    repetition,
    sequential_p,
    verdict,
)


def random_pool(n=40, m=12, seed=0, alphabets=(3, 30), *, numbers=True):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(k, size=n + m) for k in alphabets]
    if numbers:
        codes.append(np.where(rng.random(n + m) < 0.2, 1, scan.FIRST_RANK + rng.permutation(n + m)))
    codes = np.column_stack(codes).astype(np.int32)
    sorts = np.array([scan.SYMBOL] * len(alphabets) + [scan.RANK] * numbers, np.int8)
    bits = rng.integers(500, 30_000, size=n + m).astype(np.int32)
    return Pool.of(codes, sorts, bits, n), codes, bits


@pytest.fixture(autouse=True)
def _usual_threads():
    yield
    threads.set_threads(None)


# ------------------------------------------------------------------ randomness
def drawn(first, stop, draw, size):
    """Members of the smaller side of draws first ... stop - 1, a row each."""
    listed = np.empty((stop - first, min(draw[2], size - draw[2])), np.uint32)
    permute.draw_range(first, stop, draw, size, listed.ravel())
    return listed


def test_mix_is_splitmix64():
    # the first outputs of splitmix64 seeded with 0, as published with the generator
    words = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [
        int(permute.mix(np.uint64((i + 1) * naive.STEP & naive.MASK))) for i in range(3)
    ] == words
    assert [naive.mix((i + 1) * naive.STEP & naive.MASK) for i in range(3)] == words


@pytest.mark.parametrize("key", [0, 7, 2**63 - 1, 2**64 - 1])
def test_draws_equal_their_twin(key):
    found = drawn(0, 20, (permute.ROWS, np.uint64(key), 31), 40)
    assert np.sort(found, axis=1).tolist() == [naive.draw(key, b, 31, 40) for b in range(20)]


@pytest.mark.parametrize("null", ["rows", "shift"])
@pytest.mark.parametrize("n", [2, 9, 20, 31])
def test_windows_are_what_a_smaller_baseline_leaves(null, n):
    draws = getattr(Draws, "rows" if null == "rows" else "shifts")(n, 40, 39, 5)
    found = [members.tolist() for members in draws.members(0, 40)]
    twin = [naive.draw(5, b, n, 40) if null == "rows" else naive.shift(b, n, 40) for b in range(40)]
    assert found == twin


def test_shifts_equal_their_twin():
    found = drawn(0, 40, (permute.SHIFT, np.uint64(1), 31), 40)
    assert np.sort(found, axis=1).tolist() == [naive.shift(b, 31, 40) for b in range(40)]
    assert len({frozenset(members) for members in found.tolist()}) == 40


def test_random_shifts_equal_their_twin():
    found = drawn(0, 60, (permute.RANDOM_SHIFT, np.uint64(7), 31), 40)
    by = [0, *(naive.below(naive.stream(7, b), 40)[0] for b in range(1, 60))]
    assert np.sort(found, axis=1).tolist() == [naive.shift(shift, 31, 40) for shift in by]
    assert max(by) == 39  # the last shift is among them


def test_numbers_below_a_bound_are_uniform(sizes):
    n = sizes(60_000, 600)
    state, counts = np.uint64(5), Counter()
    for _ in range(n):
        number, state = permute.below(state, 6)
        counts[int(number)] += 1
        state = np.uint64(state)
    assert set(counts) == set(range(6))
    chi_squared = sum((counts[k] - n / 6) ** 2 / (n / 6) for k in range(6))
    assert chi_squared < 25  # five degrees of freedom: beyond it once in 7,000 times


def test_refused_words_are_those_of_the_twin():
    bound = 3 * 2**30  # every fourth word is refused
    state = slow = 11
    for _ in range(50):
        number, state = permute.below(np.uint64(state), bound)
        expected, slow = naive.below(slow, bound)
        assert (int(number), int(state)) == (expected, slow)


def test_each_row_is_drawn_equally_often(sizes):
    draws = sizes(20_000, 500)
    members = drawn(1, draws + 1, (permute.ROWS, np.uint64(3), 15), 20)
    share = np.bincount(members.ravel(), minlength=20) / draws
    assert np.abs(share - 0.25).max() < 4.5 * np.sqrt(0.25 * 0.75 / draws)


# ------------------------------------------------------------------ statistics
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


# ------------------------------------------------------------------ determinism
@pytest.mark.jit
@pytest.mark.parametrize("count", [2, 3, 7])
def test_threads_change_no_bit(count):
    pool, _, _ = random_pool(200, 40, 5)
    draws = Draws.rows(200, 240, 2_000, 5)
    threads.set_threads(1)
    alone = draws.measure(pool)
    threads.set_threads(count)
    assert np.array_equal(draws.measure(pool), alone)


def test_ranges_may_be_cut_anywhere():
    pool, _, _ = random_pool(30, 8, 6)
    draws = Draws.rows(30, 38, 40, 2)
    whole = draws.measure(pool)
    parts = [draws.measure(pool, a, b) for a, b in [(0, 1), (1, 2), (2, 17), (17, 41)]]
    assert np.array_equal(np.concatenate(parts), whole)


def test_mean_bits_alone_are_the_same():
    pool, _, _ = random_pool(30, 8, 6)
    for draws in (
        Draws.rows(30, 38, 400, 2),
        Draws.shifts(30, 38, 99, 2),
        Draws.rows(2, 38, 999, 2),
    ):
        assert np.array_equal(draws.mean_bits(pool), draws.measure(pool)[:, permute.MEAN_BITS])


def test_the_order_of_rows_changes_no_bit():
    pool, codes, bits = random_pool(30, 8, 7)
    order = np.concatenate([np.random.default_rng(1).permutation(30), np.arange(30, 38)])
    other = Pool.of(
        codes[order], np.array([scan.SYMBOL, scan.SYMBOL, scan.RANK], np.int8), bits[order], 30
    )
    observed = Draws.rows(30, 38, 5, 1).measure(pool)[0]
    assert np.array_equal(Draws.rows(30, 38, 5, 1).measure(other)[0], observed)


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_number_of_threads_is_checked(monkeypatch, text):
    monkeypatch.setenv(threads.VARIABLE, text)
    with pytest.raises(OptionError, match="DRIFTLOCK_THREADS"):
        threads.thread_count()


def test_threads_by_environment(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "5")
    assert threads.thread_count() == 5
    threads.set_threads(2)
    assert threads.thread_count() == 2
    for wrong in (0, True, 1.5, "2"):
        with pytest.raises(OptionError, match="number of threads"):
            threads.set_threads(wrong)


def test_an_error_in_a_thread_is_raised():
    def work(first, _):
        raise KeyError(first)

    threads.set_threads(3)
    with pytest.raises(KeyError):
        threads.in_ranges(work, 0, 100)
    threads.in_ranges(work, 5, 5)  # nothing to do


# ------------------------------------------------------------------ p-values
def mean_delta(values):
    return lambda baseline, window: float(values[window].mean() - values[baseline].mean())


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_enumeration_equals_scipy(alternative):
    from scipy import stats

    values = np.array([2.0, 4.0, 3.0, 3.0, 1.0, 7.0, 5.0, 9.0])
    draws = Draws.rows(5, 8, 999, 0)
    found = evaluate(mean_delta(values), draws, 0, draws.count + 1)
    expected = stats.permutation_test(
        (values[5:], values[:5]),
        lambda x, y: x.mean() - y.mean(),
        n_resamples=np.inf,
        alternative=alternative,
    )
    assert draws.exact
    assert found[0] == expected.statistic
    assert p_of(found[1:], found[0], alternative) == pytest.approx(expected.pvalue, abs=1e-15)
    np.testing.assert_allclose(np.sort(found), np.sort(expected.null_distribution), atol=1e-12)


def test_monte_carlo_agrees_with_scipy(sizes):
    from scipy import stats

    rng = np.random.default_rng(4)
    values = np.append(rng.normal(size=60), rng.normal(0.4, 1.0, size=30))
    count = sizes(4_000, 300)
    draws = Draws.rows(60, 90, count, 8)
    found = evaluate(mean_delta(values), draws, 0, count + 1)
    expected = (
        stats.permutation_test(
            (values[60:], values[:60]), lambda x, y: x.mean() - y.mean(), n_resamples=count, rng=1
        )
        if "rng" in stats.permutation_test.__code__.co_varnames
        else stats.permutation_test(
            (values[60:], values[:60]),
            lambda x, y: x.mean() - y.mean(),
            n_resamples=count,
            random_state=1,
        )
    )
    p = p_of(found[1:], found[0], "two-sided")
    error = 2 * np.sqrt(expected.pvalue * (1 - expected.pvalue) / count)
    assert found[0] == pytest.approx(expected.statistic)
    assert abs(p - expected.pvalue) < 4 * error + 2 / count


def test_rounding_does_not_split_a_tie():
    null = np.array([0.1 + 0.2, 0.0, 1.0])
    assert p_of(null, 0.3, "greater") == 0.75
    assert p_of(null, 0.3, "less") == 0.75


def test_sequential_p_by_hand():
    values = np.array([5, 9, 1, 9, 1, 9, 9, 9, 9, 9, 9, 9, 9, 1])
    p, used = sequential_p(lambda a, b: values[a:b], "greater", 13)
    assert (p, used.size - 1) == (10 / 12, 12)
    p, used = sequential_p(lambda a, b: values[a:b], "less", 13)
    assert (p, used.size - 1) == (4 / 14, 13)
    p, used = sequential_p(lambda a, b: values[a:b], "two-sided", 13)
    assert (p, used.size - 1) == (8 / 14, 13)


@pytest.mark.parametrize("most", [255, 256, 257, 513])
def test_sequential_takes_every_draw_where_none_is_extreme(most):
    values = np.append(1, np.zeros(most, np.int64))
    p, used = sequential_p(lambda a, b: values[a:b], "greater", most)
    assert (p, used.size - 1) == (1 / (most + 1), most)


def test_shifts_are_all_taken_up_to_their_number():
    assert Draws.shifts(5, 8, 7, 0).exact
    assert not Draws.shifts(5, 8, 6, 0).exact
    assert len({tuple(members) for members in Draws.shifts(5, 8, 7, 0).subsets()}) == 8


def test_counting_subsets_stops_where_it_is_enough():
    for size in range(1, 14):
        for k in range(size + 1):
            assert _subsets(size, k, 10_000) == math.comb(size, k)
    assert 1_000 < _subsets(2_000_000, 1_000_000, 1_000) < 2_000_000**2  # of 600,000 digits
    draws = Draws.rows(5, 8, 55, 0)  # one more than the other subsets
    assert (draws.exact, draws.count) == (True, 55)
    assert not Draws.rows(5, 8, 54, 0).exact


def test_groups_need_one_in_the_baseline():
    with pytest.raises(InputError, match="at least one in the baseline"):
        Draws.groups(np.zeros(10, np.int64), 5, 99, 1)


def test_autocorrelation_finds_its_lag():
    values = np.tile([0.0, 0.0, 1.0], 60)
    assert autocorrelation(values).lag == 3
    assert repetition(values.astype(np.int64)).lag == 3
    assert autocorrelation(np.ones(10)).sigmas == 0.0
    found = autocorrelation(values)
    assert found.sigmas == pytest.approx(np.sqrt(values.size) * abs(found.value))
    assert repetition(np.zeros(10, np.int64)).sigmas == 0.0


def test_repetition_is_standard_normal_without_order(sizes):
    """Symbols of unequal shares in random order: the standard errors are honest."""
    rng = np.random.default_rng(3)
    found = [
        repetition(rng.choice(4, 300, p=[0.6, 0.2, 0.15, 0.05])).sigmas
        for _ in range(sizes(600, 100))
    ]
    # the largest of five: beyond 3 about 1.3 % of the time, beyond 4 about 0.03 %
    assert np.mean(np.array(found) > 3) < 0.05
    assert max(found) < 5


@given(st.lists(st.integers(-(2**40), 2**40) | st.integers(-3, 3), max_size=30))
def test_ascending(values):
    order = ranks.ascending(np.array(values, np.int64))
    assert order.tolist() == naive.ascending(values)


def test_entropy_agrees_with_scipy():
    from scipy import stats

    counts = np.array([5, 0, 3, 9, 1])
    assert counts_entropy(counts) == pytest.approx(stats.entropy(counts, base=2))


@pytest.mark.jit
def test_no_kernel_has_two_signatures():
    from driftlock._kernels.compile_windows import compile_windows

    compile_windows()
    for module in (largest, permute, ranks, scan):
        for name, kernel in vars(module).items():
            if hasattr(kernel, "signatures"):
                assert len(kernel.signatures) <= 1, (name, kernel.signatures)


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

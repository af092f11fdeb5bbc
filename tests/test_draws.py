"""Draws equal their twin, are uniform, and are the same by any threads, cuts and order of rows."""

from __future__ import annotations

from collections import Counter

import naive_windows as naive
import numpy as np
import pytest
from pooling import random_pool

from driftlock import threads
from driftlock._kernels import permute, scan
from driftlock.draws import Draws, Pool

pytestmark = pytest.mark.usefixtures("_usual_threads")


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


# --- determinism ----------------------------------------------------------------------------------


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

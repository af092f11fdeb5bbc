"""p-values of permutations against scipy, by hand, and where they stop; orders that are noticed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from driftlock.draws import Draws, _subsets
from driftlock.errors import InputError
from driftlock.permutation import autocorrelation, evaluate, p_of, repetition, sequential_p


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

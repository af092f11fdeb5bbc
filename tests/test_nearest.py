"""Nearest rows: no row is its own neighbour, a new symbol is as new as one that a row alone has."""

from __future__ import annotations

import math

import naive
import numpy as np
import pytest
from columns import numbers, symbols, take, texts, times

from driftlock.arrays import HOUR_MISSING, Numbers, Symbols, Times
from driftlock.coders import fit_coder
from driftlock.coders.nearest import FEWER_EXEMPLARS, MAX_EXEMPLARS, NearestCoder
from driftlock.coders.residual import scaled_numbers
from driftlock.scoring import Model
from driftlock.significance import rank_p

NAN = float("nan")


def fitted(columns):
    coders = [fit_coder(column) for column in columns]
    return coders, NearestCoder.fit(columns, scaled_numbers(coders, columns))


def figures(state, columns, *, own: bool):
    coders, coder = state
    return coder.parts(columns, scaled_numbers(coders, columns), own=own)


def a_table(n: int, seed: int):
    """Numbers, hours and symbols: frequent ones, rare ones, and one for each row."""
    rng = np.random.default_rng(seed)
    values = rng.normal(50, 7, n).tolist()
    values[1], values[2] = NAN, 1e9
    return [
        numbers(values),
        times(rng.choice([0, 5, 23, HOUR_MISSING], n), [0] * n),
        symbols(rng.integers(0, 3, n), 3),
        numbers(rng.integers(0, 4, n).astype(float)),
        symbols(np.unique(rng.zipf(1.5, n), return_inverse=True)[1], n),
        symbols(rng.permutation(n), n),
    ]


def plain_rows(state, columns, *, new: bool):
    """Numbers in multiples of 1/128 and symbols of rows; a new symbol is like no other."""
    coders, coder = state
    scaled = scaled_numbers(coders, columns)
    rows = []
    for i in range(len(columns[0])):
        own = []
        for g, mean, deviation in zip(scaled.values(), coder.means, coder.deviations):
            z = 0.0 if math.isnan(g[i]) else (g[i] - mean) / deviation
            own.append(min(max(z, -4.0), 4.0))
        for column in columns:
            if isinstance(column, Times):
                hour = int(column.hours[i])
                angle = (hour if hour < 24 else 0) * math.pi / 12
                own += [math.cos(angle), math.sin(angle)]
        codes = [int(column.codes[i]) for column in columns if isinstance(column, Symbols)]
        marks = [("new", i) if code < 0 and new else code for code in codes]
        rows.append(([round(x * 128) for x in own], marks))
    return rows


def expected_figures(state, rows, places, exemplars, own_means):
    """log2 of the mean distance and of its ratio."""
    means = np.array(naive.nearest(rows, exemplars, places, own_means))
    floor = state[1].floor
    return np.log2(means[0] + floor), np.log2((means[0] + floor) / (means[1] + floor))


@pytest.mark.parametrize("n", [20, 90])
def test_distances_are_those_to_the_baseline_without_the_row(n: int) -> None:
    columns = a_table(n, 1)
    state = fitted(columns)
    rows, places = plain_rows(state, columns, new=False), state[1].places.tolist()
    assert sorted(places) == list(range(n))
    exemplars = [rows[place] for place in np.argsort(places)]
    own_means = naive.nearest(exemplars, exemplars, range(n), [0.0] * n)[0]
    apart = [mean for mean in own_means if mean > 0]
    assert state[1].floor == pytest.approx(0.03 * np.median(apart) + 1e-6)
    expected = expected_figures(state, rows, places, exemplars, own_means)
    np.testing.assert_allclose(figures(state, columns, own=True), expected, atol=1e-9)

    new = take(a_table(n, 2), np.arange(10))
    for place, column in enumerate(new):
        if isinstance(column, Symbols):
            codes = np.where(np.arange(10) < 4, -1, column.codes).astype(np.int32)
            codes = np.where(np.isin(codes, columns[place].codes), codes, -1).astype(np.int32)
            new[place] = Symbols(codes, column.n_symbols)
    asked = plain_rows(state, new, new=True)
    expected = expected_figures(state, asked, [-1] * 10, exemplars, own_means)
    np.testing.assert_allclose(figures(state, new, own=False), expected, atol=1e-9)


def test_a_symbol_that_no_other_row_has_is_as_new_as_one_never_seen() -> None:
    for n in (60, 600):  # fewer and more symbols than a byte has values
        model = Model.fit([symbols(np.arange(n), n)])
        p = rank_p(model.baseline.total, model.score([symbols([-1], n)]).total)
        assert p.tolist() == [1.0]


@pytest.mark.parametrize("n_symbols", [3, 60, 400])
def test_levels_hold_with_symbols_of_any_number(n_symbols: int, sizes) -> None:
    rng = np.random.default_rng(3)
    n, shares = sizes(500, 120), []
    for _ in range(sizes(12, 6)):
        drawn = np.minimum(rng.zipf(1.2, 2 * n), n_symbols)
        known, codes = np.unique(drawn[:n], return_inverse=True)
        places = np.searchsorted(known, drawn[n:]).clip(0, known.size - 1)
        later = np.where(known[places] == drawn[n:], places, -1)
        values = rng.normal(0, 1, 2 * n)
        baseline = [symbols(codes, known.size), numbers(values[:n])]
        model = Model.fit(baseline)
        scores = model.score([symbols(later, known.size), numbers(values[n:])])
        shares.append((rank_p(model.baseline.total, scores.total) <= 0.05).mean())
    assert np.mean(shares) <= 0.06 + 4 * np.std(shares) / math.sqrt(len(shares))


def test_a_symbol_of_another_fold_is_as_new_as_one_of_no_alphabet() -> None:
    columns = [symbols([0, 1, 2] * 20, 9), numbers(np.arange(60.0))]
    state = fitted(columns)
    asked = [symbols([7, -1], 9), numbers([30.0, 30.0])]
    for found in figures(state, asked, own=False):
        assert found[0] == found[1]


def test_frequent_symbols_are_told_apart_however_many_there_are() -> None:
    codes = np.concatenate([np.arange(700), np.repeat([3, 254, 505], 60)])
    state = fitted([symbols(codes, 700)])
    for i in (3, 254, 505):
        exemplars = state[1].exemplars[1][0]
        mine = state[1].labels[0][1][i]
        assert (exemplars == mine).sum() < 70


def test_a_row_far_from_all_others_is_far_and_one_among_few_stands_out_by_the_ratio() -> None:
    rng = np.random.default_rng(4)
    dense, sparse = rng.normal(20, 0.01, 100), rng.normal(30, 2, 100)
    columns = [numbers(np.append(dense, sparse)), numbers(rng.normal(0, 0.01, 200))]
    state = fitted(columns)
    asked = [numbers([20.0, 20.5, 30.0, 110.0]), numbers([0.001] * 4)]
    distance, ratio = figures(state, asked, own=False)
    assert distance[3] > distance[2] > distance[0]
    assert ratio[1] > ratio[2] + 1


def test_exact_repeats_have_a_logarithm() -> None:
    columns = [numbers([5.0] * 30), symbols([0] * 30, 1)]
    for found in figures(fitted(columns), columns, own=True):
        assert np.isfinite(found).all()


def test_tables_without_numbers_hours_and_symbols_have_no_distance() -> None:
    assert fitted([texts(["a", "b"] * 15)])[1] is None
    assert fitted([times([3] * 30, [1] * 30, ("weekday",))])[1] is None


# --- many rows ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(sizes):
    """More rows than exemplars, half of them of four kinds."""
    n = sizes(3000, 2100)
    rng = np.random.default_rng(5)
    kinds = np.where(rng.random(n) < 0.5, rng.integers(0, 4, n), rng.integers(4, 400, n))
    return [symbols(kinds, 400), numbers(np.where(kinds < 4, kinds, rng.normal(20, 5, n)))]


@pytest.mark.jit
def test_exemplars_are_bounded_and_of_every_kind(many) -> None:
    _, coder = fitted(many)
    assert coder.exemplars[0].shape[1] == MAX_EXEMPLARS
    chosen = coder.places >= 0
    assert chosen.sum() == MAX_EXEMPLARS
    expected = MAX_EXEMPLARS / len(chosen)
    for kind in range(4):
        of_kind = many[0].codes == kind
        assert chosen[of_kind].mean() == pytest.approx(expected, abs=0.12)


@pytest.mark.jit
@pytest.mark.parametrize(("n", "most"), [(20_000, MAX_EXEMPLARS), (20_001, FEWER_EXEMPLARS)])
def test_long_baselines_have_fewer_exemplars(n: int, most: int) -> None:
    _, coder = fitted([numbers(np.random.default_rng(8).normal(size=n))])
    assert coder.exemplars[0].shape[1] == most


def test_of_equal_neighbours_those_in_the_thick_of_it_come_first() -> None:
    _, coder = fitted(a_table(90, 9))
    assert (np.diff(coder.own_means) >= 0).all()
    assert coder.own_means[0] < coder.own_means[-1]


@pytest.mark.jit
def test_order_of_many_rows_changes_no_score_of_new_rows(many) -> None:
    order = np.random.default_rng(6).permutation(len(many[0]))
    shuffled = take(many, order)
    new = take(many, np.arange(0, len(many[0]), 7))
    left, right = fitted(many), fitted(shuffled)
    for before, after in zip(figures(left, new, own=False), figures(right, new, own=False)):
        assert (before == after).all()
    # of equal rows some are exemplars: which of them may change, their scores as a whole do not
    for before, after in zip(figures(left, many, own=True), figures(right, shuffled, own=True)):
        assert (np.sort(before) == np.sort(after)).all()


def test_order_of_rows_changes_no_bit() -> None:
    columns = a_table(80, 7)
    order = np.random.default_rng(8).permutation(80)
    left, right = fitted(columns), fitted(take(columns, order))
    new = a_table(20, 9)
    new = [Symbols(c.codes, 80) if isinstance(c, Symbols) else c for c in new]
    for before, after in zip(
        (*figures(left, columns, own=True), *figures(left, new, own=False)),
        (*figures(right, take(columns, order), own=True), *figures(right, new, own=False)),
    ):
        assert (before == after).all() or (before[order] == after).all()


def test_the_most_numbers_a_distance_can_hold() -> None:
    ends = [Numbers(np.full(20, 3, np.uint8), np.arange(1.0, 21), np.zeros(20, np.int8))]
    assert fitted(ends)[1] is not None

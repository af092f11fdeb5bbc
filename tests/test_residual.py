"""Numbers beyond what others predict: each left out of its group mean and its regression."""

from __future__ import annotations

import math

import naive
import naive_codes
import numpy as np
import pytest
from columns import numbers, symbols, take
from hypothesis import given, settings
from hypothesis import strategies as st

from driftlock.coders import fit_coder
from driftlock.coders.residual import (
    RIDGE,
    GroupBlock,
    RegressionCoder,
    fit_group,
    scaled_numbers,
)

NAN = float("nan")


def in_groups(n: int, seed: int, apart: float = 3.0):
    """Values around a level of their group, some missing; groups of very different sizes."""
    rng = np.random.default_rng(seed)
    groups = np.minimum(rng.geometric(0.3, n) - 1, 9)
    values = apart * rng.normal(0, 1, 10)[groups] + rng.normal(0, 1, n)
    values[rng.integers(0, n, 3)] = NAN
    return values, groups


def rows_of(values, groups):
    return [(x, g) for x, g in zip(values.tolist(), groups.tolist()) if not math.isnan(x)]


# --- groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_own_residuals_are_those_of_means_refitted_without_the_row(seed: int) -> None:
    values, groups = in_groups(80, seed)
    coder = fit_group(0, values, [(1, symbols(groups, 10))])
    rows = rows_of(values, groups)
    expected = [
        naive_codes.group_residual(*row, rows[:i] + rows[i + 1 :], coder.mean, coder.kappa)
        for i, row in enumerate(rows)
    ]
    residual = coder.residual(values, groups, own=True)
    assert np.isnan(residual).tolist() == np.isnan(values).tolist()
    # the value itself is rounded to 2**-10 when it is taken out
    np.testing.assert_allclose(residual[~np.isnan(residual)], expected, rtol=0, atol=1e-9)


def test_the_overall_mean_weighs_what_groups_vary_over_what_their_means_do() -> None:
    values, groups = in_groups(80, 5)
    coder = fit_group(0, values, [(1, symbols(groups, 10))])
    rows = rows_of(values, groups)
    of_group = {g: [x for x, other in rows if other == g] for _, g in rows}
    n, overall = len(rows), np.array([x for x, _ in rows])
    squares = sum(((np.array(xs) - np.mean(xs)) ** 2).sum() for xs in of_group.values())
    within = squares / (n - len(of_group))
    assert coder.kappa == pytest.approx(within / (overall.var() - within), rel=0.01)


def test_the_ridge_is_a_thousandth_of_a_variance() -> None:
    column = np.random.default_rng(9).normal(size=500)
    precision = RegressionCoder.fit({0: column, 1: column.copy()}).precision
    together = np.linalg.eigvalsh(np.linalg.inv(precision))
    np.testing.assert_allclose(together, [0.001, 2.001], atol=2e-3, rtol=1e-3)
    assert together[0] == pytest.approx(0.001, rel=1e-3)


def test_new_residuals_are_those_of_the_means_of_all() -> None:
    values, groups = in_groups(80, 3)
    coder = fit_group(0, values, [(1, symbols(groups, 12))])
    asked = [(2.5, g) for g in (0, 1, 9, 11, -1)]
    expected = [
        naive_codes.group_residual(*row, rows_of(values, groups), coder.mean, coder.kappa)
        for row in asked
    ]
    found = coder.residual(
        np.array([x for x, _ in asked]), np.array([g for _, g in asked]), own=False
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_bits_of_residuals_leave_the_row_out_of_the_density_too() -> None:
    values, groups = in_groups(60, 4)
    column = symbols(groups, 10)
    block = GroupBlock.fit([column], {5: values})
    (coder,) = block.coders
    ((field, bits),) = block.parts([column], {5: values}, own=True)
    assert field == 5
    assert (bits[np.isnan(values)] == 0).all()
    residual = coder.residual(values, groups, own=True)
    residual = residual[~np.isnan(residual)].tolist()
    density = coder.density
    structure = density.center, density.spread, density.grid, len(density.masses)
    expected = [
        naive_codes.value_bits(x, residual[:i] + residual[i + 1 :], structure, thinned=False)
        for i, x in enumerate(residual)
    ]
    np.testing.assert_allclose(bits[~np.isnan(values)], expected, rtol=0, atol=1e-9)


def test_a_new_group_has_the_overall_mean_even_where_groups_have_no_variance() -> None:
    groups = np.repeat(np.arange(6), 10)
    levels = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0])[groups]
    coder = fit_group(0, levels, [(1, symbols(groups, 6))])
    new, known = coder.residual(np.array([35.0, 20.5]), np.array([-1, 1]), own=False)
    assert new == pytest.approx(0.0)
    assert known == pytest.approx(0.5, abs=1e-3)


def test_the_category_is_the_one_that_explains_most() -> None:
    values, groups = in_groups(300, 5)
    rng = np.random.default_rng(5)
    weak = np.where(rng.random(300) < 0.6, groups, rng.integers(0, 10, 300))
    noise = symbols(rng.integers(0, 3, 300), 3)
    coder = fit_group(0, values, [(1, noise), (2, symbols(weak, 10)), (3, symbols(groups, 10))])
    assert coder.category == 3


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_category(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert fit_group(0, rng.normal(0, 1, 400), [(1, symbols(rng.integers(0, 4, 400), 4))]) is None


@pytest.mark.parametrize(("share", "counts"), [(0.005, False), (0.01, False), (0.05, True)])
def test_a_category_counts_where_it_explains_more_than_two_percent(
    share: float, counts: bool
) -> None:
    groups = np.tile([0, 1], 1000)
    noise = np.repeat(np.random.default_rng(7).normal(0, 1, 1000), 2)  # the same in both groups
    noise = (noise - noise.mean()) / noise.std()
    values = np.sqrt(1 - share) * noise + np.sqrt(share) * (2.0 * groups - 1.0)
    assert (fit_group(0, values, [(1, symbols(groups, 2))]) is not None) is counts


def test_a_category_that_hardly_repeats_is_no_group() -> None:
    rng = np.random.default_rng(6)
    codes = np.repeat(np.arange(60), 2)
    values = rng.normal(0, 5, 60)[codes]
    assert len(GroupBlock.fit([symbols(codes, 60)], {1: values}).coders) == 0
    assert len(GroupBlock.fit([symbols(codes // 2, 30)], {1: values[codes // 2 * 2]}).coders) == 1


# --- regression -----------------------------------------------------------------------------------


def related(n: int, seed: int) -> dict[int, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 1, (2, n))
    third = a - 2 * b + 0.1 * rng.normal(0, 1, n)
    a[rng.integers(0, n, 2)] = NAN
    return {0: a, 3: b, 4: third, 6: 50 + 1000 * rng.normal(0, 1, n)}


def standardised(coder: RegressionCoder, scaled) -> list[list[float]]:
    """Rows in multiples of 2**-10, missing ones 0."""
    rows = []
    for row in zip(*(scaled[field].tolist() for field in coder.numbers)):
        z = [
            0.0 if math.isnan(x) else min(max((x - m) / d, -30), 30)
            for x, m, d in zip(row, coder.means.tolist(), coder.deviations.tolist())
        ]
        rows.append([round(x * 2**10) / 2**10 for x in z])
    return rows


def regression_bits(coder, errors, asked, own):
    """Bits of the errors `asked` given those of the baseline, by the density twin."""
    result = []
    for errors_of, asked_of, density in zip(errors, asked, coder.densities):
        structure = density.center, density.spread, density.grid, len(density.masses)
        there = [x for x in errors_of if x is not None]
        bits = []
        for i, x in enumerate(asked_of):
            rest = [y for j, y in enumerate(errors_of) if y is not None and j != i]
            others = rest if own else there
            bits.append(
                0.0 if x is None else naive_codes.value_bits(x, others, structure, thinned=not own)
            )
        result.append(bits)
    return result


@pytest.mark.parametrize("own", [True, False])
def test_errors_are_those_of_a_regression_refitted_without_the_row(own: bool) -> None:
    scaled = related(40, 7)
    coder = RegressionCoder.fit(scaled)
    assert coder.numbers == (0, 3, 4, 6)
    baseline = standardised(coder, scaled)
    asked = scaled if own else related(9, 8)

    def by_number(rows, values, own):
        errors = naive.regress(rows, baseline, RIDGE, own)
        return [
            [None if math.isnan(x) else e[i] for x, e in zip(values[field].tolist(), errors)]
            for i, field in enumerate(coder.numbers)
        ]

    of_baseline = by_number(baseline, scaled, True)
    of_asked = of_baseline if own else by_number(standardised(coder, asked), asked, False)
    expected = regression_bits(coder, of_baseline, of_asked, own)
    parts = list(coder.parts(asked, own=own))
    assert [field for field, _ in parts] == [0, 3, 4, 6]
    for (_, bits), wanted in zip(parts, expected):
        np.testing.assert_allclose(bits, wanted, rtol=0, atol=1e-5)


def test_what_breaks_a_relation_costs_more_though_it_is_usual_alone() -> None:
    coder = RegressionCoder.fit(related(300, 9))
    asked = {
        0: np.array([1.0, 1.0]),
        3: np.array([0.5, 0.5]),
        4: np.array([0.0, 1.5]),
        6: np.zeros(2),
    }
    bits = dict(coder.parts(asked, own=False))
    assert bits[4][1] > bits[4][0] + 3


@given(st.integers(0, 2**32), st.integers(20, 40), st.integers(2, 6))
@settings(max_examples=15)
def test_bits_are_finite_whatever_the_numbers_share(seed: int, n: int, fields: int) -> None:
    rng = np.random.default_rng(seed)
    factor = rng.integers(-2, 3, (fields, 2)) @ rng.normal(0, 1, (2, n))
    factor[rng.random(factor.shape) < 0.05] = NAN
    scaled = dict(enumerate(np.round(factor, 1)))
    coder = RegressionCoder.fit(scaled)
    if coder is not None:
        for _, bits in (*coder.parts(scaled, own=True), *coder.parts(scaled, own=False)):
            assert np.isfinite(bits).all()


def test_one_number_has_no_regression() -> None:
    rng = np.random.default_rng(10)
    assert RegressionCoder.fit({2: rng.normal(0, 1, 50)}) is None
    assert RegressionCoder.fit({2: rng.normal(0, 1, 50), 3: np.full(50, NAN)}) is None


def test_order_of_rows_changes_no_bit() -> None:
    rng = np.random.default_rng(11)
    groups = rng.integers(0, 5, 150)
    made = [symbols(groups, 5)] + [numbers(groups + rng.normal(0, 1, 150)) for _ in range(4)]

    def parts(columns):
        scaled = scaled_numbers([fit_coder(column) for column in columns], columns)
        groups = GroupBlock.fit(columns, scaled).parts(columns, scaled, own=True)
        return [*groups, *RegressionCoder.fit(scaled).parts(scaled, own=True)]

    order = rng.permutation(150)
    for (_, before), (_, after) in zip(parts(made), parts(take(made, order)), strict=True):
        assert (before[order] == after).all()

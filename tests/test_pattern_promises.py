"""Promises of patterns: seldom a flag where the sides are alike, found where they are not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import worlds
from columns import symbols, texts
from sides import NULLS, find, mixed, random_sides

from driftlock.patterns import (
    LEVEL,
    Division,
)

# --- where nothing differs ------------------------------------------------------------------------


@pytest.mark.jit
@pytest.mark.parametrize("name", NULLS)
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_any_flag_is_rare_where_the_sides_are_alike(name: str, share: float) -> None:
    runs, total = 60, 500
    smallest = []
    for seed in range(runs):
        rng = np.random.default_rng([seed, 6])
        m = int(share * total)
        smallest.append(find(NULLS[name](total, rng), random_sides(rng, total - m, m)).q.min())
    for alpha in (0.05, 0.1):
        limit = alpha * LEVEL + 4 * math.sqrt(alpha * LEVEL / runs)
        assert np.mean(np.array(smallest) <= alpha) <= limit


@pytest.mark.slow
@pytest.mark.parametrize("name", NULLS)
def test_any_flag_is_rare_in_many_runs(name: str) -> None:
    runs, flags = 500, []
    for seed in range(runs):
        rng = np.random.default_rng([seed, 7])
        flags.append(find(NULLS[name](800, rng), random_sides(rng, 500, 300)).q.min() <= 0.1)
    assert np.mean(flags) <= 0.1 * LEVEL + 4 * math.sqrt(0.1 * LEVEL / runs)


def test_division_tests_are_exact_under_permutation_of_the_sides() -> None:
    """Of one fixed pattern P(p <= a) <= a, and not much less: no other share of rows does that."""
    rng = np.random.default_rng(8)
    labels = np.repeat(np.arange(3), [90, 60, 50])
    p = np.array([Division.of(rng.permutation(labels), 120).p for _ in range(1500)])
    for alpha in (0.01, 0.05, 0.1):
        reached = (p <= alpha).mean(axis=0)
        assert (reached <= alpha + 4 * math.sqrt(alpha / 1500)).all()
        assert (reached >= alpha / 4).all()


@pytest.mark.jit
def test_new_symbols_are_no_pattern_for_being_new() -> None:
    """Half of the rows have a symbol of their own: all of these are new in the tested rows."""
    smallest = []
    for seed in range(60):
        rng = np.random.default_rng([seed, 9])
        n = 400
        ids = np.where(rng.random(n) < 0.5, rng.permutation(n) + 5, rng.integers(0, 5, n))
        columns = [symbols(ids, n + 5), symbols(rng.integers(0, 3, n), 3)]
        smallest.append(find(columns, random_sides(rng, n // 2, n // 2)).q.min())
    assert np.mean(np.array(smallest) <= 0.1) <= 0.1 * LEVEL + 4 * math.sqrt(0.1 * LEVEL / 60)


# --- where something does -------------------------------------------------------------------------


def planted_in_table(rng, count: int, n: int):
    """Rows as usual in each field, all much alike: one shop, one kind, one price, one hour."""
    columns = mixed(2 * n, rng)
    rows = np.arange(2 * n - count, 2 * n)
    shop, kind, price, level, when = columns
    shop.codes[rows], kind.codes[rows] = 7, 1
    price.values[rows] = 30 + rng.normal(0, 0.5, count)
    level.values[rows] = 1.2 + rng.normal(0, 0.05, count)
    when.hours[rows] = 20
    return columns, rows


def planted_in_log(rng, count: int, n: int):
    """One more template of words that the others have too."""
    lines = worlds.messages(rng, 2 * n)
    rows = np.arange(2 * n - count, 2 * n)
    for row in rows:
        lines[row] = (
            f"session closed by timeout on host{rng.integers(6)} after {rng.integers(999)} ms"
        )
    return [texts(lines)], rows


def planted_repeats(rng, count: int, n: int):
    """The same row again and again, usual in each field."""
    columns, rows = planted_in_table(rng, count, n)
    for column in columns[2:4]:
        column.values[rows] = column.values[rows[0]]
    return columns, rows


KINDS = {"table": planted_in_table, "log": planted_in_log, "repeats": planted_repeats}


@pytest.mark.jit
@pytest.mark.parametrize("kind", KINDS)
def test_sixty_rows_of_a_kind_among_a_thousand_are_found(kind: str) -> None:
    n = 1000
    rng = np.random.default_rng(10)
    columns, rows = KINDS[kind](rng, 60, n)
    found = find(columns, np.arange(2 * n) >= n)
    flagged = np.flatnonzero(found.q <= 0.1) + n
    assert np.isin(rows, flagged).mean() >= 0.5
    assert np.isin(flagged, rows).mean() >= 0.8
    x, y = found.counts[:, found.q <= 0.1]
    assert (x > y).all()
    assert (found.p[found.q <= 0.1] < 0.001).all()


@pytest.mark.jit
@pytest.mark.parametrize("kind", KINDS)
def test_false_share_is_at_most_alpha(kind: str) -> None:
    alpha, runs, shares, found_share = 0.1, 40, [], []
    for seed in range(runs):
        rng = np.random.default_rng([seed, 11])
        columns, rows = KINDS[kind](rng, 60, 500)
        flagged = np.flatnonzero(find(columns, np.arange(1000) >= 500).q <= alpha) + 500
        shares.append((~np.isin(flagged, rows)).mean() if flagged.size else 0.0)
        found_share.append(np.isin(rows, flagged).mean())
    error = np.std(shares, ddof=1) / math.sqrt(runs)
    assert np.mean(shares) <= alpha + 4 * error
    assert np.mean(found_share) > 0.7

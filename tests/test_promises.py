"""What is promised of p-values and decisions, simulated in every world through the public API.

Each bound is the promised number; "+ 4 se" is four standard errors of the simulation itself, so
that a kept promise fails once in 30,000 runs. Small sizes run always, full ones are marked slow.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
import worlds

import driftlock as dl

LEVELS = {100: {0.05: 0.065, 0.01: 0.02}, 300: {0.05: 0.06, 0.01: 0.015}}
LEVELS[1000] = LEVELS[300]
EXACT = 1e-12

full = pytest.mark.slow
compiled = pytest.mark.jit


def four_se(level: float, runs: int, n: int, m: int) -> float:
    """Of the share of p <= level over runs of m rows, each against n baseline rows of its own.

    Given its baseline, the level of a run is Beta((n + 1) level, (n + 1) (1 - level)).
    """
    return 4 * np.sqrt(level * (1 - level) * (1 / (n + 2) + 1 / m) / runs)


def rank_p(world: str, n: int, m: int, seed: int, **options) -> np.ndarray:
    """p of m normal rows by rank alone."""
    table = worlds.judged(world, n, m, seed, tail=False, control="fpr", **options)
    assert (table["p_kind"] == "rank").all()
    return table["p_value"].to_numpy()


def assert_level(p: np.ndarray, bounds: dict[float, float], n: int) -> None:
    """p of shape (runs, m) is at most so often so small."""
    runs, m = p.shape
    for level, bound in bounds.items():
        share = (p <= level + EXACT).mean()
        assert share <= bound + four_se(bound, runs, n, m), (level, share)


# --- 1, 2: the level of a row's p-value -----------------------------------------------------------


@compiled
@pytest.mark.parametrize("n", [100, 300])
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_level_of_row_p(world: str, n: int) -> None:
    """14 runs of 200 rows: + 4 se is .028 / .016 at n = 100, .021 / .011 at 300."""
    p = np.array([rank_p(world, n, 200, seed) for seed in range(14)])
    assert_level(p, LEVELS[n], n)


@full
@pytest.mark.parametrize("n", [100, 300, 1000])
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_level_of_row_p_in_full(world: str, n: int) -> None:
    """100 runs of 200 rows: + 4 se is .011 / .006 at n = 100, .008 / .004 at 300, .007 / .004."""
    p = np.array([rank_p(world, n, 200, 1000 + seed) for seed in range(100)])
    assert_level(p, LEVELS[n], n)


def survey_p(n: int, questions: int, seeds: range) -> np.ndarray:
    """p of 500 answered sheets by rank alone, shape (runs, 500)."""
    runs = []
    for seed in seeds:
        sheets = worlds.survey(n + 500, seed, questions)
        detector = dl.Detector(tail=False, control="fpr").fit(sheets.iloc[:n])
        runs.append(detector.detect(sheets.iloc[n:]).table["p_value"].to_numpy())
    return np.array(runs)


@compiled
def test_level_of_row_p_of_many_answers_that_hang_together() -> None:
    """24 runs, 120 questions: + 4 se = .014 / .007. By leave-one-out it is .089 / .020."""
    assert_level(survey_p(300, 120, range(24)), LEVELS[300], 300)


@full
@pytest.mark.parametrize(("n", "questions"), [(100, 30), (300, 60), (640, 16), (1000, 60)])
def test_level_of_row_p_of_answers_in_full(n: int, questions: int) -> None:
    """100 runs: + 4 se = .007 / .004 at n = 300. By leave-one-out 300 by 60 has .075 / .017."""
    assert_level(survey_p(n, questions, range(1000, 1100)), LEVELS[n if n != 640 else 300], n)


@pytest.mark.parametrize("world", ["one_zipf", "id_and_three", "low_cardinality"])
def test_level_of_row_p_of_few_rows(world: str, sizes) -> None:
    """The same with kernels as plain Python; + 4 se is .06 / .03 there."""
    p = np.array([rank_p(world, 100, sizes(100, 50), seed) for seed in range(sizes(14, 4))])
    assert_level(p, LEVELS[100], 100)


def with_odd_columns(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Identifiers of several forms, values that are all different, and constants."""
    rng = np.random.default_rng([20, seed])
    n = len(frame)
    number = rng.permutation(10**6)[:n]
    return frame.assign(
        text_id=[f"TX-{value:08d}" for value in number],
        number_id=number + 10**9,
        category_id=pd.Categorical([f"k{value}" for value in number]),
        all_different=rng.random(n),
        constant_text="same",
        constant_number=7.5,
        nothing=None,
    )


@pytest.mark.parametrize("n", [pytest.param(100, marks=compiled), pytest.param(300, marks=full)])
@pytest.mark.parametrize("world", ["low_cardinality", "mixed", "text_and_table"])
def test_identifiers_and_constants_do_not_break_the_level(world: str, n: int, monkeypatch) -> None:
    """30 runs of 200 rows: + 4 se is .022 / .012 at n = 100, .014 / .007 at 300."""
    make = worlds.WORLDS[world]
    monkeypatch.setitem(
        worlds.WORLDS, world, lambda rows, seed: with_odd_columns(make(rows, seed), seed)
    )
    p = np.array([rank_p(world, n, 200, seed) for seed in range(30)])
    assert_level(p, LEVELS[n], n)


# --- 6, 7: the tail, and any flag where there is nothing to find ----------------------------------


@cache
def null_runs(world: str, first: int, runs: int) -> tuple[np.ndarray, np.ndarray]:
    """Whether a run flagged anything, and all rows' p-values, of 1,000 normal rows against 400."""
    any_flag, p = [], []
    for seed in range(first, first + runs):
        table = worlds.judged(world, 400, 1000, seed, alpha=0.1)
        any_flag.append(table["is_anomaly"].any())
        if (table["p_kind"] == "pattern").any():  # their p is the pattern's: ask for the row's
            table = worlds.judged(world, 400, 1000, seed, control="fpr")
        p.append(table["p_value"].to_numpy())
    return np.array(any_flag), np.array(p)


@compiled
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_flags_where_nothing_is_to_be_found(world: str) -> None:
    """Rows and patterns together at alpha = .1: at most .1 of 12 runs, + 4 se = .35."""
    any_flag, _ = null_runs(world, 0, 12)
    assert any_flag.mean() <= 0.1 + 4 * np.sqrt(0.1 * 0.9 / 12)


@full
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_flags_where_nothing_is_to_be_found_in_full(world: str) -> None:
    """At most .1 of 200 runs, + 4 se = .085."""
    any_flag, _ = null_runs(world, 1000, 200)
    assert any_flag.mean() <= 0.185


@full
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_tail_in_full(world: str) -> None:
    """P(p <= 1e-3) <= 2e-3 and P(p <= 1e-4) <= 4e-4 over 200,000 rows, nothing added."""
    _, p = null_runs(world, 1000, 200)
    assert (p <= 1e-3).mean() <= 2e-3
    assert (p <= 1e-4).mean() <= 4e-4


@compiled
@pytest.mark.parametrize("world", worlds.WORLDS)
def test_tail(world: str) -> None:
    """The same over 12 runs of 1,000 rows, + 4 se by the spread of the runs."""
    _, p = null_runs(world, 0, 12)
    for level, bound in ((1e-3, 2e-3), (1e-4, 4e-4)):
        shares = (p <= level).mean(axis=1)
        assert shares.mean() <= bound + 4 * shares.std() / np.sqrt(12)


@compiled
@pytest.mark.parametrize("world", ["one_zipf", "two_zipf", "id_and_three"])
def test_rare_values_of_a_long_baseline_are_not_flagged(world: str) -> None:
    """20 runs, 1,000 against 1,000: any flag in .1 of them, + 4 se = .37."""
    runs = [worlds.judged(world, 1000, 1000, seed, alpha=0.1) for seed in range(20)]
    assert np.mean([table["is_anomaly"].any() for table in runs]) <= 0.1 + 4 * 0.067

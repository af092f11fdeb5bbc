"""Null scores: each baseline row by a model that did not count it, and levels that hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from columns import a_table, logs, numbers, symbols, take, texts

from driftlock.baseline import clean_rows, folds_of
from driftlock.calibration import FOLDS, balanced_folds, calibrate, choose
from driftlock.scoring import Model, merge_scores
from driftlock.significance import adjust, censored_row_p, rank_p

FOUR_ERRORS = 4.0


def all_rows(columns) -> np.ndarray:
    return np.ones(len(columns[0]), bool)


def folds_for(n: int, kind: str, seed: int = 0):
    if kind == "loo":
        return None
    return balanced_folds(np.random.default_rng(seed).permutation(n), FOLDS[kind])


@pytest.fixture(scope="module")
def columns(sizes):
    return a_table(sizes(120, 30), np.random.default_rng(1))


# --- what is made ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["loo", "split", "cross"])
def test_every_row_has_a_score_and_which_ones_calibrate(columns, kind: str) -> None:
    n = len(columns[0])
    folds = folds_for(n, kind)
    made = calibrate(columns, all_rows(columns), folds)
    assert made.scores.total.shape == made.calibrates.shape == (n,)
    assert made.scores.bits.shape == (len(columns), n)
    expected = folds == 1 if kind == "split" else np.ones(n, bool)
    assert (made.calibrates == expected).all()


def test_leave_one_out_is_the_baseline_of_the_model(columns) -> None:
    made = calibrate(columns, all_rows(columns), None)
    assert (made.scores.total == Model.fit(columns).baseline.total).all()


def test_split_scores_one_half_as_new_rows_of_the_other(columns) -> None:
    folds = folds_for(len(columns[0]), "split")
    made = calibrate(columns, all_rows(columns), folds)
    model = Model.fit(take(columns, folds == 0))
    assert (made.scores.total[folds == 1] == model.score(take(columns, folds == 1)).total).all()
    assert (made.scores.total[folds == 0] == model.baseline.total).all()
    assert (made.model.baseline.total == model.baseline.total).all()


def test_cross_scores_each_fold_as_new_rows_of_all_others(columns) -> None:
    folds = folds_for(len(columns[0]), "cross")
    made = calibrate(columns, all_rows(columns), folds)
    for fold in (0, 3, 9):
        model = Model.fit(take(columns, folds != fold))
        mine = folds == fold
        assert (made.scores.total[mine] == model.score(take(columns, mine)).total).all()
    assert (made.model.baseline.total == Model.fit(columns).baseline.total).all()


@pytest.mark.parametrize("kind", ["loo", "split", "cross"])
def test_rows_left_out_are_scored_as_new_ones_and_calibrate_nothing(columns, kind: str) -> None:
    n = len(columns[0])
    kept = np.random.default_rng(2).random(n) < 0.8
    folds = None
    if kind != "loo":
        folds = np.full(n, -1)
        folds[kept] = folds_for(int(kept.sum()), kind)
    made = calibrate(columns, kept, folds)
    assert not made.calibrates[~kept].any()
    assert (made.scores.total[~kept] == made.model.score(take(columns, ~kept)).total).all()
    alone = calibrate(
        take(columns, kept), np.ones(int(kept.sum()), bool), None if folds is None else folds[kept]
    )
    assert (made.scores.total[kept] == alone.scores.total).all()


def test_auto_is_cross_where_numbers_are_many_for_the_rows() -> None:
    def chosen(n, fields, calibration="auto"):
        columns = [numbers(np.arange(1.0, n + 1)) for _ in range(fields)] + [
            symbols(np.zeros(n), 1)
        ]
        return choose(calibration, columns, all_rows(columns))

    assert chosen(100, 12) == "loo"
    assert chosen(100, 13) == "cross"
    assert chosen(100, 13, "split") == "split"
    assert chosen(100, 13, "loo") == "loo"
    kept = np.arange(100) < 90
    few = [numbers(np.arange(1.0, 101)) for _ in range(12)]
    assert choose("auto", few, kept) == "cross"


@pytest.mark.parametrize(
    ("n", "fields", "expected"), [(640, 16, "loo"), (639, 16, "cross"), (100, 15, "loo")]
)
def test_auto_is_cross_where_many_categories_have_few_rows(n, fields, expected) -> None:
    columns = [symbols(np.arange(n) % 3, 3) for _ in range(fields)]
    assert choose("auto", columns, all_rows(columns)) == expected
    assert choose("loo", columns, all_rows(columns)) == "loo"


# --- clean ----------------------------------------------------------------------------------------


def left_by_one_round(columns, kept):
    """Rows that are not rejected when those kept so far are the baseline."""
    model = Model.fit(take(columns, kept))
    scores = model.baseline
    if not kept.all():
        scores = merge_scores(scores, model.score(take(columns, ~kept)), kept)
    both = scores.total, scores.bits.sum(axis=0)
    return adjust(censored_row_p(both, both, tail=0.175, censored=0.07), "fdr") > 0.1


@pytest.mark.parametrize(
    ("seed", "rounds"),
    [(2, 2), pytest.param(0, 1, marks=pytest.mark.jit), pytest.param(8, 4, marks=pytest.mark.jit)],
)
def test_a_dirty_baseline_is_cleaned_until_no_row_changes_sides(seed: int, rounds: int) -> None:
    n, k, rng = 400, 6, np.random.default_rng(seed)
    x, y = rng.normal(0, 1, n), rng.normal(0, 1, n)
    x[:k] = 30 * (1 + rng.random(k))
    y[:k] = 30 * (1 + rng.random(k))
    x[k : 2 * k] = 6 + rng.normal(0, 1, k)
    columns = [numbers(x), numbers(y), symbols(rng.integers(0, 3, n), 3)]
    kept, needed = np.ones(n, bool), 0
    while (still := left_by_one_round(columns, kept)).tolist() != kept.tolist():
        kept, needed = still, needed + 1
    assert needed == rounds  # or the case shows nothing
    assert (~kept[:k]).all()
    assert clean_rows(columns).tolist() == kept.tolist()


# --- folds ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_folds", [2, 10])
def test_folds_are_of_equal_size(n_folds: int) -> None:
    import pandas as pd

    rng = np.random.default_rng(3)
    frame = [pd.Series(rng.integers(0, 4, 205)), pd.Series(rng.choice(["a", "b"], 205))]
    sizes = np.bincount(folds_of(frame, n_folds, 7))
    assert sizes.size == n_folds
    assert np.ptp(sizes) <= 1


def test_folds_go_by_content_and_seed_not_by_place() -> None:
    import pandas as pd

    rng = np.random.default_rng(4)
    values, names = rng.normal(0, 1, 200), rng.choice(["a", "b", "c"], 200)
    order = rng.permutation(200)
    folds = folds_of([pd.Series(values), pd.Series(names)], 10, 5)
    again = folds_of([pd.Series(values[order]), pd.Series(names[order])], 10, 5)
    assert (folds[order] == again).all()
    assert (folds != folds_of([pd.Series(values), pd.Series(names)], 10, 6)).any()
    # of equal rows as many go to each fold, whichever of them
    of_names = [folds_of([pd.Series(x)], 10, 5) for x in (names, names[order])]
    for name in "abc":
        counts = [
            np.bincount(f[x == name], minlength=10) for f, x in zip(of_names, (names, names[order]))
        ]
        assert (counts[0] == counts[1]).all()


# --- levels ---------------------------------------------------------------------------------------


def assert_level(shares, alpha: float, limit: float) -> None:
    """The mean share of rows with p <= alpha is at most the limit, but for four standard errors."""
    error = np.std(shares, ddof=1) / math.sqrt(len(shares))
    assert np.mean(shares) <= limit + FOUR_ERRORS * error, (alpha, np.mean(shares), error)


def shares_below(make, kind: str, alpha: float, *, n: int, runs: int) -> list[float]:
    """Share of rows with p <= alpha in each of many runs; make(rng, n) gives rows drawn alike."""
    shares = []
    for seed in range(runs):
        rng = np.random.default_rng([seed, n])
        columns = make(rng, 3 * n)
        baseline, new = take(columns, np.arange(n)), take(columns, np.arange(n, 3 * n))
        made = calibrate(baseline, all_rows(baseline), folds_for(n, kind, seed))
        null = made.scores.total[made.calibrates]
        shares.append(float((rank_p(null, made.model.score(new).total) <= alpha).mean()))
    return shares


def numbers_of(fields: int):
    def make(rng, n):
        factors = rng.normal(0, 1, (4, n))
        mixed = rng.normal(0, 1, (fields, 4)) @ factors + rng.normal(0, 1, (fields, n))
        return [numbers(row) for row in mixed]

    return make


def with_text(rng, n):
    shop = rng.integers(0, 6, n)
    made = logs(n, rng)
    shuffled = [made[place] for place in rng.permutation(n)]
    return [symbols(shop, 6), numbers(5 * shop + rng.normal(0, 3, n)), texts(shuffled)]


def plain_logs(rng, n):
    words = np.array(["open", "read", "close", "sync"])[np.minimum(rng.geometric(0.5, n) - 1, 3)]
    return [texts([f"{word} /usr/{rng.integers(99)}" for word in words])]


@pytest.mark.jit
@pytest.mark.parametrize(
    "make", [numbers_of(5), with_text, plain_logs], ids=["numbers", "text", "logs"]
)
def test_split_has_the_level_exactly(make) -> None:
    shares = shares_below(make, "split", 0.05, n=80, runs=60)
    error = np.std(shares, ddof=1) / math.sqrt(len(shares))
    assert np.mean(shares) <= 2 / 41 + FOUR_ERRORS * error  # p <= .05 is 2 of 41 ranks
    assert np.mean(shares) >= 0.015


@pytest.mark.jit
@pytest.mark.parametrize("make", [with_text, plain_logs], ids=["text", "logs"])
@pytest.mark.parametrize("n", [100, 300])
def test_leave_one_out_has_the_level_with_texts(make, n: int) -> None:
    limits = {100: (0.065, 0.02), 300: (0.06, 0.015)}[n]
    for alpha, limit in zip((0.05, 0.01), limits):
        assert_level(shares_below(make, "loo", alpha, n=n, runs=25), alpha, limit)


@pytest.mark.jit
@pytest.mark.parametrize(("calibration", "runs"), [("cross", 4), ("loo", 20)])
def test_level_with_many_numbers_in_few_rows(calibration: str, runs: int) -> None:
    """With 64 numbers in 100 rows a regression knows much of the rows that it leaves out."""
    assert np.mean(shares_below(numbers_of(64), calibration, 0.05, n=100, runs=runs)) <= 0.065


@pytest.mark.slow
def test_cross_has_the_level_in_many_runs() -> None:
    for fields in (20, 64):
        assert_level(shares_below(numbers_of(fields), "cross", 0.05, n=100, runs=60), 0.05, 0.065)
        assert_level(shares_below(numbers_of(fields), "cross", 0.01, n=100, runs=60), 0.01, 0.02)

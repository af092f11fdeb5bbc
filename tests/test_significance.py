"""p-values and decisions: each against its definition, and against SciPy where SciPy has it."""

from __future__ import annotations

import naive_scores as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftlock.errors import OptionError
from driftlock.significance import (
    CONTROLS,
    adjust,
    censored_p,
    censored_row_p,
    rank_p,
    row_p,
    score_threshold,
    shows_tail,
    tail_p,
)

scores_with_ties = st.lists(st.integers(0, 40), min_size=1, max_size=50)
some_p = st.lists(
    st.one_of(st.floats(1e-12, 1.0), st.sampled_from([0.01, 0.05, 0.5, 1.0])),
    min_size=1,
    max_size=40,
)
levels = st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.5, 0.95])
TWINS = {
    "fdr": naive.benjamini_hochberg,
    "by": naive.benjamini_yekutieli,
    "storey": naive.storey,
    "fwer": naive.holm,
    "fpr": list,
}


def millibits(values) -> np.ndarray:
    return np.asarray(values, np.int32)


def exponential(n: int, seed: int = 0, mean: float = 1400) -> np.ndarray:
    """Scores as a baseline has them: exponential in bits."""
    return millibits(np.random.default_rng(seed).exponential(mean, n))


# --- rank -----------------------------------------------------------------------------------------


@given(scores_with_ties, st.lists(st.integers(-5, 60), min_size=1, max_size=20))
@settings(max_examples=60)
def test_rank_p_counts_ties_and_the_row_itself(null: list[int], scores: list[int]) -> None:
    p = rank_p(millibits(null), millibits(scores))
    assert p.tolist() == naive.rank_p(null, scores)
    assert p.min() >= 1 / (len(null) + 1)
    assert p.max() <= 1


def test_rank_p_of_a_constant_column_is_one() -> None:
    assert rank_p(millibits([7] * 99), millibits([7, 6, 8])).tolist() == [1.0, 1.0, 0.01]


@given(st.lists(st.integers(0, 40), min_size=2, max_size=40))
@settings(max_examples=25)
def test_rank_p_of_exchangeable_rows_keeps_every_level(scores: list[int]) -> None:
    """Exactly: each row in turn against the others is every case that there is."""
    others = [millibits(scores[:i] + scores[i + 1 :]) for i in range(len(scores))]
    p = np.array([rank_p(null, millibits([s]))[0] for null, s in zip(others, scores)])
    for alpha in np.unique(p):
        assert (p <= alpha).mean() <= alpha + 1e-12


@given(scores_with_ties, levels)
@settings(max_examples=60)
def test_threshold_parts_scores_as_their_rank_p_does(null: list[int], alpha: float) -> None:
    scores = np.arange(-2, 45, dtype=np.int32)
    flagged = scores > score_threshold(millibits(null), alpha)
    assert (flagged == (rank_p(millibits(null), scores) <= alpha)).all()


def test_threshold_is_infinite_where_no_rank_p_is_small_enough() -> None:
    assert score_threshold(millibits(range(18)), 0.05) == np.inf
    assert score_threshold(millibits(range(19)), 0.05) == 18


# --- tail -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [60, 100, 399, 1000])
def test_tail_p_is_that_of_the_formula(n: int) -> None:
    null = exponential(n, seed=n)
    scores = int(null.max()) + millibits([1, 10, 500, 5_000, 20_000])
    expected = naive.tail_p(null.tolist(), scores.tolist())
    np.testing.assert_allclose(tail_p(null, scores), expected, rtol=1e-12)


@given(
    st.integers(0, 10_000), st.sampled_from([60, 61, 150, 400]), st.sampled_from([30, 1400, 9000])
)
@settings(max_examples=40)
def test_tail_p_falls_with_the_score_and_never_exceeds_the_rank(
    seed: int, n: int, mean: int
) -> None:
    null = exponential(n, seed, mean)
    scores = int(null.max()) + np.arange(1, 40_000, 313, dtype=np.int32)
    p = tail_p(null, scores)
    if p is not None:
        assert (np.diff(p) <= 0).all()
        assert p.max() <= 1 / (n + 1)
        assert p.min() > 0


def test_tail_p_is_never_zero() -> None:
    null = np.append(np.zeros(9000, np.int32), np.random.default_rng(0).integers(1, 40, 1000))
    assert tail_p(millibits(null), millibits([90_000]))[0] > 0


def with_tail(excesses: list[int]) -> np.ndarray:
    """200 equal scores, and at most 20 beyond them."""
    return millibits([500] * 200 + [9000 + x for x in excesses])


SHUT = {
    "fewer than 60 rows": exponential(59),
    "fewer than 10 excesses": with_tail([*range(9)]),
    "fewer than 8 distinct": with_tail([*range(7)] * 2),
    "a tie of over a third": with_tail([0] * 5 + [*range(1, 10)]),
    "no excess": with_tail([]),
}
OPEN = {
    "60 rows": exponential(60),
    "10 excesses": with_tail([*range(10)]),
    "8 distinct": with_tail([*range(8)] * 2),
    "a tie of a third": with_tail([0] * 4 + [*range(1, 9)]),
}


@pytest.mark.parametrize("name", SHUT)
def test_no_tail_where_a_baseline_does_not_show_one(name: str) -> None:
    null = SHUT[name]
    assert naive.tail_p(null.tolist(), [100_000]) is None
    assert tail_p(null, millibits([100_000])) is None


@pytest.mark.parametrize("name", OPEN)
def test_a_tail_where_a_baseline_just_shows_one(name: str) -> None:
    null = OPEN[name]
    assert tail_p(null, millibits([100_000])) == pytest.approx(
        naive.tail_p(null.tolist(), [100_000])
    )


def test_tail_level_for_exponential_scores(sizes) -> None:
    """P(p <= a) <= a, the estimate of the mean included: 4 standard errors of room."""
    runs, n, alpha = sizes(4000, 300), 100, 0.004
    rng = np.random.default_rng(1)
    small = 0
    for _ in range(runs):
        scores = millibits(rng.exponential(1400, n + 1) + 1)
        p = row_p((scores[:n], scores[:n]), (scores[n:], scores[n:]), tail=True)
        small += int(p.values[0] <= alpha)
    assert small <= runs * alpha + 4 * np.sqrt(runs * alpha)


# --- row p-values ---------------------------------------------------------------------------------


def test_tail_is_for_rows_beyond_the_baseline_without_a_tie() -> None:
    null = exponential(200)
    top = int(null.max())
    scores = millibits([0, top - 1, top, top + 1, top + 9000])
    p = row_p((null, null), (scores, scores), tail=True)
    assert p.kinds.tolist() == ["rank", "rank", "rank", "tail", "tail"]
    ranks = rank_p(null, scores)
    assert p.values[:3].tolist() == ranks[:3].tolist()
    assert p.values[3:].tolist() == (2 * tail_p(null, scores[3:])).tolist()
    assert (p.values[3:] < ranks[3:]).all()
    without = row_p((null, null), (scores, scores), tail=False)
    assert without.kinds.tolist() == ["rank"] * 5
    assert without.values.tolist() == ranks.tolist()


def test_bits_lend_their_tail_where_scores_have_none() -> None:
    scores, bits = millibits(np.arange(300) % 3), exponential(300)
    top = int(bits.max())
    rows = (millibits([5, 5, 5, 2, 0]), millibits([top + 9000, top, 10, top + 9000, 0]))
    p = row_p((scores, bits), rows, tail=True)
    assert p.kinds.tolist() == ["tail", "rank", "rank", "rank", "rank"]
    assert p.values[0] == 2 * tail_p(bits, millibits([top + 9000]))[0] < 1 / 301
    assert p.values[1:].tolist() == rank_p(scores, rows[0])[1:].tolist()


def test_the_smaller_of_two_tails_counts_doubled() -> None:
    null = exponential(300)
    top = int(null.max())
    near, far = millibits([top + 6000]), millibits([top + 12_000])
    for scores, bits, smaller in (
        (near, far, far),
        (far, near, far),
        (near, millibits([0]), near),
    ):
        p = row_p((null, null), (scores, bits), tail=True)
        assert p.kinds.tolist() == ["tail"]
        assert p.values[0] == 2 * tail_p(null, smaller)[0] < 1 / 301


def test_rank_stays_where_neither_has_a_tail() -> None:
    few = millibits(np.arange(300) % 3)
    p = row_p((few, few), (millibits([9]), millibits([9])), tail=True)
    assert (p.kinds.tolist(), p.values.tolist()) == (["rank"], [1 / 301])


# --- censored -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tail", "censored"), [(0.175, 0.07), (0.2, 0.05)])
@pytest.mark.parametrize("n", [20, 100, 401])
def test_censored_p_is_that_of_the_formula(n: int, tail: float, censored: float) -> None:
    null = exponential(n, seed=n)
    null[:2] += 50_000
    p = censored_p(null, null, tail=tail, censored=censored)
    expected = naive.censored_p(null.tolist(), null.tolist(), tail=tail, censored=censored)
    np.testing.assert_allclose(p, expected, rtol=1e-12)
    assert 0 < p.min() <= p.max() <= 1
    assert (np.diff(p[np.argsort(null)]) <= 0).all()


def test_censored_p_does_not_see_how_large_censored_scores_are() -> None:
    null = exponential(200)
    far = np.where(null >= np.sort(null)[-10], 80_000, null)
    asked = millibits([2000, 5000, 9000])
    p = censored_p(null, asked, tail=0.175, censored=0.07)
    assert p.tolist() == censored_p(millibits(far), asked, tail=0.175, censored=0.07).tolist()


def test_of_two_censored_tails_the_smaller_p_over_its_weight_counts() -> None:
    scores, bits = exponential(300), exponential(300)[::-1].copy()
    by = [censored_p(values, values, tail=0.2, censored=0.05) for values in (scores, bits)]
    p = censored_row_p((scores, bits), (scores, bits), tail=0.2, censored=0.05)
    assert p.tolist() == np.minimum(1.0, np.minimum(by[0] / 0.1, by[1] / 0.9)).tolist()


def test_censored_p_is_one_without_a_tail() -> None:
    null = millibits([1, 2] * 100)
    assert censored_p(null, millibits([1, 2, 900]), tail=0.2, censored=0.05).tolist() == [1.0] * 3


# --- many rows together ---------------------------------------------------------------------------


@pytest.mark.parametrize("control", CONTROLS)
@given(p=some_p)
@settings(max_examples=40)
def test_adjusted_p_is_that_of_the_definition(control: str, p: list[float]) -> None:
    q = adjust(np.array(p), control)
    np.testing.assert_allclose(q, TWINS[control](p), rtol=1e-12)
    assert (q >= np.array(p) * (1 - 1e-12)).all() or control == "storey"
    assert q.max() <= 1


@pytest.mark.parametrize("control", ["fdr", "by"])
@pytest.mark.parametrize("m", [1, 2, 7, 1000])
def test_adjusted_p_is_that_of_scipy(control: str, m: int) -> None:
    from scipy.stats import false_discovery_control

    p = np.round(np.random.default_rng(m).random(m) ** 3, 3) + 1e-4
    method = {"fdr": "bh", "by": "by"}[control]
    expected = false_discovery_control(np.minimum(p, 1), method=method)
    np.testing.assert_allclose(adjust(np.minimum(p, 1), control), expected, rtol=1e-12, atol=1e-12)


@given(some_p, st.sampled_from([0.013, 0.047, 0.11, 0.3]))
@settings(max_examples=60)
def test_flags_are_those_of_the_procedures_as_published(p: list[float], alpha: float) -> None:
    for control, procedure in (("fdr", naive.step_up_rejects), ("fwer", naive.holm_rejects)):
        flagged = adjust(np.array(p), control) <= alpha
        # 6 * 0.05 is 0.3, though not in floats
        assert flagged.tolist() == procedure(p, alpha * (1 + 1e-14))


@pytest.mark.parametrize("control", CONTROLS)
def test_order_of_the_rows_does_not_matter(control: str) -> None:
    rng = np.random.default_rng(3)
    p, order = rng.choice([0.002, 0.01, 0.2, 0.7, 1.0], 50), rng.permutation(50)
    assert (adjust(p[order], control) == adjust(p, control)[order]).all()


@pytest.mark.parametrize("control", CONTROLS)
def test_no_rows_at_all(control: str) -> None:
    assert adjust(np.empty(0), control).shape == (0,)


def test_the_input_is_left_alone() -> None:
    p = np.array([0.3, 0.01])
    for control in CONTROLS:
        adjust(p, control)[:] = 0
    assert p.tolist() == [0.3, 0.01]


def test_an_unknown_control_names_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"bonferroni.*fdr.*fwer"):
        adjust(np.array([0.5]), "bonferroni")


@pytest.mark.parametrize(
    ("scores", "bits", "shows"),
    [
        (exponential(100), exponential(100, seed=1), True),
        (exponential(100), np.zeros(100, np.int32), True),
        (np.zeros(100, np.int32), exponential(100), True),
        (np.zeros(100, np.int32), np.zeros(100, np.int32), False),
        (exponential(59), exponential(59), False),
    ],
)
def test_a_baseline_shows_a_tail_where_a_lone_row_gets_less_than_the_rank(
    scores: np.ndarray, bits: np.ndarray, shows: bool
) -> None:
    assert shows_tail((scores, bits)) is shows
    far = millibits([10**6])
    p = row_p((scores, bits), (far, far), tail=True)
    assert (p.values[0] < 1 / (scores.size + 1)) is np.bool_(shows)

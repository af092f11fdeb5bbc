"""The plan told beforehand is what the decision does afterwards."""

from __future__ import annotations

from dataclasses import replace

import naive_scores as naive
import numpy as np
import pytest

from driftlock.plan import Plan
from driftlock.significance import CONTROLS, adjust

EXACT = ("fdr", "fwer", "by", "fpr")
SIZES = [(n, m) for n in (19, 20, 99, 400, 1999) for m in (1, 2, 5, 17, 50)]
DEFINITION = {"fdr": naive.benjamini_hochberg, "by": naive.benjamini_yekutieli, "fwer": naive.holm}


def plan_of(
    n: int, m: int, *, alpha: float = 0.05, control: str = "fdr", tail: bool = False
) -> Plan:
    return Plan.of(n, m, alpha=alpha, control=control, tail=tail)


def p_with(k: int, n: int, m: int) -> np.ndarray:
    """p-values of m rows, k of them beyond a baseline of n and the others as usual as can be."""
    p = np.ones(m)
    p[:k] = 1 / (n + 1)
    return p


def are_flagged(q: np.ndarray, k: int, alpha: float) -> bool:
    return bool((q[:k] <= alpha * (1 + 1e-12)).all())


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("control", EXACT)
def test_as_many_anomalies_as_planned_are_flagged_and_fewer_are_not(
    control: str, alpha: float
) -> None:
    for n, m in SIZES:
        needed = plan_of(n, m, alpha=alpha, control=control).anomalies_needed
        for k in range(1, m + 1):
            flagged = are_flagged(adjust(p_with(k, n, m), control), k, alpha)
            assert flagged == (needed is not None and k >= needed), (n, m, k)


@pytest.mark.parametrize("control", DEFINITION)
def test_the_plan_agrees_with_the_definitions(control: str) -> None:
    for n, m in [(19, 3), (99, 5), (99, 20), (400, 17)]:
        needed = plan_of(n, m, control=control).anomalies_needed
        flagging = [
            k
            for k in range(1, m + 1)
            if are_flagged(np.array(DEFINITION[control](p_with(k, n, m).tolist())), k, 0.05)
        ]
        assert needed == min(flagging, default=None)


def test_storey_never_needs_more_than_planned() -> None:
    for n, m in SIZES:
        needed = plan_of(n, m, control="storey").anomalies_needed
        for k in range(needed or m + 1, m + 1):
            assert are_flagged(adjust(p_with(k, n, m), "storey"), k, 0.05), (n, m, k)


def test_flags_at_the_very_boundary_are_not_lost_to_rounding() -> None:
    for n, m in [(19, 3), (79, 8), (99, 57), (399, 600)]:
        for alpha in (0.01, 0.02, 0.05):
            needed = plan_of(n, m, alpha=alpha).anomalies_needed
            if needed is not None:
                assert adjust(p_with(needed, n, m), "fdr")[0] <= alpha, (n, m, alpha)


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_the_baseline_for_one_is_the_smallest_that_will_do(control: str, alpha: float) -> None:
    for m in (1, 2, 30, 1000):
        n = plan_of(400, m, alpha=alpha, control=control).baseline_for_one
        assert are_flagged(adjust(p_with(1, n, m), control), 1, alpha)
        assert n == 1 or not are_flagged(adjust(p_with(1, n - 1, m), control), 1, alpha)
        assert plan_of(n, m, alpha=alpha, control=control).anomalies_needed == 1


@pytest.mark.parametrize("control", CONTROLS)
def test_sizes_and_options_are_kept(control: str) -> None:
    plan = plan_of(400, 600, alpha=0.1, control=control, tail=True)
    assert (plan.n_baseline, plan.n_rows, plan.alpha, plan.tail) == (400, 600, 0.1, True)
    assert plan.control == control
    assert plan.smallest_rank_p == 1 / 401


@pytest.mark.parametrize(
    ("n", "m", "tail", "says"),
    [
        (400, 600, False, "at least 30 rows must be beyond the whole baseline"),
        (400, 600, False, "one would suffice from a baseline of 11,999 rows on"),
        (400, 600, False, "tail=True could flag a lone row"),
        (400, 600, True, "a lone row can be flagged through the tail"),
        (18, 10, False, "by rank alone no row can be flagged"),
        (11_999, 600, False, "one row beyond the whole baseline is enough"),
    ],
)
def test_the_plan_says_what_to_expect(n: int, m: int, tail: bool, says: str) -> None:
    assert says in repr(plan_of(n, m, tail=tail))


def test_a_baseline_without_a_tail_promises_no_lone_row() -> None:
    plan = Plan.of(400, 600, alpha=0.05, control="fdr", tail=True, shows_tail=False)
    assert not plan.tail
    assert "no tail either: the baseline's largest scores are too much alike" in repr(plan)
    assert "through the tail" not in repr(plan)
    assert "tail=True could" not in repr(plan)


def test_a_small_baseline_is_told_what_size_would_do_not_that_its_scores_are_alike() -> None:
    plan = Plan.of(59, 600, alpha=0.05, control="fdr", tail=True, shows_tail=False)
    assert "a baseline of 60 rows or more" in repr(plan)
    assert "too much alike" not in repr(plan)


def test_without_a_baseline_the_plan_speaks_of_no_rank() -> None:
    plan = replace(plan_of(1000, 1000, tail=True), knows_normal=False)
    assert repr(plan).startswith("Plan: 1,000 rows, none known to be normal; fdr at alpha = 0.05")
    assert "rank" not in repr(plan)
    assert "up to about 2 % of anomalies" in repr(plan)

"""Scores to p-values, p-values to decisions; the one place where either rule stands.

**The p-value.** With n baseline scores, p = (1 + #{baseline score >= score}) / (n + 1). Ties count
as extreme and the row itself counts, so p is never 0 and P(p <= a) <= a for exchangeable rows. The
wrong rule, #{baseline score > score} / n, says p = 0 for every row of a constant column and for one
row in n + 1 of any column: every baseline of 99 rows would then reject 1 % of normal rows at *any*
level, however small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import evidence as kernels
from driftlock.arrays import Floats, Ints, Mask
from driftlock.errors import check_choice

CONTROLS = ("fdr", "fpr", "fwer", "by", "storey")
TAIL_SHARES = (0.10, 0.05)
MIN_EXCESSES, MIN_TAIL_ROWS, MIN_DISTINCT, MIN_TAIL_BASELINE = 10, 20, 8, 60
STOREY_LAMBDA = 0.5
CENSORED_WEIGHTS = (0.1, 0.9)  # of scores and of bits
SHORT = 1.0 - 8 * np.finfo(float).eps


def rank_p(null: Ints, scores: Ints) -> Floats:
    """p-value of each score by its rank among baseline scores, ties counted as extreme.

    Parameters
    ----------
    null : ndarray of int, shape (n,)
        Baseline scores in millibits.
    scores : ndarray of int, shape (m,)
        Scores to judge, in millibits.

    Returns
    -------
    ndarray of float64, shape (m,)
        (1 + #{null >= score}) / (n + 1), never 0.

    References
    ----------
    Phipson and Smyth, "Permutation p-values should never be zero", Statistical Applications in
    Genetics and Molecular Biology 9, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> rank_p(np.array([1, 2, 3]), np.array([0, 3, 4])).tolist()
    [1.0, 0.5, 0.25]
    """
    low = int(null.min())
    survivors = np.append(np.bincount(null - low)[::-1].cumsum()[::-1], 0)
    counts = kernels.count_at_least(survivors, low, np.ascontiguousarray(scores, np.int32))
    return (1.0 + counts) / (null.size + 1.0)  # type: ignore[no-any-return]


def tail_p(null: Ints, scores: Ints) -> Floats | None:
    """Predictive exponential p-value of scores beyond every baseline score.

    Parameters
    ----------
    null : ndarray of int, shape (n,)
        Baseline scores in millibits.
    scores : ndarray of int, shape (m,)
        Scores above the largest of `null`, in millibits.

    Returns
    -------
    ndarray of float64, shape (m,), or None
        None where the baseline has too few, or too few different, scores in its tail.

    Notes
    -----
    With r scores strictly above u, excesses summing to T::

        p = (r + 1) / (n + 1) * (1 + (s - u) / T) ** -r

    which is exact for exponential excesses, the estimation of their mean included. It is taken for
    u = the top 10 % and the top 5 % of the baseline (at least 20 rows each); the larger p counts,
    capped at 1 / (n + 1). A generalised Pareto fit is not used: its end point makes p too small.
    """
    n = null.size
    if n < MIN_TAIL_BASELINE:
        return None
    ordered = np.sort(null)[::-1].astype(np.int64)
    largest: Floats | None = None
    for share in TAIL_SHARES:
        u = ordered[min(max(MIN_TAIL_ROWS, int(share * n)), n - 1)]
        excesses = ordered[ordered > u] - u
        if not _is_smooth(excesses):
            return None
        p = _exponential_tail(
            (excesses.size + 1) / (n + 1), scores - u, excesses.sum(), excesses.size
        )
        largest = p if largest is None else np.maximum(largest, p)
    assert largest is not None
    return np.clip(largest, np.finfo(float).tiny, 1.0 / (n + 1))


def shows_tail(null: tuple[Ints, Ints]) -> bool:
    """Whether the scores, or the bits, of a baseline have a tail that p-values can be had from."""
    return any(tail_p(lengths, lengths[:0]) is not None for lengths in null)


def censored_p(null: Ints, scores: Ints, *, tail: float, censored: float) -> Floats:
    """p-value against a baseline whose largest scores may themselves be anomalies.

    Parameters
    ----------
    null : ndarray of int, shape (n,)
        Scores of all rows, in millibits, dirty ones among them.
    scores : ndarray of int, shape (m,)
        Scores to judge, in millibits.
    tail, censored : float
        Shares of the rows above u, and of those whose scores are only known to be large.

    Returns
    -------
    ndarray of float64, shape (m,)
        With the c largest scores censored at v, r further excesses over u and
        T = sum of these + c * (v - u): (r + c + 1) / (n + 1) * (1 + (s - u) / T) ** -r for s > u,
        else 1. Also 1 where the tail has too few, or too few different, scores.
    """
    n = null.size
    ordered = np.sort(null)[::-1].astype(np.int64)
    c = int(censored * n)
    u, v = ordered[min(int(tail * n), n - 1)], ordered[min(c, n - 1)]
    excesses = ordered[c:][ordered[c:] > u] - u
    p = np.ones(scores.size)
    if _is_smooth(excesses):
        total, r = int(excesses.sum()) + c * int(v - u), excesses.size
        beyond = scores > u
        p[beyond] = _exponential_tail((r + c + 1) / (n + 1), scores[beyond] - u, total, r)
    return np.minimum(p, 1.0)


def censored_row_p(
    null: tuple[Ints, Ints], rows: tuple[Ints, Ints], *, tail: float, censored: float
) -> Floats:
    """p-values of rows against a dirty baseline, given (score, bits) of both in millibits.

    Anomalies stretch the very scale that scores are made with, which bits do not have. The smaller
    of the two p-values counts, each over its weight (Bonferroni), of which bits have nine tenths.
    """
    by = (
        censored_p(lengths, asked, tail=tail, censored=censored) / weight
        for lengths, asked, weight in zip(null, rows, CENSORED_WEIGHTS, strict=True)
    )
    return np.minimum(np.minimum(*by), 1.0)


def _is_smooth(excesses: Ints) -> bool:
    """Whether a tail has enough excesses, enough different ones, and no tie of over a third."""
    if excesses.size < MIN_EXCESSES:
        return False
    _, counts = np.unique(excesses, return_counts=True)
    return bool(counts.size >= MIN_DISTINCT and 3 * counts.max() <= excesses.size)


def _exponential_tail(share: float, excess: Ints, total: int, r: int) -> Floats:
    return share * (1.0 + excess / float(total)) ** float(-r)


def adjust(p: Floats, control: str) -> Floats:
    """p-values adjusted for the number of rows judged together.

    Parameters
    ----------
    p : ndarray of float64, shape (m,)
        p-values of all the rows of the call.
    control : {"fdr", "fpr", "fwer", "by", "storey"}
        Benjamini-Hochberg, none, Holm, Benjamini-Yekutieli, or Storey's adaptive version of the
        first (lambda = 0.5).

    Returns
    -------
    ndarray of float64, shape (m,)
        q-values: a row is flagged at level alpha where q <= alpha.

    Raises
    ------
    OptionError
        If `control` is not known.

    References
    ----------
    Benjamini and Hochberg 1995; Holm 1979; Benjamini and Yekutieli 2001; Storey, Taylor and
    Siegmund 2004.

    Examples
    --------
    >>> import numpy as np
    >>> adjust(np.array([0.01, 0.02, 0.5]), "fdr").round(12).tolist()
    [0.03, 0.03, 0.5]
    """
    check_choice("control", control, CONTROLS)
    if control == "fpr" or p.size == 0:
        return p.copy()
    m = p.size
    order = np.argsort(p)  # equal ones get one q in whatever order
    ranks = np.arange(1, m + 1)
    if control == "fwer":
        ordered = np.maximum.accumulate(p[order] * (m + 1 - ranks))
    else:
        scale = _false_share(p, control) * m
        ordered = np.minimum.accumulate((p[order] * scale / ranks)[::-1])[::-1]
    q = np.empty(m)
    q[order] = ordered
    # a q that is a level but for the last bits of a product must not miss it
    return np.where(q < 1.0, q * SHORT, 1.0)


def _false_share(p: Floats, control: str) -> float:
    """What Benjamini-Hochberg's m is multiplied by: 1, the harmonic sum, or Storey's estimate."""
    if control == "by":
        return float((1.0 / np.arange(1, p.size + 1)).sum())
    if control == "storey":
        above = int((p > STOREY_LAMBDA).sum())
        return min(1.0, (1 + above) / (p.size * (1 - STOREY_LAMBDA)))
    return 1.0


def score_threshold(null: Ints, alpha: float) -> float:
    """Largest score, in millibits, whose rank p-value exceeds `alpha`; inf if no score has less.

    Examples
    --------
    >>> import numpy as np
    >>> score_threshold(np.arange(1, 100), 0.05)
    95.0
    """
    ordered = np.sort(null)[::-1]
    p_at = (1.0 + np.arange(null.size + 1)) / (null.size + 1.0)  # with 0, 1, 2 ... scores as large
    too_many = int(np.searchsorted(p_at, alpha, side="right"))
    return float(ordered[too_many - 1]) if too_many > 0 else np.inf


@dataclass(frozen=True)
class RowP:
    """p-values of rows and how each was found: by rank or by the tail."""

    values: Floats
    kinds: NDArray[np.str_]


def row_p(null: tuple[Ints, Ints], rows: tuple[Ints, Ints], *, tail: bool) -> RowP:
    """p-values of rows given (score, bits) of the baseline and of the rows, in millibits.

    A row beyond every baseline score may be far out in one field or in several at once. The score
    shows the first, the sum of bits the second, so both tails are taken and the smaller p-value
    counts, doubled (Bonferroni) and never above the rank's.
    """
    values = rank_p(null[0], rows[0])
    kinds = np.full(values.size, "rank", dtype="<U7")
    if not tail:
        return RowP(values, kinds)
    beyond: Mask = rows[0] > null[0].max()
    smallest = values[beyond]
    for lengths, scores in zip(null, rows, strict=True):
        further = scores[beyond] > lengths.max()
        p = tail_p(lengths, scores[beyond][further])
        if p is not None:
            smallest[further] = np.minimum(smallest[further], 2.0 * p)
    kinds[beyond] = np.where(smallest < values[beyond], "tail", "rank")
    values[beyond] = smallest
    return RowP(values, kinds)

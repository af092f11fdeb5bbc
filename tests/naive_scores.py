"""Evidence and scores of rows, their p-values and decisions: each by its definition."""

from __future__ import annotations

import math

from naive import count_at_least

# --- calibration ----------------------------------------------------------------------------------


def calibrated(v, lengths, *, own, narrowest=1.0):
    """Evidence in millibits of a length v, given the baseline's lengths."""
    n = len(lengths)
    d = 1 if own else 0
    threshold = sorted(lengths)[math.ceil(n * 9 / 10) - 1]
    if v <= threshold:
        at_least = sum(1 for length in lengths if length >= v)
        return round(-1000 * math.log2((at_least + 1 - d) / (n + 1 - d)))
    excesses = [length - threshold for length in lengths if length > threshold]
    mean = sum(excesses) / len(excesses) if excesses else 0.0
    if d:
        excesses.remove(v - threshold)
        mean = sum(excesses) / len(excesses) if excesses else 0.0
    width = max(mean, 1000.0 * narrowest)
    start = -1000 * math.log2((len(excesses) + 0.5) / (n + 1 - d))
    return round(start + 1000 * math.log2(math.e) * (v - threshold) / width)


def largest_of(parts, baseline_parts, *, own, narrowest):
    """Of each row the largest evidence among the figures of one block."""
    found = [
        [calibrated(v, learned, own=own, narrowest=narrowest) for v in asked]
        for asked, learned in zip(parts, baseline_parts)
    ]
    return [max(row) for row in zip(*found)]


def score(asked, baseline, *, own):
    """Score of each row in millibits; asked and baseline hold the figures of each block.

    The largest evidence within a block, calibrated again and added over the blocks of a level,
    calibrated once more and added over the levels: what is told field by field, and of the row.
    The sums of lengths count twice.
    """
    sums = ("lengths", "lengths in context")
    totals = []
    for names, narrowest in (
        (("alone", "context", "entity", "regression", *sums), math.log2(math.e)),
        (("distance", "ratio"), 1.0),
    ):
        own_found, all_found = [], []
        for name in names:
            if name in baseline:
                learned = largest_of(baseline[name], baseline[name], own=True, narrowest=narrowest)
                found = largest_of(asked[name], baseline[name], own=own, narrowest=narrowest)
                times = 2 if name in sums else 1
                own_found.append([times * calibrated(v, learned, own=True) for v in learned])
                all_found.append([times * calibrated(v, learned, own=own) for v in found])
        if all_found:
            learned = [sum(row) for row in zip(*own_found)]
            totals.append([calibrated(sum(row), learned, own=own) for row in zip(*all_found)])
    return [sum(row) for row in zip(*totals)]


# --- p-values and decisions -----------------------------------------------------------------------


def rank_p(null, scores):
    return [(1 + count) / (len(null) + 1) for count in count_at_least(null, scores)]


def is_smooth(excesses):
    ties = [excesses.count(x) for x in set(excesses)]
    return len(excesses) >= 10 and len(ties) >= 8 and max(ties) <= len(excesses) / 3


def tail_p(null, scores):
    n = len(null)
    if n < 60:
        return None
    ordered = sorted(null, reverse=True)
    p = [0.0] * len(scores)
    for share in (0.10, 0.05):
        u = ordered[max(20, int(share * n))]
        excesses = [v - u for v in null if v > u]
        if not is_smooth(excesses):
            return None
        r, total = len(excesses), sum(excesses)
        for i, s in enumerate(scores):
            p[i] = max(p[i], (r + 1) / (n + 1) * (1 + (s - u) / total) ** -r)
    return [min(x, 1 / (n + 1)) for x in p]


def censored_p(null, scores, *, tail, censored):
    n, c = len(null), int(censored * len(null))
    ordered = sorted(null, reverse=True)
    u, v = ordered[int(tail * n)], ordered[c]
    excesses = [x - u for x in ordered[c:] if x > u]
    if not is_smooth(excesses):
        return [1.0] * len(scores)
    r, total = len(excesses), sum(excesses) + c * (v - u)
    return [
        min((r + c + 1) / (n + 1) * (1 + (s - u) / total) ** -r, 1.0) if s > u else 1.0
        for s in scores
    ]


def step_up(p, factor):
    """Smallest level at which each row is among the k smallest with p_(k) <= k * level / factor."""
    ordered = sorted(p)
    levels = [factor * x / k for k, x in enumerate(ordered, start=1)]
    return [min(1.0, *levels[ordered.index(x) :]) for x in p]


def benjamini_hochberg(p):
    return step_up(p, len(p))


def benjamini_yekutieli(p):
    return step_up(p, len(p) * sum(1 / k for k in range(1, len(p) + 1)))


def storey(p):
    null_rows = (1 + sum(1 for x in p if x > 0.5)) / 0.5
    return step_up(p, min(null_rows, len(p)))


def holm(p):
    ordered = sorted(p)
    m = len(p)
    return [min(1.0, max((m - j) * ordered[j] for j in range(m) if ordered[j] <= x)) for x in p]


def step_up_rejects(p, alpha):
    """Benjamini and Hochberg's procedure as they state it: which rows are rejected at alpha."""
    ordered = sorted(p)
    last = max((k for k in range(1, len(p) + 1) if ordered[k - 1] <= k * alpha / len(p)), default=0)
    return [last > 0 and x <= ordered[last - 1] for x in p]


def holm_rejects(p, alpha):
    """Holm's procedure as he states it: down the sorted p-values to the first that is too large."""
    limit = -1.0
    for j, x in enumerate(sorted(p)):
        if x > alpha / (len(p) - j):
            break
        limit = x
    return [x <= limit for x in p]

"""Null distributions to p-values: of a window's statistics by counts, or of any function of rows.

**The p-value.** With B draws beside the window itself, p = (1 + #{draw at least as extreme}) /
(1 + B). Ties count as extreme, and the window itself counts, so that p is never 0. Where all other
subsets are few they are all taken, and the same formula is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import ranks as kernels
from driftlock.arrays import Floats, Ints
from driftlock.draws import STATISTICS, Draws
from driftlock.threads import in_ranges

ALTERNATIVES = ("two-sided", "greater", "less")
USUAL_ALTERNATIVE = {
    "ncd": "two-sided",
    "entropy": "two-sided",
    "mean_bits": "two-sided",
    "top_bits": "greater",
    "max_field": "greater",
}
IN_VERDICT = ("ncd", "entropy", "top_bits", "max_field")
TWO_SIDED = np.array([USUAL_ALTERNATIVE[name] == "two-sided" for name in STATISTICS])
VERDICT = np.array([name in IN_VERDICT for name in STATISTICS])
STOP_AT = 10  # draws as extreme, after which a sequential test has seen enough
LAGS = 5
BLOCK = 256


def evaluate(
    statistic: Callable[[Ints, Ints], float],
    draws: Draws,
    first: int,
    stop: int,
    *,
    threads: bool = False,
) -> Floats:
    """A statistic f(baseline positions, window positions) of draws first ... stop - 1."""
    values = np.empty(stop)

    def work(a: int, b: int) -> None:
        for i, members in enumerate(draws.members(a, b), start=a):
            others = np.ones(draws.size, bool)
            others[members] = False
            values[i] = statistic(np.flatnonzero(others), members)

    in_ranges(work, first, stop, least=16 if threads else stop)
    return values[first:]


def p_of(null: Floats | Ints, observed: float, alternative: str) -> float:
    """p-value of an observed value among B draws: ties count as extreme, and so does itself.

    Values that differ by less than a few units in the last place are ties: the wrong p-value of a
    mean of 2, 4, 3 permuted is what rounding makes of 3.0 and 2.9999999999999996.

    Examples
    --------
    >>> import numpy as np
    >>> p_of(np.array([1, 2, 3]), 3, "greater"), p_of(np.array([1, 2, 3]), 3, "two-sided")
    (0.5, 1.0)
    """
    greater, less = _counts(null, observed)
    of = {"greater": greater, "less": less, "two-sided": 2 * min(greater, less) + 1}
    return min(1.0, (1 + of[alternative]) / (1 + null.size))


def _counts(null: Floats | Ints, observed: float) -> tuple[int, int]:
    slack = 0.0
    if null.dtype.kind == "f":
        slack = 100 * np.finfo(np.float64).eps * abs(observed)
    return int((null >= observed - slack).sum()), int((null <= observed + slack).sum())


def sequential_p(
    block: Callable[[int, int], Floats | Ints], alternative: str, most: int
) -> tuple[float, Floats | Ints]:
    """p-value that stops drawing once 10 draws were as extreme as what was observed.

    Parameters
    ----------
    block : callable
        Values of draws a ... b - 1; draw 0 is what was observed.
    alternative : {"two-sided", "greater", "less"}
        Two-sided goes on until both tails have stopped, and doubles the smaller p.
    most : int
        Draws at most, L.

    Returns
    -------
    tuple of float and ndarray
        p = h / l where the h-th extreme draw was the l-th, else (g + 1) / (L + 1) with g extreme
        ones; and what was observed with the draws used.

    References
    ----------
    Besag and Clifford, "Sequential Monte Carlo p-values", Biometrika 78(2), 1991.
    """
    observed = block(0, 1)
    values = observed
    sides = {"two-sided": (0, 1), "greater": (0,), "less": (1,)}[alternative]
    while values.size <= most and any(_counts(values[1:], values[0])[s] < STOP_AT for s in sides):
        more = block(values.size, min(values.size + BLOCK, most + 1))
        values = np.concatenate([values, more])
    used, p = zip(*(_stopped(values[1:], values[0], side) for side in sides), strict=True)
    return min(1.0, len(sides) * min(p)), values[: max(used) + 1]


def _stopped(null: Floats | Ints, observed: float, side: int) -> tuple[int, float]:
    """Draws that one tail needed, and its p-value."""
    slack = 0.0 if null.dtype.kind != "f" else 100 * np.finfo(np.float64).eps * abs(observed)
    extreme = null >= observed - slack if side == 0 else null <= observed + slack
    at = np.flatnonzero(extreme)
    if at.size >= STOP_AT:
        used = int(at[STOP_AT - 1]) + 1
        return used, STOP_AT / used
    return null.size, (at.size + 1) / (null.size + 1)


def verdict(statistics: NDArray[np.int64]) -> tuple[Floats, float]:
    """p-values of the statistics of draw 0, and that of the smallest over the verdict's parts.

    Nonparametric combination: the smallest p of every draw, had it been the window, is the null of
    the smallest p of the window; one set of draws serves all.

    References
    ----------
    Pesarin and Salmaso, "Permutation Tests for Complex Data", 2010, chapter 4.
    """
    k = statistics.shape[1]  # of text the first four
    counts = kernels.verdicts(np.ascontiguousarray(statistics), TWO_SIDED[:k], VERDICT[:k])
    p = counts / len(statistics)
    return p[:-1], float(p[-1])


@dataclass(frozen=True)
class Order:
    """How much the order of rows matters: the lag from 1 to 5 where it shows most.

    Attributes
    ----------
    lag : int
    value : float
        Autocorrelation there: 0 without order, 1 where rows equal those before.
    sigmas : float
        How many standard errors it is from 0, for rows in random order.
    """

    lag: int
    value: float
    sigmas: float


def autocorrelation(values: Ints) -> Order:
    """Order in a series of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> found = autocorrelation(np.array([1, 0, 1, 0, 1, 0, 1, 0, 1, 0]))
    >>> found.lag, found.value
    (1, -0.9)
    """
    centred = values - values.mean()
    power = float(centred @ centred)
    found = [
        float(centred[lag:] @ centred[:-lag]) / power if power else 0.0 for lag in _lags(values)
    ]
    return _strongest(found, np.sqrt(values.size))


def repetition(codes: Ints) -> Order:
    """Order in a series of symbols: how much more often rows repeat the symbol some rows before.

    Notes
    -----
    With q the sum of the squared shares and w of their cubes, rows in random order match at a
    rate of q with a variance of (q + q**2 - 2 w) / n (join counts); the value is the excess
    over q by 1 - q.
    """
    shares = np.bincount(codes) / codes.size
    q, cubes = float((shares**2).sum()), float((shares**3).sum())
    variance = q + q * q - 2 * cubes
    if variance < 1e-12:
        return Order(1, 0.0, 0.0)
    matches = [float((codes[lag:] == codes[:-lag]).mean()) for lag in _lags(codes)]
    return _strongest(
        [(match - q) / (1 - q) for match in matches],
        (1 - q) * np.sqrt(codes.size / variance),
    )


def _lags(values: Ints) -> range:
    return range(1, min(LAGS, values.size - 1) + 1)


def _strongest(values: list[float], sigmas_per_unit: float) -> Order:
    best = int(np.argmax(np.abs(values)))
    return Order(best + 1, values[best], abs(values[best]) * float(sigmas_per_unit))

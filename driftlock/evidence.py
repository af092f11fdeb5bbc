"""Figures to evidence: how strange a code length, or another figure, is for its part.

Code lengths, evidences and scores are whole millibits (1/1000 bit) inside: ties are then exact and
no sum depends on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import evidence as kernels

MILLI = 1000
TAIL_SHARE = 0.1
# Bits: the mean excess below which a baseline's tail is not trusted. No tail of code lengths falls
# faster than 2**-bits, which is a mean of log2(e); distances are no code lengths.
NARROWEST_OF_LENGTHS, NARROWEST = float(np.log2(np.e)), 1.0

NO_TAIL = (np.inf, 0.0, 0.0)

Millibits = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Calibration:
    """How strange a code length is for its part: -log2 of its leave-one-out tail probability.

    Attributes
    ----------
    low : int
        Smallest baseline length in millibits, the first entry of the tables.
    own_table, new_table : ndarray of int32
        Evidence of a baseline row's length, and of a new row's up to the threshold.
    tail : tuple of float
        Threshold in millibits, evidence there, and evidence per millibit beyond.

    Notes
    -----
    With l the baseline's leave-one-out lengths, t their 90 % quantile, k of them above t, and w
    the mean excess of those, at least log2(e) bits for code lengths (whose tails fall no faster
    than 2**-bits) and one for other figures::

        S(v) = -log2((#{l >= v} + 1 - d) / (n + 1 - d))              for v <= t
        S(v) = -log2((k - d + 1/2) / (n + 1 - d)) + log2(e) * (v - t) / w    for v > t

    A baseline row (d = 1) is not among the excesses that its own w is the mean of: otherwise the
    strangest rows of a small baseline would widen the very tail they are judged by, and new rows
    would be judged by a wider one than they.
    """

    low: int
    own_table: Millibits
    new_table: Millibits
    tail: tuple[float, float, float]

    @classmethod
    def learn(cls, lengths: Millibits, narrowest: float = NARROWEST) -> Calibration:
        """Calibrate on the baseline's own leave-one-out lengths, in millibits, shape (n,)."""
        n, low = lengths.size, int(lengths.min())
        counts = np.bincount(lengths - low)
        at_least = counts[::-1].cumsum()[::-1]
        position = int(np.searchsorted(counts.cumsum(), np.ceil((1 - TAIL_SHARE) * n)))
        threshold = low + position
        excesses = np.arange(counts.size - position) * counts[position:]
        beyond = int(counts[position + 1 :].sum())
        mean_excess = int(excesses.sum()) / max(beyond, 1)
        width = max(mean_excess, narrowest * MILLI)
        at_threshold = -MILLI * np.log2((beyond + 0.5) / (n + 1))
        reached = at_least[: position + 1]
        return cls(
            low,
            _millibits(np.append(-np.log2(reached / n), _own_tail(excesses, n, narrowest))),
            _millibits(-np.log2((reached + 1) / (n + 1))),
            (float(threshold), float(at_threshold), float(MILLI * np.log2(np.e) / width)),
        )

    def evidence(self, lengths: Millibits, *, own: bool) -> Millibits:
        """Evidence in millibits of each length in millibits; with `own`, of the baseline's."""
        if own:  # the table holds all of them
            return kernels.evidence(lengths, self.own_table, self.low, NO_TAIL)  # type: ignore[no-any-return]
        return kernels.evidence(lengths, self.new_table, self.low, self.tail)  # type: ignore[no-any-return]


def _own_tail(excesses: NDArray[np.int64], n: int, narrowest: float) -> NDArray[np.float64]:
    """Evidence in bits of baseline rows 1, 2, 3 ... millibits beyond the threshold, each left out.

    excesses[e] is the sum of the excesses of the rows that lie e millibits beyond.
    """
    own = np.arange(1, excesses.size)
    rows = excesses[1:] // own
    others = max(int(rows.sum()) - 1, 0)
    widths = np.maximum((int(excesses.sum()) - own) / max(others, 1), narrowest * MILLI)
    return -np.log2((others + 0.5) / n) + np.log2(np.e) * own / widths  # type: ignore[no-any-return]


def _millibits(bits: NDArray[np.float64]) -> Millibits:
    return np.rint(bits * MILLI).astype(np.int32)

"""Which fields of each window differ from its baseline, in standard deviations of what is usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock._kernels import permute
from driftlock.arrays import Floats, Ints
from driftlock.cancellation import checkpoint
from driftlock.evidence import MILLI
from driftlock.windows.permuted import NANO
from driftlock.windows.scan_run import ScanJob, field_statistics

TENTH = 10  # one row in so many is among the largest
LEAST_SPREAD = 0.05  # bits; a field that never varies would else have none
MOVED = 20  # one row in so many
MAX_REFERENCES, LEAST_REFERENCES = 50, 5
MAX_REFERENCE_ROWS = 5_000_000  # of all references together
Bounds = tuple[Ints, Ints, NDArray[np.int64]]


def field_heat(job: ScanJob) -> pd.DataFrame:
    """How far each field of a window is beyond its baseline, in standard deviations.

    Where rows may be exchanged, standard deviations are those of exchanged rows. Neighbours and
    groups are alike among themselves: there they are those of stretches or groups of the baseline,
    each held against the rest of it.
    """
    spans = job.spans.arrays
    sigmas = _sigmas(job, spans)
    usual = None if job.null.name == "rows" else _references(job)
    if usual is not None:
        others = _sigmas(job, usual)
        center = others.mean(axis=1, keepdims=True)
        sigmas = (sigmas - center) / np.maximum(others.std(axis=1, keepdims=True), 1.0)
    largest = np.maximum(sigmas.max(axis=0), 0.0)
    return pd.DataFrame(largest, index=job.spans.labels, columns=job.table.names)


def _sigmas(job: ScanJob, spans: Bounds) -> Floats:
    """The gain of each field and its top bits, in their own standard deviations, (2, W, F).

    The gain's are exact for exchanged rows. Those of the top bits are asymptotic: of the mean of
    the largest tenth of m draws from the baseline's bits. These are read anew whenever a trailing
    baseline has moved on by a twentieth of itself.

    References
    ----------
    Manistre and Hancock, "Variance of the CTE estimator", North American Actuarial Journal 9(2),
    2005.
    """
    told = field_statistics(job, spans)
    gains = np.ascontiguousarray(told[:, :, permute.MAX_FIELD]) * NANO
    tops = np.ascontiguousarray(told[:, :, permute.TOP_BITS]) * NANO
    baseline, _, bounds = spans

    at, tail = -1, None
    for w, (b0, b1, b2, b3) in enumerate(bounds.tolist()):
        checkpoint()
        if tail is None or abs(b0 - at) > (b1 - b0) // MOVED:
            at, tail = b0, _Tail.of(job.table.bits[:, baseline[b0:b1]] / MILLI)
        mean, deviation = tail.usual(b3 - b2)
        tops[w] = (tops[w] - mean) / deviation
    return np.stack([gains, tops])


@dataclass(frozen=True, eq=False)
class _Tail:
    """Bits of F fields in n baseline rows, the largest first, and sums of the first, (F, n)."""

    bits: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, bits: Floats) -> _Tail:
        falling = -np.sort(-bits, axis=1)
        return cls(falling, falling.cumsum(axis=1), (falling**2).cumsum(axis=1))

    def usual(self, m: int) -> tuple[Floats, Floats]:
        """Mean and standard deviation, (F,), of the largest tenth of m rows."""
        n = self.bits.shape[1]
        share = max(m // TENTH, 1) / m
        last = max(round(n * share), 1) - 1
        mean = self.sums[:, last] / (last + 1)
        variance = np.maximum(self.squares[:, last] / (last + 1) - mean**2, 0.0)
        variance += (1 - share) * (mean - self.bits[:, last]) ** 2
        return mean, np.sqrt(variance / (m * share) * (1 + m / n) + LEAST_SPREAD**2)


def _references(job: ScanJob) -> Bounds | None:
    """Stretches or groups of the first baseline, each against the rest; None where they are few."""
    first = job.spans.rows(0)[0]
    if job.null.name == "groups":
        chosen = _groups(job.labels[0])
    else:
        m = min(int(np.median(job.spans.sizes[1])), first.size // 3)
        count = min(_most(first.size), 2 * first.size // m)
        starts = np.linspace(0, first.size - m, count).astype(np.int64)
        chosen = [np.arange(start, start + m) for start in starts]
    if len(chosen) < LEAST_REFERENCES:
        return None
    rests = [np.delete(first, rows) for rows in chosen]
    ends = [np.append(0, np.cumsum([rows.size for rows in side])) for side in (rests, chosen)]
    bounds = np.column_stack([ends[0][:-1], ends[0][1:], ends[1][:-1], ends[1][1:]])
    return (
        np.concatenate(rests),
        first[np.concatenate(chosen)],
        np.ascontiguousarray(bounds, np.int64),
    )


def _most(n: int) -> int:
    """How many references n rows may make."""
    return max(min(MAX_REFERENCES, MAX_REFERENCE_ROWS // n), LEAST_REFERENCES)


def _groups(labels: pd.Series[Any]) -> list[Ints]:
    """Rows of some groups of two rows or more, that leave as many."""
    codes = pd.factorize(labels, use_na_sentinel=False)[0]
    counts = np.bincount(codes)
    fit = np.flatnonzero((counts >= 2) & (counts <= codes.size - 2))
    some = fit[
        np.unique(np.linspace(0, fit.size - 1, min(fit.size, _most(codes.size))).astype(int))
    ]
    return [np.flatnonzero(codes == code) for code in some]

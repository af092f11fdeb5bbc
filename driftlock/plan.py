"""The plan: what a test of m rows against n baseline rows can and cannot find, told beforehand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from driftlock.significance import MIN_TAIL_BASELINE


@dataclass(frozen=True)
class Plan:
    """What the sizes of a call make possible.

    Attributes
    ----------
    n_baseline, n_rows : int
        Rows that calibrate, and rows tested together.
    alpha : float
    control : str
    tail : bool
        Whether p-values below the smallest rank p may be had from the tail: asked for, of a
        baseline of 60 rows or more, and shown by their scores.
    smallest_rank_p : float
        1 / (n_baseline + 1).
    anomalies_needed : int or None
        How many rows must reach that p-value for the control to flag them by rank; None if no
        number would do.
    baseline_for_one : int
        Baseline rows with which a single row could be flagged by rank.
    shows_tail : bool
        Whether the largest scores of the baseline are enough, and different enough, to be
        continued; known once it is fitted.
    knows_normal : bool
        False where no baseline is known and each row is held against all others: no p-value is a
        rank then.

    Examples
    --------
    >>> Plan.of(400, 600, alpha=0.05, control="fdr", tail=True)
    Plan: 600 rows against a baseline of 400; fdr at alpha = 0.05
      smallest rank p-value: 0.002494
      by rank alone, at least 30 rows must be beyond the whole baseline to be flagged;
      one would suffice from a baseline of 11,999 rows on
      a lone row can be flagged through the tail, if it is far enough beyond the baseline
    """

    n_baseline: int
    n_rows: int
    alpha: float
    control: str
    tail: bool
    smallest_rank_p: float
    anomalies_needed: int | None
    baseline_for_one: int
    shows_tail: bool = True
    knows_normal: bool = True

    @classmethod
    def of(
        cls, n: int, m: int, *, alpha: float, control: str, tail: bool, shows_tail: bool = True
    ) -> Plan:
        """The plan of a call.

        Parameters
        ----------
        n, m : int
            Baseline rows that calibrate, and rows tested together.
        alpha : float
            Level of the control.
        control : str
            Control in force.
        tail : bool
            Whether p-values may come from the tail.
        shows_tail : bool
            Whether the baseline's scores have one, as far as is known.

        Returns
        -------
        Plan
            What these sizes make possible.
        """
        smallest = 1.0 / (n + 1)
        share = {"fpr": alpha, "by": alpha / (m * _harmonic(m))}.get(control, alpha / m)
        one = math.ceil(round(1.0 / share - 1.0, 9))
        needed: int | None = math.ceil(round(smallest / share, 9))
        if control in ("fpr", "fwer"):
            needed = 1 if smallest <= share else None
        elif needed is not None and needed > m:
            needed = None
        tail = tail and shows_tail and n >= MIN_TAIL_BASELINE
        return cls(n, m, alpha, control, tail, smallest, needed, one, shows_tail)

    def __repr__(self) -> str:
        how = f"{self.control} at alpha = {self.alpha:g}"
        if not self.knows_normal:
            return (
                f"Plan: {self.n_rows:,} rows, none known to be normal; {how}\n"
                "  every p-value is from the tail of all rows' scores, the largest left out;\n"
                "  reliable up to about 2 % of anomalies: more of them hide one another"
            )
        sizes = f"{self.n_rows:,} rows against a baseline of {self.n_baseline:,}"
        return "\n".join(
            [
                f"Plan: {sizes}; {how}",
                f"  smallest rank p-value: {self.smallest_rank_p:.4g}",
                *self._consequences(),
            ]
        )

    def _consequences(self) -> list[str]:
        """What follows for a row beyond the whole baseline, a line each."""
        if self.anomalies_needed == 1:
            return ["  one row beyond the whole baseline is enough to be flagged"]
        needed = "  by rank alone no row can be flagged;"
        if self.anomalies_needed is not None:
            many = f"at least {self.anomalies_needed:,} rows must be beyond the whole baseline"
            needed = f"  by rank alone, {many} to be flagged;"
        enough = f"  one would suffice from a baseline of {self.baseline_for_one:,} rows on"
        enough_for_tail = f"a baseline of {MIN_TAIL_BASELINE} rows or more"
        lone = f"  tail=True could flag a lone row that is far beyond {enough_for_tail}"
        if not self.shows_tail and self.n_baseline >= MIN_TAIL_BASELINE:
            lone = (
                "  no tail either: the baseline's largest scores are too much alike;\n"
                "  a lone row, however far out, gets the smallest rank p-value"
            )
        elif self.tail:
            reach = "if it is far enough beyond the baseline"
            lone = f"  a lone row can be flagged through the tail, {reach}"
        return [needed, enough, lone]


def _harmonic(m: int) -> float:
    return float((1.0 / np.arange(1, m + 1)).sum())

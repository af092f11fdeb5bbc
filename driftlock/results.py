"""What detection returns: frozen, printable, every number as a frame."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints, Mask
from driftlock.evidence import MILLI
from driftlock.explanation import Explanation, explained
from driftlock.fields import Schema
from driftlock.patterns import Decided
from driftlock.plan import Plan
from driftlock.scoring import Scores
from driftlock.showing import SHOWN_ROWS, as_html, headline, summary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# in front of a row's own columns; all but the last are numbers
LEADING = ["score", "bits", "p_value", "q_value", "top_field"]


@dataclass(frozen=True, eq=False)
class Null:
    """The baseline as results show it: its scores, and the mean bits of each field.

    Attributes
    ----------
    scores : ndarray of int, shape (n,)
        Scores that p-values are ranks among, in millibits.
    expected : ndarray of float64, shape (F,)
        Mean code length of each field over the baseline, in bits.
    threshold : float
        Largest score, in bits, that is not significant at alpha for a single row.
    """

    scores: Ints
    expected: Floats
    threshold: float


@dataclass(frozen=True, eq=False, repr=False)
class Detection:
    """Every tested row with its score, p-value, decision and the fields that explain it.

    Made by `driftlock.detect` or `Detector.detect`.

    Attributes
    ----------
    events : DataFrame
        The tested rows as they were given.
    calibration : str
        "loo", "split" or "cross": how the baseline's own scores were made.
    guarantee : {"exact", "calibrated", "none"}
        What is known of the p-values: exact (split calibration without tail), calibrated (levels
        held in simulation), none (no baseline).
    plan : Plan
        What the sizes of this call made possible.
    """

    events: pd.DataFrame
    scores: Scores
    decided: Decided
    null: Null
    fitted: Schema
    plan: Plan
    calibration: str
    guarantee: str

    def __len__(self) -> int:
        return len(self.events)

    @property
    def is_anomaly(self) -> Mask:
        """Which rows are flagged, shape (m,)."""
        return self.decided.q <= self.plan.alpha

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per tested row, in the order and with the index of the events.

        Columns: score and bits (in bits), p_value, p_kind ("rank", "tail" or "pattern"), q_value
        (p adjusted by the control in force), is_anomaly, top_field (the one with the largest
        evidence).
        """
        names = np.array(self._names, dtype=object)
        return pd.DataFrame(
            {
                "score": self.scores.total / MILLI,
                "bits": self.scores.bits.sum(axis=0) / MILLI,
                "p_value": self.decided.p,
                "p_kind": self.decided.kinds.astype(object),
                "q_value": self.decided.q,
                "is_anomaly": self.is_anomaly,
                "top_field": names[self.scores.top],
            },
            index=self.events.index,
        )

    @cached_property
    def fields(self) -> pd.DataFrame:
        """Code length of each field in bits, a column each; a row sums to `table.bits`."""
        return pd.DataFrame(
            self.scores.bits.T / MILLI, index=self.events.index, columns=self._names
        )

    @cached_property
    def anomalies(self) -> pd.DataFrame:
        """Flagged rows, strangest first: score, bits, p, q and top field, then their own columns.

        A result column whose name an own column has too is called ``driftlock.<name>``.
        """
        rows = self._strangest_first(np.flatnonzero(self.is_anomaly))
        return self.rows(rows)

    @cached_property
    def schema(self) -> pd.DataFrame:
        """Every field of the baseline: kind, whether it is coded, and the reason."""
        return self.fitted.table()

    def rows(self, positions: Ints) -> pd.DataFrame:
        """Result columns and own columns of some rows.

        Parameters
        ----------
        positions : ndarray of int
            Places of the rows among the tested ones, from 0.

        Returns
        -------
        DataFrame
            In the order of `positions`.
        """
        own = self.events.iloc[positions]
        result = self.table[LEADING].iloc[positions]
        taken = {str(label) for label in own.columns}
        names = [_free_name(name, taken) for name in LEADING]
        if own.columns.nlevels > 1:
            padding = ("",) * (own.columns.nlevels - 1)
            result.columns = pd.MultiIndex.from_tuples([(name, *padding) for name in names])
        else:
            result.columns = pd.Index(names, dtype=object)
        joined = pd.concat([result.reset_index(drop=True), own.reset_index(drop=True)], axis=1)
        joined.index = own.index
        return joined

    def strangest(self, n: int = SHOWN_ROWS) -> pd.DataFrame:
        """The rows with the smallest p-values and largest scores, flagged or not.

        Parameters
        ----------
        n : int, default 10
            How many.

        Returns
        -------
        DataFrame
            Result columns and own columns, strangest first.
        """
        return self.rows(self.strangest_places(n))

    def strangest_places(self, n: int | None = None) -> Ints:
        """Places of the rows with the smallest p-values and largest scores, flagged or not.

        Parameters
        ----------
        n : int, optional
            How many; all by default.

        Returns
        -------
        ndarray of int
            Places among the tested rows, from 0, the strangest first.
        """
        return self._strangest_first(np.arange(len(self)))[:n]

    def explain(self, label: Hashable = None, *, position: int | None = None) -> Explanation:
        """Why a row is strange: bits, expected bits and evidence of each field.

        Parameters
        ----------
        label : hashable
            Index label of the row.
        position : int, optional
            Its place among the tested rows instead, from 0.

        Returns
        -------
        Explanation

        Raises
        ------
        OptionError
            If there is no such row, or more than one with that label.
        """
        return explained(self, label, position)

    def summary(self) -> str:
        """What was tested, what was found and what was left out.

        Returns
        -------
        str
            A few lines.
        """
        return summary(self)

    def plot(self, ax: Axes | None = None) -> Figure:
        """Scores in row order with the flags, beside the distribution of the baseline's scores.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw the scores; without the distribution then.

        Returns
        -------
        matplotlib.figure.Figure
            A new one, or that of `ax`.
        """
        from driftlock.plot import plot_detection

        return plot_detection(self, ax)

    @property
    def against(self) -> str:
        """What the rows were compared with, in words."""
        if self.guarantee == "none":
            return "each tested against all others"
        return f"tested against {self.plan.n_baseline:,}"

    def __repr__(self) -> str:
        return headline(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    @property
    def _names(self) -> list[str]:
        return [field.name for field in self.fitted.fields]

    def _strangest_first(self, positions: Ints) -> Ints:
        order = np.lexsort(
            (positions, -self.scores.total[positions].astype(np.int64), self.decided.p[positions])
        )
        return positions[order]


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"driftlock.{name}"
    return name

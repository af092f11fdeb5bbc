"""What detection returns: frozen, printable, every number as a frame."""

from __future__ import annotations

import html
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints, Mask
from driftlock.errors import OptionError
from driftlock.fields import Schema
from driftlock.plan import Plan
from driftlock.scoring import MILLI, Scores
from driftlock.significance import RowP

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GUARANTEES = {
    "exact": "exact: split calibration, so P(p <= a) <= a for exchangeable rows",
    "calibrated": "calibrated: levels held in simulation, for exchangeable rows",
    "none": "none: no baseline was known; a ranking with flags",
}
LEADING = ["score", "bits", "p_value", "q_value", "top_field"]
SHOWN_ROWS = 10


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
        "loo" or "split": how the baseline's own scores were made.
    guarantee : {"exact", "calibrated", "none"}
        What is known of the p-values: exact (split calibration without tail), calibrated (levels
        held in simulation), none (no baseline).
    plan : Plan
        What the sizes of this call made possible.
    """

    events: pd.DataFrame
    scores: Scores
    p: RowP
    q: Floats
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
        return self.q <= self.plan.alpha

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per tested row, in the order and with the index of the events.

        Columns: score and bits (in bits), p_value, p_kind ("rank" or "tail"), q_value (p adjusted
        by the control in force), is_anomaly, top_field (the one with the largest evidence).
        """
        names = np.array(self._names, dtype=object)
        return pd.DataFrame(
            {
                "score": self.scores.total / MILLI,
                "bits": self.scores.bits.sum(axis=0) / MILLI,
                "p_value": self.p.values,
                "p_kind": self.p.kinds.astype(object),
                "q_value": self.q,
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
        """Result columns and own columns of some rows, given by position."""
        own = self.events.iloc[positions]
        result = self.table[LEADING].iloc[positions]
        taken = {str(label) for label in own.columns}
        names = [f"driftlock.{name}" if name in taken else name for name in LEADING]
        if own.columns.nlevels > 1:
            padding = ("",) * (own.columns.nlevels - 1)
            result.columns = pd.MultiIndex.from_tuples([(name, *padding) for name in names])
        else:
            result.columns = pd.Index(names, dtype=object)
        joined = pd.concat([result.reset_index(drop=True), own.reset_index(drop=True)], axis=1)
        joined.index = own.index
        return joined

    def strangest(self, n: int = SHOWN_ROWS) -> pd.DataFrame:
        """The n rows with the smallest p-values and largest scores, flagged or not."""
        return self.rows(self._strangest_first(np.arange(len(self)))[:n])

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
        place = self._place(label) if position is None else position
        if not -len(self) <= place < len(self):
            raise OptionError(f"position={place} is not among the {len(self):,} tested rows")
        row = self.events.iloc[[place]]
        flat = self.fitted.flatten(row)
        values = [flat[name].iloc[0] if name in flat else None for name in self._names]
        table = pd.DataFrame(
            {
                "value": pd.Series(values, dtype=object),
                "bits": self.scores.bits[:, place] / MILLI,
                "expected_bits": self.null.expected,
                "evidence": self.scores.evidence[:, place] / MILLI,
                "usual": [field.usual() for field in self.fitted.fields],
            }
        )
        table.index = pd.Index(self._names, name="field", dtype=object)
        ordered = table.sort_values(["evidence", "bits"], ascending=False, kind="stable")
        return Explanation(row.index[0], ordered, self.table.iloc[place])

    def summary(self) -> str:
        """What was tested, what was found and what was left out, in a few lines."""
        left_out = self.schema[~self.schema["coded"]]
        lines = [
            repr(self),
            f"calibration: {self.calibration}; guarantee {GUARANTEES[self.guarantee]}",
            repr(self.plan),
            f"fields coded: {len(self._names)}; left out: {len(left_out)}",
        ]
        lines += [f"  {name}: {row.kind}, {row.reason}" for name, row in left_out.iterrows()]
        leaders = self.table.loc[self.is_anomaly, "top_field"].value_counts()
        if len(leaders):
            counts = ", ".join(f"{name} {count:,}" for name, count in leaders.items())
            lines.append(f"fields that lead the anomalies: {counts}")
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Scores in row order with the flags, beside the distribution of the baseline's scores.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from driftlock.plot import plot_detection

        return plot_detection(self)

    def __repr__(self) -> str:
        found = int(self.is_anomaly.sum())
        noun = "anomaly" if found == 1 else "anomalies"
        return (
            f"Detection: {found:,} {noun} in {len(self):,} rows, tested against "
            f"{self.plan.n_baseline:,} ({self.plan.control} at alpha = {self.plan.alpha:g}, "
            f"{self.guarantee})"
        )

    def _repr_html_(self) -> str:
        found = self.anomalies
        head = f"<p><b>{html.escape(repr(self))}</b></p>"
        if not len(found):
            return head + self.strangest(5).to_html(float_format="%.4g")
        more = len(found) - SHOWN_ROWS
        note = f"<p>{more:,} more in <code>.anomalies</code></p>" if more > 0 else ""
        return head + found.head(SHOWN_ROWS).to_html(float_format="%.4g") + note

    @property
    def _names(self) -> list[str]:
        return [field.name for field in self.fitted.fields]

    def _strangest_first(self, positions: Ints) -> Ints:
        order = np.lexsort(
            (positions, -self.scores.total[positions].astype(np.int64), self.p.values[positions])
        )
        return positions[order]

    def _place(self, label: Hashable) -> int:
        """Position of the only row with a label."""
        try:
            found = self.events.index.get_indexer_for([label])
        except (TypeError, ValueError) as error:
            raise OptionError(f"{label!r} is no label of a tested row") from error
        if len(found) > 1:
            places = ", ".join(map(str, found[:8]))
            raise OptionError(
                f"label {label!r} stands for {len(found)} tested rows, at the positions {places}; "
                f"ask for one of them: explain(position={found[0]})"
            )
        if found[0] < 0:
            raise OptionError(
                f"{label!r} is no label of a tested row; they run from {self.events.index[0]!r} to "
                f"{self.events.index[-1]!r}"
            )
        return int(found[0])


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why one row is strange.

    Attributes
    ----------
    label : hashable
        Index label of the row.
    table : DataFrame
        A row per field, the largest evidence first: value, bits, expected_bits (mean over the
        baseline), evidence (calibrated, in bits) and the baseline's usual values.
    verdict : Series
        The row of `Detection.table`.
    """

    label: Hashable
    table: pd.DataFrame
    verdict: pd.Series[Any]

    def __repr__(self) -> str:
        shown = self.table.copy()
        shown["value"] = [_short(value) for value in shown["value"]]
        return f"{self._headline()}\n{shown.to_string(float_format='%.2f', max_colwidth=48)}"

    def _repr_html_(self) -> str:
        table = self.table.to_html(float_format="%.2f")
        return f"<p><b>{html.escape(self._headline())}</b></p>{table}"

    def _headline(self) -> str:
        row = self.verdict
        decision = "anomaly" if row["is_anomaly"] else "not flagged"
        return (
            f"Row {self.label!r}: {decision}, score {row['score']:.2f} bits, p = {row['p_value']:.3g} "
            f"({row['p_kind']}), q = {row['q_value']:.3g}; code length {row['bits']:.2f} bits"
        )


def _short(value: Any, width: int = 40) -> str:
    text = str(value)
    return text if len(text) <= width else text[: width - 3] + "..."

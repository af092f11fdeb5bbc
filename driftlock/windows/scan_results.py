"""What scan returns: a row per window, runs of flagged windows as events, and its plan."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftlock.windows.nulls import NullChoice
from driftlock.windows.results import FORMAT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 10


@dataclass(frozen=True)
class ScanPlan:
    """What the sizes of a scan make possible, told before it runs.

    Attributes
    ----------
    n_windows : int
    rows : tuple of int
        Smallest and largest window.
    first_draws, most_draws : int
        Draws of every window, and of one whose p-value is as small as these allow.
    smallest_p : float
        1 / (1 + most draws).
    windows_needed : int or None
        How many windows must reach the smallest p-value of the first draws to be flagged without
        more; None if no number would do.
    one_suffices : bool
        Whether a single window can be flagged.
    alpha : float
    control : str
    null : NullChoice
    """

    n_windows: int
    rows: tuple[int, int]
    first_draws: int
    most_draws: int
    smallest_p: float
    windows_needed: int | None
    one_suffices: bool
    alpha: float
    control: str
    null: NullChoice

    @classmethod
    def of(
        cls,
        sizes: tuple[int, int, int],
        draws: tuple[int, int],
        decision: tuple[float, str],
        null: NullChoice,
    ) -> ScanPlan:
        """The plan of a scan.

        Parameters
        ----------
        sizes : tuple of int
            Number of windows, and rows of the smallest and the largest.
        draws : tuple of int
            Draws for every window, and at most for one at the floor.
        decision : tuple of float and str
            Level and control.
        null : NullChoice
            The null distribution in force.

        Returns
        -------
        ScanPlan
            What these sizes make possible.
        """
        (alpha, control), (first, most) = decision, draws
        share = alpha if control == "fpr" else alpha / sizes[0]
        if control == "by":
            share /= float((1.0 / np.arange(1, sizes[0] + 1)).sum())
        needed: int | None = max(1, math.ceil(round(1.0 / (first + 1) / share, 9)))
        if needed is not None and needed > (1 if control in ("fpr", "fwer") else sizes[0]):
            needed = None
        smallest = 1.0 / (most + 1)
        return cls(
            sizes[0],
            sizes[1:],
            first,
            most,
            smallest,
            needed,
            smallest <= share,
            alpha,
            control,
            null,
        )

    def __repr__(self) -> str:
        low, high = self.rows
        rows = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        lines = [
            (
                f"ScanPlan: {self.n_windows:,} windows of {rows} rows; "
                f"{self.control} at alpha = {self.alpha:g}"
            ),
            f"  null: {self.null!r}",
            f"  draws: {self.first_draws:,} for each window, at most {self.most_draws:,}",
            f"  smallest p-value: {self.smallest_p:.3g}",
        ]
        if self.one_suffices:
            lines.append("  a single window can be flagged")
        elif self.windows_needed is None:
            is_grouped = self.null.name == "groups"
            ways = "more groups in the" if is_grouped else "more draws, a longer"
            lines.append(f"  no window can be flagged; take {ways} baseline or fewer windows")
        else:
            lines.append(
                f"  at least {self.windows_needed:,} windows must be extreme to be flagged"
            )
        return "\n".join(lines)


@dataclass(frozen=True, eq=False, repr=False)
class Scan:
    """Every window with its statistics, p-value and decision.

    Attributes
    ----------
    table : DataFrame
        A row per window: start, end (row labels or times), rows, the statistics, p_value, q_value
        (p adjusted by the control in force), is_anomaly, draws (used), top_field
        (the one with most in `fields`).
    fields : DataFrame
        Windows by fields: how many standard deviations a field's gain (what it is coded shorter by
        apart from the baseline), or its top bits, are beyond what the null gives, whichever is
        more: exchanged rows, or, where rows or groups hang together, stretches or groups of the
        baseline.
    plan : ScanPlan
    null : NullChoice
    left_out : DataFrame
        Windows with fewer than two rows.
    is_ordered : bool
        Whether neighbours in `table` are neighbours in time; groups are not.
    fallback_from : str or None
    """

    table: pd.DataFrame
    fields: pd.DataFrame
    plan: ScanPlan
    null: NullChoice
    left_out: pd.DataFrame
    is_ordered: bool = True
    fallback_from: str | None = None

    def __len__(self) -> int:
        return len(self.table)

    @property
    def anomalies(self) -> pd.DataFrame:
        """Flagged windows, the smallest p-value first."""
        flagged = self.table[self.table["is_anomaly"]]
        return flagged.sort_values("p_value", kind="stable")

    @cached_property
    def events(self) -> pd.DataFrame:
        """Runs of consecutive flagged windows, each as one event.

        Columns: first and last window, start, end, windows, p_value (the smallest), top_field (of
        the window with it). Overlapping windows share rows, so that one odd stretch flags several.
        """
        flags = self.table["is_anomaly"].to_numpy()
        rows: list[dict[str, Any]] = []
        for first, last in runs(flags, joined=self.is_ordered):
            part = self.table.iloc[first : last + 1]
            best = part.iloc[int(part["p_value"].to_numpy().argmin())]
            rows.append(
                {
                    "first_window": part.index[0],
                    "last_window": part.index[-1],
                    "start": part["start"].iloc[0],
                    "end": part["end"].iloc[-1],
                    "windows": len(part),
                    "p_value": best["p_value"],
                    "top_field": best["top_field"],
                }
            )
        columns = ["first_window", "last_window", "start", "end", "windows", "p_value", "top_field"]
        return pd.DataFrame(rows, columns=columns)

    def plot(self) -> Figure:
        """p-values of the windows in order, the flagged ones marked, over a heat map of the fields.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from driftlock.windows.plots import plot_scan

        return plot_scan(self)

    def __repr__(self) -> str:
        found, events = int(self.table["is_anomaly"].sum()), len(self.events)
        return (
            f"Scan: {found:,} of {len(self):,} windows differ from the baseline, in {events:,} "
            f"event(s) ({self.plan.control} at alpha = {self.plan.alpha:g}, null {self.null.name})"
        )

    def _repr_html_(self) -> str:
        head = f"<p><b>{html.escape(repr(self))}</b></p>"
        shown = self.events if len(self.events) else self.table.nsmallest(5, "p_value")
        more = len(shown) - SHOWN
        note = f"<p>{more:,} more</p>" if more > 0 else ""
        return head + shown.head(SHOWN).to_html(float_format=FORMAT.__mod__) + note


def runs(flags: np.ndarray[Any, Any], *, joined: bool = True) -> list[tuple[int, int]]:
    """First and last place of every run of true flags; each alone unless `joined`.

    Examples
    --------
    >>> runs(np.array([True, True, False, True]))
    [(0, 1), (3, 3)]
    """
    places = np.flatnonzero(flags)
    if not places.size:
        return []
    gap = 1 if joined else 0
    parts = np.split(places, np.flatnonzero(np.diff(places) > gap) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]

"""Pictures: their data from a plain function, drawn by another; matplotlib comes in only here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from driftlock.arrays import Floats, Ints
from driftlock.evidence import MILLI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from driftlock.results import Detection

MAX_POINTS = 20_000
N_BINS, THINNEST_BIN = 40, 1 / 120  # of the height of the picture
FEW_POINTS = 1_000
NORMAL, FLAGGED = "#6b7f99", "#c8372d"
FAR = 10.0  # times the baseline's largest score: one row out there would press all others flat
LINEAR_SHARE = 2.0  # the linear part of the axis, in decades of the rest


@dataclass(frozen=True, eq=False)
class Points:
    """Rows to draw: positions and scores in bits, of normal and of flagged rows.

    `stretch` is the number of rows that a point of `normal` stands for: their strangest.
    """

    normal: tuple[Ints, Floats]
    flagged: tuple[Ints, Floats]
    stretch: int = 1


def points_of(found: Detection, limit: int = MAX_POINTS) -> Points:
    """Every flagged row, and of the others the strangest of each of at most `limit` stretches."""
    scores = found.scores.total / MILLI
    flagged = np.flatnonzero(found.is_anomaly)
    normal = np.flatnonzero(~found.is_anomaly)
    stretch = max(1, -(-normal.size // limit))
    if stretch > 1:
        starts = np.arange(0, normal.size, stretch)
        order = np.lexsort((scores[normal], np.arange(normal.size) // stretch))
        normal = normal[order[np.append(starts[1:], normal.size) - 1]]
    return Points((normal, scores[normal]), (flagged, scores[flagged]), stretch)


def null_bins(null: Floats, highest: float) -> Floats:
    """Edges of the bins of the baseline's scores, wide enough to be seen beside `highest`."""
    low, high = float(null.min()), float(null.max())
    width = max((high - low) / N_BINS, (max(highest, high) - low) * THINNEST_BIN, 1e-3)
    return low + width * np.arange(int((high - low) / width) + 2, dtype=np.float64)


def linear_up_to(null: Floats, highest: float) -> float | None:
    """Score from which on the axis is logarithmic; None where all of it may be linear."""
    reach = max(float(null.max()), 1.0)
    return reach if highest > FAR * reach else None


def ink(axes: Any) -> Any:
    """The colour of the axes' own writing, which can be seen on their ground."""
    return axes.yaxis.label.get_color()


def plot_detection(found: Detection, ax: Axes | None = None) -> Figure:
    """Scores in row order with the flags, beside the distribution of the baseline's scores.

    Parameters
    ----------
    found : Detection
        What `driftlock.detect` returned.
    ax : matplotlib Axes, optional
        Where to draw the scores; without the distribution then.

    Returns
    -------
    matplotlib.figure.Figure
        A new one with two axes that share the score axis, or that of `ax`.
    """
    from driftlock.picture import Picture

    if ax is not None:
        _draw_rows(ax, found)
        return ax.figure  # type: ignore[return-value]
    figure = Picture(figsize=(9.5, 4.2), layout="constrained")
    rows, null = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    _draw_rows(rows, found)
    scores = found.null.scores / MILLI
    highest = float(found.scores.total.max()) / MILLI
    bins = null_bins(scores, linear_up_to(scores, highest) or highest)
    null.hist(scores, bins=bins, orientation="horizontal", color=NORMAL)
    compared = "baseline" if found.plan.knows_normal else "all"
    null.set(xlabel=f"{compared} rows")
    null.set_title(compared, loc="left", fontsize=10)
    null.locator_params(axis="x", nbins=3, integer=True)
    _draw_level(null, found)
    return figure


def _draw_rows(axes: Any, found: Detection) -> None:
    points = points_of(found)
    others = "not flagged"
    if points.stretch > 1:
        others += f" (the strangest of each {points.stretch:,})"
    size = 3 if points.normal[0].size > FEW_POINTS else 5
    axes.plot(*points.normal, ".", color=NORMAL, markersize=size, alpha=0.6, label=others)
    flagged = f"flagged ({points.flagged[0].size:,})"
    axes.plot(*points.flagged, "o", color=FLAGGED, markersize=5, label=flagged)
    axes.set(xlabel="place among the tested rows, from 0", ylabel="score (bits of evidence)")
    reach = linear_up_to(found.null.scores / MILLI, float(found.scores.total.max()) / MILLI)
    if reach is not None:
        axes.set_yscale("symlog", linthresh=reach, linscale=LINEAR_SHARE)
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.set_ylabel(f"score (bits of evidence,\nlogarithmic from {reach:.0f} on)")
    axes.set_xlim(-0.02 * len(found) - 0.5, 1.02 * len(found) - 0.5)
    axes.locator_params(axis="x", integer=True, min_n_ticks=1)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title(_title(found), loc="left", fontsize=10)
    _draw_level(axes, found)
    axes.legend(loc="best", fontsize=8)


def _draw_level(axes: Any, found: Detection) -> None:
    """The score that one row alone would need, where there is one."""
    if np.isfinite(found.null.threshold):
        style = {"color": ink(axes), "linewidth": 0.8, "linestyle": "--"}
        label = f"p = {found.plan.alpha:g} for one row alone"
        axes.axhline(found.null.threshold, label=label, **style)


def _title(found: Detection) -> str:
    flagged = f"{int(found.is_anomaly.sum()):,} of {len(found):,} rows flagged"
    return f"{flagged}, {found.against} ({found.plan.control}, alpha = {found.plan.alpha:g})"

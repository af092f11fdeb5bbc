"""Pictures: data for each from a plain function, drawn by another; matplotlib comes in only here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from driftlock.arrays import Floats, Ints
from driftlock.scoring import MILLI

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from driftlock.results import Detection

MAX_POINTS = 20_000
NORMAL, FLAGGED, LINE = "#6b7f99", "#c8372d", "#333333"


@dataclass(frozen=True, eq=False)
class Points:
    """Rows to draw: positions and scores in bits, of normal and of flagged rows."""

    normal: tuple[Ints, Floats]
    flagged: tuple[Ints, Floats]


def points_of(found: Detection, limit: int = MAX_POINTS) -> Points:
    """Every flagged row, and of the others at most `limit`: the strangest of each stretch of rows."""
    scores = found.scores.total / MILLI
    flagged = np.flatnonzero(found.is_anomaly)
    normal = np.flatnonzero(~found.is_anomaly)
    if normal.size > limit:
        stretches = np.array_split(normal, limit)
        normal = np.array([stretch[scores[stretch].argmax()] for stretch in stretches])
    return Points((normal, scores[normal]), (flagged, scores[flagged]))


def plot_detection(found: Detection) -> Figure:
    """Scores in row order with the flags, beside the distribution of the baseline's scores.

    Parameters
    ----------
    found : Detection
        What `driftlock.detect` returned.

    Returns
    -------
    matplotlib.figure.Figure
        Two axes that share the score axis.
    """
    from matplotlib.figure import Figure

    points = points_of(found)
    figure = Figure(figsize=(9.5, 4.2), layout="constrained")
    rows, null = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    rows.plot(*points.normal, ".", color=NORMAL, markersize=3, alpha=0.6, label="not flagged")
    rows.plot(
        *points.flagged,
        "o",
        color=FLAGGED,
        markersize=5,
        label=f"flagged ({len(points.flagged[0]):,})",
    )
    rows.set(xlabel="row, in the order of the events", ylabel="score (bits of evidence)")
    rows.set_title(_title(found), loc="left", fontsize=10)
    rows.legend(loc="best", fontsize=8)
    bins = np.histogram_bin_edges(found.null.scores / MILLI, bins=40)
    null.hist(found.null.scores / MILLI, bins=bins, orientation="horizontal", color=NORMAL)
    null.set(xlabel="baseline rows")
    null.set_title("null", loc="left", fontsize=10)
    if np.isfinite(found.null.threshold):
        for axes in (rows, null):
            axes.axhline(found.null.threshold, color=LINE, linewidth=0.8, linestyle="--")
        null.annotate(
            f"p = {found.plan.alpha:g}",
            (0.98, found.null.threshold),
            xycoords=("axes fraction", "data"),
            ha="right",
            va="bottom",
            fontsize=8,
        )
    return figure


def _title(found: Detection) -> str:
    plan = found.plan
    return (
        f"{int(found.is_anomaly.sum()):,} of {len(found):,} rows flagged against a baseline of "
        f"{plan.n_baseline:,} ({plan.control}, alpha = {plan.alpha:g})"
    )

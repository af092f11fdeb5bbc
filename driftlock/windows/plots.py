"""Pictures of windows: matplotlib comes in only here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftlock.arrays import Floats, Mask
from driftlock.plot import ink

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from driftlock.windows.results import Comparison, PermutationResult
    from driftlock.windows.scan_results import Scan

NORMAL, FLAGGED = "#6b7f99", "#c8372d"
MAX_COLUMNS, MAX_FIELDS = 2_000, 30
MAX_NAMES = 30
TOP_SIGMAS = 8.0
FIELD_WIDTH, GROUP_WIDTH = 36, 28  # characters: longer names leave no room for the picture
INCHES = 0.07  # a character's, of names that stand upright


@dataclass(frozen=True, eq=False)
class Heat:
    """What a scan's heat map shows.

    Attributes
    ----------
    sigmas : ndarray of float64, shape (fields, columns)
        The largest of each stretch of windows, capped at 8.
    fields : list of str
    edges : ndarray of int, shape (columns + 1,)
        First window of each column, and the number of windows.
    """

    sigmas: Floats
    fields: list[str]
    edges: NDArray[np.int64]


def heat_of(found: Scan) -> Heat:
    """The fields that stand out most, over stretches of windows where these are many."""
    largest = found.fields.max().sort_values(ascending=False, kind="stable")
    fields = list(largest.index[:MAX_FIELDS])
    values = found.fields[fields].to_numpy().T
    columns = min(len(found), MAX_COLUMNS)
    edges = np.linspace(0, len(found), columns + 1).astype(np.int64)
    stretched = np.maximum.reduceat(values, edges[:-1], axis=1)
    return Heat(np.minimum(stretched, TOP_SIGMAS), [str(name) for name in fields], edges)


def short_names(names: Iterable[Any], width: int) -> list[str]:
    """Names of at most `width` characters: cut at the end, or in the middle where that tells more.

    What is alike in the beginning often differs at the end.
    """
    texts = [str(name) for name in names]
    head, tail = width // 2 - 1, width - width // 2 - 2
    cut = [t if len(t) <= width else f"{t[: width - 3]}..." for t in texts]
    parted = [t if len(t) <= width else f"{t[:head]}...{t[-tail:]}" for t in texts]
    return parted if len(set(parted)) > len(set(cut)) else cut


def plot_scan(found: Scan) -> Figure:
    """p-values of the windows in order, the flagged ones marked, over a heat map of the fields.

    Parameters
    ----------
    found : Scan
        What `driftlock.scan` returned.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from driftlock.picture import Picture

    heat = heat_of(found)
    heat_height = 0.5 + 0.22 * max(len(heat.fields), 5)
    figure = Picture(figsize=(9.5, 2.1 + heat_height + _upright(found)), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[2.0, heat_height])
    _draw_p(above, found)
    image = below.pcolormesh(
        heat.edges,
        np.arange(len(heat.fields) + 1),
        heat.sigmas,
        cmap="magma",
        vmin=0,
        vmax=TOP_SIGMAS,  # the same in every picture: what is faint in one is faint in all
    )
    fields = short_names(heat.fields, FIELD_WIDTH)
    below.set_yticks(np.arange(len(fields)) + 0.5, fields, fontsize=8)
    below.invert_yaxis()
    _name_windows(below, found)
    figure.colorbar(image, ax=below, extend="max", label="sigmas beyond what\nthe null gives")
    return figure


def _names_of(found: Scan) -> tuple[list[str], str]:
    """Groups by their name, windows of time by their start, windows of rows by their number."""
    starts = found.table["start"]
    if not found.is_ordered:
        return short_names(found.table.index, GROUP_WIDTH), str(found.table.index.name)
    if starts.dtype.kind == "M":
        return starts.dt.strftime("%Y-%m-%d\n%H:%M").tolist(), "start of the window"
    return [str(number) for number in found.table.index], "window"


def _are_upright(names: list[str]) -> bool:
    return len(names) <= MAX_NAMES and max(map(len, names)) * len(names) > MAX_NAMES * 4


def _upright(found: Scan) -> float:
    """Inches that upright names of groups need."""
    names, _ = _names_of(found)
    return INCHES * max(map(len, names)) if not found.is_ordered and _are_upright(names) else 0.0


def _name_windows(axes: Axes, found: Scan) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    names, title = _names_of(found)

    def name_at(place: float, _: int | None) -> str:
        return names[int(place)] if 0 <= place < len(names) else ""

    axes.set_xlabel(title)
    if len(names) <= MAX_NAMES:
        axes.set_xticks(np.arange(len(names)) + 0.5, names, fontsize=8)
        if _are_upright(names):
            axes.tick_params(axis="x", rotation=90)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(name_at))
        axes.tick_params(axis="x", labelsize=8)


def _draw_p(axes: Axes, found: Scan) -> None:
    p = found.table["p_value"].to_numpy()
    flagged: Mask = found.table["is_anomaly"].to_numpy(bool)
    places = np.arange(len(found)) + 0.5
    axes.semilogy(places[~flagged], p[~flagged], ".", color=NORMAL, markersize=4)
    axes.semilogy(places[flagged], p[flagged], "o", color=FLAGGED, markersize=5)
    axes.axhline(found.plan.alpha, color=ink(axes), linewidth=0.8, linestyle="--")
    axes.annotate(
        "alpha" if found.plan.control == "fpr" else "alpha, before the control",
        (1.0, found.plan.alpha),
        xycoords=("axes fraction", "data"),
        xytext=(-3, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=7,
        color=ink(axes),
    )
    axes.set_ylabel("p-value")
    axes.set_ylim(1.4, min(float(p.min()), found.plan.alpha) / 1.8)  # the strangest on top
    axes.set_title(
        f"{int(flagged.sum()):,} of {len(found):,} windows flagged "
        f"({found.plan.control}, alpha = {found.plan.alpha:g}, null {found.null.name})",
        loc="left",
        fontsize=10,
    )


def plot_comparison(found: Comparison) -> Figure:
    """Null distributions of the verdict's statistics, and the fields that drive the difference.

    Parameters
    ----------
    found : Comparison
        What `driftlock.compare` returned.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from driftlock.picture import Picture

    shown = found.table[found.table["in_verdict"]]
    figure = Picture(figsize=(3.0 * (len(shown) + 1), 3.2), layout="constrained")
    axes = figure.subplots(1, len(shown) + 1)
    for place, (name, row) in zip(axes, shown.iterrows(), strict=False):
        _draw_null(place, found.draws[name].to_numpy(), row["observed"])
        place.set_title(f"{name}: p = {row['p_value']:.3g}", loc="left", fontsize=9)
        place.locator_params(axis="x", nbins=4)
    axes[0].set_ylabel("draws", fontsize=8)
    axes[0].set_xlabel("red: the window", fontsize=8, loc="left")
    leading = found.fields.head(8)[::-1]
    colours = [FLAGGED if p <= found.alpha else NORMAL for p in leading["p_value"]]
    places = np.arange(len(leading))
    axes[-1].barh(places, -np.log10(leading["p_value"]), color=colours)
    axes[-1].set_yticks(places, short_names(leading.index, FIELD_WIDTH))
    dashed = {"color": ink(axes[-1]), "linewidth": 0.8, "linestyle": "--"}
    axes[-1].axvline(-np.log10(found.alpha), **dashed)
    axes[-1].set_title("fields: -log10 p", loc="left", fontsize=9)
    axes[-1].set_xlabel("dashed: alpha", fontsize=8, loc="left")
    axes[-1].tick_params(labelsize=8)
    return figure


def plot_null(found: PermutationResult) -> Figure:
    """Histogram of the null distribution with the statistic.

    Parameters
    ----------
    found : PermutationResult
        What `driftlock.permutation_test` returned.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from driftlock.picture import Picture

    figure = Picture(figsize=(5.0, 3.2), layout="constrained")
    axes = figure.subplots()
    _draw_null(axes, found.null_distribution, found.statistic)
    axes.set_title(f"p = {found.p_value:.3g} ({found.alternative})", loc="left", fontsize=10)
    axes.set(xlabel="statistic (red: the window)", ylabel="draws")
    return figure


def _draw_null(axes: Any, null: Floats, observed: float) -> None:
    axes.hist(null, bins=min(40, max(5, null.size // 10)), color=NORMAL)
    axes.axvline(observed, color=FLAGGED, linewidth=1.5)
    axes.tick_params(labelsize=8)

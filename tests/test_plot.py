"""The picture: its data on numbers, and that it can be drawn whatever was found."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock.plot import THINNEST_BIN, linear_up_to, null_bins, points_of


def detection(values, baseline_size=100, **options):
    baseline = np.random.default_rng(0).normal(size=baseline_size)
    events = pd.DataFrame({"x": values}, index=range(1000, 1000 + len(values)))
    return dl.detect(events, baseline=pd.DataFrame({"x": baseline}), **options)


VALUES = np.random.default_rng(1).normal(size=120)
VALUES[[10, 90]] = [1e6, -1e9]


def test_points_are_all_rows_split_by_the_decision():
    found = detection(VALUES)
    points = points_of(found)
    flagged = np.flatnonzero(found.table["is_anomaly"])
    assert {10, 90} <= set(flagged)
    np.testing.assert_array_equal(points.flagged[0], flagged)
    np.testing.assert_array_equal(points.normal[0], np.setdiff1d(np.arange(120), flagged))
    for places, scores in (points.flagged, points.normal):
        np.testing.assert_array_equal(scores, found.table["score"].to_numpy()[places])
    assert points.stretch == 1


@pytest.mark.parametrize("limit", [1, 7, 50, 117, 118, 500])
def test_long_tables_keep_every_flag_and_the_strangest_of_each_stretch(limit):
    found = detection(VALUES)
    all_points, points = points_of(found), points_of(found, limit=limit)
    np.testing.assert_array_equal(points.flagged[0], all_points.flagged[0])
    places, scores = points.normal
    assert len(places) <= limit
    assert (np.diff(places) > 0).all()
    starts = np.arange(0, all_points.normal[0].size, points.stretch)
    np.testing.assert_array_equal(scores, np.maximum.reduceat(all_points.normal[1], starts))
    np.testing.assert_array_equal(scores, found.table["score"].to_numpy()[places])


@pytest.mark.parametrize(
    ("null", "highest"), [([0.0, 3.0, 7.5], 5.0), ([0.0, 3.0], 1e6), ([0.0] * 5, 9.0), ([2.0], 2.0)]
)
def test_bins_hold_every_baseline_score_and_can_be_seen(null, highest):
    edges = null_bins(np.array(null), highest)
    counts, _ = np.histogram(null, edges)
    assert counts.sum() == len(null)
    assert np.diff(edges).min() >= 0.99 * THINNEST_BIN * (highest - min(null))
    assert len(edges) < 50


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (VALUES, {}),
        ([0.1, 0.2], {}),  # no flag
        ([1e300], {}),  # one row, flagged
        ([1e300, -1e300, np.inf, np.nan] * 30, {}),  # flags only
        (VALUES, {"alpha": 1e-9}),  # a level that no rank reaches
    ],
)
def test_it_is_drawn_whatever_was_found(values, options):
    found = detection(np.array(values), **options)
    figure = found.plot()
    rows, null = figure.axes
    drawn = sum(len(line.get_xdata()) for line in rows.get_lines()[:2])
    assert drawn == len(found)
    flags = int(found.table["is_anomaly"].sum())
    labels = [text.get_text() for text in rows.get_legend().get_texts()]
    assert f"flagged ({flags})" in labels
    assert rows.get_title(loc="left").startswith(f"{flags} of {len(found)} rows flagged")
    assert sum(bar.get_width() for bar in null.patches) == 100
    figure.savefig(io.BytesIO(), format="png")


@pytest.mark.parametrize(
    ("null", "highest", "reach"),
    [([0.0, 12.0], 120.0, None), ([0.0, 12.0], 121.0, 12.0), ([0.0], 9, None), ([0.0], 11, 1.0)],
)
def test_what_is_far_beyond_the_baseline_makes_the_axis_logarithmic(null, highest, reach):
    assert linear_up_to(np.array(null), highest) == reach


def test_one_row_far_out_does_not_press_the_others_flat():
    rng = np.random.default_rng(2)
    lines = [f"user {rng.integers(99)} opened file {rng.integers(999)}" for _ in range(300)]
    lines[250] = "#!$%&/()=?" * 40
    figure = dl.detect(pd.Series(lines), baseline=200).plot()
    rows, null = figure.axes
    assert rows.get_yscale() == null.get_yscale() == "symlog"
    assert "logarithmic" in rows.get_ylabel()
    heights = rows.transData.transform([(0, 0), (0, max(rows.get_lines()[0].get_ydata()))])[:, 1]
    assert np.diff(heights)[0] > 0.3 * rows.get_window_extent().height
    assert sum(bar.get_width() for bar in null.patches) == 200
    figure.savefig(io.BytesIO(), format="png")


def test_lines_can_be_seen_on_a_dark_ground():
    import matplotlib as mpl

    with mpl.rc_context({"axes.facecolor": "black", "axes.labelcolor": "white"}):
        figure = detection(VALUES).plot()
    for axes in figure.axes:
        assert axes.get_lines()[-1].get_color() == "white"


def test_it_draws_on_given_axes():
    from matplotlib.figure import Figure

    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert detection(VALUES).plot(ax=right) is figure
    assert not left.has_data()
    assert right.has_data()
    assert len(figure.axes) == 2


def test_without_a_baseline_the_title_says_so():
    figure = dl.detect(pd.DataFrame({"x": VALUES})).plot()
    assert "each tested against all others" in figure.axes[0].get_title(loc="left")


@pytest.mark.parametrize(("known", "label"), [(True, "baseline rows"), (False, "all rows")])
def test_the_second_picture_names_what_the_rows_were_compared_with(known, label):
    found = detection(VALUES) if known else dl.detect(pd.DataFrame({"x": VALUES}))
    assert found.plot().axes[1].get_xlabel() == label

"""Where the windows of a scan lie, and their baselines: by rows, by time, by groups."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from windowing import DRAWS, sessions, table

from driftlock.errors import DriftlockWarning
from driftlock.windows import scan
from driftlock.windows.spans import by_rows, by_time


def test_a_trailing_baseline_with_a_guard(stream):
    found = scan(stream, window=50, trailing=True, guard=100, n_permutations=DRAWS, rng=1)
    assert found.table["start"].iloc[0] == 500
    assert bool(found.table.set_index("start").loc[800, "is_anomaly"])


@pytest.mark.parametrize("guard", [0, 1, 30])
def test_a_trailing_baseline_ends_before_the_guard(guard):
    n, tested = 40, table(100)
    instants = np.arange(100) * 60_000_000
    by_minutes = by_time(n, instants, 20 * 60_000_000, 10 * 60_000_000, guard)
    for spans in (by_rows(n, tested, 20, 10, guard), by_minutes):
        assert len(spans) > 5
        for w in range(len(spans)):
            baseline, window = spans.rows(w)
            assert baseline.tolist() == list(range(window[0] - guard - n, window[0] - guard))
            assert window[0] == n + guard + 10 * w
    frozen = by_rows(n, tested, 20, 10, None)
    assert all(frozen.rows(w)[0].tolist() == list(range(n)) for w in range(len(frozen)))


def test_windows_tumble_by_default(stream):
    found = scan(stream, window=100, n_permutations=19, rng=1)
    assert found.table["start"].tolist() == list(range(400, 1_200, 100))
    assert found.table["end"].tolist() == list(range(499, 1_200, 100))


def test_time_windows():
    times = pd.date_range("2025-01-01", periods=700, freq="10min")
    events = table(700).assign(when=times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        found = scan(events, window="6h", hop="3h", null="rows", n_permutations=19, rng=1)
        indexed = scan(
            events.drop(columns="when").set_index(times),
            window="6h",
            hop="3h",
            null="rows",
            n_permutations=19,
            rng=1,
        )
    assert found.table["start"].iloc[0] == times[400]
    assert (found.table["rows"].iloc[:-2] == 36).all()
    assert indexed.table["rows"].equals(found.table["rows"])
    assert found.table["end"].iloc[0] - found.table["start"].iloc[0] == pd.Timedelta("6h")


def test_a_baseline_that_trails_in_time():
    times = pd.date_range("2025-01-01", periods=175, freq="40min").repeat(4)  # four rows each
    events = table(700).assign(when=times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        found = scan(
            events,
            baseline=100,
            window="8h",
            trailing=True,
            guard=6,
            null="rows",
            n_permutations=19,
            rng=1,
        )
    assert found.table["rows"].iloc[0] == 46  # 48 in eight hours, without two in the guard
    assert (found.table["rows"].iloc[1:-1] == 48).all()


def test_gaps_in_time_are_listed_not_tested():
    times = pd.date_range("2025-01-01", periods=460, freq="1min").to_series(index=range(460))
    times[430:] += pd.Timedelta("3h")
    events = table(460).assign(when=times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        found = scan(events, window="30min", null="rows", n_permutations=19, rng=1)
    assert len(found) == 2
    assert (found.left_out["rows"] == 0).all()
    assert len(found.left_out) == 6


def test_a_window_for_each_group():
    events = sessions(60, 20, 5)
    events.loc[events["who"] == "g50", "x"] += 40
    found = scan(events, baseline=800, groups="who", control="fpr", rng=1)
    assert list(found.table.index) == [f"g{i}" for i in range(40, 60)]
    assert found.null.name == "groups"
    assert bool(found.table.loc["g50", "is_anomaly"])
    assert found.table["draws"].unique().tolist() == [40]
    assert len(found.events) == found.table["is_anomaly"].sum()

"""Pictures of windows: what they show, how they name windows, and their scale."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from windowing import DRAWS, sessions, table

from driftlock.errors import DriftlockWarning
from driftlock.windows import compare, permutation_test, scan
from driftlock.windows.plots import heat_of


def test_pictures(stream):
    found = scan(stream, window=100, n_permutations=DRAWS, rng=1)
    heat = heat_of(found)
    assert heat.sigmas.shape == (6, 8)
    assert heat.sigmas.max() <= 8.0
    assert len(found.plot().axes) == 3
    compared = compare(stream[:400], stream[800:850], n_permutations=DRAWS, rng=1)
    assert len(compared.plot().axes) == 5
    tested = permutation_test(stream[:400], stream[800:850], n_permutations=DRAWS, rng=1)
    assert "p = " in tested.plot().axes[0].get_title(loc="left")


def ticks(figure):
    figure.canvas.draw()
    return [label.get_text() for label in figure.axes[1].get_xticklabels()]


@pytest.mark.jit
def test_pictures_name_windows_as_users_do(stream):
    few = scan(stream[:700], window=100, n_permutations=19, rng=1)
    assert ticks(few.plot()) == ["0", "1", "2"]
    by_group = scan(sessions(60, 20, 5), baseline=800, groups="who", n_permutations=19, rng=1)
    figure = by_group.plot()
    assert ticks(figure) == [f"g{i}" for i in range(40, 60)]
    assert figure.axes[1].get_xlabel() == "who"
    times = pd.date_range("2025-01-01", periods=len(stream), freq="10min")
    timed = stream.assign(when=times)
    with pytest.warns(DriftlockWarning, match="too few to show"):  # the last ones
        by_time = scan(timed, window="8h", hop="2h", null="rows", n_permutations=19, rng=1)
    shown = ticks(by_time.plot())
    assert times[400].strftime("%Y-%m-%d\n%H:%M") in shown
    assert len(shown) < 12


def test_long_names_leave_room_for_the_picture():
    events = sessions(24, 20, 5)
    names = [f"a customer with a rather long name, number {i}" for i in range(24)]
    events["who"] = np.repeat(names, 20)
    events["a measure of something that takes many words to say, the first"] = events["x"]
    events["a measure of something that takes many words to say, the second"] = -events["x"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no window can be flagged", DriftlockWarning)
        found = scan(events, baseline=240, groups="who", n_permutations=19, rng=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a layout that collapses
        figure = found.plot()
        shown = ticks(figure)
    assert len(set(shown)) == 12
    assert max(map(len, shown)) <= 28
    assert all(name.startswith("a customer") for name in shown)
    fields = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert any(name.endswith("the second") for name in fields)
    assert max(map(len, fields)) <= 36
    for axes in figure.axes[:2]:
        assert axes.get_window_extent().height > 60
        assert axes.get_window_extent().width > 400


def test_the_scale_of_a_heat_map_is_fixed(stream):
    one = scan(stream[:450], window=50, n_permutations=19, rng=1).plot()
    many = scan(stream, window=50, n_permutations=19, rng=1).plot()
    for figure in (one, many):
        assert figure.axes[1].collections[0].get_clim() == (0.0, 8.0)
    bottom, top = one.axes[0].get_ylim()
    assert bottom > 1.0
    assert top < 0.05


@pytest.mark.parametrize("write", ["index", "column", "arrow", "text"])
def test_windows_of_time_are_told_in_the_zone_of_the_times(write):
    times = pd.date_range("2025-03-29 18:00", periods=700, freq="min", tz="Europe/Berlin")
    events = table(700)
    events = events.set_axis(times) if write == "index" else events.assign(when=times)
    if write == "arrow":
        events = events.convert_dtypes(dtype_backend="pyarrow")
    if write == "text":
        events["when"] = [time.isoformat() for time in times]
    found = scan(events, window="1h", null="rows", n_permutations=19, rng=1)
    starts, ends = found.table["start"], found.table["end"]
    zone = "UTC" if write == "text" else "Europe/Berlin"
    assert str(starts.dt.tz) == str(ends.dt.tz) == zone
    assert starts.iloc[0] == times[400]
    assert ends.iloc[0] == times[460]
    assert ticks(found.plot())[0] == times[400].tz_convert(zone).strftime("%Y-%m-%d\n%H:%M")

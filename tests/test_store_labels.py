"""Zones and labels of rows in a saved detector: they come back, or it is said that they cannot."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from dateutil import tz
from saving import EVENTS, NORMAL, N, back, results

import driftlock as dl
from driftlock.baseline import Overlap
from driftlock.fields.typed import TimeField
from driftlock.store import REGISTRY
from driftlock.store.labels import UnstorableError
from driftlock.store.nodes import Reader

ZONES = [
    ZoneInfo("America/New_York"),
    ZoneInfo("UTC"),
    UTC,
    timezone(timedelta(hours=-3, minutes=-30)),
    timezone(timedelta(hours=2), "two"),
    tz.gettz("Asia/Kolkata"),
    tz.gettz("Europe/Berlin"),
    tz.tzutc(),
    tz.tzoffset("x", 3600),
]


@pytest.mark.parametrize("zone", ZONES, ids=repr)
def test_zones_come_back_as_the_same_clock(zone):
    found = back(TimeField("when", zone, None, True, ("hour",), np.zeros(24, np.int64))).zone
    instants = pd.date_range("1950-01-01", "2060-01-01", freq="37h", tz="UTC")
    try:
        expected = instants.tz_convert(zone).tz_localize(None)
    except AttributeError:
        pytest.skip("this pandas cannot convert to zones of the installed dateutil")
    assert (instants.tz_convert(found).tz_localize(None) == expected).all()


def test_zones_of_pytz_come_back():
    pytz = pytest.importorskip("pytz")
    for zone in (pytz.timezone("Europe/Berlin"), pytz.utc, pytz.FixedOffset(90)):
        found = back(zone)
        instants = pd.date_range("1950-01-01", "2060-01-01", freq="37h", tz="UTC")
        local = [instants.tz_convert(z).tz_localize(None) for z in (zone, found)]
        assert (local[0] == local[1]).all()


ZONE_FILE = Path("/usr/share/zoneinfo/Europe/Berlin")


@pytest.mark.skipif(not ZONE_FILE.exists(), reason="no files of zones here")
def test_a_zone_without_a_name_is_an_error_that_says_what_to_do(tmp_path):
    with ZONE_FILE.open("rb") as file:
        zone = ZoneInfo.from_file(file)
    events = pd.DataFrame({"when": NORMAL["when"].dt.tz_convert(zone)})
    detector = dl.Detector().fit(events)
    with pytest.raises(dl.FileError, match=r"d\.npz: .* has no name .*tz_convert"):
        detector.save(tmp_path / "d.npz")


def test_a_zone_that_this_machine_lacks_is_an_error():
    plain = {"is": "dict", "of": [["library", "zoneinfo"], ["name", "Mars/Olympus"]]}
    with pytest.raises(UnstorableError, match="tzdata"):
        Reader(REGISTRY, {}).value({"is": "zone", "of": plain})


LABELS = [
    pd.RangeIndex(5),
    pd.RangeIndex(0),
    pd.Index([3, 1, 2], dtype="int32"),
    pd.Index([0.5, -0.0, np.nan]),
    pd.Index([True, False]),
    pd.Index(["a", "b\ud83d"], dtype=object),
    pd.Index(["a", None, "c"], dtype="string"),
    pd.Index(["a", "b"]),
    pd.Index([1, "a", None, 2.5, (1, "x"), b"y"], dtype=object),
    pd.date_range("2024-03-30", periods=4, freq="7h", tz="Europe/Berlin"),
    pd.DatetimeIndex(["2024-01-01", None]).as_unit("ms"),
    pd.to_timedelta([1, 2], unit="s"),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"]),
    pd.MultiIndex.from_product([["a"], pd.date_range("2024", periods=2)]),
]


@pytest.mark.parametrize("labels", LABELS, ids=lambda labels: type(labels).__name__)
def test_labels_come_back(labels):
    found = back(Overlap(labels, np.zeros(len(labels), np.uint64))).labels
    assert found.equals(labels)
    assert str(found.dtype) == str(labels.dtype)
    assert (labels.get_indexer(found) == np.arange(len(labels))).all()


@pytest.mark.parametrize(
    "labels",
    [
        pd.period_range("2024-01", periods=N, freq="D"),
        pd.interval_range(0, N),
        pd.CategoricalIndex([f"row {i}" for i in range(N)]),
        pd.Index([Fraction(i) for i in range(N)], dtype=object),
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_labels_without_a_place_in_a_file_are_left_out_with_a_warning(tmp_path, labels):
    frame = NORMAL[["rate", "shop"]].set_index(labels)
    detector = dl.Detector().fit(frame)
    with pytest.warns(dl.DriftlockWarning, match=r"d\.npz: .*cannot tell whether") as caught:
        detector.save(tmp_path / "d.npz")
    assert caught[0].filename == __file__
    loaded = dl.Detector.load(tmp_path / "d.npz")
    assert len(loaded.detect(frame[:3])) == 3  # and no warning, as was said
    assert results(loaded, EVENTS[["rate", "shop"]]) == results(detector, EVENTS[["rate", "shop"]])

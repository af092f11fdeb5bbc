"""The pandas accessor forwards and keeps nothing."""

from __future__ import annotations

import pandas as pd
import pytest

import driftlock as dl


def test_it_is_detect_with_the_frame_in_front():
    events = dl.datasets.load("mixed").events.iloc[300:440]
    found = events.driftlock.detect(baseline=100, control="fwer", alpha=0.1)
    expected = dl.detect(events, baseline=100, control="fwer", alpha=0.1)
    pd.testing.assert_frame_equal(found.table, expected.table)


def test_a_fitted_detector_serves_as_its_baseline():
    normal = dl.datasets.load("normal").events.iloc[:100]
    events = dl.datasets.load("anomalous").events.iloc[:20]
    detector = dl.Detector().fit(normal)
    found = events.driftlock.detect(baseline=detector)
    pd.testing.assert_frame_equal(found.table, detector.detect(events).table)


def test_its_errors_are_those_of_detect():
    with pytest.raises(dl.OptionError, match="option='level' is not known"):
        pd.DataFrame({"x": range(50)}).driftlock.detect(baseline=25, level=0.1)

"""What holds exactly: nothing that may not matter changes a bit, and bounds of p-values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import worlds

import driftlock as dl
from driftlock.threads import set_threads

WORLDS = ["mixed", "low_cardinality", "id_and_three", "numeric", "text_and_table", "customers"]
JUDGED = ["score", "bits", "p_value"]


def detector(world: str, **options) -> dl.Detector:
    return dl.Detector(**worlds.OPTIONS.get(world, {}), **options)


@pytest.fixture(params=WORLDS)
def world(request, sizes):
    """Name, baseline rows and tested rows, some of them blatant."""
    n, m = sizes(200, 40), sizes(300, 30)
    frame = worlds.WORLDS[request.param](n + m, 5)
    frame = worlds.spoil(frame, range(n, n + 10), 5)
    return request.param, frame.iloc[:n], frame.iloc[n:]


@pytest.mark.parametrize("calibration", ["loo", "split", "cross"])
def test_the_order_of_the_baseline_changes_no_bit(world, calibration: str) -> None:
    name, baseline, events = world
    options = {"calibration": calibration, "rng": 0}
    found = detector(name, **options).fit(baseline).detect(events)
    order = np.random.default_rng(6).permutation(len(baseline))
    again = detector(name, **options).fit(baseline.iloc[order]).detect(events)
    pd.testing.assert_frame_equal(again.table, found.table, check_exact=True)
    pd.testing.assert_frame_equal(again.fields, found.fields, check_exact=True)


@pytest.mark.parametrize("calibration", ["loo", "split", "cross"])
def test_names_and_order_of_columns_change_no_bit(world, calibration: str) -> None:
    name, baseline, events = world
    options = {**worlds.OPTIONS.get(name, {}), "calibration": calibration, "rng": 0}
    found = dl.Detector(**options).fit(baseline).detect(events).table
    shuffled = np.random.default_rng(7).permutation(baseline.columns)
    names = {old: f"c{place}" for place, old in enumerate(shuffled)}
    if "entity" in options:
        options["entity"] = names[options["entity"]]
    left, right = (part[shuffled].rename(columns=names) for part in (baseline, events))
    again = dl.Detector(**options).fit(left).detect(right).table
    columns = [*JUDGED, "p_kind", "q_value", "is_anomaly"]
    pd.testing.assert_frame_equal(again[columns], found[columns], check_exact=True)


def test_chunks_of_the_tested_rows_change_no_bit(world) -> None:
    """Of what is told row by row: q and patterns are about the rows of a call together."""
    name, baseline, events = world
    for options in ({"tail": False}, {"tail": True, "control": "fpr"}):
        fitted = detector(name, **options).fit(baseline)
        whole = fitted.detect(events).table[JUDGED]
        parts = [
            fitted.detect(events.iloc[a : a + size]).table[JUDGED]
            for a, size in ((0, 1), (1, 7), (8, len(events)))
        ]
        pd.testing.assert_frame_equal(pd.concat(parts), whole, check_exact=True)


@pytest.mark.jit
def test_threads_change_no_bit(world) -> None:
    name, baseline, events = world
    tables = []
    try:
        for threads in (1, 2, 5):
            set_threads(threads)
            tables.append(detector(name).fit(baseline).detect(events).table)
    finally:
        set_threads(None)
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0], check_exact=True)


def test_bounds_of_p(world) -> None:
    """By rank never below 1 / (n + 1); by the tail never above the rank, and only beyond all."""
    name, baseline, events = world
    n = len(baseline)
    fitted = detector(name, control="fpr").fit(baseline)
    tail = fitted.detect(events).table
    rank = detector(name, control="fpr", tail=False).fit(baseline).detect(events).table
    assert rank["p_value"].min() >= 1 / (n + 1)
    assert (tail["p_value"] <= rank["p_value"]).all()
    assert (tail["p_value"] > 0).all()
    differs = tail["p_value"] < rank["p_value"]
    assert (tail["p_kind"][differs] == "tail").all()
    assert (tail["score"][differs] > fitted.decision_scores_.max()).all()


def test_p_falls_with_score_and_bits(world) -> None:
    name, baseline, events = world
    table = detector(name, control="fpr").fit(baseline).detect(events).table
    score, bits, p = (table[column].to_numpy() for column in JUDGED)
    more = (score[:, None] >= score) & (bits[:, None] >= bits)
    assert (p[:, None] <= np.where(more, p, 1.0)).all()

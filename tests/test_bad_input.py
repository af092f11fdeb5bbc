"""Bad tables, baselines, names and options: what is an error, and what its message says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from judging import N, frame

import driftlock as dl

# --- tables and baselines -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("events", "options", "message"),
    [
        (frame().iloc[:0], {"baseline": frame()}, "events has no rows; at least one is needed"),
        (frame(), {"baseline": frame().iloc[:0]}, "baseline has no rows"),
        (frame()[[]], {"baseline": 100}, "events has no columns"),
        (frame(), {"baseline": 400}, r"baseline=400 needs more rows than the 200 of events"),
        (frame(), {"baseline": 200}, r"baseline=200 needs more rows than the 200 of events"),
        (frame().iloc[:19], {}, "events has 19 rows; at least 20 are needed to compare"),
        (frame().iloc[:0], {}, "events has no rows"),
        (frame(), {"baseline": 19}, "the baseline has 19 rows; at least 20 are needed"),
        (frame().iloc[:19], {}, "19 rows; at least 20 are needed"),
        (frame(), {"baseline": np.ones(199, bool)}, "mask has 199 entries, but events 200 rows"),
        (frame(), {"baseline": np.ones(N, bool)}, "true everywhere, so that no row is left"),
        (frame(), {"baseline": np.zeros(N, bool)}, "baseline has no rows"),
        (frame(), {"baseline": pd.array([True, None] * 100)}, "mask has missing entries"),
        (frame(), {"baseline": pd.Series([True, False] * 100, index=range(1, 201))}, "align"),
        (frame(), {"baseline": frame().drop(columns="shop")}, "'shop', which the baseline lacks"),
        (frame(), {"baseline": frame().assign(z=1, y=2)}, r"lacks the column\(s\) 'z', 'y'"),
        (frame().drop(columns="shop").assign(z=1), {"baseline": frame()}, "lacks .* and has"),
        (pd.concat([frame(), frame()["shop"]], axis=1), {"baseline": 100}, "named 'shop'"),
        (frame().set_axis([1, "1", "x"], axis=1), {"baseline": 100}, "one column named '1'"),
        (np.zeros(50), {"baseline": 25}, r"array of shape \(50,\); expected \(rows, columns\)"),
        (np.zeros((50, 2, 2)), {"baseline": 25}, r"array of shape \(50, 2, 2\)"),
        ({"a": [1]}, {"baseline": 25}, "events is of type dict; expected a pandas, polars"),
        ("events.csv", {"baseline": 25}, "events is of type str; expected a pandas, polars"),
        (None, {"baseline": 25}, "events is of type NoneType"),
    ],
)
def test_a_table_that_makes_the_call_meaningless_is_an_error(events, options, message):
    with pytest.raises(dl.InputError, match=message):
        dl.detect(events, **options)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        (True, "baseline=True is not possible; expected a number of rows, a boolean mask"),
        (np.True_, "is not possible; expected a number"),
        (100.0, "baseline=100.0 is not possible; expected a number of rows"),
        (np.float64(100), "is not possible; expected a number of rows"),
        ("100", "baseline='100' is not possible"),
        (0, "baseline=0 is no number of rows; expected"),
        (-5, "baseline=-5 is no number of rows"),
        (np.arange(N), "baseline is a sequence of int64 values; expected"),
        (np.ones(N), "baseline is a sequence of float64 values; expected"),
        ((1, 2), "baseline is a sequence of int64 values; expected"),
        ({"a": [1]}, "baseline is of type dict; expected"),
        (slice(100), "baseline is of type slice; expected"),
        (dl.Detector, "baseline is of type type; expected"),
    ],
)
def test_a_baseline_of_an_unknown_form_is_an_error(baseline, message):
    with pytest.raises(dl.OptionError, match=message):
        dl.detect(frame(), baseline=baseline)


@pytest.mark.parametrize(
    "baseline",
    [
        np.int64(100),
        np.arange(N) < 100,
        [True] * 100 + [False] * 100,
        pd.Series(np.arange(N) < 100),
        pd.array([True] * 100 + [False] * 100, dtype="boolean"),
        frame().iloc[:100],
        frame().iloc[:100].to_dict("records"),
    ],
    ids=lambda baseline: type(baseline).__name__,
)
def test_every_form_of_the_same_baseline_gives_the_same(baseline):
    events = frame()
    tested = events.iloc[100:] if len(np.shape(baseline)) == 2 or _is_records(baseline) else events
    found = dl.detect(tested, baseline=baseline)
    pd.testing.assert_frame_equal(found.table, dl.detect(events, baseline=100).table)


def _is_records(baseline):
    return isinstance(baseline, list) and isinstance(baseline[0], dict)


def test_an_unfitted_detector_or_one_with_options_is_no_baseline():
    with pytest.raises(dl.NotFittedError, match=r"not fitted yet; call fit\(baseline\) first"):
        dl.detect(frame(), baseline=dl.Detector())
    with pytest.raises(dl.OptionError, match="has its own options; drop alpha from the call"):
        dl.detect(frame(5), baseline=dl.Detector().fit(frame(seed=9)), alpha=0.1)


def test_events_that_also_stand_in_the_baseline_are_warned_of():
    with pytest.warns(dl.DriftlockWarning, match=r"also stand in the baseline \(labels 0, 1, 2"):
        dl.detect(frame().iloc[:10], baseline=frame())
    dl.detect(frame(seed=5), baseline=frame())  # the same labels, but other rows: no warning
    same = frame()[["shop"]]
    dl.detect(same.iloc[::-1].set_axis(range(N)), baseline=same)  # equal by chance: no warning


# --- names and labels -----------------------------------------------------------------------------


def test_duplicate_labels_do_not_multiply_rows_and_explain_says_which():
    events = frame().set_axis([7] * N)
    events.iloc[150, 1] = 1e9
    found = dl.detect(events, baseline=100, control="fpr")
    assert len(found) == len(found.table) == 100
    assert len(found.anomalies) == found.table["is_anomaly"].sum() > 0
    message = r"label 7 stands for 100 tested rows, at the positions 0, 1, .*explain\(position=0\)"
    with pytest.raises(dl.OptionError, match=message):
        found.explain(7)
    assert found.explain(position=50).table.index[0] == "amount"


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([0, 1, 2], ["0", "1", "2"]),
        ([None, 1.5, ("a", 2)], ["None", "1.5", "a.2"]),
        (pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "")]), ["a.x", "a.y", "b"]),
        (pd.CategoricalIndex(["p", "q", "r"]), ["p", "q", "r"]),
        (pd.date_range("2025-01-01", periods=3), None),
    ],
)
def test_columns_of_any_labels(labels, names):
    events = frame()
    events.columns = pd.Index(labels, dtype=object) if isinstance(labels, list) else labels
    found = dl.detect(events, baseline=100, control="fpr", alpha=0.5)
    if names:
        assert list(found.fields) == names
    assert list(found.anomalies.columns)[-3:] == list(events.columns)
    assert len(found.anomalies) > 0
    found._repr_html_()
    found.summary()
    found.explain(150)


def test_own_columns_named_like_results_keep_their_names():
    events = frame().set_axis(["score", "p_value", "driftlock.score"], axis=1)
    shown = dl.detect(events, baseline=100, control="fpr", alpha=0.5).anomalies
    own = ["driftlock.driftlock.score", "bits", "driftlock.p_value", "q_value", "top_field"]
    assert list(shown.columns) == [*own, *events.columns]
    pd.testing.assert_frame_equal(shown[list(events.columns)], events.loc[shown.index])
    assert list(dl.detect(events, baseline=100).fields) == list(events.columns)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"x": [{"a": 1}] * N, "x.a": [1] * N}, "'x' makes the name.* 'x.a', which another column"),
        ({"x": [{"a": {"b": 1}, "a.b": 2}] * N}, "two entries named 'a.b' in the row 0; rename"),
        ({"x": [{"a": 1}] * 150 + [{1: 1, "1": 2}] * 50}, "named '1' in the row 150; rename"),
    ],
)
def test_flattened_names_that_collide_are_an_error(extra, message):
    with pytest.raises(dl.InputError, match=message):
        dl.detect(frame().assign(**extra), baseline=150)


def test_every_column_left_out_is_an_error_that_gives_the_reasons():
    ids = pd.DataFrame({"i": [f"txn_{i:06d}" for i in range(N)], "j": range(N)})
    with pytest.raises(dl.InputError, match=r"no field is left to be coded \('i' is id: .*'j' is"):
        dl.detect(ids, baseline=100)
    asked = {"shop": "id", "amount": "id", "when": "id"}
    with pytest.raises(dl.InputError, match="'shop' is id: as asked"):
        dl.detect(frame(), baseline=100, fields=asked)
    dl.detect(ids, baseline=100, fields={"i": "category"})


# --- options --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0}, "alpha=0 is no level; expected a number between 0 and 1"),
        ({"alpha": 1.0}, r"alpha=1\.0 is no level"),
        ({"alpha": float("nan")}, "alpha=nan is no level"),
        ({"alpha": True}, "alpha=True is no level"),
        ({"alpha": "0.05"}, "alpha='0.05' is no level"),
        ({"control": "bh"}, "'bh' is not known; choose one of 'fdr', 'fpr', 'fwer', 'by', 'storey"),
        ({"tail": "no"}, "tail='no' is not known; choose one of True, False"),
        ({"calibration": "none"}, "'none' is not known; choose one of 'auto', 'loo', 'split'"),
        ({"clean": 1}, "clean=1 is not known; choose one of True, False"),
        ({"rng": "seed"}, "rng='seed' is no seed; expected None, an int or a Generator"),
        ({"rng": -1}, "rng=-1 is no seed"),
        ({"level": 0.1}, "option='level' is not known; choose one of 'alpha', 'control'"),
        ({"fields": ["shop"]}, r"fields=\['shop'\] is no mapping; expected"),
        ({"fields": {"shop": "kat"}}, r"fields\['shop'\]='kat' is not known; .*'number', 'time'"),
        ({"fields": {"cat": "number"}}, "'cat', which is no field; there are 'shop', 'amount', 'w"),
        (
            {"fields": {"shop": "number"}},
            r"fields\['shop'\]='number' is not possible: .* 'category",
        ),
        ({"fields": {"shop": "time"}}, "nothing in the baseline reads as a time"),
        ({"fields": {"amount": "time"}}, "nothing in the baseline reads as a time"),
        ({"fields": {"when": "number"}}, r"reads as a number \(it starts with '2025-01"),
    ],
)
def test_an_unknown_option_names_the_known_ones(options, message):
    with pytest.raises(dl.OptionError, match=message):
        dl.detect(frame(), baseline=100, **options)

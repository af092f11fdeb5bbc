"""The detector: scikit-learn's contract, thresholds, options, and what no change may change."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest

import driftlock as dl

ALL_NORMAL = dl.datasets.load("normal").events
NORMAL = ALL_NORMAL.iloc[:150]
ODD = dl.datasets.load("anomalous").events.iloc[:30]


@functools.cache
def fitted():
    return dl.Detector().fit(NORMAL)


@pytest.fixture
def detector():
    return fitted()


# ---------------------------------------------------------------- scikit-learn's contract


def test_params_are_those_of_the_constructor():
    options = {"alpha": 0.1, "control": "by", "fields": {"amount": "number"}, "rng": 3}
    detector = dl.Detector(**options)
    params = detector.get_params()
    assert list(params) == list(inspect.signature(dl.Detector).parameters)
    assert all(params[name] is value for name, value in options.items())
    assert detector.set_params(alpha=0.2, clean=True) is detector
    assert (detector.alpha, detector.clean) == (0.2, True)
    with pytest.raises(dl.OptionError, match="option='level' is not known; choose one of 'alpha'"):
        detector.set_params(level=0.1)
    with pytest.raises(TypeError):
        dl.Detector(0.05)


def test_sklearn_clones_it_unfitted(detector):
    base = pytest.importorskip("sklearn.base")
    for original in (detector, dl.Detector(alpha=0.1, fields={"amount": "number"}, rng=7)):
        clone = base.clone(original)
        assert clone is not original
        assert clone.get_params() == original.get_params()
        with pytest.raises(dl.NotFittedError):
            clone.predict(ODD)


def test_sklearn_knows_whether_it_is_fitted(detector):
    validation = pytest.importorskip("sklearn.utils.validation")
    exceptions = pytest.importorskip("sklearn.exceptions")
    validation.check_is_fitted(detector)
    with pytest.raises(exceptions.NotFittedError):
        validation.check_is_fitted(dl.Detector())


def test_it_works_as_the_last_step_of_a_pipeline(detector):
    pipeline = pytest.importorskip("sklearn.pipeline").make_pipeline(dl.Detector())
    scores = pipeline.fit(NORMAL).decision_function(ODD)
    np.testing.assert_array_equal(scores, detector.decision_function(ODD))
    np.testing.assert_array_equal(pipeline.predict(ODD), detector.predict(ODD))


@pytest.mark.parametrize(
    "use",
    [
        lambda d: d.predict(ODD),
        lambda d: d.decision_function(ODD),
        lambda d: d.detect(ODD),
        lambda d: d.plan(10),
        lambda d: d.threshold_,
        lambda d: d.decision_scores_,
        lambda d: d.schema_,
        lambda d: d.calibration_,
        lambda d: d.dropped_,
        lambda d: d.seed_,
    ],
)
def test_before_fit_everything_is_a_not_fitted_error(use):
    with pytest.raises(dl.NotFittedError, match=r"call fit\(baseline\) first") as caught:
        use(dl.Detector())
    assert isinstance(caught.value, AttributeError)
    assert isinstance(caught.value, ValueError)


def test_hasattr_tells_whether_it_is_fitted(detector):
    names = ("threshold_", "decision_scores_", "schema_", "feature_names_in_", "n_features_in_")
    assert all(hasattr(detector, name) for name in names)
    assert not any(hasattr(dl.Detector(), name) for name in names)


def test_fit_gives_itself_and_takes_labels_for_nothing():
    detector = dl.Detector()
    assert detector.fit(NORMAL, np.zeros(len(NORMAL))) is detector
    assert list(detector.feature_names_in_) == list(NORMAL.columns)
    assert detector.n_features_in_ == NORMAL.shape[1]


def test_repr_shows_what_was_changed():
    assert repr(dl.Detector()) == "Detector()"
    assert repr(dl.Detector(alpha=float("0.05"))) == "Detector()"
    changed = dl.Detector(alpha=0.1, tail=False, fields={"a": "id"})
    assert repr(changed) == "Detector(alpha=0.1, tail=False, fields={'a': 'id'})"


def test_a_fitted_detector_can_be_pickled_and_copied(detector):
    expected = detector.detect(ODD).table
    for other in (pickle.loads(pickle.dumps(detector)), copy.deepcopy(detector)):  # noqa: S301
        pd.testing.assert_frame_equal(other.detect(ODD).table, expected)
        assert other.threshold_ == detector.threshold_


# ---------------------------------------------------------------- scores and thresholds


def test_larger_scores_are_stranger_and_predict_is_beyond_the_threshold(detector):
    scores, flags = detector.decision_function(ODD), detector.predict(ODD)
    assert scores.dtype == np.float64
    assert flags.dtype == np.int64
    np.testing.assert_array_equal(flags, scores > detector.threshold_)
    np.testing.assert_array_equal(scores, detector.detect(ODD).table["score"])
    assert np.median(scores) > np.quantile(detector.decision_scores_, 0.99)


def test_the_threshold_holds_the_level_on_the_baseline(detector):
    scores = detector.decision_scores_
    assert scores.shape == (len(NORMAL),)
    beyond = (scores > detector.threshold_).sum()
    n = len(scores)
    # a score on the threshold has a rank p above alpha, any larger one has not
    assert (1 + (scores >= detector.threshold_).sum()) / (n + 1) > detector.alpha
    assert (1 + beyond) / (n + 1) <= detector.alpha
    assert np.isinf(dl.Detector(alpha=1e-6).fit(NORMAL).threshold_)


def test_scores_are_the_same_for_any_batch(detector):
    whole = detector.decision_function(ODD)
    parts = [detector.decision_function(ODD.iloc[i : i + 7]) for i in range(0, len(ODD), 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_columns_may_come_in_any_order_and_rows_too(detector):
    expected = detector.detect(ODD).table
    shuffled = ODD.sample(frac=1, random_state=1)[NORMAL.columns[::-1]]
    pd.testing.assert_frame_equal(detector.detect(shuffled).table.loc[ODD.index], expected)


def test_the_order_of_baseline_rows_changes_nothing(detector):
    other = dl.Detector().fit(NORMAL.sample(frac=1, random_state=1))
    expected = detector.detect(ODD).table.drop(columns="top_field")
    pd.testing.assert_frame_equal(other.detect(ODD).table.drop(columns="top_field"), expected)
    assert sorted(other.decision_scores_) == sorted(detector.decision_scores_)


def test_detect_with_a_fitted_detector_is_its_detect(detector):
    found = dl.detect(ODD, baseline=detector)
    pd.testing.assert_frame_equal(found.table, detector.detect(ODD).table)
    pd.testing.assert_frame_equal(found.table, dl.detect(ODD, baseline=NORMAL).table)


# ---------------------------------------------------------------- options


def test_options_count_from_the_next_fit_on():
    detector = dl.Detector().fit(NORMAL)
    before = len(detector.detect(ODD).anomalies)
    strict = detector.set_params(control="fwer", alpha=1e-6).fit(NORMAL)
    assert len(strict.detect(ODD).anomalies) < before


def test_split_calibration_is_seeded_and_exact_without_a_tail():
    options = {"calibration": "split", "tail": False}
    first = dl.Detector(**options, rng=5).fit(NORMAL)
    again = dl.Detector(**options, rng=5).fit(NORMAL)
    other = dl.Detector(**options, rng=6).fit(NORMAL)
    assert first.calibration_ == "split"
    assert first.detect(ODD).guarantee == "exact"
    assert first.seed_ == again.seed_ != other.seed_
    np.testing.assert_array_equal(first.decision_function(ODD), again.decision_function(ODD))
    assert (first.decision_function(ODD) != other.decision_function(ODD)).any()
    assert first.plan(10).n_baseline == len(NORMAL) // 2
    reseeded = dl.Detector(**options, rng=np.random.default_rng(5)).fit(NORMAL)
    assert reseeded.seed_ == first.seed_


@pytest.mark.parametrize(
    "options",
    [
        {"calibration": "split"},
        {"calibration": "split", "tail": False, "clean": True},
        {"calibration": "loo", "tail": False},
        {"calibration": "cross", "tail": False},
        {},
    ],
)
def test_nothing_else_is_called_exact(options):
    assert dl.detect(ODD, baseline=NORMAL, **options).guarantee == "calibrated"


@pytest.mark.jit
def test_clean_leaves_out_what_does_not_belong_and_says_which():
    dirty = pd.concat([ALL_NORMAL, ODD.iloc[:5]], ignore_index=True)
    detector = dl.Detector(clean=True).fit(dirty)
    assert set(range(len(ALL_NORMAL), len(dirty))) <= set(detector.dropped_)
    assert len(detector.dropped_) <= 10
    assert detector.decision_scores_.shape == (len(dirty),)
    assert dl.Detector().fit(NORMAL).dropped_.size == 0


def test_without_a_baseline_every_row_is_compared_with_all_others():
    found = dl.detect(NORMAL)
    assert len(found) == len(NORMAL)
    assert found.guarantee == "none"
    assert found.table["score"].nunique() > 100


@pytest.mark.parametrize("m", [0, -1, 2.5, True, "10"])
def test_a_plan_for_no_number_of_rows_is_an_error(detector, m):
    with pytest.raises(
        dl.OptionError, match="is no number of rows; expected a whole number from 1"
    ):
        detector.plan(m)


def test_fit_forgets_what_it_knew(detector):
    other = dl.Detector().fit(NORMAL)
    other.fit(NORMAL[["amount", "merchant"]])
    assert list(other.feature_names_in_) == ["amount", "merchant"]
    with pytest.raises(dl.InputError, match="which the baseline lacks"):
        other.predict(NORMAL)


def test_the_plan_knows_whether_the_baseline_shows_a_tail():
    lines = pd.DataFrame({"line": [f"INFO user {i % 7} login ok" for i in range(201)]})
    lines.loc[200, "line"] = "ERROR kernel panic at 0xdeadbeef"
    found = dl.detect(lines, baseline=150)
    assert found.table["score"].idxmax() == 200
    assert not found.table["is_anomaly"].any()
    assert not found.plan.tail
    assert "no tail either" in found.summary()
    assert dl.Detector().fit(ALL_NORMAL.iloc[:100]).plan(10).tail


def test_without_a_baseline_the_summary_speaks_of_no_rank():
    found = dl.detect(NORMAL)
    assert not found.plan.knows_normal
    assert "none known to be normal" in found.summary()
    assert "by rank alone" not in found.summary()


def test_a_row_at_the_threshold_is_not_predicted():
    detector = dl.Detector(alpha=0.1).fit(pd.DataFrame({"c": ["the same"] * 60}))
    asked = pd.DataFrame({"c": ["the same", "another"]})
    assert detector.decision_function(asked)[0] == detector.threshold_
    assert detector.predict(asked).tolist() == [0, 1]


@pytest.mark.jit
def test_a_call_takes_less_memory_than_two_frames_beside_the_frame():
    n, rng = 150_000, np.random.default_rng(0)
    events = pd.DataFrame(
        {
            f"s{k}": np.array([f"value {i:04d}" for i in range(40)])[rng.integers(0, 40, n)]
            for k in range(5)
        }
    ).astype("str")
    for k in range(4):
        events[f"x{k}"] = np.round(rng.lognormal(3, 1, n), 2)
    seconds = np.sort(rng.integers(0, 90 * 86_400, n))
    events["when"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(seconds, unit="s")
    events["id"] = [f"{i:012x}" for i in rng.integers(0, 2**48, n)]
    events["ok"] = rng.random(n) < 0.9
    detector = dl.Detector().fit(events.iloc[:1000])
    tested = events.iloc[1000:]
    tracemalloc.start()
    detector.detect(tested)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * tested.memory_usage(deep=True).sum()


def test_times_of_part_of_a_day_say_nothing_of_later_hours():
    rng = np.random.default_rng(11)
    start = pd.Timestamp("2025-01-01 01:00")
    rows = pd.DataFrame(
        {
            "at": start + pd.to_timedelta(np.arange(900) * 60, unit="s"),
            "level": np.arange(900) / 300 + rng.normal(0, 0.5, 900),
            "state": rng.choice(["idle", "run"], 900),
        }
    )
    given = dl.detect(rows, baseline=300)
    without = dl.detect(rows.drop(columns="at"), baseline=300)
    assert "left out" in given.schema.loc["at", "reason"]
    assert (given.table["score"] == without.table["score"]).all()
    assert given.explain(899).table.loc["at", "evidence"] == 0

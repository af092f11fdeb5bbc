"""Bad tables and options: what is an error, with its message, and what is evidence."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock.fields.values import spelt, symbol
from driftlock.reasons import notable, reasons_of

N = 200
HIGH = 8.0  # bits of evidence: what only a value that does not fit gets
LOW = 5.0


def frame(n=N, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "shop": rng.choice(list("abcdefgh"), n),
            "amount": rng.lognormal(3, 1, n).round(2),
            "when": pd.Timestamp("2025-01-01")
            + pd.to_timedelta(rng.integers(0, 86_400 * 30, n), unit="s"),
        }
    )


def draw(values, n=N, seed=1):
    """n values, each of the given ones at least once, as a list of what was given."""
    places = np.random.default_rng(seed).permutation(np.arange(n) % len(values))
    return [values[i] for i in places]


def judged(baseline, events, **options):
    """Detection of a column x of events, beside a column of three letters."""
    normal = pd.DataFrame({"y": draw(list("abc"), len(baseline), seed=2), "x": baseline})
    tested = pd.DataFrame({"y": ["a"] * len(events), "x": events})
    tested.index += N  # other rows than those of the baseline
    return dl.detect(tested, baseline=normal, **options)


def evidence(baseline, events, field="x", **options):
    """Evidence of field x for each event, in bits."""
    found = judged(baseline, events, **options)
    return [found.explain(position=i).table.loc[field, "evidence"] for i in range(len(events))]


# ---------------------------------------------------------------- tables and baselines: errors


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


# ---------------------------------------------------------------- names and labels


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


# ---------------------------------------------------------------- options


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


# ---------------------------------------------------------------- values: evidence


def test_a_constant_column_costs_nothing_until_it_changes():
    for value, other in (("k", "j"), (5.0, 6.0), (0, 1), (True, False)):
        same, new, missing = evidence([value] * N, [value, other, None])
        assert same < LOW
        assert min(new, missing) > HIGH


def test_an_all_missing_column_costs_nothing_until_it_is_filled():
    for nothing in ([None] * N, [np.nan] * N, pd.array([pd.NA] * N, dtype="Int64")):
        gap, filled = evidence(nothing, pd.Series([None, 5], dtype=object))
        assert gap < LOW
        assert filled > HIGH


def test_mixed_types_in_a_column_are_symbols_of_their_own():
    events = pd.Series([1, 1.0, "1", True, "b", None], dtype=object)
    mixed = evidence(draw([1, "a", None, 2.5, True]), events)
    assert max(mixed[0], mixed[1], mixed[3], mixed[5]) < LOW
    assert min(mixed[2], mixed[4]) > HIGH


def test_unhashable_and_ragged_values_are_symbols_by_their_content():
    events = pd.Series([(1, 2), [1, 2], [3], {"x", "y"}, {"y"}], dtype=object)
    scores = evidence(draw([[1, 2], [1, 2, 3], {"y", "x"}]), events)
    assert max(scores[0], scores[1], scores[3]) < LOW
    assert min(scores[2], scores[4]) > HIGH


def test_a_dtype_that_changes_because_of_a_gap_costs_the_gap_only():
    numbers = np.random.default_rng(0).integers(1, 500, N)
    value, gap = evidence(numbers, [float(numbers[0]), np.nan])
    assert value < LOW
    assert gap > HIGH
    for values in (draw([1, 2, 3]), draw([2**60 + 1, 2**60 + 301])):
        value, gap = evidence(values, [float(values[0]), np.nan])
        assert value < LOW
        assert gap > HIGH
    yes, gap, text = evidence(draw([True, False]), pd.Series([True, None, "True"], dtype=object))
    assert yes < LOW
    assert min(gap, text) > HIGH


def test_a_type_that_changed_is_evidence():
    assert min(evidence(draw(["1", "2", "3"]), [1, 2, 3])) > HIGH
    assert min(evidence(draw([1, 2, 3]), ["1", "2", "3"])) > HIGH
    assert min(evidence(draw(list("abc")), [1, 2.5, True])) > HIGH
    assert min(evidence(frame()["when"], pd.Series([5, "soon", [1]], dtype=object))) > HIGH
    assert min(evidence(frame()["amount"], pd.Series(["x", [1], True], dtype=object))) > HIGH


@pytest.mark.parametrize(
    ("baseline", "events", "dtype"),
    [
        (draw([10, 20, 30]), [10, 99, None], "Int64"),
        (draw([True, False]), [True, None], "boolean"),
        (draw(["a", "b"]), ["a", "z", None], "string"),
        (np.random.default_rng(0).normal(size=N), [0.1, 1e9, None], "Float64"),
        (np.random.default_rng(0).integers(1, 900, N), [40, 10**9, None], "Int64"),
    ],
)
def test_nullable_dtypes_read_like_plain_ones(baseline, events, dtype):
    nullable = evidence(pd.array(baseline, dtype=dtype), pd.array(events, dtype=dtype))
    plain = evidence(baseline, pd.Series(events, dtype=object))
    assert nullable == plain == evidence(pd.array(baseline, dtype=dtype), events)
    assert nullable[0] < LOW
    assert min(nullable[1:]) > HIGH


def test_unused_levels_of_a_categorical_count_for_nothing():
    used = evidence(pd.Categorical(draw(list("ab"))), ["a", "c", None])
    levels = pd.Categorical(draw(list("ab")), categories=list("abcdefg"))
    assert evidence(levels, pd.Categorical(["a", "c", None], categories=list("cab"))) == used
    assert used[0] < LOW
    assert min(used[1:]) > HIGH
    numbers = pd.Categorical(draw([1, 2]))
    assert evidence(numbers, [1.0, 3, None])[0] < LOW
    many = np.random.default_rng(0).integers(1, 900, N)
    as_levels = evidence(many, pd.Categorical([40, None]))
    assert as_levels == evidence(many, [40, None])


def test_infinite_and_missing_numbers_are_evidence():
    values = np.random.default_rng(0).normal(size=N)
    assert min(evidence(values, [np.inf, -np.inf, np.nan])) > HIGH
    often = np.where(np.arange(N) % 4 == 0, np.inf, values)
    assert evidence(often, [np.inf])[0] < LOW
    assert evidence(often, [-np.inf])[0] > HIGH
    assert evidence([np.inf] * N, [np.inf, 1.0])[0] < LOW


def test_whole_numbers_beyond_64_bits_and_beyond_floats():
    events = pd.Series([2**63, 2**64 + 1, -(2**70), 10**400, str(10**400)], dtype=object)
    assert min(evidence(np.random.default_rng(0).integers(1, 500, N), events)) > HIGH
    huge = pd.Series(draw([2**64 + 1, 2**64 + 2, 10**400]), dtype=object)
    known, other = evidence(huge, pd.Series([2**64 + 1, 2**64 + 3], dtype=object))
    assert known < LOW
    assert other > HIGH
    unsigned = np.random.default_rng(0).integers(1, 500, N).astype("uint64")
    assert evidence(unsigned, np.array([2**64 - 1], "uint64"))[0] > HIGH


FAR = ["0001-01-01", "1500-06-01", "2500-01-01 10:00", "9999-12-31T23:59:59"]


@pytest.mark.parametrize("unit", [None, "s", "us", "objects"])
def test_dates_out_of_range_are_unreadable(unit):
    if unit is None:
        far = FAR
    elif unit == "objects":
        far = [dt.datetime.fromisoformat(text) for text in FAR]
    else:
        far = np.array([text.replace(" ", "T") for text in FAR], f"datetime64[{unit}]")
    scores = evidence(frame()["when"], pd.Series(far))
    assert min(scores) > HIGH
    assert evidence(frame()["when"], ["2025-01-09 10:00:00"])[0] < LOW


def test_far_years_of_a_coarse_dtype_do_not_overflow():
    far = np.array(["999999-01-01", "-200000-01-01", "2025-01-09"], "datetime64[s]")
    scores = evidence(frame()["when"], pd.Series(far))
    assert min(scores[:2]) > HIGH
    assert scores[2] < LOW


def test_zones_are_read_alike_and_a_change_is_warned_of():
    berlin = frame()["when"].dt.tz_localize("Europe/Berlin", ambiguous=True)
    at = pd.Timestamp("2025-01-09 03:10", tz="Europe/Berlin")
    others = [at.tz_convert(zone) for zone in ("UTC", "Asia/Tokyo", "America/New_York")]
    expected = evidence(berlin, pd.Series([at]))
    for other in others:
        assert evidence(berlin, pd.Series([other])) == expected
        assert evidence(berlin, [other.isoformat()]) == expected
    with pytest.warns(
        dl.DriftlockWarning, match="column 'x': 1 times with no zone, where the base"
    ):
        assert evidence(berlin, pd.Series([at.tz_localize(None)])) == expected
    with pytest.warns(dl.DriftlockWarning, match="1 times with a zone, where the baseline has no"):
        evidence(frame()["when"], pd.Series([at]))
    texts = berlin.map(lambda time: time.isoformat())
    texts[::2] = berlin[::2].map(lambda time: time.tz_localize(None).isoformat())
    with pytest.warns(dl.DriftlockWarning, match="some times of the baseline have a zone"):
        evidence(texts, [at.isoformat(), "2025-01-09 10:00"])


@pytest.mark.parametrize(
    ("values", "events"),
    [
        (draw([b"a", b"b"]), [b"a", b"z", "a", None]),
        (draw([1 + 2j, 2 + 1j]), [1 + 2j, 5j, 7.0, None]),
        (draw([Decimal("1.5"), Decimal(2)]), [2, Decimal("7.25"), Decimal("NaN"), "x"]),
        (draw(["😀", "👍🏽"]), ["👍🏽", "🧨", "", None]),
        (draw(["a" * 10**5, "b" * 10**5]), ["b" * 10**5, "b" * 10**6, "", None]),
        (draw(["\ud800", "b"]), ["\ud800", "\udfff", "\ud800b", None]),
        (draw(["a\0b", "b"]), ["a\0b", "a", "b\0", None]),
        (
            draw([pd.Interval(0, 1), pd.Interval(1, 2)]),
            [pd.Interval(0, 1), pd.Interval(0, 2), 1, None],
        ),
        (draw([dt.time(8), dt.time(9)]), [dt.time(8), "8", 8, None]),
    ],
    ids=["bytes", "complex", "Decimal", "emoji", "1MB", "surrogates", "NUL", "Interval", "clock"],
)
def test_unusual_values_are_symbols(values, events):
    column = pd.Series(np.array([*values, *events, None], dtype=object)[:-1], dtype=object)
    scores = evidence(column.iloc[:N], column.iloc[N:])
    assert scores[0] < LOW
    assert min(scores[1:]) > HIGH


def test_durations_are_seconds_and_periods_are_times():
    seconds = np.random.default_rng(0).integers(1, 5000, N)
    spans = pd.Series(pd.to_timedelta(seconds, unit="s"))
    known, far, gap = evidence(spans, pd.to_timedelta(["100s", "9000D", None]))
    assert known < LOW
    assert min(far, gap) > HIGH
    assert evidence(spans, pd.Series([pd.Timedelta("100s")], dtype=object)) == [known]
    hours = pd.period_range("2025-01-01", periods=N, freq="h")
    periods, texts = evidence(hours, hours[:1])[0], evidence(hours, ["2025-01-01 00:00"])[0]
    assert periods == texts < LOW


def test_date_objects_are_times():
    days = [day.date() for day in pd.date_range("2025-01-01", periods=N)]
    found = judged(days, pd.Series([days[3], "2025-03-01", "nonsense", None], dtype=object))
    assert found.schema.loc["x", "kind"] == "time"
    scores = [found.explain(position=i).table.loc["x", "evidence"] for i in range(4)]
    assert max(scores[:2]) < LOW
    assert min(scores[2:]) > HIGH


# ---------------------------------------------------------------- nested values


def test_a_nested_value_that_does_not_fit_is_evidence():
    usual = draw([{"a": 1, "b": {"c": "u"}}, {"a": 2, "b": {"c": "v"}}, {"a": 1}])
    events = [{"a": 1}, {"a": 1, "z": 9}, {"a": 1, "b": {"c": "w"}}, "text", None, {}, {"a": {}}]
    found = judged(usual, pd.Series(events, dtype=object))
    assert list(found.fields) == ["y", "x", "x.a", "x.b.c"]
    tables = [found.explain(position=i).table["evidence"] for i in range(len(events))]
    assert tables[0].max() < LOW
    assert tables[1]["x"] > HIGH  # a new key
    assert tables[2]["x.b.c"] > HIGH  # a new value under a known key
    for strange in tables[3:]:
        assert strange.max() > HIGH


def test_new_keys_that_look_like_positions_are_seen():
    usual = draw([{"2024": 1, "2025": 2}, {"2024": 3, "2025": 1}])
    known, new = evidence(usual, [{"2024": 1, "2025": 2}, {"2024": 1, "1999": 2}])
    assert known < LOW
    assert new > HIGH


def test_lists_of_records_are_laid_out_by_position_and_length():
    usual = draw([[{"a": 1}, {"a": 2}], [{"a": 1}]])
    found = judged(usual, pd.Series([[{"a": 1}], [{"a": 1}] * 20, [], [{"b": 1}]], dtype=object))
    assert list(found.fields) == ["y", "x", "x.#", "x.0.a", "x.1.a"]
    tables = [found.explain(position=i).table["evidence"] for i in range(4)]
    assert tables[0].max() < LOW
    assert tables[1]["x.#"] > HIGH
    assert tables[2].max() > HIGH
    assert tables[3]["x"] > HIGH


def test_deep_and_recursive_values_end():
    deep = {"a": 1}
    for _ in range(2000):
        deep = {"a": deep}
    loop: dict[str, object] = {"a": 1}
    loop["self"] = loop
    known, *strange = evidence([{"a": 1}] * N, pd.Series([{"a": 1}, deep, loop], dtype=object))
    assert known < LOW
    assert min(strange) > HIGH
    cycle: list[object] = [1]
    cycle.append(cycle)
    assert evidence(draw([[1], [2]]), pd.Series([cycle], dtype=object))[0] > HIGH


# ---------------------------------------------------------------- containers


def test_polars_and_arrow_tables_read_like_pandas():
    pl = pytest.importorskip("polars")
    events = frame().assign(gap=np.where(np.arange(N) % 5, 1.5, np.nan), flag=draw([True, False]))
    events["rec"] = [{"m": a, "k": s} for a, s in zip(events["amount"], events["shop"])]
    expected = dl.detect(events, baseline=100)
    table = pl.from_pandas(events.drop(columns="rec")).with_columns(
        pl.struct(pl.col("amount").alias("m"), pl.col("shop").alias("k")).alias("rec"),
        pl.when(pl.col("gap").is_not_nan()).then(pl.col("gap")).alias("gap"),
    )
    arrow = table.to_arrow()
    levels = table.with_columns(pl.col("shop").cast(pl.Categorical))
    for other in (table, levels, arrow, arrow.to_pandas(types_mapper=pd.ArrowDtype)):
        found = dl.detect(other, baseline=100)
        assert list(found.schema["kind"]) == list(expected.schema["kind"])
        pd.testing.assert_frame_equal(found.table, expected.table)
    mask = pl.Series([True] * 100 + [False] * 100)
    pd.testing.assert_frame_equal(dl.detect(table, baseline=mask).table, expected.table)
    single = dl.detect(table["amount"], baseline=100)
    assert single.table.equals(dl.detect(events["amount"], baseline=100).table)


def test_a_lazy_frame_is_an_error_that_says_what_to_do():
    pl = pytest.importorskip("polars")
    lazy = pl.from_pandas(frame()).lazy()
    for call in ({"events": lazy, "baseline": 100}, {"events": frame(), "baseline": lazy}):
        with pytest.raises(dl.InputError, match=r"LazyFrame; .* call \.collect\(\) first"):
            dl.detect(**call)


def test_arrow_lists_times_and_decimals():
    pa = pytest.importorskip("pyarrow")
    events = pd.DataFrame(
        {
            "li": pd.Series(draw([[1, 2], [3]]), dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
            "at": frame()["when"].astype(pd.ArrowDtype(pa.timestamp("us", tz="Europe/Berlin"))),
            "dec": pd.Series(draw([Decimal("1.25"), Decimal("2.50")]), dtype=object).astype(
                pd.ArrowDtype(pa.decimal128(6, 2))
            ),
        }
    )
    found = dl.detect(events, baseline=100)
    assert list(found.schema["kind"]) == ["category", "time", "category"]


def test_arrays_records_series_and_sparse_columns():
    events = frame()
    numbers = events[["amount"]].to_numpy()
    assert list(dl.detect(numbers, baseline=100).fields) == ["x0"]
    expected = dl.detect(events, baseline=100).table
    records = dl.detect(events.to_dict("records"), baseline=100)
    assert records.table.equals(expected)
    objects = dl.detect(events.to_numpy(object), baseline=100).table.drop(columns="top_field")
    assert objects.equals(expected.drop(columns="top_field"))
    series = dl.detect(events["amount"].iloc[100:], baseline=events["amount"].iloc[:100])
    assert series.table.equals(dl.detect(events[["amount"]], baseline=100).table)
    zeros = events["amount"] * np.array([0, 1] * 100)
    sparse = pd.DataFrame({"amount": pd.arrays.SparseArray(zeros)})
    assert dl.detect(sparse, baseline=100).table.equals(
        dl.detect(zeros.to_frame("amount"), baseline=100).table
    )


@pytest.mark.parametrize("keys", [["shop", "when"], ["when"]])
def test_any_index_is_kept_and_explained_by_its_labels(keys):
    events = frame().set_index(keys, drop=False)
    found = dl.detect(events, baseline=100)
    assert found.table.index.equals(events.index[100:])
    label = events.index[150]
    assert found.explain(label).label == label
    with pytest.raises(dl.OptionError, match="is no label of a tested row; they run from"):
        found.explain(("nowhere", 3))


@pytest.mark.jit
def test_three_hundred_columns():
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 300)))
    found = dl.detect(wide, baseline=40, calibration="loo")
    assert found.fields.shape == (20, 300)
    assert found._repr_html_().count("<th>") < 400


HUGE = 10**5000  # Python writes no whole number of more than 4,300 digits


@pytest.mark.parametrize(
    "values",
    [
        [i * i % 97 if i != 250 else HUGE for i in range(300)],
        [*["a", "b"] * 125, HUGE, [HUGE], {"a": HUGE}, Fraction(HUGE, 7), *["a"] * 46],
        [{"a": i * i % 97, "b": [1]} if i != 250 else {"a": HUGE, "b": [HUGE]} for i in range(300)],
        [f"user {i} did {i % 7} things" if i != 250 else -HUGE for i in range(300)],
    ],
    ids=["number", "category", "nested", "text"],
)
def test_whole_numbers_too_long_to_be_written_are_scored_and_shown(values):
    events = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": [1.5, 2.5, 4.5] * 100})
    found = dl.detect(events, baseline=200)
    assert found.table.loc[250, "score"] >= found.table["score"].quantile(0.9)
    told = found.explain(250)
    for text in (str(told), told._repr_html_()):
        assert "1e4999 or more, a whole number" in text or "whole number too long" in text
    assert "<table" in found._repr_html_()
    assert all(map(str, notable(reasons_of(found, np.array([50, 51, 52, 53]))[0])))
    other = events.copy()
    other.at[250, "x"] = HUGE + 1 if not isinstance(values[250], dict) else {"a": HUGE + 1}
    assert dl.detect(other, baseline=200).table.loc[250, "score"] > 0


def test_huge_whole_numbers_are_symbols_of_their_own():
    assert symbol(HUGE) != symbol(HUGE + 1)
    assert symbol(-HUGE) != symbol(HUGE) != symbol(Fraction(HUGE, 7))
    assert spelt(HUGE) == "1e4999 or more, a whole number"
    assert spelt(-HUGE).startswith("-1e4999 ")
    assert spelt([HUGE]) == "list with a whole number too long to be shown"
    assert spelt(12) == "12"


def test_lone_surrogates_in_a_text_column_are_read_and_shown():
    lines = [f"user {i} did \udc80 {i % 7} things over {i * 3}" for i in range(200)]
    found = dl.detect(pd.DataFrame({"m": pd.Series(lines, dtype=object)}), baseline=120)
    assert found.schema.loc["m", "kind"] == "text"
    assert "\\udc80" in str(found.explain(150))
    assert "<table" in found._repr_html_()


def test_a_lone_surrogate_among_numbers_is_unreadable():
    texts = pd.Series([*(str(i * 1.5) for i in range(199)), "\ud800"], dtype=object)
    found = dl.detect(pd.DataFrame({"x": texts[::-1].reset_index(drop=True)}), baseline=120)
    assert found.schema.loc["x", "kind"] == "number"

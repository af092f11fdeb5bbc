"""Values that do not fit their field are evidence, nested ones too."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from judging import HIGH, LOW, N, draw, evidence, frame, judged

import driftlock as dl


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


# --- nested values --------------------------------------------------------------------------------


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

"""Fields: the kind of each column by its values alone, and how values are read."""

from __future__ import annotations

import uuid
import warnings

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock import arrays
from driftlock.fields import Schema, column_names, to_frame
from driftlock.fields.hashes import content_hashes
from driftlock.fields.kinds import SAMPLE, decide
from driftlock.fields.raw import Raw
from driftlock.fields.text import TextField
from driftlock.fields.times import hours_and_weekdays, times
from driftlock.fields.values import numbers, shown, symbol, symbols

N = 400
RNG = np.random.default_rng(20)  # draws at import only, so that no test depends on another
SECONDS = 1_750_000_000 + np.sort(RNG.integers(0, 30 * 86_400, N))  # 30 days of 2025
WORDS = ["user", "login", "failed", "disk", "opened", "by", "root", "from", "port", "after"]
ISO = pd.Series(pd.to_datetime(SECONDS, unit="s")).dt.strftime("%Y-%m-%dT%H:%M:%S")


def choose(values, n=N):
    return RNG.choice(np.array(values, dtype=object), n).tolist()


def sentences(n=N):
    return [" ".join(choose(WORDS, RNG.integers(3, 9))) + f" {i * 37}" for i in range(n)]


KINDS = {
    "uuid": ([str(uuid.UUID(int=int(i) << 64)) for i in RNG.integers(1, 2**60, N)], "id", "shape"),
    "hex": ([f"{i:016x}" for i in RNG.integers(2**60, 2**63, N)], "id", "all of the shape"),
    "letters": (
        ["".join(choose(list("abcdefgh"), 12)) for _ in range(N)],
        "id",
        "12 characters long",
    ),
    "txn_000123": ([f"txn_{i:06d}" for i in range(N)], "id", "all of the shape 'txn_#'"),
    "txn_1 to txn_400": ([f"txn_{i}" for i in range(N)], "id", "all of the shape 'txn_#'"),
    "sequence": (range(10_000, 10_000 + N), "id", "none repeats, though chance would make"),
    "shuffled sequence": (RNG.permutation(N), "id", "none repeats"),
    "subset of a sequence": (RNG.choice(4000, N, replace=False), "id", "none repeats"),
    "sequence as text": ([str(i) for i in range(1000, 1000 + N)], "id", "none repeats"),
    "sequence beyond floats": ([2**60 + i for i in range(N)], "id", "none repeats"),
    "sequence beyond 64 bits": ([10**30 + i for i in range(N)], "id", "none repeats"),
    "codes with leading zeros": (choose(["01", "02", "0300", "99"]), "category", "4 different"),
    "zip codes": ([f"{i:05d}" for i in RNG.integers(0, 100, N)], "category", "different values in"),
    "epoch s": (SECONDS, "time", "range of epoch times (s)"),
    "epoch ms": (SECONDS * 1000 + 7, "time", "range of epoch times (ms)"),
    "epoch us": (SECONDS * 1000_000 + 7, "time", "range of epoch times (us)"),
    "epoch ns": (SECONDS * 1000_000_000 + 7, "time", "range of epoch times (ns)"),
    "epoch s as floats": (SECONDS.astype(float), "time", "range of epoch times (s)"),
    "epoch s as text": (SECONDS.astype(str), "time", "range of epoch times (s)"),
    "a tick each second": (1_750_000_000 + np.arange(N), "time", "shorter than one cycle"),
    "ISO": (ISO, "time", "100.0% of the values read as ISO times"),
    "ISO Z": (ISO + "Z", "time", "ISO times"),
    "ISO offset": (ISO + "+02:00", "time", "ISO times"),
    "ISO blank": (ISO.str.replace("T", " "), "time", "ISO times"),
    "ISO fractions": (ISO + ".123456", "time", "ISO times"),
    "ISO dates": (ISO.str[:10], "time", "ISO times"),
    "ISO loose": (["2025-11-10T10:02:1Z", "2025-1-3 4:5"] * 200, "time", "ISO times"),
    "ISO with a few unreadable": ([*ISO[:390], *["soon"] * 10], "time", "97.5% of the values"),
    "datetimes": (pd.to_datetime(ISO), "time", "dtype datetime64"),
    "log lines": (sentences(), "text", "different values in 400 rows"),
    "addresses": (
        [
            f"www.{'.'.join(choose(WORDS, 2))}.org/{'/'.join(choose(WORDS, i % 5))}"
            for i in range(N)
        ],
        "text",
        "different values",
    ),
    "token sequences": (
        [" ".join(map(str, RNG.integers(1, 60, RNG.integers(3, 20)))) for _ in range(N)],
        "text",
        "different values",
    ),
    "numbers": (RNG.normal(size=N), "number", "400 different numbers"),
    "whole numbers": (RNG.integers(0, 300, N), "number", "different numbers"),
    "spread whole numbers": (RNG.integers(0, 10**12, N), "number", "400 different numbers"),
    "numbers as text": (RNG.normal(size=N).astype(str), "number", "100.0% of the values read as"),
    "numbers, a few unreadable": (
        [*RNG.normal(size=390).astype(str), *["?"] * 10],
        "number",
        "97.5% of the values read as numbers",
    ),
    "few numbers": (choose([1, 2, 5.5]), "category", "only 3 different numbers"),
    "few numbers as text": (choose(["1", "2", "5.5"]), "category", "only 3 different numbers"),
    "few names": (choose(WORDS), "category", "10 different values in 400 rows"),
    "many names": (choose([f"shop {w}{v}" for w in WORDS for v in WORDS]), "category", "different"),
    "bools": (choose([True, False]), "category", "dtype bool"),
    "bools and gaps": (choose([True, False, None]), "category", "2 different values"),
    "categorical": (pd.Categorical(choose(["a", "b"])), "category", "dtype category"),
    "durations": (pd.to_timedelta(RNG.integers(0, 999, N), unit="s"), "number", "in seconds"),
    "constant": (["k"] * N, "category", "the same value in all 400 rows"),
    "one number": ([7.0] * N, "category", "only one number"),
    "nothing": ([None] * N, "category", "every value is missing"),
}
NOISE = RNG.normal(size=N)
LETTERS = choose(["a", "b"])


@pytest.mark.parametrize("name", KINDS)
def test_the_kind_is_told_by_the_values_and_kept_with_its_reason(name):
    values, kind, reason = KINDS[name]
    schema, _ = Schema.learn(pd.DataFrame({"x": pd.Series(values), "y": LETTERS}))
    row = schema.table().loc["x"]
    assert row["kind"] == kind, row["reason"]
    assert reason in row["reason"]
    assert row["coded"] == (kind != "id")


@pytest.mark.parametrize(("distinct", "kind"), [(8, "category"), (9, "number")])
def test_up_to_eight_different_numbers_are_a_category(distinct, kind):
    values = np.arange(N) % distinct * 1.5
    assert decide(pd.Series(values)).kind == kind
    assert decide(pd.Series(values).astype(str)).kind == kind


def test_the_kind_does_not_depend_on_the_order_of_long_columns():
    n = 3 * SAMPLE
    ids = pd.Series([f"{i:08x}" if i % 3 else f"msg {i} of {i % 7}" for i in range(n)])
    mixed = pd.Series([str(i) if i % 40 else "none of it" for i in range(n)])
    for values in (ids, mixed):
        first = decide(values)
        for seed in range(3):
            assert decide(values.sample(frac=1, random_state=seed)) == first


def test_columns_are_known_by_their_values_so_names_and_order_change_nothing():
    normal = dl.datasets.load("normal").events.iloc[:150]
    events = dl.datasets.load("anomalous").events.iloc[:30]
    found = dl.detect(events, baseline=normal)
    names = {name: f"c{i}" for i, name in enumerate(normal.columns[::-1])}
    renamed = dl.detect(events.rename(columns=names), baseline=normal.rename(columns=names))
    assert renamed.schema.to_numpy().tolist() == found.schema.to_numpy().tolist()
    columns = ["score", "bits", "p_value", "p_kind", "q_value", "is_anomaly"]
    pd.testing.assert_frame_equal(found.table[columns], renamed.table[columns])
    for order in (normal.columns[::-1], normal.columns[[3, 1, 5, 0, 2, 8, 7, 4, 6]]):
        shuffled = dl.detect(events[order], baseline=normal[order])
        pd.testing.assert_frame_equal(found.table[columns], shuffled.table[columns])
        pd.testing.assert_frame_equal(found.schema, shuffled.schema.loc[found.schema.index])


def test_an_asked_kind_overrides_what_the_values_say():
    events = pd.DataFrame(
        {"zip": np.random.default_rng(0).integers(10_000, 99_999, 60), "t": SECONDS[:60]}
    )
    learned = Schema.learn(events)[0].table()["kind"].to_dict()
    assert learned == {"zip": "number", "t": "time"}
    asked, flat = Schema.learn(events, {"zip": "category", "t": "number"})
    assert asked.table()["reason"].tolist() == ["as asked", "as asked"]
    assert [type(column) for column in asked.encode(flat)] == [arrays.Symbols, arrays.Numbers]
    few = pd.DataFrame({"t": SECONDS[[0, 200, 399] * 20]})  # too few values to be told apart
    assert Schema.learn(few)[0].table().loc["t", "kind"] == "category"
    (column,) = _encode(few, {"t": "time"})
    hours = pd.to_datetime(few["t"], unit="s").dt.hour
    np.testing.assert_array_equal(column.hours, hours)


def _encode(frame, kinds=None):
    schema, flat = Schema.learn(frame, kinds)
    return schema.encode(flat)


def test_a_field_read_on_the_baseline_reads_later_rows_of_any_dtype():
    schema, _ = Schema.learn(pd.DataFrame({"x": NOISE, "t": pd.to_datetime(ISO)}))
    rows = pd.DataFrame(
        {
            "x": pd.Series([1, "2.5", None, "n/a", "five", True, [3], np.inf], dtype=object),
            "t": pd.Series(
                [ISO[0], "soon", None, 7, "", ISO[1] + "Z", True, "1-2-3"], dtype=object
            ),
        }
    )
    with pytest.warns(dl.DriftlockWarning, match="1 times with a zone"):
        x, t = schema.encode(schema.flatten(rows))
    names = [arrays.NUMBER_CLASSES[c] for c in x.classes]
    readable = ["positive", "positive", "missing", "missing"]
    assert names == [*readable, "unreadable", "unreadable", "unreadable", "+inf"]
    assert x.values.tolist() == [1.0, 2.5, 0, 0, 0, 0, 0, 0]
    hours = pd.to_datetime(ISO[:2]).dt.hour
    gone, bad = arrays.HOUR_MISSING, arrays.HOUR_UNREADABLE
    assert t.hours.tolist() == [hours[0], bad, gone, bad, bad, hours[1], bad, bad]
    assert (t.weekdays[[1, 2, 3]] == arrays.NO_WEEKDAY).all()


def test_arrays_are_bare_contiguous_and_of_one_dtype():
    for frame in (dl.datasets.load("normal").events, pd.DataFrame({"x": ISO, "y": NOISE})):
        for column in _encode(frame):
            for name in column.__slots__:
                array = getattr(column, name)
                if isinstance(array, np.ndarray):
                    assert array.flags.c_contiguous
                    assert array.base is None or array.flags.writeable


# ---------------------------------------------------------------- symbols


def test_numbers_of_every_type_are_one_symbol_and_texts_another():
    five = [5, 5.0, np.int8(5), np.float32(5), np.uint64(5), pd.array([5], dtype="Int64")[0]]
    assert {symbol(value) for value in five} == {symbol(5)}
    assert len({symbol(5), symbol("5"), symbol(True), symbol(1), symbol([5]), symbol("[5]")}) == 6
    assert symbol(2**60 + 1) == symbol(float(2**60 + 1)) == symbol(2.0**60)
    assert symbol(2**64 + 1) != symbol(2**64)
    assert symbol(-0.0) == symbol(0)
    assert symbol({"b": 1, "a": [1, {"c"}]}) == symbol({"a": [1, {"c"}], "b": 1})
    assert symbol({"x", "y", "z"}) == symbol({"z", "y", "x"})
    assert shown(symbol(5)) == "5"
    assert shown(symbol(None)) == "None"


def test_symbols_are_the_same_whatever_the_container():
    values = [1, 2, None, 2, 1, 3]
    expected = [symbol(v) if v is not None else "\x1f(missing)" for v in values]
    for container in (
        pd.Series(values),
        pd.Series(values, dtype=object),
        pd.Series(values, dtype="Int64"),
        pd.Series(pd.Categorical(values)),
        pd.Series([*map(float, [1, 2]), np.nan, 2.0, 1.0, 3.0]),
        pd.Series([1, 2, None, 2.0, np.int64(1), 3.0], dtype=object),
    ):
        codes, texts = symbols(container)
        assert [texts[code] for code in codes] == expected
        assert len(set(texts)) == len(texts)


def test_content_hashes_know_rows_by_content_in_any_order():
    frame = dl.datasets.load("normal").events
    schema, flat = Schema.learn(frame)
    hashes = content_hashes(flat.values(), "0" * 16)
    order = np.random.default_rng(0).permutation(len(frame))
    shuffled = schema.flatten(frame.iloc[order])
    np.testing.assert_array_equal(content_hashes(shuffled.values(), "0" * 16), hashes[order])
    assert (content_hashes(flat.values(), "1" * 16) != hashes).all()
    assert np.unique(hashes).size == len(frame)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("dtype", [object, "str"])
def test_texts_read_as_numbers_or_are_unreadable(dtype):
    texts = ["1", " 2.5 ", "-3e2", "inf", "-Infinity", "+7", "1" * 400]
    bad = ["1_000", "0x1A", "five", "1,5", "12 apples", "True", "--3"]
    gaps = ["", "-", "NA", "n/a", "NaN", "null", "None", " "]
    parsed = numbers(pd.Series([*texts, *bad, *gaps], dtype=dtype))
    assert parsed.values[:7].tolist() == [1, 2.5, -300, np.inf, -np.inf, 7, np.inf]
    assert parsed.unreadable.tolist() == [False] * 7 + [True] * 7 + [False] * 8
    assert parsed.missing.tolist() == [False] * 14 + [True] * 8


# ---------------------------------------------------------------- times


def test_loose_times_are_read_like_tidy_ones():
    loose = pd.Series(["2025-11-10T10:02:1Z", "2025-1-2 3:04", "2025/1/2 3:04:05+0130"])
    tidy = pd.Series(["2025-11-10T10:02:01Z", "2025-01-02T03:04", "2025-01-02T01:34:05Z"])
    read, expected = times(loose), times(tidy)
    assert read.values.tolist() == expected.values.tolist()
    assert read.aware.tolist() == [True, False, True]
    impossible = pd.Series(["2025-13-01 10:00", "2025-02-30 1:2:3", "2025-01-01 25:00", "10:00"])
    assert times(impossible).unreadable.all()


def test_epochs_of_every_unit_are_the_same_instants():
    seconds = pd.Series(SECONDS[:50])
    expected = (seconds * 1_000_000).tolist()
    for unit, factor in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        assert times(seconds * factor, unit=unit).values.tolist() == expected
    odd = times(pd.Series([SECONDS[0], np.nan, np.inf, 1e30]), unit="s")
    assert odd.missing.tolist() == [False, True, False, False]
    assert odd.unreadable.tolist() == [False, False, True, True]


def test_hours_and_weekdays_agree_with_pandas():
    instants = pd.Series(np.random.default_rng(0).integers(-(10**15), 2 * 10**15, 500))
    hours, weekdays = hours_and_weekdays(instants.to_numpy())
    stamps = pd.to_datetime(instants, unit="us")
    np.testing.assert_array_equal(hours, stamps.dt.hour)
    np.testing.assert_array_equal(weekdays, stamps.dt.day_of_week)


# ---------------------------------------------------------------- tables


def test_pandas_frames_come_in_as_they_are_and_are_never_changed():
    events = dl.datasets.load("mixed").events.iloc[300:440]
    assert to_frame(events) is events
    before = events.copy(deep=True)
    dl.detect(events, baseline=100)
    pd.testing.assert_frame_equal(events, before)


def test_column_names_are_texts():
    labels = pd.Index([("a", 1), 2, None, "x"], dtype=object)
    assert column_names(labels) == ["a.1", "2", "None", "x"]


def test_reading_is_quiet():
    frame = pd.DataFrame({name: pd.Series(values) for name, (values, *_) in KINDS.items()})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schema, flat = Schema.learn(frame)
        schema.encode(flat)


@pytest.mark.parametrize("dtype", [object, "str"])
def test_words_for_the_present_are_no_times(dtype: object) -> None:
    """pandas reads them as the time of the call: no two calls would agree."""
    texts = ["now", "today", "NaT", "", "soon", "2025-01-01T10:00:00Z"]
    parsed = times(pd.Series(texts, dtype=dtype))
    assert parsed.readable.tolist() == [False] * 5 + [True]
    assert not times(pd.Series(["now", None], dtype=dtype)).readable.any()


# ---------------------------------------------------------------- dates within texts


def masked(text):
    field = TextField("line", "", 0.0)
    return field.encode(Raw(pd.Series([text]))).rows()[0].decode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("paid on 2025-04-01 10:30:00Z", "paid on 0000-00-00 00:00:00Z"),
        ("[03/May/2025:22:00:00 +0000]", "[00/Mmm/0000:00:00:00 +0000]"),
        ("vom 01.04.2025", "vom 00.00.0000"),
        ("am 1.4.2025, bezahlt", "am 0.0.0000, bezahlt"),
        ("(12.05.24)", "(00.00.00)"),
        ("17/06/09 20:10:40 INFO", "00/00/00 00:00:00 INFO"),
        ("/logs/25/05/11/a", "/logs/00/00/00/a"),
        ("May  5 10:00:00 host", "Mmm  0 00:00:00 host"),
        ("due May 05, 2025", "due Mmm 00, 0000"),
        ("due May 5.", "due Mmm 0."),
        *[(text, text) for text in ["10.20.30.40", "10.11.2024.5", "v12.10.24", "nginx/1.18.0"]],
        *[(text, text) for text in ["10/20/30/40", "45.50.24", "Dec 5.3", "12.5.24", "12.50."]],
    ],
)
def test_dates_and_times_within_a_text_are_masked(text, expected):
    assert masked(text) == expected


@pytest.mark.parametrize("written", ["%d.%m.%Y", "%d.%m.%y", "%y/%m/%d", "%b %d, %Y"])
def test_texts_of_later_days_are_as_usual(written):
    rng = np.random.default_rng(7)
    days = pd.date_range("2025-03-01", periods=600, freq="2h").strftime(written)
    texts = [f"invoice {rng.integers(1e4, 1e5)} of {day}" for day in days]
    found = dl.detect(pd.Series(texts), baseline=300)
    assert found.schema["kind"].tolist() == ["text"]
    assert (found.table["p_value"] <= 0.05).mean() < 0.12

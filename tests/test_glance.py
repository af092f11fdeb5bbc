"""What a glance rules out is never read, and what is read once is the same as read in full."""

from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import driftlock as dl
from driftlock.fields.glance import is_spelt_missing, may_be_iso_time, may_be_number
from driftlock.fields.kinds import SAMPLE, Decision, decide
from driftlock.fields.nested import lay_out
from driftlock.fields.raw import Raw
from driftlock.fields.schema import Schema
from driftlock.fields.times import YEARS_READABLE, times
from driftlock.fields.typed import CategoryField
from driftlock.fields.values import LONG_EXPONENT, numbers, symbols
from driftlock.fields.written import Written

NUMBER_PARTS = [
    "1",
    "0",
    "9" * 30,
    ".",
    "e",
    "E5",
    "+",
    "-",
    "_",
    " ",
    "\t",
    "\x00",
    "x1F",
    "\u0663",
]
WORDS = ["inf", "Infinity", "NaN", "null", "na", "true", "USD", "%", ","]
TIME_PARTS = [
    "2025",
    "-03",
    "/3",
    "0",
    "7",
    "T08",
    " 8",
    ":37",
    ":5",
    ".25",
    ",5",
    "Z",
    "z",
    "+02:00",
]
OTHERS = ["-0530", " ", "\n", "W10", "UTC", "now", "\\", "x", "\x00"]
like_numbers = st.lists(st.sampled_from(NUMBER_PARTS + WORDS), max_size=5).map("".join)
like_times = st.lists(st.sampled_from(TIME_PARTS + OTHERS), max_size=8).map("".join)


@given(like_numbers)
def test_what_reads_as_a_number_passes_the_glance(text):
    asked = "" if LONG_EXPONENT.search(text) else text  # pandas 2 may end the process
    by_pandas = not np.isnan(pd.to_numeric(pd.Series([asked], dtype=object), errors="coerce")[0])
    try:
        by_python = not np.isnan(float(text)) and "_" not in text
    except ValueError:
        by_python = False
    assert may_be_number(text) or not (by_pandas or by_python)
    read = numbers(pd.Series([text], dtype=object))
    assert read.readable[0] == ((by_pandas or by_python) and not is_spelt_missing(text))


@given(like_times)
def test_what_reads_as_a_time_passes_the_glance(text):
    read = pd.to_datetime(pd.Series([text]), format="ISO8601", errors="coerce", utc=True)
    in_range = YEARS_READABLE[0] <= read.dt.year[0] <= YEARS_READABLE[1]
    is_time = text.isascii() and any(map(str.isdigit, text)) and in_range
    assert may_be_iso_time(text) or not is_time
    assert times(pd.Series([text], dtype=object)).readable[0] >= is_time


@pytest.mark.parametrize(
    "text", ["Infinity", " inf", "-inf\n", "+INFINITY", "\t1e5 ", "\u0663.5", "+.5", "2.", "-0"]
)
def test_every_form_of_a_number_passes_the_glance(text):
    assert may_be_number(text)
    assert numbers(pd.Series([text], dtype=object)).values[0] == float(text)


@pytest.mark.parametrize(
    "text",
    ["2025-03-03", "2025/03/03", "2025.03.03", "2025\\03\\03", "2025 03 03", "20250303"]
    + [f" 2025-03-03{rest}" for rest in ("", "T08:00Z", " 8:0:1 +0100")]
    + [f"2025-03-03T08:00{rest}" for rest in ("z", ":07,5", ":07.123456789", "+01:00", "-01")],
)
def test_every_form_of_a_time_passes_the_glance(text):
    read = pd.to_datetime(pd.Series([text]), format="ISO8601", errors="coerce", utc=True)
    assert may_be_iso_time(text)
    assert times(pd.Series([text], dtype=object)).readable[0] or read.isna()[0]


def test_the_glance_rules_out_what_is_common():
    for text in ("Kite 4", "C1026", "0452cca12c054594", "wallet", "10.0.0.7:80", "5 km", "$5"):
        assert not may_be_number(text)
        assert not may_be_iso_time(text)
    assert not may_be_number("2025-03-03T08:37:50Z")
    assert not may_be_iso_time("31/12/2025 23:59")


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("dtype", [object, "string", "str"])
def test_different_texts_are_read_in_place_of_the_column(gaps, dtype):
    texts = ["2025-03-03T08:37:50Z", "7.50", "-", "inf", "2025-03-03T9:37:5", "x", "1e5"] * 3
    values = pd.Series([None, *texts, None] if gaps else texts, dtype=dtype)
    column = Raw(values)
    assert column.distinct is not None
    assert len(column.distinct) == 7
    for read, whole in ((column.numbers, numbers(values)), (column.times(), times(values))):
        for name in ("values", "missing", "unreadable"):
            mine, theirs = getattr(read, name), getattr(whole, name)
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
    seen = column.times()
    assert seen.aware[seen.readable].tolist() == [True, False] * 3
    assert column.times() is seen


def test_a_time_without_a_zone_stands_as_it_is_whatever_stands_before_it():
    texts = ["2025-03-03T08:00:00+02:00", "2025-03-03T08:00:00", "2025-03-03T08:00:00+02:00Z"]
    hours = {texts[0]: [6], texts[1]: [8], texts[2]: []}
    for order in permutations(texts):
        read = times(pd.Series(order, dtype=object))
        found = (read.values[read.readable] // 3_600_000_000 % 24).tolist()
        assert found == [hour for text in order for hour in hours[text]]


def test_mixed_values_have_no_texts_to_be_read_instead():
    assert Raw(pd.Series(["a", 5, None])).distinct is None
    assert Raw(pd.Series([1.5, 2.5])).distinct is None


@pytest.mark.parametrize(
    "leaf",
    [7, "x", None, {"deeper": 1}, Counter(deeper=1), [{"a": 1}], (1, 2), pd.Series([1, 2])],
)
def test_records_of_the_same_keys_are_laid_out_like_any_others(leaf):
    records = [{"b": i, "a": "x"} for i in range(4)] + [{"b": leaf, "a": "y"}]
    alike = lay_out("m", pd.Series(records, dtype=object))
    beside = lay_out("m", pd.Series([*records, None], dtype=object))
    assert list(alike) == list(beside)
    for name, column in alike.items():
        assert column.dtype == object
        assert list(map(repr, column)) == list(map(repr, beside[name][:-1]))
        assert beside[name].iloc[-1] is None


def test_a_table_is_no_return_of_its_own_baseline():
    events = dl.datasets.load("normal").events[:120]
    again = pd.concat([events[:60], events[:60]])  # labels twice: these do return
    with pytest.warns(dl.DriftlockWarning, match="also stand in the baseline"):
        dl.detect(again, baseline=60)
    with pytest.warns(dl.DriftlockWarning, match="also stand in the baseline"):
        dl.detect(events[:60], baseline=events[:60])
    mask = np.arange(len(events)) % 2 == 0
    assert len(dl.detect(events, baseline=mask)) == 60  # a warning would be an error


@pytest.mark.parametrize("n", [60, SAMPLE + 100], ids=["short", "long"])
def test_a_baseline_that_is_typed_is_encoded_as_by_its_schema(n):
    numbers_ = np.arange(n)
    frame = pd.DataFrame(
        {
            "t": pd.date_range("2025-03-03", periods=n, freq="7min").strftime("%Y-%m-%dT%H:%M:%SZ"),
            "shop": pd.Series(numbers_ % 7).map("shop {}".format),
            "amount": pd.Series(1000 + numbers_ * 3.5).map("${:,.2f}".format),
            "plain": (numbers_ * 7 % 1013 + 0.25).astype(str),
            "text": pd.Series(numbers_).map("/item/{0}/of/{0}?x".format),
            "mixed": [value if value != 5 else "?" for value in (numbers_ * 37 % 997).tolist()],
            "m": [{"a": value % 3, "b": str(value % 2)} for value in numbers_.tolist()],
        }
    )
    frame.loc[n // 2, ["t", "shop", "amount", "plain", "text", "mixed"]] = None
    schema, flat, columns = Schema.encoded(frame, entity="shop")
    kinds = {name: decision.kind for name, decision in schema.decisions.items()}
    assert kinds["t"] == "time"
    assert {kinds[name] for name in ("amount", "plain", "mixed")} == {"number"}
    for mine, theirs in zip(columns, schema.encode(flat), strict=True):
        assert type(mine) is type(theirs)
        np.testing.assert_equal(asdict(mine), asdict(theirs))


def test_a_long_column_lets_its_texts_go():
    column = Raw(pd.Series(["a", "b", None]))
    assert column.distinct is not None
    column.forget_texts()
    assert not {"symbols", "present", "distinct"} & vars(column).keys()
    assert column.symbols[1][:2] == ["a", "b"]


@pytest.mark.parametrize("gap", ["n/a", "-", "NaN", ""])
@pytest.mark.parametrize("written", ["{:.1f}%", "${:,.2f}", "{} km"])
@pytest.mark.parametrize("n_gaps", [1, 10])
def test_texts_for_nothing_in_front_hide_no_convention(gap, written, n_gaps):
    amounts = [written.format(number) for number in np.arange(100, 190) * 13.5]
    odd = [] if n_gaps > 3 else ["?"] * 2
    decision = decide(pd.Series([gap] * n_gaps + odd + amounts, dtype=object))
    assert decision.kind == "number"
    assert decision.written is not None


@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_exponents_of_any_length_are_read(dtype):
    exact = {
        "1e2147483648": np.inf,
        "1E+4294967297": np.inf,
        "-5e0012345678901": -np.inf,
        "7e-99999999999": 0.0,
        "0e3000000000": 0.0,
        "1e0000000003": 1000.0,
        "2.5": 2.5,
    }
    read = numbers(pd.Series([None, "x1e2147483648", *exact], dtype=dtype))
    assert read.missing.tolist() == [True] + [False] * 8
    assert read.unreadable.tolist() == [False, True] + [False] * 7
    assert read.values[2:].tolist() == list(exact.values())


def test_numpy_durations_among_other_values_are_symbols_and_numbers():
    spans = [np.timedelta64(90, "s"), timedelta.max, np.timedelta64(5, "Y"), timedelta(seconds=2)]
    values = pd.Series([*spans, np.timedelta64("NaT"), 90, "x"], dtype=object)
    _, texts = symbols(values)
    assert len(set(texts)) == 7
    read = numbers(values)
    assert read.values[read.readable].tolist() == [90.0, 2.0, 90.0]
    assert read.missing.tolist() == [False] * 4 + [True] + [False] * 2
    frame = pd.DataFrame({"mixed": list(values[:4]) * 15, "n": np.arange(60) % 7})
    assert len(dl.detect(frame, baseline=40)) == 20


class Code(str):
    """A text of a type of its own."""


@pytest.mark.parametrize("kind", [Code, np.str_])
@pytest.mark.parametrize("beside", [[], [None, pd.Timestamp("2025-03-03T08:00:00")]])
def test_texts_of_other_types_are_read_as_times(kind, beside):
    texts = [kind("2025-03-03T08:00:00Z"), kind("2025-3-3 8:0"), kind("late")]
    read = times(pd.Series([*texts, *beside], dtype=object))
    assert read.readable.tolist() == [True, True, False, *(value is not None for value in beside)]
    assert (read.values[read.readable] // 3_600_000_000 % 24 == 8).all()


def test_readings_of_one_column_are_kept_apart():
    column = Raw(pd.Series(["1.234", "5,5", "2025-03-03T23:00:00Z"], dtype=object))
    points, commas = Written(".", ","), Written(",", ".")
    assert column.plain(points).numbers.values[0] == 1.234
    assert column.plain(commas).numbers.values[0] == 1234
    assert column.plain(points).numbers.values[0] == 1.234
    assert column.plain(None) is column
    for is_known in (False, True):
        column = Raw(column.values)
        assert not is_known or column.distinct is not None
        hours = [
            int(column.times(zone).values[2]) // 3_600_000_000 % 24
            for zone in ("Asia/Tokyo", None, "America/New_York")
        ]
        assert hours == [8, 23, 18]


@pytest.mark.parametrize("dtype", [object, "string", "str"])
@pytest.mark.parametrize("gaps", [[], [None]])
def test_texts_that_are_the_same_up_to_a_zero_byte_are_different(dtype, gaps):
    texts = ["5", "5\x00x", "", "\x00", "5\x00y", *gaps]
    values = pd.Series(texts * 3, dtype=dtype)
    codes, told = symbols(values)
    assert told[:5] == texts[:5]
    assert codes.tolist() == list(range(len(texts))) * 3
    read = Raw(values)
    assert read.distinct is not None
    assert read.numbers.readable.tolist() == ([True] + [False] * (len(texts) - 1)) * 3


@pytest.mark.parametrize("clock", ["08:00:00", "08:00", "08:00:00.5"])
@pytest.mark.parametrize("apart", ["T", " "])
@pytest.mark.parametrize("offset", ["Z", "+02", "-02", "+02:00", "-0230"])
def test_every_offset_is_told_from_none(clock, apart, offset):
    naive = f"2025-03-03{apart}{clock}"
    for order in permutations([naive + offset, naive, "1500-01-01", "2025-03-03"]):
        read = times(pd.Series(order, dtype=object))
        by_text = dict(zip(order, read.aware & read.readable, strict=True))
        assert by_text == {text: text == naive + offset for text in order}
        assert read.values[order.index(naive)] // 3_600_000_000 % 24 == 8


def test_what_is_usual_names_three_symbols_and_how_many_there_are():
    column = Raw(pd.Series(list("ddddccccbbae"), dtype=object))
    field = CategoryField.learn("x", column, Decision("category", ""))
    assert field.usual() == "c 33%, d 33%, b 17%, 2 more"


@pytest.mark.parametrize(
    "of", [lambda i: timedelta(seconds=7 * i), "{}e-05".format, " {}.5 ".format]
)
def test_what_only_some_reader_reads_passes_the_glance(of):
    values = pd.Series(list(map(of, range(1, 60))), dtype=object)
    assert decide(values).kind == "number"

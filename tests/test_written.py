"""Numbers and dates as people write them, and all that only looks like them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock import arrays
from driftlock.fields import Schema
from driftlock.fields.kinds import as_asked, decide
from driftlock.fields.times import date_format, times
from driftlock.fields.values import numbers
from driftlock.fields.written import Written, learn_written
from driftlock.windows import compare

N = 400
RNG = np.random.default_rng(31)  # draws at import only, so that no test depends on another
AMOUNTS = np.round(RNG.lognormal(5, 1.6, N), 2)
ENGLISH = [f"{x:,.2f}" for x in AMOUNTS]
DAYS = pd.date_range("2025-03-01", periods=N, freq="7h", unit="s")


def swapped(texts):
    """1,234.50 as 1.234,50."""
    return [text.translate(str.maketrans(",.", ".,")) for text in texts]


def whole(low, high):
    return RNG.integers(low, high, N).tolist()


SPELLINGS = {
    "1,234.50": ENGLISH,
    "1.234,50": swapped(ENGLISH),
    "1 234,50": [t.replace(".", " ") for t in swapped(ENGLISH)],
    "1 234.50": [t.replace(",", "\u202f") for t in ENGLISH],
    "1'234.50": [t.replace(",", "\u2019") for t in ENGLISH],
    "1_234.50": [t.replace(",", "_") for t in ENGLISH],
    "$1,234.50": [f"${t}" for t in ENGLISH],
    "EUR 1,234.50": [f"EUR\u00a0{t}" for t in ENGLISH],
    "R$ 1.234,50": [f"R$ {t}" for t in swapped(ENGLISH)],
    "1.234,50 \u20ac": [f" {t} \u20ac" for t in swapped(ENGLISH)],
    "1,234.50%": [f"{t}%" for t in ENGLISH],
    "1,234.50 \u00b0C": [f"{t}\u00b0C" for t in ENGLISH],
    "1,234.50 km/h": [f"{t} km/h" for t in ENGLISH],
}


@pytest.mark.parametrize("dtype", [object, "str"])
@pytest.mark.parametrize("example", SPELLINGS)
def test_every_spelling_reads_as_the_same_numbers(example, dtype):
    values = pd.Series(SPELLINGS[example], dtype=dtype)
    decision = decide(values)
    assert decision.kind == "number"
    shown = example.replace("R$ ", "R$")
    assert decision.reason.startswith(f"100.0% of the values read as numbers written {shown}; ")
    column = encoded(values)
    assert column.values.tolist() == AMOUNTS.tolist()
    assert (column.classes == arrays.POSITIVE).all()
    assert (column.decimals == 2).all()


def encoded(values, later=None, kinds=None):
    """A column learned on values, as it reads them or later ones."""
    schema, flat = Schema.learn(pd.DataFrame({"x": values, "y": ["a", "b"] * (len(values) // 2)}))
    if kinds:
        schema, flat = Schema.learn(pd.DataFrame({"x": values}), kinds)
    return schema.encode(flat if later is None else {"x": later, "y": later})[0]


def test_negative_numbers_have_a_sign_or_brackets():
    signs = ["$5", "-$5", "$-5", "$ -5.0", "- $5", "\u2212$5", "+$5", "($5.00)", "( $5 )"]
    values = [f"(${t})" if i % 9 == 0 else f"${t}" for i, t in enumerate(ENGLISH)]
    column = encoded(pd.Series(values), pd.Series([*signs, "(-$5)", "-$-5", "($5", "$5)"]))
    assert column.values[:9].tolist() == [5, -5, -5, -5, -5, -5, 5, -5, -5]
    assert (column.classes[9:] == arrays.UNREADABLE).tolist() == [True] * 4
    assert decide(pd.Series(values)).reason.startswith("100.0% of the values read as numbers wr")
    assert "($1,234.50)" in decide(pd.Series(values)).reason
    unused = encoded(pd.Series([f"${t}" for t in ENGLISH]), pd.Series(["($5.00)", "$5.00"]))
    assert unused.classes.tolist() == [arrays.UNREADABLE, arrays.POSITIVE]


def test_what_does_not_fit_the_convention_is_unreadable_and_what_is_missing_missing():
    bad = ["$43,28.00", "\u20ac12.00", "12.00", "$1.234,50", "$12.00 USD", "$1,2345.00", "$0,123"]
    gaps = ["", "n/a", " - ", None, np.nan]
    good = ["$1234.50", " $ 1,234.50 ", "$.5", 1234.5, "$1"]
    column = encoded(
        pd.Series(SPELLINGS["$1,234.50"]), pd.Series([*bad, *gaps, *good], dtype=object)
    )
    assert (column.classes[:7] == arrays.UNREADABLE).all()
    assert (column.classes[7:12] == arrays.MISSING).all()
    assert column.values[12:].tolist() == [1234.5, 1234.5, 0.5, 1234.5, 1]
    assert column.decimals[12:].tolist() == [2, 2, 1, 1, 0]


def test_numbers_that_python_reads_keep_their_meaning_beside_grouped_ones():
    column = encoded(pd.Series(ENGLISH), pd.Series(["1e5", "inf", "12", "1_0", "1.5e-3"]))
    assert column.values[[0, 2, 4]].tolist() == [1e5, 12, 0.0015]
    assert column.classes.tolist()[1] == arrays.PLUS_INF
    assert column.classes.tolist()[3] == arrays.UNREADABLE
    assert (
        encoded(pd.Series(swapped(ENGLISH)), pd.Series(["1.5", "1e5"])).classes.tolist()
        == [arrays.UNREADABLE] * 2
    )


def test_a_few_grouped_amounts_among_small_ones_are_read():
    values = [f"{x:,.2f}" for x in np.where(np.arange(N) % 80, AMOUNTS % 100 + 1, 1234.5)]
    assert numbers(pd.Series(values)).share > 0.97  # Python reads most of them
    decision = decide(pd.Series(values))
    assert decision.written == Written(".", ",")
    assert not numbers(decision.written.rewritten(pd.Series(values))).unreadable.any()


def test_columns_that_python_reads_have_no_convention():
    rng = np.random.default_rng(0)
    for values in (
        pd.Series(AMOUNTS),
        pd.Series(AMOUNTS.astype(str)),
        pd.Series([*AMOUNTS[:395].astype(str), "?", "five", "12%", "1,5", "1-2"]),
        pd.Series(rng.integers(0, 10**12, N).astype(str)),
    ):
        decision = decide(values)
        assert (decision.kind, decision.written) == ("number", None)
        assert "written" not in decision.reason


LOOK_ALIKES = {
    "IP addresses": [".".join(map(str, RNG.integers(0, 256, 4))) for _ in range(N)],
    "IP addresses of three digits": [
        "10." + ".".join(map(str, RNG.integers(100, 256, 3))) for _ in range(N)
    ],
    "versions": [".".join(map(str, RNG.integers(0, 20, 3))) for _ in range(N)],
    "long versions": [f"{a}.0.{b}.{c}" for a, b, c in RNG.integers(80, 9000, (N, 3))],
    "zip codes": [f"{i:05d}" for i in whole(0, 99_999)],
    "zip codes and a few prices": [f"{i:05d}" for i in whole(0, 99_999)][:396] + ["$5"] * 4,
    "telephone numbers in threes": [f"{x:,}".replace(",", " ") for x in whole(6e8, 7e8)],
    "telephone numbers abroad": ["+34 " + f"{x:,}".replace(",", " ") for x in whole(6e8, 7e8)],
    "telephone numbers with area": [f"({a}) {b}-{c}" for a, b, c in RNG.integers(200, 999, (N, 3))],
    "telephone numbers with zeros": [f"0{a} {b}" for a, b in RNG.integers(100, 999, (N, 2))],
    "invoices": [f"INV {i}" for i in whole(10_000, 99_999)],
    "invoices without a blank": [f"INV{i}" for i in whole(10_000, 99_999)],
    "codes of a country": [f"{i}EU" for i in whole(10_000, 99_999)],
    "numbered": [f"#{i}" for i in whole(1, 9999)],
    "ids": [f"txn_{i}" for i in range(N)],
    "ids in two parts": [f"{a}_{b}" for a, b in RNG.integers(1, 999, (N, 2))],
    "codes with a currency's leading zeros": [f"${i:05d}" for i in whole(0, 99_999)],
    "cards": [f"{a} {b}" for a, b in RNG.integers(1000, 9999, (N, 2))],
    "ranges": [f"{a}-{b}" for a, b in RNG.integers(1, 999, (N, 2))],
    "clock times": [f"{a:02d}:{b:02d}" for a, b in RNG.integers(0, 24, (N, 2))],
    "1,234 or 1.234": [f"{i:,}" for i in whole(1, 999_999)],
    "$1.234 or $1,234": [f"${i:,}" for i in whole(1, 999_999)],
    "footnotes": [f"({i})" for i in whole(1, 99)],
    "two currencies": [f"{'$' if i % 2 else '@'}{t}" for i, t in enumerate(ENGLISH)],
    "two conventions": [*ENGLISH[:200], *swapped(ENGLISH[200:])],
    "lists": [",".join(map(str, RNG.integers(0, 9, 1 + i % 4))) for i in range(N)],
    "Indian groups": ["12,34,567.00", "1,00,000.50", "9,99,999.25", "1,23,456.75"] * 100,
}


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_what_only_looks_like_numbers_becomes_none(name):
    decision = decide(pd.Series(LOOK_ALIKES[name]))
    assert decision.kind in ("category", "text", "id"), decision.reason
    assert decision.written is None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["1,234", "12,345"], None),
        (["1,234", "1,234,567"], Written(".", ",")),
        (["1.234", "1.234.567", "12.345.678", "1.234.567.890"], Written(",", ".")),
        (["1,234", "12,50"], Written(",", ".")),
        (["1,234", "0,123"], Written(",", ".")),
        (["1,234", "12.50"], Written(".", ",")),
        (["1 234", "12 345"], None),
        (["1 234", "12 345,6"], Written(",", " ")),
        (["1.234 kg", "12.345 kg"], None),
        (["0.234 kg", "12.345 kg"], Written(".", ",", "", "kg")),
        (["1234 kg", "4567 kg"], None),
        (["$1234", "$4567"], Written("", "", "$")),
        (["12 kg", "345 kg"], Written("", "", "", "kg")),
        (["USD 1.25", "USD 7.50"], Written(".", ",", "USD")),
        (["USD 1.25", "USD 7.5"], None),
        (["12.5", "(3.5)"], Written(".", ",", brackets=True)),
        (["(12.5)", "(3.5)"], None),
        (["12.5", "3.5"], None),
        (["one", "two"], None),
    ],
)
def test_marks_are_told_by_what_reads_every_value(texts, expected):
    assert learn_written(dict.fromkeys(texts, 10), 10 * len(texts)) == expected


def test_more_than_97_percent_of_the_values_must_fit():
    for odd, written in ((2, Written(".", ",", "$")), (3, None)):
        counts = {"$12.50": 60, "$1,234.50": 40 - odd, "none of it": odd}
        assert learn_written(counts, 100) == written


def test_numbers_asked_for_are_read_as_they_are_written():
    for texts, example, first in (
        (["1,234", "999", "12,345"], "1,234.50", 1234),
        (["1,5", "1"], "1.234,50", 1.5),
        (["12 %", "none", "many"], "1234%", 12),
        (["USD 1.5", "USD 2"], "USD 1,234.50", 1.5),
    ):
        values = pd.Series(texts * 20)
        decision = as_asked("x", "number", values)
        assert decision.reason.startswith("as asked, ")
        assert decision.reason.endswith(f"numbers written {example}")
        assert encoded(values, kinds={"x": "number"}).values[0] == first
    assert as_asked("x", "number", pd.Series(["1.5", "x"])).written is None
    with pytest.raises(dl.DriftlockError, match="nothing in the baseline reads as a number"):
        as_asked("x", "number", pd.Series(["shop", "market"]))
    assert as_asked("x", "category", pd.Series(ENGLISH)).written is None


def test_written_amounts_are_judged_like_the_same_amounts_as_floats():
    amounts = AMOUNTS.copy()
    amounts[350] = 9_999_999.0
    shops = RNG.choice(["a", "b", "c"], N)
    events = pd.DataFrame({"amount": amounts, "shop": shops})
    expected = dl.detect(events, baseline=300)
    assert expected.is_anomaly[50]
    english = [f"{x:,.2f}" for x in amounts]
    for texts in (english, swapped(english), [f"${t}" for t in english]):
        found = dl.detect(events.assign(amount=texts), baseline=300)
        np.testing.assert_array_equal(found.table["score"], expected.table["score"])
        assert found.is_anomaly.tolist() == expected.is_anomaly.tolist()
        assert found.explain(350).table.loc["amount", "value"] == texts[350]


def test_a_text_that_breaks_the_convention_is_strange_and_so_are_more_decimals():
    texts = [f"${x:,.2f}" for x in AMOUNTS]
    texts[310], texts[320], texts[330] = "$43,28.00", "\u20ac50.00", "$50.000"
    found = dl.detect(pd.DataFrame({"amount": texts}), baseline=300, control="fpr")
    assert found.is_anomaly[[10, 20, 30]].all()
    assert found.is_anomaly.sum() < 15


def test_windows_read_written_amounts_as_numbers():
    before = pd.DataFrame({"amount": AMOUNTS[:300]})
    after = pd.DataFrame({"amount": AMOUNTS[300:] * 3})
    texts = [frame["amount"].map("{:,.2f}".format).to_frame() for frame in (before, after)]
    results = [
        compare(b, w.reset_index(drop=True), n_permutations=99, rng=0)
        for b, w in ((before.round(2), after.round(2)), texts)
    ]
    assert results[0].p_value == results[1].p_value


# ---------------------------------------------------------------- dates

DATES = {
    "%d/%m/%Y %H:%M": "day first",
    "%d.%m.%Y": "day first",
    "%d-%m-%Y %H:%M:%S": "day first",
    "%m/%d/%Y": "month first",
    "%m/%d/%Y %H:%M:%S.%f": "month first",
    "%m/%d/%Y, %I:%M %p": "month first",
    "%m/%d/%Y %I:%M:%S%p": "month first",
}


@pytest.mark.parametrize("dtype", [object, "str"])
@pytest.mark.parametrize("written", DATES)
def test_dates_are_times_where_a_day_tells_the_order(written, dtype):
    texts = pd.Series(DAYS.strftime(written), dtype=dtype)
    decision = decide(texts)
    assert (decision.kind, decision.unit) == ("time", written)
    assert decision.reason == f"100.0% of the values read as dates, {DATES[written]}"
    expected = times(pd.Series(DAYS if "%M" in written else DAYS.normalize()))
    read = times(texts, unit=written)
    assert read.values.tolist() == expected.values.tolist()
    assert not read.aware.any()
    schema, flat = Schema.learn(pd.DataFrame({"t": texts}))
    assert schema.encode(flat)[0].weekdays.tolist() == DAYS.day_of_week.tolist()


def test_dates_without_a_day_beyond_the_twelfth_stay_as_they_are():
    days = [f"{d:02d}/{m:02d}/2025" for d in range(1, 13) for m in range(1, 13)]
    assert decide(pd.Series(days)).kind != "time"
    few = [*days, "13/01/2025"]  # one day in 145 is too little to tell by
    assert date_format(pd.Series(few), np.ones(145, int), 0.97) is None
    both = [*DAYS.strftime("%d/%m/%Y"), *DAYS.strftime("%m/%d/%Y")]
    assert decide(pd.Series(both)).kind != "time"
    assert (
        date_format(pd.Series(["31/12/25", "2025/12/31", 7, None]), np.ones(4, int), 0.97) is None
    )


def test_a_date_of_another_order_or_form_is_unreadable():
    texts = pd.Series(DAYS.strftime("%d/%m/%Y %H:%M"))
    schema, _ = Schema.learn(pd.DataFrame({"t": texts}))
    odd = ["12/31/2025 10:00", "31.12.2025 10:00", "31/12/2025", "2025-12-31T10:00", "soon"]
    later = pd.Series([*odd, None, "1/2/2025 7:05"], dtype=object)
    (column,) = schema.encode({"t": later})
    unreadable = [arrays.HOUR_UNREADABLE] * 5
    assert column.hours.tolist() == [*unreadable, arrays.HOUR_MISSING, 7]
    assert column.weekdays[6] == 5  # the first of February 2025 was a Saturday
    stamps = pd.Series(pd.to_datetime(["2025-12-31 10:00"] * 2))
    assert schema.encode({"t": stamps})[0].hours.tolist() == [10, 10]

"""Results: tables that agree with each other, explanations, and what is printed."""

from __future__ import annotations

import copy
import functools
import pickle

import numpy as np
import pandas as pd
import pytest

import driftlock as dl

MIXED = pd.concat(
    [
        dl.datasets.load("normal").events.iloc[:170],
        dl.datasets.load("anomalous").events.iloc[:30],
    ],
    ignore_index=True,
)


@functools.cache
def detection():
    return dl.detect(MIXED, baseline=120)


@pytest.fixture
def found():
    return detection()


def test_expected_bits_are_the_mean_of_the_baseline_rows_each_left_out(found):
    bits = dl.Detector().fit(MIXED.iloc[:120])._state.calibrated.scores.bits
    expected = found.explain(position=0).table["expected_bits"]
    means = dict(zip(found.fields.columns, bits.mean(axis=1) / 1000, strict=True))
    assert expected.to_dict() == pytest.approx(means)


def small(**columns):
    rng = np.random.default_rng(0)
    base = {"shop": rng.choice(list("abcd"), 120), "amount": rng.normal(50, 5, 120).round(2)}
    return pd.DataFrame(base | columns)


# ---------------------------------------------------------------- tables


def test_the_table_has_a_row_per_tested_row_with_its_label(found):
    assert list(found.table) == [
        *("score", "bits", "p_value", "p_kind", "q_value"),
        *("is_anomaly", "top_field"),
    ]
    assert found.table.index.equals(MIXED.index[120:])
    assert len(found) == len(found.table) == len(found.fields) == 80
    assert found.table["p_value"].between(0, 1, inclusive="right").all()
    assert (found.table["q_value"] >= found.table["p_value"] - 1e-12).all()
    assert set(found.table["p_kind"]) <= {"rank", "tail", "pattern"}
    assert found.table["is_anomaly"].dtype == bool
    assert set(found.table["top_field"]) <= set(found.fields)


def test_bits_of_fields_sum_to_the_bits_of_the_row(found):
    np.testing.assert_allclose(found.fields.sum(axis=1), found.table["bits"], atol=1e-9)
    coded = found.schema.index[found.schema["coded"]]
    assert list(found.fields) == list(coded)


def test_every_field_is_in_the_schema_the_ones_left_out_with_their_reason(found):
    schema = found.schema
    assert list(schema) == ["kind", "coded", "reason"]
    assert schema["reason"].str.len().min() > 0
    left_out = schema[~schema["coded"]]
    assert set(left_out["kind"]) == {"id"}
    names = {name.split(".")[0] for name in schema.index}
    assert names == set(MIXED.columns)


def test_anomalies_are_the_flagged_rows_strangest_first_with_their_own_columns(found):
    shown = found.anomalies
    flagged = found.table.index[found.table["is_anomaly"]]
    assert set(shown.index) == set(flagged)
    assert len(shown) == len(flagged) > 15
    assert list(shown.columns) == [
        *("score", "bits", "p_value", "q_value", "top_field"),
        *MIXED.columns,
    ]
    assert shown["p_value"].is_monotonic_increasing
    ties = shown["p_value"].duplicated(keep=False)
    assert shown[ties].groupby("p_value")["score"].apply(lambda s: s.is_monotonic_decreasing).all()
    pd.testing.assert_frame_equal(shown[MIXED.columns], MIXED.loc[shown.index])


def test_the_strangest_rows_are_shown_even_if_none_is_flagged():
    quiet = dl.detect(small(), baseline=100, alpha=1e-9)
    assert len(quiet.anomalies) == 0
    assert list(quiet.anomalies.columns)[-2:] == ["shop", "amount"]
    strangest = quiet.strangest(3)
    assert len(strangest) == 3
    assert strangest["p_value"].iloc[0] == quiet.table["p_value"].min()


def test_dtypes_of_own_columns_survive():
    events = small(flag=[True, False] * 60, level=pd.Categorical(["u", "v"] * 60), whole=range(120))
    shown = dl.detect(events, baseline=100, control="fpr", alpha=0.5).anomalies
    assert shown[events.columns].dtypes.equals(events.dtypes)


# ---------------------------------------------------------------- explanations


def test_an_explanation_sets_the_row_beside_what_is_usual(found):
    label = found.anomalies.index[0]
    explained = found.explain(label)
    table = explained.table
    assert list(table) == ["value", "bits", "expected_bits", "evidence", "usual"]
    assert set(table.index) == set(found.fields)
    assert table.index[0] == found.table.loc[label, "top_field"]
    assert table["evidence"].is_monotonic_decreasing
    assert table["bits"].sum() == pytest.approx(found.table.loc[label, "bits"])
    assert table.loc["amount", "value"] == MIXED.loc[label, "amount"]
    assert (table["expected_bits"] >= 0).all()
    assert explained.label == label
    pd.testing.assert_series_equal(explained.verdict, found.table.loc[label])


def test_a_row_is_explained_by_place_too(found):
    for place in (0, 5, -1, np.int64(7)):
        label = found.table.index[place]
        pd.testing.assert_frame_equal(
            found.explain(position=place).table, found.explain(label).table
        )


@pytest.mark.parametrize("position", [80, -81, 1.5, True, "0"])
def test_a_place_that_is_none_is_an_error(found, position):
    with pytest.raises(dl.OptionError, match="is no place among the 80 tested rows; expected a w"):
        found.explain(position=position)


@pytest.mark.parametrize("label", [0, "x", None, (1, 2), [1], True])
def test_a_label_that_is_none_is_an_error_with_the_known_range(found, label):
    with pytest.raises(dl.OptionError, match="is no label of a tested row"):
        found.explain(label)


def test_usual_values_are_short_and_honest():
    events = small(
        long=["word " * 30_000, "other"] * 60,
        when=pd.date_range("2025-01-01", periods=120, freq="h"),
        gap=[None] * 120,
    )
    usual = dl.detect(events, baseline=100).explain(110).table["usual"]
    assert usual["shop"].count("%") == 3
    assert "1 more" in usual["shop"]
    assert usual["amount"].startswith("4")
    assert "median 5" in usual["amount"]
    assert usual["when"].startswith("busiest at ")
    assert usual["gap"] == "(missing) 100%"
    assert usual.str.len().max() < 150


# ---------------------------------------------------------------- what is printed


def test_repr_says_what_was_found_against_what(found):
    flags = int(found.table["is_anomaly"].sum())
    expected = f"Detection: {flags} anomalies in 80 rows, tested against 120 (fdr at alpha = 0.05"
    assert repr(found).startswith(expected)
    one = dl.detect(MIXED.iloc[[120]], baseline=MIXED.iloc[:120])
    assert " in 1 row, tested against 120" in repr(one)
    assert "80 rows, each tested against all others" in repr(dl.detect(MIXED.iloc[120:]))


def test_the_summary_lists_everything_left_out(found):
    text = found.summary()
    assert text.startswith(repr(found))
    assert "calibration:" in text
    assert "guarantee" in text
    assert repr(found.plan) in text
    for name, row in found.schema[~found.schema["coded"]].iterrows():
        assert f"  {name}: {row['kind']}, {row['reason']}" in text
    leaders = found.table.loc[found.table["is_anomaly"], "top_field"].value_counts()
    assert f"{leaders.index[0]} {leaders.iloc[0]}" in text


def test_an_explanation_prints_values_cut_and_rounded():
    events = small(long=["word " * 30_000, "other"] * 60)
    text = repr(dl.detect(events, baseline=100).explain(110))
    assert text.startswith("Row 110: ")
    assert "p = " in text
    assert "code length" in text
    assert max(map(len, text.splitlines())) < 250


EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(("fields", "rest"), [(20, ""), (21, "1 more in"), (60, "40 more in")])
def test_an_explanation_prints_the_strangest_of_many_fields(fields, rest):
    rng = np.random.default_rng(2)
    table = pd.DataFrame(rng.normal(size=(140, fields)), columns=[f"x{i}" for i in range(fields)])
    table.iloc[-1, 7] = 100.0
    why = dl.detect(table, baseline=130).explain(139)
    assert len(why.table) == fields
    for text in (repr(why), why._repr_html_()):
        assert "100" in text
        assert why.table.index[min(fields, 20) - 1] in text
        assert ("more in .table" in text) == bool(rest)
        assert rest in text
    if rest:
        last = why.table["evidence"].iloc[20]
        assert repr(why).endswith(f"of {last:.2f} bits of evidence or less")
    lines = repr(why).splitlines()[-20 - bool(rest) :][:20]
    assert [line.split()[0] for line in lines] == why.table.index[:20].tolist()


def test_html_is_escaped():
    events = small(note=[EVIL, "fine"] * 60).rename(columns={"shop": EVIL})
    events.index = [f"{EVIL}{i}" for i in range(120)]
    for options in ({"control": "fpr", "alpha": 0.9}, {"alpha": 1e-9}):
        found = dl.detect(events, baseline=100, **options)
        for page in (found._repr_html_(), found.explain(position=0)._repr_html_()):
            assert "<script" not in page
            assert "&lt;script&gt;" in page


@pytest.mark.parametrize("dtype", ["Float64", "Int64", "complex", "category", "string"])
def test_html_shows_own_values_of_any_dtype(dtype):
    events = small(own=pd.Series([1, 2] * 60).astype(dtype))
    for alpha in (0.9, 1e-9):
        found = dl.detect(events, baseline=100, control="fpr", alpha=alpha)
        assert "own" in found._repr_html_()
        assert "own" in repr(found.explain(105))


@pytest.mark.jit
def test_html_of_many_rows_and_columns_stays_small():
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 60)))
    found = dl.detect(wide, baseline=100, control="fpr", alpha=0.9, calibration="loo")
    page = found._repr_html_()
    assert page.count("<tr") <= 12
    assert page.count("<th") < 40
    assert "more in <code>.anomalies</code>" in page


def test_html_cuts_long_values_of_texts_and_of_nested_columns():
    rng = np.random.default_rng(0)
    events = pd.DataFrame(
        {
            "trace": [f"at line {rng.integers(1000)}\n" * rng.integers(10, 20) for _ in range(150)],
            "items": [[{"sku": "s" * int(k)}] for k in rng.integers(1, 4, 150)],
            "short": rng.choice(["a", "b"], 150),
        }
    )
    events.at[149, "trace"] = "<&>" * 8_000
    events.at[148, "items"] = [{"sku": "z" * 30_000}]
    found = dl.detect(events, baseline=100)
    assert {148, 149} <= set(found.anomalies.index)
    for page in (found._repr_html_(), found.explain(149)._repr_html_()):
        assert len(page) < 20_000
        assert "&lt;&amp;&gt;" in page
        assert "..." in page
    assert found.anomalies.at[149, "trace"] == "<&>" * 8_000


# ---------------------------------------------------------------- the summary


@pytest.mark.parametrize(("shift", "said"), [(0.0, False), (6.0, True)])
def test_the_summary_says_when_most_rows_are_flagged(shift, said):
    rng = np.random.default_rng(5)
    rows = pd.DataFrame(rng.normal(size=(120, 22)), columns=[f"x{i}" for i in range(22)])
    rows.iloc[60:] += shift
    for i in range(60):  # each of them led by another field
        rows.iat[60 + i, i % 22] += 20 * shift
    summary = dl.detect(rows, baseline=60, control="fpr").summary()
    assert ("most rows are flagged" in summary) is said
    leaders = [line for line in summary.splitlines() if line.startswith("fields that lead")]
    assert leaders
    assert leaders[0].count(",") <= 20
    assert leaders[0].endswith(", 2 more") is said


# ---------------------------------------------------------------- keeping them


def test_results_can_be_pickled_and_copied(found):
    for other in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301
        pd.testing.assert_frame_equal(other.table, found.table)
        pd.testing.assert_frame_equal(
            other.explain(position=3).table, found.explain(position=3).table
        )


def test_results_are_frozen(found):
    with pytest.raises(AttributeError):
        found.calibration = "other"

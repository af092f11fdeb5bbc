"""Tables of other libraries, arrays, records, series, any index: read like a DataFrame."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from judging import N, draw, frame

import driftlock as dl


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

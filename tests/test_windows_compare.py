"""compare: what it returns, that it is right, and what it takes for evidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from windowing import DRAWS, shifted, table

from driftlock import datasets, threads
from driftlock.coders.codec import get_codec
from driftlock.distance import ncd_of
from driftlock.draws import STATISTICS
from driftlock.errors import DriftlockWarning
from driftlock.lines import row_lines
from driftlock.permutation import verdict
from driftlock.windows import compare, permutation_test, scan
from driftlock.windows.table import encode

pytestmark = pytest.mark.usefixtures("_usual_threads")


def test_a_window_like_its_baseline_is_not_flagged():
    events = table()
    found = compare(events[:400], events[400:], n_permutations=DRAWS, rng=1)
    assert not found.is_anomaly
    assert found.null.name == "rows"
    assert (found.n_baseline, found.n_window, found.n_permutations) == (400, 50, DRAWS)
    assert "is not told from" in repr(found)


def test_a_shifted_window_is_flagged_and_explained():
    found = compare(table(400), shifted(), n_permutations=DRAWS, rng=1)
    assert found.is_anomaly
    assert set(found.fields.index[:2]) == {"shop", "amount"}
    assert found.fields["p_value"].is_monotonic_increasing
    assert "differs from" in repr(found)
    assert "<table" in found._repr_html_()


def test_columns_of_the_comparison():
    events = table()
    found = compare(events[:400], events[400:], n_permutations=DRAWS, rng=1)
    rows = found.table
    assert list(rows.index) == [*STATISTICS, "compression_ratio"]
    assert rows["in_verdict"].to_dict() == {
        "ncd": True,
        "entropy": True,
        "mean_bits": False,
        "top_bits": True,
        "max_field": True,
        "compression_ratio": False,
    }
    assert rows.loc["compression_ratio", ["observed", "p_value"]].isna().all()
    assert rows.loc["entropy", "delta"] == pytest.approx(rows.loc["entropy", "observed"], abs=1e-6)
    assert rows.loc["mean_bits", "window"] == pytest.approx(
        rows.loc["mean_bits", "observed"], abs=1e-6
    )
    assert rows.loc["top_bits", "window"] == pytest.approx(
        rows.loc["top_bits", "observed"], abs=1e-6
    )
    assert rows.loc["mean_bits", "change_percent"] == pytest.approx(
        100 * rows.loc["mean_bits", "delta"] / rows.loc["mean_bits", "baseline"]
    )
    assert found.fields["bits_window"].sum() == pytest.approx(
        rows.loc["mean_bits", "window"], abs=1e-6
    )
    assert list(found.draws) == list(STATISTICS)
    assert found.draws["ncd"].mean() == pytest.approx(rows.loc["ncd", "expected"])


NCDS = ("ncd_zstd", "ncd")


def test_a_codec_joins_the_verdict():
    events = table(150)
    found = compare(events[:110], events[110:], coder="zstd", n_permutations=60, rng=1)
    assert found.table["in_verdict"].to_dict()["ncd_zstd"]
    assert not found.table.loc["ncd", "in_verdict"]
    lines = row_lines(events)
    size = get_codec("zstd").size
    x, y = b"".join(lines[:110]), b"".join(lines[110:])
    assert found.table.loc["ncd_zstd", "observed"] == pytest.approx(
        ncd_of(size(x), size(y), size(x + y))
    )
    assert found.table.loc["compression_ratio", "window"] == len(y) / size(y)
    assert found.table.loc["compression_ratio", "p_value"] > 0
    with_codec, by_counts = (
        verdict(
            np.rint(
                np.vstack([found.table.loc[names, "observed"], found.draws[names]]) * 1e9
            ).astype(np.int64)
        )[1]
        for names in ([ncd_name, *STATISTICS[1:]] for ncd_name in NCDS)
    )
    assert found.p_value == with_codec != by_counts


def test_openzl_falls_back(monkeypatch):
    from driftlock.coders import codec as codecs

    monkeypatch.setattr(codecs, "find_spec", lambda _: None)
    events = table(150)
    with pytest.warns(DriftlockWarning, match="zstd is used instead"):
        found = compare(events[:100], events[100:], coder="openzl", n_permutations=30, rng=1)
    assert found.fallback_from == "openzl"


def test_openzl_where_it_is_installed():
    pytest.importorskip("openzl")
    events = table(150)
    options = {"coder": "openzl", "null": "rows", "n_permutations": 30, "rng": 1}
    found = compare(events[:100], events[100:], **options)
    lines, size = row_lines(events), get_codec("openzl").size
    x, y = b"".join(lines[:100]), b"".join(lines[100:])
    assert found.table.loc["ncd_openzl", "observed"] == ncd_of(size(x), size(y), size(x + y))
    assert found.fallback_from is None
    threads.set_threads(7)
    assert compare(events[:100], events[100:], **options).draws.equals(found.draws)
    scanned = scan(events, baseline=100, window=50, **options)
    assert scanned.table["ncd_openzl"].iloc[0] == found.table.loc["ncd_openzl", "observed"]
    assert scanned.fallback_from is None
    tested = permutation_test(events[:100], events[100:], **options)
    assert np.array_equal(tested.null_distribution, found.draws["ncd_openzl"])


@pytest.mark.parametrize("rng", [5, np.random.default_rng(5)])
def test_the_seed_decides(rng):
    events = table()
    first = compare(events[:400], events[400:], n_permutations=DRAWS, rng=5)
    if isinstance(rng, int):
        again = compare(events[:400], events[400:], n_permutations=DRAWS, rng=rng)
        assert again.draws.equals(first.draws)
    else:
        assert not np.isnan(
            compare(events[:400], events[400:], n_permutations=DRAWS, rng=rng).p_value
        )
    other = compare(events[:400], events[400:], n_permutations=DRAWS, rng=6)
    assert not other.draws.equals(first.draws)


def test_few_rows_too_few_draws_still_count():
    found = compare(table(400), shifted(), n_permutations=1, rng=1)
    assert found.p_value >= 0.5


def test_index_and_column_order_do_not_matter():
    events = table()
    first = compare(events[:400], events[400:], n_permutations=DRAWS, rng=1)
    other = events.set_index(pd.Index(np.arange(450)[::-1] * 3))
    again = compare(other[:400], other[400:][list(events)[::-1]], n_permutations=DRAWS, rng=1)
    assert again.p_value == first.p_value


def test_new_symbols_and_missing_values_are_evidence():
    window = table(50, 2)
    window.loc[:20, "shop"] = "never seen"
    window.loc[:20, "amount"] = np.nan
    found = compare(table(400), window, n_permutations=DRAWS, rng=1)
    assert found.is_anomaly
    assert {"shop", "amount"} < set(found.fields.index[:3])


def test_mixed_dtypes_nested_and_text_fields():
    def rows(n, seed):
        rng = np.random.default_rng(seed)
        return pd.DataFrame(
            {
                "nested": [{"k": int(k), "city": "x"} for k in rng.integers(0, 3, n)],
                "text": [
                    f"user {i} logged in from 10.0.0.{i % 7}" for i in rng.integers(0, 999, n)
                ],
                "when": pd.date_range("2025-01-01", periods=n, freq="17min"),
                "value": rng.normal(size=n),
            }
        )

    window = rows(40, 2)
    window["value"] = window["value"].astype(object)
    window.loc[3, "value"] = "broken"
    found = compare(rows(200, 1), window, null="rows", n_permutations=99, rng=1)
    assert {"nested", "nested.k", "text", "when", "value"} <= set(found.fields.index)


def test_codes_of_rows_do_not_depend_on_their_side():
    events = table(120)
    one = encode([events], 80)
    two = encode([events[:80], events[80:]], 80)
    assert np.array_equal(one.codes, two.codes)
    assert np.array_equal(one.bits, two.bits)


def test_replayed_rows_are_seen_though_their_values_are_usual():
    events = table(400).assign(when=pd.date_range("2025-01-01", periods=400, freq="7min"))
    old = events[100:150].assign(when=pd.date_range("2025-01-03", periods=50, freq="7min"))
    found = compare(events, old, null="rows", n_permutations=DRAWS, rng=1)
    assert found.is_anomaly
    assert found.fields.loc["(repeated rows)", "p_value"] < 0.05


def test_text_that_is_bytes_is_text():
    events = table(240).assign(raw=[b"GET /%d" % (i % 5) for i in range(240)])
    found = compare(events[:200], events[200:], n_permutations=19, rng=1)
    assert "raw" in found.fields.index
    assert compare(events[:200], events[200:], coder="gzip", n_permutations=19, rng=1).p_value > 0


def test_simulated_transactions_by_default():
    normal, odd = datasets.load("normal").events, datasets.load("anomalous").events
    assert compare(normal[:400], odd[:50], null="rows", rng=1).is_anomaly

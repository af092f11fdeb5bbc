"""compare, permutation_test and scan: what they return, that it is right, and what they refuse."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from driftlock import datasets, threads
from driftlock._kernels import permute
from driftlock._kernels import scan as scan_kernels
from driftlock.coders.codec import get_codec
from driftlock.distance import count_tables, ncd_of
from driftlock.draws import STATISTICS, Draws, code_space
from driftlock.errors import DriftlockWarning, InputError, OptionError
from driftlock.lines import row_lines
from driftlock.permutation import TWO_SIDED, VERDICT, verdict
from driftlock.significance import adjust
from driftlock.windows import compare, permutation_test, scan, scan_run
from driftlock.windows.nulls import choose_null
from driftlock.windows.options import ScanOptions
from driftlock.windows.plots import heat_of
from driftlock.windows.scan_results import runs
from driftlock.windows.scan_run import ScanJob, draws_for_one
from driftlock.windows.spans import Spans, by_rows, by_time
from driftlock.windows.table import encode


@pytest.fixture(autouse=True)
def _usual_threads():
    yield
    threads.set_threads(None)


K = len(STATISTICS)


def table(n=450, seed=0):
    """Exchangeable rows of five kinds."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "shop": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "user": rng.integers(0, 40, n).astype(str),
            "amount": np.round(rng.lognormal(3, 1, n), 2),
            "count": rng.poisson(3, n),
            "ok": rng.random(n) < 0.9,
        }
    )


def shifted(n=50, seed=1):
    """Rows of another world: other shops, larger amounts."""
    rows = table(n, seed)
    rows["shop"] = np.random.default_rng(seed).choice(["a", "b", "c"], n, p=[0.1, 0.3, 0.6])
    rows["amount"] = np.round(rows["amount"] * 5, 2)
    return rows


DRAWS = 199


# ------------------------------------------------------------------ compare
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


# ------------------------------------------------------------------ nulls
def ar1(n, phi, seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=n)
    x = np.empty(n)
    x[0] = noise[0]
    for t in range(1, n):
        x[t] = phi * x[t - 1] + np.sqrt(1 - phi**2) * noise[t]
    return pd.DataFrame({"x": x})


def test_auto_takes_shifts_on_ordered_data_and_says_why():
    series = ar1(1_100, 0.8, 1)
    found = compare(series[:1_000], series[1_000:], n_permutations=DRAWS, rng=1)
    assert found.null.name == "shift"
    assert found.null.field == "x"
    assert found.null.lag == 1
    assert found.null.autocorrelation == pytest.approx(0.8, abs=0.1)
    assert "the baseline has an order" in repr(found.null)
    mixed = series.sample(frac=1, random_state=1)
    assert compare(mixed[:1_000], mixed[1_000:], n_permutations=DRAWS, rng=1).null.name == "rows"


def test_a_persistent_symbol_is_an_order():
    state = np.repeat(np.random.default_rng(1).integers(0, 2, 90), 5)
    events = table(450).assign(state=np.where(state, "on", "off"))
    found = compare(events[:400], events[400:], n_permutations=DRAWS, rng=1)
    assert (found.null.name, found.null.field) == ("shift", "state")


def test_an_order_that_only_bits_show():
    rng = np.random.default_rng(2)
    calm = np.repeat(rng.permutation([1.0, 8.0] * 23), 10)[:450]  # stretches of small and large
    events = pd.DataFrame({"x": calm * rng.normal(size=450)})
    found = compare(events[:400], events[400:], n_permutations=19, rng=1)
    assert (found.null.name, found.null.field) == ("shift", "all fields")


def test_kinds_may_be_overridden():
    events, kinds = table(), {"user": "id"}
    assert "user" in scan(events, n_permutations=9, rng=1).fields
    assert "user" not in scan(events, n_permutations=9, fields=kinds, rng=1).fields
    compared = compare(events[:400], events[400:], n_permutations=9, fields=kinds, rng=1)
    assert "user" not in compared.fields.index


def test_compression_ratio_is_that_of_the_window():
    events = table(60)
    window = b"".join(row_lines(events)[40:])
    found = permutation_test(
        events[:40], events[40:], "compression_ratio", coder="gzip", n_permutations=9, rng=1
    )
    assert found.statistic == len(window) / get_codec("gzip").size(window)


def test_a_window_of_few_independent_rows_warns():
    series = ar1(450, 0.97, 3)
    with pytest.warns(DriftlockWarning, match="independent ones; below 10 shifts reject too often"):
        compare(series[:400], series[400:], n_permutations=DRAWS, rng=1)


def test_shifts_are_enumerated():
    events = table()
    found = permutation_test(events[:400], events[400:], null="shift", rng=1)
    assert (found.exact, found.n_permutations) == (True, 449)
    assert found.p_value >= 1 / 450
    again = permutation_test(events[:400], events[400:], null="shift", n_permutations=100, rng=1)
    assert (again.exact, again.n_permutations) == (False, 100)
    assert set(again.null_distribution) <= {*found.null_distribution, found.statistic}


def sessions(n_groups, size, seed):
    """Groups of rows that share a level: rows are not exchangeable, groups are."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 3, n_groups)
    return pd.DataFrame(
        {
            "who": np.repeat([f"g{i}" for i in range(n_groups)], size),
            "x": np.repeat(level, size) + rng.normal(size=n_groups * size),
        }
    )


def test_groups_are_moved_whole():
    events = sessions(45, 10, 1)
    found = compare(events[:400], events[400:], groups="who", n_permutations=DRAWS, rng=1)
    assert found.null.name == "groups"
    assert "who" not in found.fields.index
    assert (
        compare(
            events[:400], events[400:], groups="who", null="rows", n_permutations=DRAWS, rng=1
        ).p_value
        < 0.05
    )


def test_one_group_in_the_window_is_exact():
    events = sessions(30, 10, 2)
    found = permutation_test(
        events[:290], events[290:], "mean_bits", null="groups", groups="who", rng=1
    )
    assert (found.exact, found.n_permutations) == (True, 29)


# ------------------------------------------------------------------ permutation_test
@pytest.mark.parametrize("name", STATISTICS)
def test_names_are_columns_of_compare(name):
    events = table()
    one = permutation_test(events[:400], events[400:], name, n_permutations=DRAWS, rng=3)
    all_ = compare(events[:400], events[400:], null="rows", n_permutations=DRAWS, rng=3)
    assert one.statistic == all_.table.loc[name, "observed"]
    assert one.p_value == one.pvalue == all_.table.loc[name, "p_value"]
    assert np.array_equal(one.null_distribution, all_.draws[name])


def test_a_callable_sees_frames():
    events = table()
    seen = []

    def statistic(baseline, window):
        seen.append((len(baseline), len(window), list(window)))
        return window["amount"].median() - baseline["amount"].median()

    found = permutation_test(events[:400], events[400:], statistic, n_permutations=20, rng=1)
    assert set(map(str, seen)) == {str((400, 50, list(events)))}
    assert found.statistic == statistic(events[:400], events[400:])
    assert found.alternative == "two-sided"


def test_labels_that_are_no_text():
    values = np.random.default_rng(1).normal(size=(60, 3))
    found = permutation_test(
        pd.DataFrame(values[:50]),
        pd.DataFrame(values[50:]).astype({1: object}),
        lambda _, window: float(window[1].sum()),
        n_permutations=9,
        rng=1,
    )
    assert found.statistic == pytest.approx(values[50:, 1].sum())
    assert compare(values[:50], values[50:], n_permutations=9, rng=1).p_value > 0


def test_a_callable_that_gives_nan_is_refused():
    events = table()
    with pytest.raises(OptionError, match="gave NaN"):
        permutation_test(events[:400], events[400:], lambda _, __: np.nan, n_permutations=9)
    with pytest.raises(OptionError, match="gave None; expected a number"):
        permutation_test(events[:400], events[400:], lambda _, __: None, n_permutations=9)


def test_a_small_table_is_exact_and_equals_scipy():
    from scipy import stats

    events = table(9, 4)
    found = permutation_test(
        events[:6], events[6:], lambda b, w: w["amount"].mean() - b["amount"].mean(), rng=1
    )
    expected = stats.permutation_test(
        (events["amount"][6:].to_numpy(), events["amount"][:6].to_numpy()),
        lambda x, y: x.mean() - y.mean(),
        n_resamples=np.inf,
    )
    assert (found.exact, found.n_permutations) == (True, 83)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-15)


def test_zstd_ncd_equals_scipy_where_enumerated():
    from scipy import stats

    events = table(8, 5)
    lines = row_lines(events)
    size = get_codec("zstd").size

    def of(x, y):
        a, b = (
            b"".join(lines[int(i)] for i in sorted(x)),
            b"".join(lines[int(i)] for i in sorted(y)),
        )
        return ncd_of(size(a), size(b), size(a + b))

    found = permutation_test(events[:5], events[5:], coder="zstd", rng=1)
    expected = stats.permutation_test(
        (np.arange(5), np.arange(5, 8)), of, n_resamples=np.inf, vectorized=False
    )
    assert found.exact
    assert found.statistic == expected.statistic
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-15)
    all_subsets = np.append(found.null_distribution, found.statistic)
    assert np.array_equal(np.sort(all_subsets), np.sort(expected.null_distribution))


def test_zstd_ncd_agrees_with_scipy_where_drawn():
    from scipy import stats

    events = pd.concat([table(60, 5), table(20, 6).assign(shop="a", ok=True)], ignore_index=True)
    lines = row_lines(events)
    size = get_codec("zstd").size

    def of(x, y):
        a, b = (b"".join([lines[int(i)] for i in sorted(side)]) for side in (x, y))
        return ncd_of(size(a), size(b), size(a + b))

    count = 400
    found = permutation_test(events[:60], events[60:], coder="zstd", n_permutations=count, rng=1)
    state = {"rng" if "rng" in stats.permutation_test.__code__.co_varnames else "random_state": 1}
    expected = stats.permutation_test(
        (np.arange(60), np.arange(60, 80)), of, n_resamples=count, vectorized=False, **state
    )
    assert not found.exact
    assert found.statistic == expected.statistic
    error = np.sqrt(2 * expected.pvalue * (1 - expected.pvalue) / count)
    assert abs(found.p_value - expected.pvalue) < 2 * 4 * error + 2 / count  # doubled tails
    ks = stats.ks_2samp(found.null_distribution, expected.null_distribution)
    assert ks.pvalue > 1e-4


def test_sequential_stops_early_under_the_null():
    events = table()
    whole = permutation_test(events[:400], events[400:], "top_bits", rng=2)
    short = permutation_test(events[:400], events[400:], "top_bits", sequential=True, rng=2)
    assert short.statistic == whole.statistic
    assert short.n_permutations < whole.n_permutations == 999
    assert np.array_equal(short.null_distribution, whole.null_distribution[: short.n_permutations])
    assert "draws of rows" in repr(short)
    assert short._repr_html_().startswith("<p>")


# ------------------------------------------------------------------ scan
@pytest.fixture(scope="module")
def stream():
    """Rows 800 to 899 are another world."""
    return pd.concat([table(800), shifted(100), table(300, 3)], ignore_index=True)


def test_scan_finds_the_stretch(stream):
    found = scan(stream, baseline=400, window=50, hop=25, n_permutations=DRAWS, rng=1)
    assert len(found) == (800 - 50) // 25 + 1
    flagged = found.table[found.table["is_anomaly"]]
    assert {800, 825, 850} <= set(flagged["start"])
    event = found.events.sort_values("p_value").iloc[0]
    assert event["windows"] > 1
    run = found.table.loc[event["first_window"] : event["last_window"]]
    assert len(run) == event["windows"]
    assert (event["start"], event["end"]) == (run["start"].iloc[0], run["end"].iloc[-1])
    assert event["p_value"] == run["p_value"].min()
    assert 725 < event["start"] <= 800
    assert event["top_field"] in ("shop", "amount")
    assert list(found.fields) == [*stream, "(repeated rows)"]
    assert found.table["draws"].max() > DRAWS  # those at the floor got more
    assert found.anomalies["p_value"].is_monotonic_increasing
    assert "event(s)" in repr(found)
    assert "<table" in found._repr_html_()


def test_an_event_is_named_by_its_strangest_window(stream):
    found = scan(stream[:700], window=50, n_permutations=19, rng=1)
    p, leads = [0.04, 0.01, 0.02, 1.0, 0.03, 0.03], list("abcdef")
    flags = [True, True, True, False, True, False]
    flagged = found.table.assign(p_value=p, is_anomaly=flags, top_field=leads)
    events = replace(found, table=flagged).events
    assert events["top_field"].tolist() == ["b", "e"]
    assert events["p_value"].tolist() == [0.01, 0.03]
    assert events["end"].tolist() == [549, 649]


def test_the_first_window_of_a_scan_is_a_comparison(stream):
    rows = stream[:450]
    one = compare(rows[:400], rows[400:], null="rows", n_permutations=9, rng=1).table
    found = scan(rows, baseline=400, window=50, null="rows", n_permutations=9, rng=1).table
    for name in STATISTICS:
        assert found[name].iloc[0] == pytest.approx(one.loc[name, "observed"], abs=2e-9)


@pytest.mark.jit
@pytest.mark.parametrize("count", [2, 3, 7])
def test_threads_change_no_bit_of_a_scan(stream, count):
    threads.set_threads(1)
    alone = scan(stream, hop=20, n_permutations=DRAWS, rng=1)
    threads.set_threads(count)
    again = scan(stream, hop=20, n_permutations=DRAWS, rng=1)
    pd.testing.assert_frame_equal(again.table, alone.table, check_exact=True)
    pd.testing.assert_frame_equal(again.fields, alone.fields, check_exact=True)


def test_the_order_of_windows_changes_no_bit(stream):
    chosen = ScanOptions(n_permutations=DRAWS, null="rows", rng=1)
    coded, spans = encode([stream], 400), by_rows(400, stream[400:], 50, 20, None)
    null = choose_null("rows", False, coded, np.arange(400))
    job = ScanJob(coded, spans, null, chosen, chosen.seed(), [])
    windows = np.arange(len(spans))
    orders = [windows, windows[::-1], np.random.default_rng(1).permutation(windows)]
    found = []
    for order in orders:
        out = np.zeros((len(spans), 2 * K + 2), np.int64)
        for part in np.array_split(order, 3):
            scan_run._measure(job, np.ascontiguousarray(part), DRAWS, out)
        found.append(out)
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert len(np.unique(found[0][:, 2 * K])) > 5  # counts of the verdict


def scanned_by_kernels(pairs, key, draws, kind=permute.ROWS):
    """Counts of windows given as pairs of row numbers, and each field's NCD and top bits."""
    coded = encode([table(60)], 40)
    arrays = coded.codes, coded.sorts, code_space(coded.codes), coded.row_bits
    rows = np.arange(60, dtype=np.int64)
    bounds = np.array([[0, 40, first, last] for first, last in pairs], np.int64)
    spans, windows, tables = (rows, rows, bounds), np.arange(len(pairs)), count_tables(60)
    out = np.zeros((len(pairs), 2 * K + 2), np.int64)
    draw, rule = (kind, np.uint64(key), draws), (TWO_SIDED, VERDICT)
    scan_kernels.scan_range(windows, arrays, spans, draw, tables, rule, out)
    of_pairs = Spans(*spans, pd.RangeIndex(len(pairs)), [], [], pd.DataFrame())
    job = ScanJob(coded, of_pairs, None, ScanOptions(), 0, [])
    return coded, out, scan_run.field_statistics(job)[:, :, [permute.NCD, permute.TOP_BITS]]


def test_each_window_draws_its_own():
    _, out, _ = scanned_by_kernels([(40, 60), (40, 60), (40, 60)], 5, 60)
    assert (out[:, :K] == out[0, :K]).all()  # the same rows
    assert len({tuple(row) for row in out[:, K : 2 * K + 1]}) > 1  # other draws


@pytest.mark.parametrize("coder", ["text", "zstd"])
def test_each_window_draws_its_own_by_any_coder(coder):
    window = table(20, 2)
    events = pd.concat([table(60), window, window, window], ignore_index=True)
    options = {"coder": coder, "null": "rows", "n_permutations": 60, "rng": 1}
    found = scan(events, baseline=60, window=20, **options).table
    name = "ncd" if coder == "text" else "ncd_zstd"
    assert found[name].nunique() == 1
    assert found["p_value"].nunique() > 1


def test_a_single_odd_row_glows_in_the_heat_map():
    events = table(900)
    events.loc[630, "count"] = 100_000
    found = scan(events, window=50, null="rows", n_permutations=19, rng=1)
    assert found.fields["count"].idxmax() == (630 - 400) // 50
    assert found.fields["count"].max() > 4


def test_shifts_of_a_scan_are_all_taken_where_they_are_few():
    for draws, taken in ((10, 10), (58, 58), (59, 59), (900, 59)):
        _, out, _ = scanned_by_kernels([(40, 60)], 5, draws, permute.RANDOM_SHIFT)
        assert out[0, -1] == taken
    _, again, _ = scanned_by_kernels([(40, 60)], 6, 59, permute.RANDOM_SHIFT)
    assert np.array_equal(again[0, :-1], out[0, :-1])  # nothing is left to chance


def test_fields_of_a_scan_are_those_of_their_pool():
    pairs = [(40, 60), (40, 50), (45, 60)]
    coded, _, fields = scanned_by_kernels(pairs, 5, 1)
    for found, (first, last) in zip(fields, pairs, strict=True):
        rows = np.append(np.arange(40), np.arange(first, last))
        pool = coded.pool(rows[:40], rows[40:])
        for place in range(len(coded.names)):
            alone = pool.parts(
                np.flatnonzero(coded.field_of == place).tolist(), coded.bits[place][rows]
            )
            measured = Draws.rows(40, rows.size, 1, 0).measure(alone, 0, 1)[0]
            assert found[place].tolist() == measured[[permute.NCD, permute.TOP_BITS]].tolist()


def test_a_trailing_baseline_with_a_guard(stream):
    found = scan(stream, window=50, trailing=True, guard=100, n_permutations=DRAWS, rng=1)
    assert found.table["start"].iloc[0] == 500
    assert bool(found.table.set_index("start").loc[800, "is_anomaly"])


@pytest.mark.parametrize("guard", [0, 1, 30])
def test_a_trailing_baseline_ends_before_the_guard(guard):
    n, tested = 40, table(100)
    instants = np.arange(100) * 60_000_000
    by_minutes = by_time(n, instants, 20 * 60_000_000, 10 * 60_000_000, guard)
    for spans in (by_rows(n, tested, 20, 10, guard), by_minutes):
        assert len(spans) > 5
        for w in range(len(spans)):
            baseline, window = spans.rows(w)
            assert baseline.tolist() == list(range(window[0] - guard - n, window[0] - guard))
            assert window[0] == n + guard + 10 * w
    frozen = by_rows(n, tested, 20, 10, None)
    assert all(frozen.rows(w)[0].tolist() == list(range(n)) for w in range(len(frozen)))


def test_windows_tumble_by_default(stream):
    found = scan(stream, window=100, n_permutations=19, rng=1)
    assert found.table["start"].tolist() == list(range(400, 1_200, 100))
    assert found.table["end"].tolist() == list(range(499, 1_200, 100))


def test_the_plan_is_told_first(stream):
    told = []
    found = scan(stream, window=100, n_permutations=99, rng=1, tell=told.append)
    assert told == [found.plan]
    assert "a single window can be flagged" in repr(found.plan)
    plan = scan(stream, window=100, null="shift", rng=1).plan
    assert (plan.first_draws, plan.most_draws) == (499, 499)
    assert plan.windows_needed == 1
    with pytest.warns(DriftlockWarning, match="no window can be flagged"):
        scan(stream, hop=25, n_permutations=9, max_permutations=9, control="fwer", rng=1)


@pytest.mark.parametrize("tells", [True, False])
def test_a_plan_in_vain_is_told_once_and_says_what_would_help(tells):
    told = []
    options = {"tell": told.append} if tells else {}
    with pytest.warns(DriftlockWarning, match="no window can be flagged: .* 0.143") as caught:
        found = scan(sessions(9, 20, 6), baseline=120, groups="who", rng=1, **options)
    words = "take more groups in the baseline or fewer windows"
    assert words in repr(found.plan)
    assert any(words in str(w.message) for w in caught) is not tells
    assert told == ([found.plan] if tells else [])


@pytest.mark.parametrize("control", ["by", "fpr", "storey", "fwer"])
def test_controls(stream, control):
    found = scan(stream, window=100, n_permutations=DRAWS, control=control, rng=1)
    assert found.plan.control == control
    assert found.table["is_anomaly"].any()
    q = adjust(found.table["p_value"].to_numpy(), control)
    assert np.array_equal(found.table["q_value"], q)
    assert np.array_equal(found.table["is_anomaly"], q <= 0.05)


def test_decisions_are_those_of_the_control():
    events = table(1_400)
    found = scan(events, window=50, n_permutations=99, max_permutations=99, rng=3).table
    assert (found["p_value"] <= 0.05).any()  # one alone would be flagged
    assert found["is_anomaly"].sum() == (found["q_value"] <= 0.05).sum() == 0


def test_more_draws_are_the_same_stream(stream):
    """A window's p-value from its final draws does not depend on how it got there."""
    found = scan(stream, n_permutations=49, max_permutations=499, rng=1)
    whole = scan(stream, n_permutations=499, max_permutations=499, rng=1)
    both = found.table["draws"] == 499
    assert both.any()
    assert (found.table.loc[both, "p_value"] == whole.table.loc[both, "p_value"]).all()


def test_a_window_goes_on_until_ten_draws_were_as_extreme(stream):
    found = scan(stream, n_permutations=49, max_permutations=2_999, rng=1).table
    extreme = found["p_value"] * (found["draws"] + 1) - 1
    assert ((extreme > 9.5) | (found["draws"] == draws_for_one(len(found), ScanOptions()))).all()
    assert found["draws"].nunique() > 1
    assert (found["draws"] <= 2_999).all()


def test_draws_that_flag_one_window_alone():
    """The most extreme of (R + 1) draws, seven times over, is within the share of one window."""
    for control, share in {
        "fpr": 0.05,
        "fdr": 0.05 / 40,
        "fwer": 0.05 / 40,
        "by": 0.05 / 40 / sum(1 / k for k in range(1, 41)),
    }.items():
        draws = draws_for_one(40, ScanOptions(control=control))
        assert 7 / draws <= share < 7 / (draws - 1)


def test_time_windows():
    times = pd.date_range("2025-01-01", periods=700, freq="10min")
    events = table(700).assign(when=times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        found = scan(events, window="6h", hop="3h", null="rows", n_permutations=19, rng=1)
        indexed = scan(
            events.drop(columns="when").set_index(times),
            window="6h",
            hop="3h",
            null="rows",
            n_permutations=19,
            rng=1,
        )
    assert found.table["start"].iloc[0] == times[400]
    assert (found.table["rows"].iloc[:-2] == 36).all()
    assert indexed.table["rows"].equals(found.table["rows"])
    assert found.table["end"].iloc[0] - found.table["start"].iloc[0] == pd.Timedelta("6h")


def test_a_baseline_that_trails_in_time():
    times = pd.date_range("2025-01-01", periods=175, freq="40min").repeat(4)  # four rows each
    events = table(700).assign(when=times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        found = scan(
            events,
            baseline=100,
            window="8h",
            trailing=True,
            guard=6,
            null="rows",
            n_permutations=19,
            rng=1,
        )
    assert found.table["rows"].iloc[0] == 46  # 48 in eight hours, without two in the guard
    assert (found.table["rows"].iloc[1:-1] == 48).all()


def test_gaps_in_time_are_listed_not_tested():
    times = pd.date_range("2025-01-01", periods=460, freq="1min").to_series(index=range(460))
    times[430:] += pd.Timedelta("3h")
    events = table(460).assign(when=times)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        found = scan(events, window="30min", null="rows", n_permutations=19, rng=1)
    assert len(found) == 2
    assert (found.left_out["rows"] == 0).all()
    assert len(found.left_out) == 6


def test_a_window_for_each_group():
    events = sessions(60, 20, 5)
    events.loc[events["who"] == "g50", "x"] += 40
    found = scan(events, baseline=800, groups="who", control="fpr", rng=1)
    assert list(found.table.index) == [f"g{i}" for i in range(40, 60)]
    assert found.null.name == "groups"
    assert bool(found.table.loc["g50", "is_anomaly"])
    assert found.table["draws"].unique().tolist() == [40]
    assert len(found.events) == found.table["is_anomaly"].sum()


def test_a_codec_scans_too():
    events = table(200)
    with pytest.warns(DriftlockWarning, match="too few to show"):
        found = scan(
            events, baseline=140, window=15, coder="lz4", null="rows", n_permutations=49, rng=1
        )
    assert "ncd_lz4" in found.table
    assert found.table["draws"].max() <= 49


def test_a_codec_scans_groups_as_a_comparison_does():
    events = sessions(30, 10, 5)
    options = {"coder": "zstd", "groups": "who", "rng": 1}
    with pytest.warns(DriftlockWarning) as told:
        found = scan(events, baseline=250, **options)
    assert found.null.name == "groups"
    assert sum("sides so unequal" in str(warning.message) for warning in told) <= 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        one = permutation_test(events[:250], events[250:260], null="groups", **options)
    assert found.table["ncd_zstd"].iloc[0] == one.statistic
    assert found.table["draws"].max() <= 25
    assert found.table["p_value"].iloc[0] >= 1 / 26


def test_runs():
    flags = np.array([1, 1, 0, 1, 0, 1, 1], bool)
    assert runs(flags) == [(0, 1), (3, 3), (5, 6)]
    assert runs(flags, joined=False) == [(0, 0), (1, 1), (3, 3), (5, 5), (6, 6)]
    assert runs(np.zeros(3, bool)) == []


# ------------------------------------------------------------------ pictures
def test_pictures(stream):
    found = scan(stream, window=100, n_permutations=DRAWS, rng=1)
    heat = heat_of(found)
    assert heat.sigmas.shape == (6, 8)
    assert heat.sigmas.max() <= 8.0
    assert len(found.plot().axes) == 3
    compared = compare(stream[:400], stream[800:850], n_permutations=DRAWS, rng=1)
    assert len(compared.plot().axes) == 5
    tested = permutation_test(stream[:400], stream[800:850], n_permutations=DRAWS, rng=1)
    assert "p = " in tested.plot().axes[0].get_title(loc="left")


def ticks(figure):
    figure.canvas.draw()
    return [label.get_text() for label in figure.axes[1].get_xticklabels()]


@pytest.mark.jit
def test_pictures_name_windows_as_users_do(stream):
    few = scan(stream[:700], window=100, n_permutations=19, rng=1)
    assert ticks(few.plot()) == ["0", "1", "2"]
    by_group = scan(sessions(60, 20, 5), baseline=800, groups="who", n_permutations=19, rng=1)
    figure = by_group.plot()
    assert ticks(figure) == [f"g{i}" for i in range(40, 60)]
    assert figure.axes[1].get_xlabel() == "who"
    times = pd.date_range("2025-01-01", periods=len(stream), freq="10min")
    timed = stream.assign(when=times)
    with pytest.warns(DriftlockWarning, match="too few to show"):  # the last ones
        by_time = scan(timed, window="8h", hop="2h", null="rows", n_permutations=19, rng=1)
    shown = ticks(by_time.plot())
    assert times[400].strftime("%Y-%m-%d\n%H:%M") in shown
    assert len(shown) < 12


def test_long_names_leave_room_for_the_picture():
    events = sessions(24, 20, 5)
    names = [f"a customer with a rather long name, number {i}" for i in range(24)]
    events["who"] = np.repeat(names, 20)
    events["a measure of something that takes many words to say, the first"] = events["x"]
    events["a measure of something that takes many words to say, the second"] = -events["x"]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no window can be flagged", DriftlockWarning)
        found = scan(events, baseline=240, groups="who", n_permutations=19, rng=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of a layout that collapses
        figure = found.plot()
        shown = ticks(figure)
    assert len(set(shown)) == 12
    assert max(map(len, shown)) <= 28
    assert all(name.startswith("a customer") for name in shown)
    fields = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert any(name.endswith("the second") for name in fields)
    assert max(map(len, fields)) <= 36
    for axes in figure.axes[:2]:
        assert axes.get_window_extent().height > 60
        assert axes.get_window_extent().width > 400


def test_the_scale_of_a_heat_map_is_fixed(stream):
    one = scan(stream[:450], window=50, n_permutations=19, rng=1).plot()
    many = scan(stream, window=50, n_permutations=19, rng=1).plot()
    for figure in (one, many):
        assert figure.axes[1].collections[0].get_clim() == (0.0, 8.0)
    bottom, top = one.axes[0].get_ylim()
    assert bottom > 1.0
    assert top < 0.05


# ------------------------------------------------------------------ what makes no sense
def refused(kind, match, call, *arguments, **options):
    with pytest.raises(kind, match=match):
        call(*arguments, **options)


def test_windows_that_do_not_fit():
    events = table()
    refused(InputError, "window=51 is longer than the 50 rows", scan, events, window=51)
    refused(OptionError, "hop=0 is not possible", scan, events, hop=0)
    refused(
        OptionError,
        "hop='1h' does not go with window=50; expected a number",
        scan,
        events,
        hop="1h",
    )
    refused(OptionError, "hop=3 does not go with window='1h'", scan, events, window="1h", hop=3)
    refused(OptionError, "hop=3 is for windows of rows", scan, events, groups="shop", hop=3)
    refused(OptionError, "window=0 is not possible", scan, events, window=0)
    refused(OptionError, "window=1.5 is not possible", scan, events, window=1.5)
    refused(OptionError, 'no length of time; expected one like "1h"', scan, events, window="soon")
    refused(OptionError, "no length of time above zero", scan, events, window="0h")
    refused(InputError, "longer than the 0 rows", scan, events, trailing=True, guard=60, window=10)
    refused(OptionError, "guard=5 needs trailing=True", scan, events, guard=5)
    refused(
        OptionError, "trailing=True needs a baseline", scan, events, baseline=events, trailing=True
    )


def test_sides_that_are_too_short():
    events = table()
    refused(InputError, "window has no rows", compare, events, events[:0])
    refused(InputError, r"the window has 1 row\(s\)", compare, events, events[:1])
    refused(InputError, r"the baseline has 1 row\(s\); at least 20", compare, events[:1], events)
    refused(InputError, r"the baseline has 1 row\(s\)", permutation_test, events[:1], events)
    refused(InputError, r"the baseline has 19 row\(s\)", scan, events, baseline=19)
    refused(InputError, "lacks the column", compare, events, events.drop(columns="shop"))


def test_unknown_options_list_the_known():
    events = table()
    refused(
        OptionError,
        "'brotli' is not known; choose one of 'fields'",
        compare,
        events,
        events,
        coder="brotli",
    )
    refused(
        OptionError,
        "'block' is not known; choose one of 'auto'",
        compare,
        events,
        events,
        null="block",
    )
    refused(OptionError, "option='speed' is not known", compare, events, events, speed=9)
    refused(OptionError, "option='speed' is not known", scan, events, speed=9)
    refused(OptionError, "option='speed' is not known", permutation_test, events, events, speed=9)
    refused(
        OptionError,
        "'mode' is not known; choose one of 'ncd'",
        permutation_test,
        events,
        events,
        "mode",
    )
    refused(
        OptionError,
        "choose one of 'ncd', 'compression_ratio'",
        permutation_test,
        events,
        events,
        "entropy",
        coder="zstd",
    )


def test_impossible_values_are_named():
    events = table()
    refused(OptionError, "alternative='up'", permutation_test, events, events, alternative="up")
    refused(OptionError, "n_permutations=0", compare, events, events, n_permutations=0)
    refused(OptionError, "alpha=2 is no level", compare, events, events, alpha=2)
    refused(OptionError, "control='none' is not known", scan, events, control="none")
    refused(OptionError, "rng='x' is no seed", compare, events, events, rng="x")


def test_groups_that_do_not_work():
    events = sessions(45, 10, 1)
    refused(
        OptionError,
        'null="groups" needs groups=',
        compare,
        events[:400],
        events[400:],
        null="groups",
    )
    refused(
        InputError,
        "groups='whom' is no column; there are 'who'",
        compare,
        events[:400],
        events[400:],
        groups="whom",
    )
    refused(InputError, "groups='whom' is no column", scan, events, groups="whom")
    refused(
        InputError,
        "stand in the baseline and in the window",
        compare,
        events[:405],
        events[405:],
        groups="who",
    )


def test_a_group_of_one_is_listed_not_tested():
    events = sessions(45, 10, 1)
    events.loc[449, "who"] = "alone"
    with pytest.warns(DriftlockWarning, match="too few to show"):
        found = scan(events, groups="who", rng=1)
    assert found.left_out.to_dict() == {"rows": {"alone": 1}}
    assert "alone" not in found.table.index
    refused(InputError, "no window has two rows", scan, events.assign(who=range(450)), groups="who")


def test_times_that_do_not_work():
    events = table(700)
    refused(InputError, "events have no time column", scan, events, window="1h")
    refused(InputError, "time='when' is no column", scan, events, window="1h", time="when")
    times = pd.Series(pd.date_range("2025-01-01", periods=700, freq="10min"))
    back = times.copy()
    back[500] = times[450]
    refused(InputError, "is not sorted: row 500", scan, events.assign(when=back), window="1h")
    missing = times.copy()
    missing[600] = pd.NaT
    refused(
        InputError, "no readable time in row 600", scan, events.assign(when=missing), window="1h"
    )
    mixed = times.dt.strftime("%Y-%m-%dT%H:%M:%S")
    mixed = mixed.where(mixed.index < 650, mixed + "Z")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DriftlockWarning)
        refused(
            InputError,
            "with a zone and times without",
            scan,
            events.assign(when=mixed),
            window="1h",
        )
    timed = events.assign(when=times)
    refused(InputError, "window=4 days .* than the 2 days 01:50:00", scan, timed, window="4D")
    options = {"window": "1h", "trailing": True, "guard": 300}
    refused(InputError, "guard=300 leaves none of the 300 rows", scan, timed, **options)
    refused(
        OptionError, "makes .* windows", scan, events.assign(when=times), window="1h", hop="1us"
    )


@pytest.mark.parametrize("write", ["index", "column", "arrow", "text"])
def test_windows_of_time_are_told_in_the_zone_of_the_times(write):
    times = pd.date_range("2025-03-29 18:00", periods=700, freq="min", tz="Europe/Berlin")
    events = table(700)
    events = events.set_axis(times) if write == "index" else events.assign(when=times)
    if write == "arrow":
        events = events.convert_dtypes(dtype_backend="pyarrow")
    if write == "text":
        events["when"] = [time.isoformat() for time in times]
    found = scan(events, window="1h", null="rows", n_permutations=19, rng=1)
    starts, ends = found.table["start"], found.table["end"]
    zone = "UTC" if write == "text" else "Europe/Berlin"
    assert str(starts.dt.tz) == str(ends.dt.tz) == zone
    assert starts.iloc[0] == times[400]
    assert ends.iloc[0] == times[460]
    assert ticks(found.plot())[0] == times[400].tz_convert(zone).strftime("%Y-%m-%d\n%H:%M")


def test_text_that_is_bytes_is_text():
    events = table(240).assign(raw=[b"GET /%d" % (i % 5) for i in range(240)])
    found = compare(events[:200], events[200:], n_permutations=19, rng=1)
    assert "raw" in found.fields.index
    assert compare(events[:200], events[200:], coder="gzip", n_permutations=19, rng=1).p_value > 0


def test_simulated_transactions_by_default():
    normal, odd = datasets.load("normal").events, datasets.load("anomalous").events
    assert compare(normal[:400], odd[:50], null="rows", rng=1).is_anomaly

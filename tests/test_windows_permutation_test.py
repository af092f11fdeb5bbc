"""permutation_test: which statistics it takes, and that it agrees with scipy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from windowing import DRAWS, table

from driftlock.coders.codec import get_codec
from driftlock.distance import ncd_of
from driftlock.draws import STATISTICS
from driftlock.errors import OptionError
from driftlock.lines import row_lines
from driftlock.windows import compare, permutation_test


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

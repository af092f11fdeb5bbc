"""Nulls of windows: rows, shifts or whole groups, and which of them is taken where."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from windowing import DRAWS, sessions, table

from driftlock.coders.codec import get_codec
from driftlock.errors import DriftlockWarning
from driftlock.lines import row_lines
from driftlock.windows import compare, permutation_test, scan


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

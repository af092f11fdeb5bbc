"""scan: what it finds and tells, its plan, and which windows it flags."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from windowing import DRAWS, sessions, table

from driftlock.draws import STATISTICS
from driftlock.errors import DriftlockWarning
from driftlock.significance import adjust
from driftlock.windows import compare, permutation_test, scan
from driftlock.windows.options import ScanOptions
from driftlock.windows.scan_results import runs
from driftlock.windows.scan_run import draws_for_one


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


def test_a_single_odd_row_glows_in_the_heat_map():
    events = table(900)
    events.loc[630, "count"] = 100_000
    found = scan(events, window=50, null="rows", n_permutations=19, rng=1)
    assert found.fields["count"].idxmax() == (630 - 400) // 50
    assert found.fields["count"].max() > 4


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

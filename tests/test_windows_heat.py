"""The heat map of a scan: which fields of a window differ, also where all windows do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftlock.windows import heat, scan

N, WINDOWS, M = 400, 8, 50
FEW = {"baseline": N, "window": M, "n_permutations": 99, "rng": 1}


def stream(seed: int = 0, rows: int = N + WINDOWS * M) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "shop": rng.choice(list("abcdefgh"), rows),
            "kind": rng.choice(list("xyz"), rows, p=[0.6, 0.3, 0.1]),
            "amount": rng.lognormal(3, 0.5, rows).round(2),
            "count": rng.poisson(5, rows),
        }
    )


def dearer(rows: pd.DataFrame) -> str:
    rows.loc[N:, "amount"] *= 3
    return "amount"


def elsewhere(rows: pd.DataFrame) -> str:
    rows.loc[np.arange(N, len(rows), 2), "shop"] = "a"
    return "shop"


def unseen(rows: pd.DataFrame) -> str:
    rows.loc[np.arange(N, len(rows), 10), "kind"] = "new"
    return "kind"


def replayed(rows: pd.DataFrame) -> str:
    for start in range(N, len(rows), M):
        rows.iloc[start + 10 : start + M] = np.tile(rows.iloc[start : start + 10], (4, 1))
    return "(repeated rows)"


@pytest.mark.parametrize("change", [dearer, elsewhere, unseen, replayed])
@pytest.mark.parametrize("windows", [1, WINDOWS])
def test_what_differs_in_every_window_leads_in_every_window(change, windows) -> None:
    rows = stream()
    field = change(rows)
    found = scan(rows[: N + windows * M], **FEW)
    assert found.null.name == "rows"
    assert found.table["top_field"].tolist() == [field] * windows
    assert (found.fields[field] > 3).all()
    others = found.fields.drop(columns=field)
    if windows > 1 and change is not replayed:  # which replays the values of all fields
        assert others.median().max() < 2


def test_windows_that_are_as_usual_are_faint() -> None:
    """Of 1,000 figures, each the larger of two standard deviates, about 3 are above 3."""
    figures = np.concatenate([scan(stream(seed), **FEW).fields.to_numpy() for seed in range(25)])
    assert figures.shape == (25 * WINDOWS, 5)
    assert (figures >= 0).all()
    assert np.median(figures[:, :4]) < 1
    assert (figures > 3).mean() < 0.015


def test_hours_of_neighbours_are_held_against_other_neighbours() -> None:
    """Under shifts every window has hours of its own, which is usual for stretches of rows."""
    rows = stream()
    rows["at"] = pd.date_range("2026-03-02", periods=len(rows), freq="20min")
    asked = {"fields": {"at": "time"}}
    plain = scan(rows, **FEW, **asked)
    assert plain.null.name == "shift"
    assert np.median(plain.fields["at"]) < 1
    assert (plain.table["top_field"] == "at").mean() <= 0.5
    field = dearer(rows)
    assert (scan(rows, **FEW, **asked).table["top_field"] == field).all()


def test_groups_are_held_against_other_groups() -> None:
    """Shops differ in what they sell: that is usual for shops."""
    rng = np.random.default_rng(3)
    rows = stream()
    shops = np.repeat(np.arange(len(rows) // 20), 20)
    rows = rows.assign(shop=shops, kind=rng.choice(list("xyz"), shops.max() + 1)[shops])
    plain = scan(rows, groups="shop", **FEW)
    assert plain.null.name == "groups"
    assert np.median(plain.fields["kind"]) < 1.5
    dearer(rows)
    led = scan(rows, groups="shop", **FEW).table["top_field"]
    assert (led == "amount").mean() > 0.9


def test_a_trailing_baseline_forgets_what_has_changed() -> None:
    rows = stream(rows=2_000)
    rows.loc[800:, "amount"] *= 3
    found = scan(rows, **FEW, trailing=True)
    at = found.table["start"].to_numpy()
    assert (found.fields["amount"][(at >= 800) & (at < 900)] > 3).all()
    assert np.median(found.fields["amount"][at >= 800 + N + M]) < 2


@pytest.mark.parametrize("m", [50, 100, 333])
def test_usual_top_bits_are_those_of_draws(m: int) -> None:
    """To a twentieth of their mean, and a quarter of their deviation, which is asymptotic."""
    rng = np.random.default_rng(7)
    bits = np.stack([rng.gamma(3, 1, 3_000), rng.normal(20, 1, 3_000), np.ones(3_000)])
    mean, deviation = heat._Tail.of(bits).usual(m)
    k = max(m // 10, 1)
    drawn = rng.permuted(np.tile(bits, (400, 1, 1)), axis=2)[:, :, :m]
    tops = np.sort(drawn, axis=2)[:, :, m - k :].mean(axis=2)
    assert mean == pytest.approx(tops.mean(axis=0), rel=0.05)
    assert deviation[:2] == pytest.approx(tops.std(axis=0)[:2], rel=0.25)
    assert deviation[2] == heat.LEAST_SPREAD


@pytest.mark.parametrize(("n", "count"), [(400, 16), (4_000, 50), (40, 6)])
def test_references_are_stretches_against_the_rest(n: int, count: int) -> None:
    rows = stream(rows=n + 100)
    rows["at"] = pd.date_range("2026-03-02", periods=len(rows), freq="20min")
    jobs = []

    def kept(job):
        jobs.append(job)
        return original(job)

    original = heat._references
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heat, "_references", kept)
        scan(rows, **(FEW | {"baseline": n}), null="shift")
    baseline, window, bounds = heat._references(jobs[0])
    assert len(bounds) == count
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heat, "MAX_REFERENCE_ROWS", 7 * n)
        assert len(heat._references(jobs[0])[2]) == min(count, 7)
    for b0, b1, b2, b3 in bounds:
        assert sorted([*baseline[b0:b1], *window[b2:b3]]) == list(range(n))
        assert np.array_equal(np.diff(window[b2:b3]), np.ones(b3 - b2 - 1))

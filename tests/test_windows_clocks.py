"""Times that rows are in the order of: "auto" leaves their hours out, and says so."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock.windows import compare, scan
from driftlock.windows.nulls import choose_null, without
from driftlock.windows.stretches import chi_square
from driftlock.windows.table import WindowTable, encode

N, M = 240, 60
FEW = {"n_permutations": 199, "rng": 1}


def stream(seed: int = 0, rows: int = N + M) -> pd.DataFrame:
    """Rows a quarter of an hour apart, the other fields without an order."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2026-03-01", periods=rows, freq="15min")
    return pd.DataFrame(
        {
            "at": times.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "amount": rng.lognormal(3, 0.5, rows).round(2),
            "shop": rng.choice(list("abcde"), rows),
        }
    )


def halves(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return rows[:N], rows[N:]


def test_they_are_left_out_as_if_they_were_not_there() -> None:
    rows = stream()
    found = compare(*halves(rows), **FEW)
    assert found.null.left_out == ("at",)
    assert found.null.name == "rows"
    assert "; at is left out: rows are in the order of time" in repr(found.null)
    bare = compare(*halves(rows.drop(columns="at")), **FEW)
    assert not bare.null.left_out
    assert found.p_value == bare.p_value
    pd.testing.assert_frame_equal(found.draws[["ncd", "entropy"]], bare.draws[["ncd", "entropy"]])


def test_a_scan_leaves_them_out_too() -> None:
    rows = stream()
    options = {"baseline": N, "window": 30, **FEW}
    found, bare = scan(rows, **options), scan(rows.drop(columns="at"), **options)
    assert found.null.left_out == ("at",)
    assert "left out" in repr(found.plan)
    assert found.table["p_value"].tolist() == bare.table["p_value"].tolist()
    by_time = scan(rows, **(options | {"window": "450min"}))
    assert by_time.table["p_value"].tolist() == found.table["p_value"].tolist()


@pytest.mark.parametrize("coder", ["text", "zstd"])
def test_lines_hold_them_and_their_null_minds_the_order(coder: str) -> None:
    rows = stream()
    found = compare(*halves(rows), coder=coder, n_permutations=19, rng=1)
    assert not found.null.left_out
    assert found.null.name == "shift"


def test_hours_count_where_the_rows_are_not_in_their_order() -> None:
    rows = stream()
    shuffled = rows.sample(frac=1, random_state=3)
    assert not compare(*halves(shuffled), **FEW).null.left_out
    by_group = rows.sort_values("amount")  # which says nothing of the time
    tables = [without(part, "amount") for part in halves(by_group)]
    assert not compare(*tables, **FEW).null.left_out
    assert not compare(*halves(rows.assign(at=rows["at"].iloc[0])), **FEW).null.left_out


def test_hours_count_where_they_are_asked_for() -> None:
    rows = stream()
    for options in ({"fields": {"at": "time"}}, {"null": "shift"}, {"null": "rows"}):
        assert not compare(*halves(rows), **FEW, **options).null.left_out
    of_six = rows.assign(six=np.arange(N + M) // 6)
    assert not compare(*halves(of_six), groups="six", **FEW).null.left_out
    for alone in (rows[["at"]], rows[["at"]].assign(shop="a", gap=None)):
        assert not compare(*halves(alone), **FEW).null.left_out  # or nothing would be left
    assert not dl.permutation_test(*halves(rows), lambda *_: 0.0, null="auto", **FEW).null.left_out
    assert dl.permutation_test(*halves(rows), null="auto", **FEW).null.left_out == ("at",)


def test_order_is_told_in_spite_of_late_rows_and_from_newest_to_oldest() -> None:
    rows = stream()
    late = pd.to_datetime(rows["at"]) - pd.to_timedelta(np.arange(len(rows)) % 7 * 40, "min")
    for at in (late, late.dt.tz_localize(None), rows["at"].where(np.arange(N + M) % 9 > 0)):
        assert compare(*halves(rows.assign(at=at)), **FEW).null.left_out == ("at",)
    assert compare(*halves(rows[::-1]), **FEW).null.left_out == ("at",)
    two = rows.assign(read=late)
    found = compare(*halves(two), **FEW)
    assert found.null.left_out == ("at", "read")
    assert "at, read are left out" in repr(found.null)


def test_whether_there_is_a_time_still_counts() -> None:
    rows = stream()
    rows.loc[N + 5 : N + 20, "at"] = "soon"
    found = compare(*halves(rows), **FEW)
    assert found.null.left_out == ("at",)
    assert found.is_anomaly
    assert found.fields.index[0] == "at"


def test_names_of_any_kind_and_times_within_nested_columns() -> None:
    rows = stream()
    nested = rows.assign(meta=[{"at": at, "code": 1} for at in rows["at"]]).drop(columns="at")
    assert compare(*halves(nested), **FEW).null.left_out == ("meta.at",)
    renamed = rows.set_axis([("a", 1), 2, "shop"], axis=1)
    assert compare(*halves(renamed), **FEW).null.left_out == ("a.1",)


@pytest.mark.parametrize(("few", "least", "most"), [(0, 0, 7), (6, 50, 60)])
def test_level_and_power_of_windows_in_order(sizes, few: int, least: int, most: int) -> None:
    """False alarms at .05: 3 of 60 expected, 8 have a chance of 1 in 100. Shifts find 6 of 60."""
    trials = sizes(60, 4)
    alarms = 0
    for seed in range(trials):
        rows = stream(seed)
        odd = np.random.default_rng(seed).choice(np.arange(N, N + M), few, replace=False)
        rows.loc[odd, "amount"] *= 30
        alarms += compare(*halves(rows), n_permutations=199, rng=seed).p_value <= 0.05
    assert least * trials // 60 <= alarms <= -(-most * trials // 60)


def _table_of_bits(bits: np.ndarray) -> WindowTable:
    plain = encode([pd.DataFrame({"x": np.arange(len(bits)) % 2, "y": 0})], len(bits))
    table = WindowTable(
        np.zeros_like(plain.codes), plain.sorts, plain.field_of, np.zeros_like(plain.bits),
        plain.schema,
    )  # fmt: skip
    table.bits[0] = bits
    return table


@pytest.mark.parametrize(
    ("value", "name"), [(0.2, "shift"), (0.1, "rows"), (-0.17, "rows"), (-0.3, "shift")]
)
def test_bits_that_alternate_a_little_take_rows(value: float, name: str) -> None:
    """From 3 standard errors on to one side, from 4 to the other."""
    n = 400
    noise = np.random.default_rng(58).normal(size=n)
    bits = noise + value * np.roll(noise, 1)
    table = _table_of_bits((1000 * bits).astype(np.int32))
    found = choose_null("auto", False, table, np.arange(n), 50)
    assert found.field == "all fields"
    assert found.name == name


def _rhythm(seed: int, strength: float) -> pd.DataFrame:
    """1,000 rows and a window of 100 more, of users of whom each is about at an hour of his own."""
    rng = np.random.default_rng(seed)
    rows = 1_100
    times = pd.Timestamp("2026-03-01") + pd.to_timedelta(
        np.cumsum(rng.exponential(216, rows)), unit="s"
    )
    apart = times.hour.to_numpy()[:, None] - rng.uniform(0, 24, 40)
    odds = np.exp(strength * np.cos(2 * np.pi * apart / 24)).cumsum(axis=1)
    users = (odds > odds[:, -1:] * rng.random((rows, 1))).argmax(axis=1)
    return pd.DataFrame({"at": times, "user": [f"u{user}" for user in users]})


def test_what_follows_the_hour_a_little_takes_shifts() -> None:
    """From row to row it does not show; windows held against exchanged rows differ all the same."""
    alarms, exchanged, shifts = 0, 0, 0
    for seed in range(30):
        rows = _rhythm(seed, 0.7)
        sides = rows[:1_000], rows[1_000:]
        found = compare(*sides, n_permutations=199, rng=seed)
        bare = [side.drop(columns="at") for side in sides]
        alarms += found.p_value <= 0.05
        exchanged += compare(*bare, n_permutations=199, null="rows", rng=seed).p_value <= 0.05
        if found.null.name == "shift":
            shifts += 1
            assert found.null.lag == 0
            assert f"stretches of {found.null.stretch} rows differ in" in repr(found.null)
    assert shifts >= 24
    assert exchanged >= 8
    assert alarms <= 4


def test_what_does_not_follow_the_hour_takes_rows() -> None:
    chosen = []
    for seed in range(30):
        rows = _rhythm(seed, 0.0)
        chosen.append(compare(rows[:1_000], rows[1_000:], n_permutations=19, rng=seed).null.name)
    assert chosen.count("rows") >= 28


def test_chi_square_has_the_moments_of_all_orders() -> None:
    """All 5,040 orders of seven rows."""
    first, second = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([0, 0, 1, 1, 1, 1, 2])
    values = [chi_square(first, second[list(order)])[0] for order in permutations(range(7))]
    mean, variance = chi_square(first, second)[1:]
    assert mean == pytest.approx(np.mean(values))
    assert variance == pytest.approx(np.var(values))


@pytest.mark.parametrize("rows", [2, 3, 5])
def test_few_rows_have_no_stretches(rows: int) -> None:
    frame = stream(rows=2 * rows)
    dl.permutation_test(frame[:rows], frame[rows:], null="auto", rng=1)

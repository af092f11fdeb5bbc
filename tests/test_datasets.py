"""The simulator: the same bytes every time, kinds that are what they say, no label that leaks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftlock.datasets import KINDS, NAMES, load, make_transactions, write_testdata
from driftlock.datasets._kinds import SINGLE_FIELD
from driftlock.errors import OptionError

ROOT = Path(__file__).parent.parent
TESTDATA = ROOT / "testdata"
FIELDS = ["customer", "merchant", "method", "device", "place", "category", "currency"]


def flat(data):
    """Events beside their labels, with readable values only: what is not one is None."""
    rows = data.events.drop(columns="metadata")
    rows["category"] = [record["category"] for record in data.events["metadata"]]
    rows["currency"] = [record["currency"] for record in data.events["metadata"]]
    rows["time"] = pd.to_datetime([readable_time(text) for text in rows["timestamp"]])
    rows["amount"] = np.array([readable_amount(value) for value in rows["amount"]], float)
    return rows.join(data.labels)


def readable_time(text):
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def readable_amount(value):
    try:
        return float(value)
    except ValueError:
        return None


@pytest.fixture(scope="module")
def data():
    return make_transactions(20_000, anomaly_rate=0.1, seed=11)


@pytest.fixture(scope="module")
def rows(data):
    return flat(data)


@pytest.fixture(scope="module")
def normal(rows):
    return rows[~rows["is_anomaly"]]


def of_kind(rows, kind):
    chosen = rows[rows["kind"] == kind]
    assert len(chosen) > 100
    return chosen


def single_field_kinds(row, normal):
    """Which kinds of strangeness a row shows in one field alone."""
    found = [
        f"unseen_{name}"
        for name in ("merchant", "place", "device")
        if row[name] not in normal["sets"][name]
    ]
    if row["amount"] > 5 * normal["largest"]:
        found.append("amount_far_out")
    if row["time"].hour in (2, 3, 4):
        found.append("odd_hour")
    if pd.isna(row["amount"]) or pd.isna(row["time"]):
        found.append("malformed_value")
    return set(found)


def seen_in(normal):
    return {
        "sets": {name: set(normal[name]) for name in ("merchant", "place", "device")},
        "largest": normal["amount"].max(),
    }


# --------------------------------------------------------------------------- determinism


def test_same_seed_same_bytes_other_seed_other_bytes():
    first, again, other = (make_transactions(300, seed=seed) for seed in (5, 5, 6))
    assert first.to_jsonl() == again.to_jsonl()
    assert first.labels_to_csv() == again.labels_to_csv()
    assert first.to_jsonl() != other.to_jsonl()


def test_bytes_do_not_depend_on_the_version_of_anything():
    made = make_transactions(2000, anomaly_rate=0.2, seed=42)
    digest = hashlib.sha256((made.to_jsonl() + made.labels_to_csv()).encode()).hexdigest()
    assert digest == "fecf1dbdaae6d0e92f6f9d9fa1889b597bc2db0739be391ff56bfb97015c489b"


def test_order_of_kinds_does_not_matter():
    forth = make_transactions(200, anomaly_rate=0.2, kinds=["replay", "odd_hour"])
    back = make_transactions(200, anomaly_rate=0.2, kinds=iter(["odd_hour", "replay", "replay"]))
    assert forth.to_jsonl() == back.to_jsonl()


# --------------------------------------------------------------------------- shape and shares


def test_columns_index_and_types(data):
    assert list(data.events) == [
        "transaction_id",
        "timestamp",
        "customer",
        "merchant",
        "amount",
        "method",
        "device",
        "place",
        "metadata",
    ]
    assert list(data.labels) == ["is_anomaly", "kind"]
    assert data.labels["is_anomaly"].dtype == bool
    assert data.events.index.equals(data.labels.index)
    assert ((data.labels["kind"] != "") == data.labels["is_anomaly"]).all()
    assert make_transactions(50, anomaly_rate=0).events["amount"].dtype == np.float64


@pytest.mark.parametrize(
    ("n", "rate", "expected"),
    [(1000, 0.02, 20), (1000, 0, 0), (10, 0.99, 9), (1, 0.9, 0), (7, 0.5, 4), (1, 0, 0)],
)
def test_share_of_anomalies(n, rate, expected):
    made = make_transactions(n, anomaly_rate=rate, seed=3)
    assert len(made.events) == n
    assert made.labels["is_anomaly"].sum() == expected
    assert repr(made) == f"Transactions({n} events, {expected} anomalies)"


def test_kinds_have_equal_shares(rows):
    counts = rows.loc[rows["is_anomaly"], "kind"].value_counts()
    assert set(counts.index) == set(KINDS)
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_alone(kind):
    made = make_transactions(60, anomaly_rate=0.05, kinds=kind, seed=1)
    assert made.labels["kind"].value_counts().to_dict() == {"": 57, kind: 3}


def test_every_kind_is_described():
    assert len(KINDS) >= 8
    assert all(text and "\n" not in text for text in KINDS.values())


# --------------------------------------------------------------------------- the normal process


def test_normal_rows_have_habits_and_rhythm(normal):
    assert normal["customer"].nunique() > 200
    assert normal["merchant"].nunique() >= 100
    assert set(normal["time"].dt.hour) == set(range(8, 22))
    assert normal["time"].dt.date.nunique() > 100
    assert (normal.groupby("merchant")["category"].nunique() == 1).all()
    assert (normal.groupby("place")["currency"].nunique() == 1).all()
    habits = normal.groupby("customer")[["place", "device"]].nunique()
    assert habits.to_numpy().max() <= 2
    level = np.log(normal["amount"]).groupby([normal["category"], normal["customer"]]).mean()
    assert 0.3 < level.groupby("category").std().mean() < 0.8  # customers differ
    assert (np.log(normal["amount"]).groupby(normal["category"]).skew().abs() < 0.5).all()


def test_rows_stand_in_the_order_of_time(rows):
    assert rows["time"].dropna().is_monotonic_increasing


# --------------------------------------------------------------------------- what each kind is


def test_a_row_shows_its_own_single_field_kind_and_no_other(rows, normal):
    seen = seen_in(normal)
    for _, row in rows[rows["is_anomaly"]].iterrows():
        expected = {row["kind"]} & set(SINGLE_FIELD)
        assert single_field_kinds(row, seen) == expected


def test_normal_rows_show_no_single_field_kind(normal):
    assert normal["time"].dt.hour.between(8, 21).all()
    assert normal["amount"].notna().all()
    assert normal["amount"].max() < 3000


def test_amount_far_out(rows, normal):
    usual = normal.groupby("category")["amount"].median().max()
    ratio = of_kind(rows, "amount_far_out")["amount"] / usual
    assert ratio.between(80, 1250).all()


@pytest.mark.parametrize("of", ["merchant", "place", "device"])
def test_unseen_values_leave_the_rest_as_it_was(rows, normal, of):
    strange = of_kind(rows, f"unseen_{of}")
    for name in set(FIELDS) - {of}:
        assert set(strange[name]) <= set(normal[name])
    if of == "merchant":  # the last word of a name goes with its category
        nouns = normal["merchant"].str.split().str[-1]
        pairs = set(zip(nouns, normal["category"], strict=True))
        words = strange["merchant"].str.split().str[-1]
        assert set(zip(words, strange["category"], strict=True)) <= pairs


def test_amount_out_of_habit(rows, normal):
    strange = of_kind(rows, "amount_out_of_habit")
    known = normal.groupby(["customer", "category"])["amount"].agg(["median", "size"])
    joined = strange.join(known[known["size"] >= 8], on=["customer", "category"], how="inner")
    ratio = joined["amount"] / joined["median"]
    assert len(ratio) > 50
    assert ratio.between(3, 30).all()
    assert 8 < ratio.median() < 13
    assert strange["amount"].median() < normal["amount"].quantile(0.99)  # not far out by itself


def test_impossible_combination(rows, normal):
    category = normal.groupby("merchant")["category"].first()
    currency = normal.groupby("place")["currency"].first()
    strange = of_kind(rows, "impossible_combination")
    wrong_category = strange["category"] != strange["merchant"].map(category)
    wrong_currency = strange["currency"] != strange["place"].map(currency)
    assert (wrong_category ^ wrong_currency).all()
    assert wrong_category.any()
    assert wrong_currency.any()


def test_new_device_and_place(rows, normal):
    strange = of_kind(rows, "new_device_and_place")
    for name in ("device", "place"):
        pairs = set(zip(normal["customer"], normal[name], strict=True))
        assert pairs.isdisjoint(zip(strange["customer"], strange[name], strict=True))
    currency = normal.groupby("place")["currency"].first()
    assert (strange["currency"] == strange["place"].map(currency)).all()


def test_structuring(rows):
    strange = of_kind(rows, "structuring")
    assert strange["amount"].between(930, 999).all()
    for (_, _), group in strange.groupby(["customer", strange["time"].dt.date]):
        assert 4 <= len(group) <= 14  # two groups may fall on one customer's day
        near = [(abs(group["time"] - time) <= pd.Timedelta("2h")).sum() for time in group["time"]]
        assert min(near) >= 4
        assert group["device"].nunique() <= 2


def test_replay(data, rows, normal):
    same = [*FIELDS, "amount"]
    strange = of_kind(rows, "replay")
    pairs = strange.reset_index().merge(normal, on=same, suffixes=("", "_before"))
    gap = (pairs["time"] - pairs["time_before"]).dt.total_seconds()
    found = pairs[gap.between(0, 600)]
    assert set(found["index"]) == set(strange.index)
    assert (found["transaction_id"] != found["transaction_id_before"]).all()


def test_malformed_value(rows):
    strange = of_kind(rows, "malformed_value")
    broken = strange[["amount", "time"]].isna()
    assert (broken.sum(axis=1) == 1).all()
    assert broken.any().all()


# --------------------------------------------------------------------------- no leak


def test_ids_say_nothing(rows):
    ids = rows["transaction_id"]
    assert ids.is_unique
    assert ids.str.fullmatch("[0-9a-f]{16}").all()
    share = np.array([int(text, 16) for text in ids]) / 2.0**64
    assert abs(uniform_z(share[rows["is_anomaly"]])) < 4


def test_places_in_the_table_say_nothing(rows):
    positions = (np.flatnonzero(rows["is_anomaly"]) + 0.5) / len(rows)
    assert abs(uniform_z(positions)) < 4


def uniform_z(values):
    """How many standard errors a mean is from that of uniform draws on (0, 1)."""
    return (np.mean(values) - 0.5) * np.sqrt(12 * len(values))


def test_precision_says_nothing(data, rows):
    texts = [repr(value) for value in data.events["amount"]]
    decimals = np.array([len(text.split(".")[1]) if "'" not in text else 0 for text in texts])
    assert decimals.max() == 2
    short = pd.Series(decimals == 1)
    readable = rows["amount"].notna()
    strange, usual = (short[readable & (rows["is_anomaly"] == flag)] for flag in (True, False))
    assert abs(strange.mean() - usual.mean()) < 4 * np.sqrt(0.1 * 0.9 / len(strange))
    assert {len(text) for text in data.events["timestamp"][rows["time"].notna()]} == {20}


def test_keys_say_nothing(data):
    assert {tuple(record) for record in data.events["metadata"]} == {("category", "currency")}
    assert {
        tuple(type(value) for value in record.values()) for record in data.events["metadata"]
    } == {(str, str)}


@pytest.mark.parametrize("kind", ["unseen_device", "odd_hour", "impossible_combination", "replay"])
def test_fields_that_a_kind_leaves_alone_are_as_in_normal_rows(rows, normal, kind):
    strange, usual = (np.log(frame["amount"]) for frame in (of_kind(rows, kind), normal))
    assert abs(strange.mean() - usual.mean()) < 4 * usual.std() / np.sqrt(len(strange))
    share = normal["method"].value_counts(normalize=True)
    found = strange.index.map(rows["method"]).value_counts(normalize=True)
    assert (abs(found - share) < 4 * np.sqrt(0.25 / len(strange))).all()


# --------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, r"n=0 .* at least 1"),
        ({"n": -5}, r"n=-5"),
        ({"n": 10.5}, r"n=10\.5 is not a whole number"),
        ({"n": True}, r"n=True"),
        ({"seed": -1}, r"seed=-1 .* at least 0"),
        ({"seed": None}, r"seed=None"),
        ({"anomaly_rate": 1}, r"anomaly_rate=1 is not a number from 0 to below 1"),
        ({"anomaly_rate": -0.1}, r"anomaly_rate=-0\.1"),
        ({"anomaly_rate": float("nan")}, r"anomaly_rate=nan"),
        ({"anomaly_rate": "0.1"}, r"anomaly_rate='0\.1'"),
        ({"anomaly_rate": True}, r"anomaly_rate=True"),
        ({"kinds": "odd_our"}, r"kinds='odd_our' is not known; choose one of .*'odd_hour'"),
        ({"kinds": ["odd_hour", "no"]}, r"kinds='no' .*'malformed_value'"),
        ({"kinds": 3}, r"kinds=3 is not known"),
        ({"kinds": []}, r"kinds is empty"),
    ],
)
def test_impossible_options(options, message):
    with pytest.raises(OptionError, match=message):
        make_transactions(**options)


def test_numpy_numbers_are_numbers():
    made = make_transactions(np.int64(20), anomaly_rate=np.float32(0.25), seed=np.uint8(1))
    assert made.labels["is_anomaly"].sum() == 5


def test_unknown_name():
    with pytest.raises(OptionError, match="name='odd' is not known; choose one of 'normal'"):
        load("odd")


# --------------------------------------------------------------------------- testdata


def test_testdata_is_regenerated_byte_for_byte(tmp_path):
    write_testdata(tmp_path / "made")
    made = {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    kept = {path.name: path.read_bytes() for path in TESTDATA.iterdir() if path.name != "README.md"}
    assert made == kept
    assert set(kept) == {f"{name}{end}" for name in NAMES for end in (".jsonl", ".labels.csv")}


def test_command_writes_the_same(tmp_path):
    command = [sys.executable, "-m", "driftlock.datasets"]
    subprocess.run([*command, str(tmp_path)], check=True, cwd=ROOT)
    assert (tmp_path / "mixed.jsonl").read_bytes() == (TESTDATA / "mixed.jsonl").read_bytes()
    usage = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert usage.returncode == 1
    assert "usage" in usage.stderr


@pytest.mark.parametrize(
    ("name", "n", "anomalies"), [("normal", 500, 0), ("anomalous", 100, 100), ("mixed", 1000, 50)]
)
def test_load_equals_testdata(name, n, anomalies):
    loaded = load(name)
    text = (TESTDATA / f"{name}.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert [json.loads(line) for line in text.splitlines()] == loaded.events.to_dict("records")
    kept = pd.read_csv(TESTDATA / f"{name}.labels.csv", keep_default_na=False, index_col="row")
    assert kept["is_anomaly"].tolist() == loaded.labels["is_anomaly"].tolist()
    assert kept["kind"].tolist() == loaded.labels["kind"].tolist()
    assert len(loaded.events) == n
    assert loaded.labels["is_anomaly"].sum() == anomalies


def test_first_400_rows_of_mixed_are_normal_and_anomalies_are_spread_over_the_rest():
    at = np.flatnonzero(load("mixed").labels["is_anomaly"])
    assert at.min() >= 400
    assert abs(uniform_z((at - 399.5) / 600)) < 4


@pytest.mark.parametrize("name", ["normal", "mixed"])
def test_baselines_of_testdata_are_enough_to_know_every_value(name):
    baseline = flat(load(name)).iloc[:400]
    assert (baseline["time"].iloc[-1] - baseline["time"].iloc[0]).days >= 21
    for column in FIELDS:
        assert baseline[column].value_counts().min() >= 3


@pytest.mark.parametrize(("name", "world"), [("anomalous", "normal"), ("mixed", "mixed")])
def test_testdata_anomalies_show_in_single_fields(name, world):
    rows, base = flat(load(name)), flat(load(world))
    seen = seen_in(base[~base["is_anomaly"]])
    strange = rows[rows["is_anomaly"]]
    for _, row in strange.iterrows():
        assert single_field_kinds(row, seen) == set(row["kind"].split("+"))
    assert set("+".join(strange["kind"]).split("+")) == set(SINGLE_FIELD)
    assert 0.3 < strange["kind"].str.contains("+", regex=False).mean() < 0.7

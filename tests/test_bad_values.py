"""Values that no table should hold and some do: each is read, judged, and breaks nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import driftlock as dl
from driftlock.fields.values import spelt, symbol
from driftlock.reasons import notable, reasons_of

N = 120


def column(values: list) -> pd.DataFrame:
    return pd.DataFrame({"x": pd.Series(values, dtype=object)})


def lines(n: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    verbs, places = ["read", "write", "open"], ["tmp", "var", "home", "etc"]
    return [
        f"user {rng.integers(99)} may {rng.choice(verbs)} file {rng.integers(9)} "
        f"in {rng.choice(places)}"
        for _ in range(n)
    ]


def judged(baseline: list, events: list, **options) -> pd.DataFrame:
    found = dl.detect(column(events), baseline=column(baseline), **options)
    assert found.schema["kind"].tolist() == ["text"]
    assert np.isfinite(found.table[["score", "bits", "p_value"]].to_numpy()).all()
    assert found.explain(0).table.index.tolist() == ["x"]
    return found.table


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "user 1 may read file 2 in 😀🧨",
        "👍🏽" * 40,
        "\ud800\udfff" * 20,
        "user 5 may \udcff\udcfe file 2 in tmp",
        b"\xff\xfe\x00" * 20,
        "\0" * 60,
        7.5,
    ],
    ids=["empty", "emoji", "emojis", "surrogates", "bad UTF-8", "bytes", "NUL", "number"],
)
def test_odd_texts_among_log_lines_are_strange(odd):
    table = judged(lines(N), [odd, *lines(40, seed=1)])
    assert table["p_value"].iloc[0] <= 1 / (N + 1)
    assert table["p_value"].iloc[1:].median() > 0.2


def test_bytes_that_are_no_utf8_are_texts():
    rng = np.random.default_rng(2)
    packets = [b"\x80\xff" + bytes(rng.integers(0, 256, 9).tolist()) * 2 for _ in range(N + 30)]
    table = judged(packets[:N], [b"\x00" * 300, *packets[N:]])
    assert table["p_value"].iloc[0] <= 1 / (N + 1)
    assert table["p_value"].iloc[1:].median() > 0.1


def test_emojis_and_gaps_may_be_normal():
    usual = [f"{line} {'😀👍🏽'[i % 2]}" if i % 5 else None for i, line in enumerate(lines(2 * N))]
    table = judged(usual[:N], usual[N:])
    assert (table["p_value"] <= 0.05).mean() <= 0.15


@pytest.mark.jit
def test_texts_of_a_megabyte():
    rng = np.random.default_rng(3)
    noise = bytes(rng.integers(97, 123, 10**6).astype(np.uint8)).decode()
    table = judged(lines(N), ["a" * 10**6, noise, *lines(40, seed=1)])
    assert (table["p_value"].iloc[:2] <= 1 / (N + 1)).all()
    table = judged([*lines(N - 1), "ab" * (10**6 // 2)], [*lines(40, seed=1), noise])
    assert table["p_value"].iloc[:40].median() > 0.2


@pytest.mark.jit
@pytest.mark.parametrize("kind", [None, pytest.param("category", marks=pytest.mark.slow)])
def test_a_column_of_very_many_values(kind, sizes):
    n = sizes(10**6, 10**5)
    values = [f"{v:x}k{v % 7}" for v in np.random.default_rng(4).permutation(n)]
    table = pd.DataFrame({"key": values, "x": np.random.default_rng(5).normal(size=n)})
    found = dl.detect(table, baseline=n - 1000, fields={"key": kind} if kind else None)
    assert found.schema["kind"]["key"] == (kind or "id")
    assert (found.table["p_value"] <= 0.05).mean() <= 0.08


def test_two_numbers_of_which_one_says_all_of_the_other():
    rng = np.random.default_rng(6)
    a = rng.normal(size=300)
    table = pd.DataFrame({"a": a, "b": 2 * a + 1, "c": rng.normal(size=300)})
    table.loc[200, "b"] = -table.loc[200, "b"] + 4  # usual alone, impossible beside a
    found = dl.detect(table, baseline=200)
    assert np.isfinite(found.table["score"]).all()
    assert found.table["p_value"].iloc[0] <= 1 / 201
    assert found.table["top_field"].iloc[0] in ("a", "b")
    assert (found.table["p_value"].iloc[1:] <= 0.05).mean() <= 0.15


@pytest.mark.parametrize("kind", ["category", "number"])
def test_a_number_that_was_constant_but_once(kind):
    x = np.full(300, 3.0)
    x[77] = 10.5
    x[200:203] = [3.0, 10.5, 99.0]
    found = dl.detect(pd.DataFrame({"x": x}), baseline=200, fields={"x": kind})
    same, again, new = found.table["p_value"].iloc[:3]
    assert same == 1.0
    assert again <= 2 / 201
    assert new <= 2 / 201


HUGE = 10**5000  # Python writes no whole number of more than 4,300 digits


@pytest.mark.parametrize(
    "values",
    [
        [i * i % 97 if i != 250 else HUGE for i in range(300)],
        [*["a", "b"] * 125, HUGE, [HUGE], {"a": HUGE}, Fraction(HUGE, 7), *["a"] * 46],
        [{"a": i * i % 97, "b": [1]} if i != 250 else {"a": HUGE, "b": [HUGE]} for i in range(300)],
        [f"user {i} did {i % 7} things" if i != 250 else -HUGE for i in range(300)],
    ],
    ids=["number", "category", "nested", "text"],
)
def test_whole_numbers_too_long_to_be_written_are_scored_and_shown(values):
    events = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": [1.5, 2.5, 4.5] * 100})
    found = dl.detect(events, baseline=200)
    assert found.table.loc[250, "score"] >= found.table["score"].quantile(0.9)
    told = found.explain(250)
    for text in (str(told), told._repr_html_()):
        assert "1e4999 or more, a whole number" in text or "whole number too long" in text
    assert "<table" in found._repr_html_()
    assert all(map(str, notable(reasons_of(found, np.array([50, 51, 52, 53]))[0])))
    other = events.copy()
    other.at[250, "x"] = HUGE + 1 if not isinstance(values[250], dict) else {"a": HUGE + 1}
    assert dl.detect(other, baseline=200).table.loc[250, "score"] > 0


def test_huge_whole_numbers_are_symbols_of_their_own():
    assert symbol(HUGE) != symbol(HUGE + 1)
    assert symbol(-HUGE) != symbol(HUGE) != symbol(Fraction(HUGE, 7))
    assert spelt(HUGE) == "1e4999 or more, a whole number"
    assert spelt(-HUGE).startswith("-1e4999 ")
    assert spelt([HUGE]) == "list with a whole number too long to be shown"
    assert spelt(12) == "12"


def test_lone_surrogates_in_a_text_column_are_read_and_shown():
    lines = [f"user {i} did \udc80 {i % 7} things over {i * 3}" for i in range(200)]
    found = dl.detect(pd.DataFrame({"m": pd.Series(lines, dtype=object)}), baseline=120)
    assert found.schema.loc["m", "kind"] == "text"
    assert "\\udc80" in str(found.explain(150))
    assert "<table" in found._repr_html_()


def test_a_lone_surrogate_among_numbers_is_unreadable():
    texts = pd.Series([*(str(i * 1.5) for i in range(199)), "\ud800"], dtype=object)
    found = dl.detect(pd.DataFrame({"x": texts[::-1].reset_index(drop=True)}), baseline=120)
    assert found.schema.loc["x", "kind"] == "number"

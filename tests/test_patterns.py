"""Patterns: kernels by their twins, no look at the sides, and what a pattern decides."""

from __future__ import annotations

import math
import re

import naive_patterns
import numpy as np
import pytest
import worlds
from columns import logs, numbers, take, texts, times
from scipy import stats
from sides import NULLS, find, random_sides, split

from driftlock._kernels import nearest, patterns
from driftlock.arrays import Symbols
from driftlock.coders import RowCoder
from driftlock.fields import Schema
from driftlock.patterns import (
    DIGITS,
    MASK,
    Division,
    PatternTest,
    _cells,
    _scales,
    _templates,
    decide,
    find_patterns,
)
from driftlock.significance import RowP

# --- kernels --------------------------------------------------------------------------------------


def drawn_patterns(seed: int):
    """Counts of patterns, and sides of very different sizes."""
    rng = np.random.default_rng(seed)
    for m, n in ((1, 400), (30, 20), (400, 5), (300, 400)):
        total = rng.integers(1, min(60, n + m), 25)
        least, most = np.maximum(0, total - n), np.minimum(total, m)
        yield rng.integers(least, most + 1), total, m, n


def test_hypergeometric_tails() -> None:
    for tested, total, m, n in drawn_patterns(1):
        tails = patterns.hypergeometric_tails(tested, total, m, n)
        expected = naive_patterns.hypergeometric_tails(tested.tolist(), total.tolist(), m, n)
        np.testing.assert_allclose(tails, expected, rtol=1e-9)


def test_hypergeometric_tails_are_those_of_scipy() -> None:
    for tested, total, m, n in drawn_patterns(2):
        tails = patterns.hypergeometric_tails(tested, total, m, n)
        expected = stats.hypergeom.sf(tested - 1, n + m, total, m)
        more = tested * (n + m) > total * m
        np.testing.assert_allclose(tails[more], expected[more], rtol=1e-6)
        assert (tails[~more] == 1).all()


def test_hypergeometric_tails_of_many_rows_are_accurate_and_never_0() -> None:
    tested, total = np.array([60, 5_000, 900_000]), np.array([61, 5_100, 900_000])
    tails = patterns.hypergeometric_tails(tested, total, 10**6, 10**6)
    expected = stats.hypergeom.logsf(tested - 1, 2 * 10**6, total, 10**6)
    np.testing.assert_allclose(np.log(tails[:1]), expected[:1], rtol=1e-6)
    assert (tails[1:] == naive_patterns.SMALLEST).all()


def test_cells() -> None:
    rng = np.random.default_rng(3)
    numbers_of = (rng.integers(-4, 5, (60, 2)) * 128).astype(np.int16)  # many ties
    symbols_of = rng.integers(0, 3, (60, 2)).astype(np.uint8)
    centers = numbers_of[:20], symbols_of[:20]
    transposed = tuple(np.ascontiguousarray(part.T) for part in centers)
    sizes = np.array([3, 11, 20])
    found = patterns.cells((numbers_of, symbols_of), transposed, sizes)
    distances = np.array([
        ((numbers_of - numbers_of[c]).astype(int) ** 2).sum(axis=1)
        + nearest.MISMATCH * (symbols_of != symbols_of[c]).sum(axis=1)
        for c in range(20)
    ]).T  # fmt: skip
    assert found.tolist() == naive_patterns.cells(distances.tolist(), sizes.tolist())


# --- no look at the sides -------------------------------------------------------------------------


def partition(labels, rows) -> set[frozenset[int]]:
    """Which rows are together."""
    return {frozenset(rows[labels == label].tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("name", NULLS)
def test_patterns_do_not_depend_on_the_sides_of_their_rows(name: str, sizes) -> None:
    rng = np.random.default_rng(4)
    n = sizes(400, 90)
    columns = NULLS[name](n, rng)
    if name == "log and fields":
        columns[0] = texts([*worlds.messages(rng, n - 20), *logs(20, rng)])
    first = random_sides(rng, n // 2, n - n // 2)
    baseline, tested = split(columns, first)
    codes = RowCoder.fit(baseline)
    rows = np.append(np.flatnonzero(~first), np.flatnonzero(first))
    scales = _scales(codes, baseline, tested)
    assert scales
    joined = [
        Symbols(c.codes, c.n_symbols, np.where(np.isin(c.codes, b.codes), c.codes, -2 - c.codes))
        if isinstance(c, Symbols) else c
        for c, b in zip(columns, baseline)
    ]  # fmt: skip
    for _ in range(3):
        other = random_sides(rng, n // 3, n - n // 3)
        rows_now = np.append(np.flatnonzero(~other), np.flatnonzero(other))
        again = _scales(codes, take(joined, ~other), take(joined, other))
        for before, after in zip(scales, again, strict=True):
            for left, right in zip(before, after, strict=True):
                assert partition(left, rows) == partition(right, rows_now)


@pytest.mark.parametrize("name", NULLS)
def test_order_of_rows_changes_no_pattern(name: str, sizes) -> None:
    rng = np.random.default_rng(5)
    n = sizes(300, 80)
    columns = NULLS[name](n, rng)
    chosen = random_sides(rng, n // 2, n - n // 2)
    baseline, tested = split(columns, chosen)
    found = find_patterns(RowCoder.fit(baseline), baseline, tested, "fdr")
    orders = [rng.permutation(len(side[0])) for side in (baseline, tested)]
    baseline, tested = (take(side, order) for side, order in zip((baseline, tested), orders))
    again = find_patterns(RowCoder.fit(baseline), baseline, tested, "fdr")
    assert (again.q == found.q[orders[1]]).all()
    assert (again.p == found.p[orders[1]]).all()


def test_masks_and_prefixes_make_templates() -> None:
    lines = [
        b"job 7 of a9b done at node x",
        b"job 812 of 4c done at node y",
        b"other line",
        b"",
        b"other  line",
    ]
    masked = [DIGITS.sub(MASK, line) for line in lines]
    assert masked[:2] == [b"job # of # done at node x", b"job # of # done at node y"]
    whole, _, eight, four = (scale[0].tolist() for scale in _templates(masked))
    assert len(set(whole)) == 5
    assert eight[0] != eight[1]
    assert four[0] == four[1]
    assert eight[2] == eight[4] != eight[3]


@pytest.mark.parametrize("text", [b"a" * 200_000, b"1" * 200_000, b"a " * 100_000, b"a1" * 100_000])
def test_masking_takes_linear_time(text: bytes) -> None:
    words = text.split(b" ")
    expected = b" ".join(MASK if re.search(rb"\d", word) else word for word in words)
    assert DIGITS.sub(MASK, text) == expected


def test_centers_are_drawn_from_rows_not_from_kinds_of_rows() -> None:
    """Neither may many copies of a row take every place, nor have but one chance of one."""
    rng = np.random.default_rng(13)
    kinds = np.concatenate([np.repeat(np.arange(20), 50), 100 + np.arange(1000)])
    rows = (rng.permutation(kinds)[:, None] * 10).astype(np.int16), np.empty((2000, 0), np.uint8)
    for draw in range(2):
        finest = _cells(rows)[-1][draw]
        repeated = rows[0][:, 0] < 1000
        assert len(np.unique(finest[repeated])) >= 15
        assert len(np.unique(finest[~repeated])) >= 30


# --- decisions ------------------------------------------------------------------------------------


def test_a_pattern_decides_where_it_makes_an_anomaly_and_the_row_does_not() -> None:
    own = RowP(np.array([0.0001, 0.5, 0.5, 0.5]), np.array(["tail", "rank", "rank", "rank"]))
    test = PatternTest(
        np.array([0.04, 0.04, 0.2, 1.0]), np.full(4, 1e-6), np.array([[9, 9, 9, 0], [1, 1, 1, 0]])
    )
    decided = decide(own, "fdr", 0.05, test)
    assert decided.kinds.tolist() == ["tail", "pattern", "rank", "rank"]
    assert decided.q.tolist() == pytest.approx([0.0004, 0.04, 0.5, 0.5])
    assert decided.p.tolist() == [0.0001, 1e-6, 0.5, 0.5]
    assert decided.counts.tolist() == [[0, 9, 0, 0], [0, 1, 0, 0]]
    alone = decide(own, "fdr", 0.05)
    assert alone.kinds.tolist() == own.kinds.tolist()
    assert not alone.counts.any()


def test_tables_without_any_pattern_have_none() -> None:
    few = [numbers(np.arange(1.0, 31))]
    found = find(few, np.arange(30) >= 25)
    assert (found.q == 1).all()
    no_rows = [times([3] * 30, [1] * 30, ())]
    assert find(no_rows, np.arange(30) >= 25).q.tolist() == [1.0] * 5


def test_patterns_through_typed_fields_are_free_of_the_order_of_tested_rows() -> None:
    """New symbols are numbered as they come: that number must not matter."""
    rng = np.random.default_rng(12)
    frame = worlds.two_zipf(700, 3).astype(str)
    schema, flat = Schema.learn(frame[:400], None)
    baseline = schema.encode(flat)
    codes = RowCoder.fit(baseline)

    def labels(tested):
        encoded = schema.encode(schema.flatten(tested))
        return [scale[0][400:] for scale in _scales(codes, baseline, encoded)]

    order = rng.permutation(300)
    later = frame[400:]
    rows = np.arange(300)
    for before, after in zip(labels(later), labels(later.iloc[order])):
        assert partition(before, rows) == partition(after, order)


@pytest.mark.parametrize(
    ("q", "divisions", "level"),
    [
        (1e-6, 1, 20 * 2 / (31 * 12)),  # the normal share to be expected: m (y + 1) / ((n + 1) x)
        (1e-6, 2, 20 * (2 + math.sqrt(2)) / (31 * 12)),  # the best of two: a deviation more
        (0.03, 1, 0.3),  # rejected at a tenth of the level
        (0.2, 1, 1.0),
    ],
)
def test_the_level_of_a_row_is_that_of_its_pattern_and_of_the_normal_rows_in_it(
    q: float, divisions: int, level: float
) -> None:
    n, labels = 30, np.repeat([0, 1, 0, 1], [29, 1, 8, 12])  # 1 of 30 and 12 of 20 are of kind 1
    division = Division.of(labels, n)
    assert division.could.all()
    found = PatternTest.silent(20)
    for _ in range(divisions):
        division.speak(found, np.array([1.0, q]), n, chosen=divisions > 1)
    assert found.q.tolist() == pytest.approx([1.0] * 8 + [level] * 12)
    assert found.counts[:, 8:].tolist() == ([[12] * 12, [1] * 12] if level < 1 else [[0] * 12] * 2)
    spoken = found.q.copy()
    division.speak(found, np.array([1.0, 0.9]), n, chosen=True)  # what says less changes nothing
    assert found.q.tolist() == spoken.tolist()


@pytest.mark.parametrize(("m", "least"), [(40, 7), (10, 2), (360, 44)])
def test_a_pattern_is_tested_from_the_size_on_at_which_a_hundred_to_one_is_possible(
    m: int, least: int
) -> None:
    n = 400 - m if m != 40 else 40
    assert (m / (n + m)) ** least < 1 / 100 < (m / (n + m)) ** (least - 1)
    sizes = [least - 1, least, n + m - 2 * least + 1]
    division = Division.of(np.repeat([0, 1, 2], sizes), n)
    assert division.could.tolist() == [False, True, True]
    assert division.p[0] == 1.0


# --- the share of normal rows and the level -------------------------------------------------------


def test_normal_share_is_that_of_one_more_baseline_row_or_a_deviation_more() -> None:
    labels = np.array([0] * 8 + [1] * 12 + [0] * 5 + [1] * 5)  # 20 baseline rows, 10 tested ones
    division = Division.of(labels, 20)
    assert division.normal_share(20, chosen=False).tolist() == pytest.approx(
        [10 * 9 / (21 * 5), 10 * 13 / (21 * 5)]
    )
    assert division.normal_share(20, chosen=True).tolist() == pytest.approx(
        [10 * (9 + 3) / (21 * 5), 10 * (13 + 13**0.5) / (21 * 5)]
    )


def test_a_pattern_is_tested_at_a_tenth_of_alpha_and_holds_few_normal_rows() -> None:
    labels = np.array([0] * 199 + [1] + [0] * 50 + [1] * 50)
    division = Division.of(labels, 200)
    share = 100 * 2 / (201 * 50)
    assert division.could.tolist() == [True, True]
    for q, expected in ((1e-6, share), (0.004, 0.04), (0.5, 1.0)):
        found = PatternTest.silent(100)
        division.speak(found, np.array([0.9, q]), 200, chosen=False)
        assert found.q[50:].tolist() == pytest.approx([expected] * 50)
        assert (found.q[:50] == 1.0).all()
    found = PatternTest.silent(100)
    division.speak(found, np.array([0.9, 1e-6]), 200, chosen=False)
    assert found.counts[:, 99].tolist() == [50, 1]


def test_patterns_that_could_not_be_rejected_are_not_tested() -> None:
    """Nine rows in ten are tested ones: even a pattern of forty of them is no wonder."""
    labels = np.array([0] * 100 + [0] * 860 + [1] * 40)
    division = Division.of(labels, 100)
    assert division.could.tolist() == [True, False]
    assert division.p[1] == 1.0

"""Scores: calibration by its formula, and nothing that may not matter matters."""

from __future__ import annotations

from dataclasses import fields
from functools import cache

import naive_scores as naive
import numpy as np
import pytest
from columns import a_table, numbers, symbols, take, texts, times
from hypothesis import given, settings
from hypothesis import strategies as st

from driftlock._kernels.evidence import round_millibits
from driftlock.arrays import Entities, Symbols
from driftlock.coders import NO_FIELD, Reading, fit_coder
from driftlock.scoring import Calibration, Model, Scores, merge_scores
from driftlock.significance import rank_p

LARGEST = float(np.finfo(float).max)

lengths_of_a_baseline = st.lists(st.integers(-2000, 40_000), min_size=1, max_size=60)
tied_lengths = st.lists(st.sampled_from([0, 1, 1500, 1501, 9000]), min_size=1, max_size=60)


def millibits(values) -> np.ndarray:
    return np.asarray(values, np.int32)


def arrays_of(scores: Scores) -> dict[str, np.ndarray]:
    return {field.name: getattr(scores, field.name) for field in fields(scores)}


def assert_same(left: Scores, right: Scores, rows=slice(None)) -> None:
    """Every number of `left` is that of `right` at `rows`, to the last bit."""
    for name, values in arrays_of(left).items():
        np.testing.assert_array_equal(values, getattr(right, name)[..., rows], err_msg=name)


def rounded_blocks(reading: Reading) -> dict[str, list[list[int]]]:
    return {
        name: [[int(np.floor(1000 * v + 0.5)) for v in figures] for _, figures in parts]
        for name, parts in reading.blocks.items()
    }


@cache
def baseline_model_and_new_rows(n: int):
    columns = a_table(2 * n, np.random.default_rng(11))
    baseline, new = take(columns, np.arange(n)), take(columns, np.arange(n, 2 * n))
    return baseline, Model.fit(baseline), new


@pytest.fixture
def tables(sizes):
    """Baseline columns, a model of them, and columns of new rows with the same fields."""
    return baseline_model_and_new_rows(sizes(150, 60))


# --- calibration ----------------------------------------------------------------------------------


@given(st.one_of(lengths_of_a_baseline, tied_lengths))
@settings(max_examples=60)
def test_evidence_is_that_of_the_formula(lengths: list[int]) -> None:
    curve = Calibration.learn(millibits(lengths))
    asked = sorted(
        {*lengths, *range(min(lengths) - 3, min(lengths) + 3), 50_000, *np.add(lengths, 1)}
    )
    new = curve.evidence(millibits(asked), own=False)
    assert new.tolist() == [naive.calibrated(v, lengths, own=False) for v in map(int, asked)]
    own = curve.evidence(millibits(lengths), own=True)
    assert own.tolist() == [naive.calibrated(v, lengths, own=True) for v in lengths]


@given(st.one_of(lengths_of_a_baseline, tied_lengths))
@settings(max_examples=60)
def test_evidence_never_falls_as_the_length_grows(lengths: list[int]) -> None:
    curve = Calibration.learn(millibits(lengths))
    beside = np.add.outer(lengths, [-1, 0, 1]).ravel()
    between = np.linspace(min(lengths) - 5, max(lengths) + 3000, 200)
    every = np.unique(millibits(np.append(beside, between)))
    for own in (True, False):
        evidence = curve.evidence(every, own=own)
        assert (np.diff(evidence) >= 0).all()
        assert evidence.min() >= 0


@pytest.mark.parametrize("own", [True, False])
def test_evidence_does_not_fall_across_the_threshold(own: bool) -> None:
    for n in (1, 2, 9, 10, 11, 20, 400):
        lengths = millibits(np.arange(n) * 10)
        curve = Calibration.learn(lengths)
        threshold = curve.tail[0]
        around = millibits([threshold - 1, threshold, threshold + 1])
        assert (np.diff(curve.evidence(around, own=own)) >= 0).all()


def test_evidence_beyond_a_constant_baseline_is_that_of_half_a_row() -> None:
    curve = Calibration.learn(millibits([700] * 99))
    own, (at, beyond) = (
        curve.evidence(millibits([700]), own=True),
        curve.evidence(millibits([700, 701]), own=False),
    )
    assert own.tolist() == [0]
    assert (int(at), int(beyond)) == (0, 1 + round(1000 * np.log2(100 / 0.5)))


# --- a model --------------------------------------------------------------------------------------


def test_bits_are_what_the_coder_measures(tables) -> None:
    baseline, model, new = tables
    for columns, scores, own in ((baseline, model.baseline, True), (new, model.score(new), False)):
        for field, (column, learned) in enumerate(zip(columns, baseline)):
            bits = fit_coder(learned).measure(column, own=own).bits
            assert np.abs(scores.bits[field] - 1000 * bits).max() <= 0.5 + 1e-6


def test_the_score_is_that_of_the_definition() -> None:
    baseline, model, new = baseline_model_and_new_rows(60)
    learned = rounded_blocks(model.codes.read(baseline, own=True))
    assert len(learned) >= 4
    assert max(map(len, learned.values())) > 1
    assert model.baseline.total.tolist() == naive.score(learned, learned, own=True)
    asked = rounded_blocks(model.codes.read(new, own=False))
    assert model.score(new).total.tolist() == naive.score(asked, learned, own=False)


def categories(n: int, rng: np.random.Generator) -> list[Symbols]:
    """Fields of a hidden class, one that knows nothing of it, and one that never changes."""
    hidden = rng.integers(0, 3, n)
    of_class = [(hidden + (rng.random(n) < 0.2)) % 3 for _ in range(3)]
    return [symbols(codes, 5) for codes in (*of_class, rng.integers(0, 4, n), np.zeros(n))]


def test_lengths_of_a_table_of_categories_are_also_summed() -> None:
    rng = np.random.default_rng(13)
    baseline, new = categories(90, rng), categories(40, rng)
    baseline[4].codes[7] = new[4].codes[3] = 4
    model = Model.fit(baseline)
    for columns, own in ((baseline, True), (new, False)):
        read = model.codes.read(columns, own=own)
        ((field, total),) = read.blocks["lengths"]
        ((other, in_context),) = read.blocks["lengths in context"]
        context = dict(read.blocks["context"])
        assert field == other == NO_FIELD
        assert 3 <= len(context) < 5
        np.testing.assert_allclose(total, sum(read.bits), atol=1e-9)
        instead = [context.get(place, bits) for place, bits in enumerate(read.bits)]
        np.testing.assert_allclose(in_context, sum(instead), atol=1e-9)
    learned = rounded_blocks(model.codes.read(baseline, own=True))
    assert model.baseline.total.tolist() == naive.score(learned, learned, own=True)
    asked = rounded_blocks(model.codes.read(new, own=False))
    assert model.score(new).total.tolist() == naive.score(asked, learned, own=False)


def test_lengths_are_summed_of_four_categories_and_nothing_else() -> None:
    rng = np.random.default_rng(14)
    table = categories(60, rng)
    number = numbers(rng.normal(0, 1, 60))
    for columns, expected in (
        (table, True),
        ([*table, table[0]], True),
        (table[1:], False),  # the last has one symbol
        ([*table, number], False),
    ):
        read = Model.fit(columns).codes.read(columns, own=True)
        assert ("lengths" in read.blocks) == expected
        assert ("lengths in context" in read.blocks) == expected


def test_many_fields_a_little_odd_are_stranger_than_none() -> None:
    rng = np.random.default_rng(15)
    codes = (rng.random((12, 400)) < 0.2).astype(int)
    model = Model.fit([symbols(field, 2) for field in codes])
    odd = [0, 1, 3, 6, 9, 12]
    asked = [symbols([int(field < count) for count in odd], 2) for field in range(12)]
    totals = model.score(asked).total
    assert (np.diff(totals[1:]) > 0).all()
    assert totals[3] > np.quantile(model.baseline.total, 0.95)


def test_scores_are_whole_numbers_from_zero_on(tables) -> None:
    baseline, model, new = tables
    for columns, scores in ((baseline, model.baseline), (new, model.score(new))):
        n, n_fields = len(columns[0]), len(columns)
        assert scores.total.shape == scores.top.shape == (n,)
        assert scores.bits.shape == scores.evidence.shape == (n_fields, n)
        assert all(values.dtype.kind == "i" for values in arrays_of(scores).values())
        assert scores.total.min() >= 0
        assert scores.evidence.min() >= 0


def test_top_field_has_the_largest_evidence(tables) -> None:
    _, model, new = tables
    scores = model.score(new)
    led = scores.evidence[scores.top, np.arange(scores.top.size)]
    np.testing.assert_array_equal(led, scores.evidence.max(axis=0))


def test_a_stranger_row_scores_more() -> None:
    rng = np.random.default_rng(12)
    usual = [numbers(rng.normal(50, 5, 80)), symbols(rng.integers(0, 4, 80), 5)]
    model = Model.fit(usual)
    scores = model.score([numbers([50.0, 90.0, 5000.0, 5000.0]), symbols([0, 0, 0, 4], 5)])
    assert (np.diff(scores.total) >= 0).all()
    assert scores.total[1] > np.quantile(model.baseline.total, 0.99)
    assert scores.top[1] == scores.top[2] == 0


# --- invariances ----------------------------------------------------------------------------------


def test_order_of_the_baseline_changes_no_bit(tables) -> None:
    baseline, model, new = tables
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(baseline[0]))
        shuffled = Model.fit(take(baseline, order))
        assert_same(shuffled.baseline, model.baseline, order)
        assert_same(shuffled.score(new), model.score(new))


def test_the_check_of_order_can_fail(tables) -> None:
    baseline, model, _ = tables
    with pytest.raises(AssertionError, match="total"):
        assert_same(model.baseline, model.baseline, np.arange(len(baseline[0]))[::-1])


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_scores_in_chunks_are_those_at_once(tables, size: int) -> None:
    _, model, new = tables
    at_once, n = model.score(new), len(new[0])
    for start in range(0, n, size):
        rows = np.arange(start, min(start + size, n))
        assert_same(model.score(take(new, rows)), at_once, rows)


@pytest.mark.parametrize("size", [1, 16, 59, 10_000])
def test_rows_read_a_stretch_at_a_time_score_the_same(tables, monkeypatch, size: int) -> None:
    baseline, _, new = tables
    rng = np.random.default_rng(4)
    both = [
        [*columns, Entities(symbols(rng.integers(-1, 5, len(new[0])) % 6 - low, 6))]
        for columns, low in ((baseline, 0), (new, 1))
    ]
    model = Model.fit(both[0])
    at_once = model.score(both[1])
    assert model.codes.entity is not None
    monkeypatch.setattr("driftlock.scoring.ROWS_AT_ONCE", size)
    assert_same(model.score(both[1]), at_once)
    assert [getattr(at_once, name).dtype for name in arrays_of(at_once)] == [
        getattr(model.score(both[1]), name).dtype for name in arrays_of(at_once)
    ]


@pytest.mark.parametrize("rows", [slice(0, 9), slice(5, 30), slice(40, None), slice(7, 7)])
def test_a_stretch_of_a_column_is_the_column_of_those_rows(tables, rows: slice) -> None:
    _, _, new = tables
    for column in new:
        stretch, chosen = column.take(rows), column.take(np.arange(len(new[0]))[rows])
        assert type(stretch) is type(chosen)
        for name in column.__slots__:
            one, other = getattr(stretch, name), getattr(chosen, name)
            np.testing.assert_array_equal(one, other)
            if isinstance(one, np.ndarray):
                assert one.dtype == other.dtype
                assert one.flags.c_contiguous


def test_what_is_kept_of_a_reading_is_what_was_read(tables) -> None:
    _, model, new = tables
    seen: list[np.ndarray] = []

    def keep(figures: np.ndarray) -> np.ndarray:
        seen.append(figures.copy())
        return round_millibits(figures)

    read, kept = model.codes.read(new, own=False), model.codes.read(new, own=False, keep=keep)
    assert rounded_blocks(read) == {
        name: [figures.tolist() for _, figures in parts] for name, parts in kept.blocks.items()
    }
    assert [[field for field, _ in parts] for parts in read.blocks.values()] == [
        [field for field, _ in parts] for parts in kept.blocks.values()
    ]
    assert all(bits.dtype == np.int32 for bits in kept.bits)
    assert len(seen) == len(kept.bits) + sum(map(len, kept.blocks.values()))


def test_order_of_new_rows_changes_no_bit(tables) -> None:
    _, model, new = tables
    order = np.random.default_rng(5).permutation(len(new[0]))
    assert_same(model.score(take(new, order)), model.score(new), order)


def test_merged_scores_keep_the_order_of_the_rows(tables) -> None:
    _, model, new = tables
    scores = model.score(new)
    is_own = np.random.default_rng(6).random(len(new[0])) < 0.3
    own, other = model.score(take(new, is_own)), model.score(take(new, ~is_own))
    assert_same(merge_scores(own, other, is_own), scores)


# --- extremes -------------------------------------------------------------------------------------

TABLES = {
    "constant": [symbols(np.zeros(20), 2)],
    "unique": [symbols(np.arange(20), 20)],
    "equal numbers": [numbers([5.0] * 20)],
    "numbers of every class": [numbers([float("nan"), 0.0, 1.0, -1.0, float("inf"), "n/a"] * 4)],
    "an outlier": [numbers([*range(1, 20), 1e200])],
    "denormals": [numbers([5e-324, 1e-323] * 10)],
    "over decades": [numbers(10.0 ** np.arange(-150, 150, 15))],
    "all missing": [numbers([float("nan")] * 20), times([24] * 20, [0] * 20)],
    "one row of a time": [times([24] * 19 + [13], [2] * 20)],
    "both ends": [numbers([LARGEST, -LARGEST] * 10), numbers([*range(20)])],
    "equal numbers in two columns": [numbers(range(20)), numbers(range(20))],
    "empty texts": [texts([""] * 20)],
    "one text": [texts([None] * 19 + ["x\n1"])],
    "equal texts": [texts(["the same 1"] * 20), numbers([5.0] * 20)],
}


@pytest.mark.parametrize("name", TABLES)
def test_extreme_tables_have_finite_scores(name: str) -> None:
    baseline = TABLES[name]
    model = Model.fit(baseline)
    extremes = {
        "Symbols": symbols([0, 1, -1], 20),
        "Numbers": numbers([LARGEST, -5e-324, float("-inf")], [17, 17, 0]),
        "Times": times([0, 24, 25], [6, 0, 0]),
        "Texts": texts(["\n\n", b"\xff" * 3000, None]),
    }
    new = model.score([extremes[type(column).__name__] for column in baseline])
    for scores in (model.baseline, new):
        assert 0 <= scores.total.min() <= scores.total.max() < 10_000_000
        assert np.abs(scores.bits).max() < 50_000_000


def test_a_row_like_all_others_is_not_strange() -> None:
    baseline = [numbers([5.0] * 20), symbols(np.zeros(20), 1), times([9] * 20, [0] * 20)]
    model = Model.fit(baseline)
    assert model.baseline.total.tolist() == [0] * 20
    assert model.score(take(baseline, np.arange(1))).total.tolist() == [0]


def test_a_new_id_is_no_stranger_than_the_old_ones() -> None:
    model = Model.fit([symbols(np.arange(50), 51)])
    assert rank_p(model.baseline.total, model.score([symbols([-1], 51)]).total)[0] > 0.05

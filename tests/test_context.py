"""A field in the context of others: counts without the row, and parents that explain something."""

from __future__ import annotations

import naive_codes as naive
import numpy as np
import pytest
from columns import numbers, symbols, take, texts, times
from hypothesis import given, settings
from hypothesis import strategies as st

from driftlock.arrays import HOUR_MISSING, HOUR_UNREADABLE
from driftlock.coders import fit_coder
from driftlock.coders.context import MAX_PARENTS, MAX_SYMBOLS, ContextBlock, ContextCoder, Reduction

NAN, INF = float("nan"), float("inf")


def reduced(column, asked=None):
    reduction = Reduction.fit(column)
    codes = reduction.codes(column if asked is None else asked)
    assert 0 <= codes.min() <= codes.max() < reduction.size
    return codes.tolist()


# --- few symbols ----------------------------------------------------------------------------------


def test_frequent_symbols_are_kept_and_rare_and_new_ones_are_one() -> None:
    codes = np.repeat(np.arange(40), np.arange(40, 0, -1))
    few = reduced(symbols(codes, 40), symbols([*range(40), -1], 40))
    assert sorted(few[:MAX_SYMBOLS]) == list(range(MAX_SYMBOLS))
    assert set(few[MAX_SYMBOLS:]) == {MAX_SYMBOLS}


def test_a_symbol_that_the_baseline_lacks_is_as_new_as_one_of_no_alphabet() -> None:
    few = Reduction.fit(symbols([0, 1] * 9, 60)).codes(symbols([0, 1, 50, -1], 60))
    assert few[2] == few[3]


def test_hours_are_bins_of_three_and_what_is_no_hour_is_one_more() -> None:
    hours = times([*range(24), HOUR_MISSING, HOUR_UNREADABLE], [0] * 26)
    assert reduced(hours) == [hour // 3 for hour in range(24)] + [8, 8]


@pytest.mark.parametrize("cycles", [(), ("weekday",)])
def test_times_without_a_daily_rhythm_are_there_or_not(cycles) -> None:
    hours = times([*range(24), HOUR_MISSING, HOUR_UNREADABLE], [0] * 26, cycles)
    assert reduced(hours) == [0] * 24 + [1, 1]


def test_numbers_that_recur_are_kept_and_the_others_share_quantile_bins() -> None:
    rng = np.random.default_rng(1)
    column = numbers([*[5.0] * 40, *rng.normal(100, 15, 160)])
    few = np.array(reduced(column))
    assert len(set(few[:40])) == 1
    counts = np.bincount(few[40:], minlength=8)[:8]
    assert counts.sum() == 160
    assert counts.min() >= 19
    odd = Reduction.fit(column).codes(numbers([NAN, INF, -INF, "n/a", -1e300, 1e300]))
    assert len(set(odd[:4].tolist())) == 1
    assert odd[4] == few[40:].min()
    assert odd[5] == np.array(few)[40 + int(np.argmax(column.values[40:]))]


@pytest.mark.parametrize(("times_there", "is_kept"), [(9, False), (11, True)])
def test_a_number_is_kept_that_is_a_twentieth_of_the_baseline(times_there, is_kept) -> None:
    rng = np.random.default_rng(2)
    column = numbers([*[0.5] * times_there, *rng.normal(0, 1, 200 - times_there)])
    assert Reduction.fit(column).kept.tolist() == [0.5] * is_kept


def test_texts_say_nothing_as_context() -> None:
    assert reduced(texts(["a", "b"])) == [0, 0]


# --- leave-one-out --------------------------------------------------------------------------------


def coded(codes, own: bool, asked=None, bits: float = 3.0):
    """Bits of the first field given all the others."""
    codes = np.asarray(codes, np.int16)
    sizes = np.full(len(codes), 6)
    coder = ContextCoder.fit(0, tuple(range(1, len(codes))), codes, sizes)
    asked = codes if asked is None else np.asarray(asked, np.int16)
    return coder.bits(np.full(asked.shape[1], bits), asked, own=own)


tables = st.integers(2, 4).flatmap(
    lambda fields: st.lists(
        st.lists(st.integers(0, 3), min_size=fields, max_size=fields), min_size=2, max_size=25
    )
)


@given(tables)
@settings(max_examples=60)
def test_own_bits_are_those_of_counts_refitted_without_the_row(rows) -> None:
    others = [(row[0], row[1:]) for row in rows]
    expected = [
        naive.context_bits_of(3.0, *others[i], others[:i] + others[i + 1 :], 6, thinned=False)
        for i in range(len(rows))
    ]
    np.testing.assert_allclose(coded(np.transpose(rows), own=True), expected, rtol=1e-11)


@given(tables)
@settings(max_examples=60)
def test_new_bits_are_those_of_thinned_counts(rows) -> None:
    others = [(row[0], row[1:]) for row in rows]
    asked = [*rows, [5] * len(rows[0]), [0, *[5] * (len(rows[0]) - 1)]]
    expected = [
        naive.context_bits_of(3.0, row[0], row[1:], others, 6, thinned=True) for row in asked
    ]
    np.testing.assert_allclose(
        coded(np.transpose(rows), own=False, asked=np.transpose(asked)), expected, rtol=1e-11
    )


# --- parents --------------------------------------------------------------------------------------


@pytest.fixture
def linked(sizes):
    """A shop, its city, an hour of its own, a price of the shop, and two fields of no one."""
    rng = np.random.default_rng(2)
    n = sizes(600, 250)
    shop = rng.integers(0, 12, n)
    return [
        symbols(shop, 12),
        symbols(shop // 4, 3),
        times(6 + shop, rng.integers(0, 7, n)),
        numbers(10.0 * shop + rng.normal(0, 0.1, n)),
        symbols(rng.integers(0, 5, n), 5),
        numbers(rng.normal(0, 1, n)),
    ]


def test_parents_are_fields_that_explain_and_no_others(linked) -> None:
    parents = {coder.child: set(coder.parents) for coder in ContextBlock.fit(linked).coders}
    assert set(parents) == {0, 1, 2, 3}
    assert all(found <= {0, 1, 2, 3} and len(found) <= MAX_PARENTS for found in parents.values())
    assert 0 in parents[1]


def test_a_field_has_the_three_best_of_more_parents(linked) -> None:
    district = symbols(linked[0].codes // 3, 4)
    coders = ContextBlock.fit([*linked, district]).coders
    parents = {coder.child: coder.parents for coder in coders}
    assert [len(found) for found in parents.values()] == [3] * 5
    assert set(parents[1]) == {0, 2, 3}  # of the city the district says less than shop, hour, price


def test_a_field_that_fits_its_context_costs_less_and_one_that_does_not_more(linked) -> None:
    block = ContextBlock.fit(linked)
    rest = take(linked, np.zeros(2, int))[4:]
    shop, city = symbols([1, 1], 12), symbols([0, 2], 3)
    asked = [shop, city, times([7, 7], [0, 0]), numbers([10.0, 10.0]), *rest]
    bits = [fit_coder(col).measure(new, own=False).bits for col, new in zip(linked, asked)]
    in_context = dict(block.parts(asked, bits, own=False))
    assert in_context[1][0] < bits[1][0]
    assert in_context[1][1] > bits[1][1]


def test_at_most_three_parents_and_the_most_informative() -> None:
    rng = np.random.default_rng(3)
    child = rng.integers(0, 4, 800)
    noisy = [np.where(rng.random(800) < share, child, 0) for share in (0.5, 0.9, 0.7, 0.8, 0.6)]
    block = ContextBlock.fit([symbols(codes, 4) for codes in (child, *noisy)])
    assert {coder.child: coder.parents for coder in block.coders}[0] == (2, 4, 3)


def test_fields_of_no_one_have_no_context() -> None:
    rng = np.random.default_rng(3)
    for _ in range(10):
        alone = [symbols(rng.integers(0, 4, 200), 4), numbers(rng.normal(0, 1, 200))]
        assert ContextBlock.fit(alone).coders == ()
    assert not list(ContextBlock.fit(alone).parts(alone, [np.zeros(200)] * 2, own=True))


def test_order_of_rows_changes_no_bit(linked) -> None:
    n = len(linked[0])
    order = np.random.default_rng(4).permutation(n)
    bits = [np.full(n, 2.0)] * len(linked)
    left = list(ContextBlock.fit(linked).parts(linked, bits, own=True))
    shuffled = take(linked, order)
    right = list(ContextBlock.fit(shuffled).parts(shuffled, bits, own=True))
    for (field, before), (other, after) in zip(left, right, strict=True):
        assert field == other
        assert (before[order] == after).all()

"""Grams of texts: rows are coded by their formula, and each gram has one place of its own."""

from __future__ import annotations

from collections import Counter

import naive_text
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import by_row, corpora, framed, streams_of

from driftlock._kernels import text as kernels
from driftlock._kernels import text_rows
from driftlock.coders.grams import Grams, Streams
from driftlock.coders.text import View


def codes_of(rows, baseline, order, *, own):
    """What grams of a baseline say of itself or of other rows: code lengths and contexts."""
    grams, ends = Grams.fit(streams_of(baseline), order)
    return grams, grams.leave_out(streams_of(rows), ends) if own else grams.code(streams_of(rows))


@pytest.mark.parametrize("own", [True, False])
def test_code_rows_sums_and_excesses(own: bool) -> None:
    rng = np.random.default_rng(6)
    baseline = framed([rng.integers(0, 3, size).tolist() for size in (5, 0, 9, 4, 5, 7)])
    rows = baseline if own else framed([[0, 1, 2, 0], [], [7, 7], [1] * 12])
    of_baseline = naive_text.code_rows(baseline, 3, baseline, own=True)
    expected = of_baseline if own else naive_text.code_rows(rows, 3, baseline, own=False)
    grams, codes = codes_of(rows, baseline, 3, own=own)
    fixed, contexts = codes
    assert by_row(fixed, rows) == expected

    place_of = {}
    for row, places in zip(rows, by_row(contexts, rows)):
        for context, place in zip(naive_text.contexts(row), places):
            assert place_of.setdefault(context, place) == place
    known = [place for place in place_of.values() if place >= 0]
    assert len(set(known)) == len(known)

    by_context = np.zeros((int(grams.totals[3]), 2), np.int64)
    assert max(known) < len(by_context)
    _, before = codes_of(baseline, baseline, 3, own=True)
    streams = streams_of(baseline)
    text_rows.sum_contexts(streams.offsets, streams.weights, before, by_context)
    sums = naive_text.sum_contexts(baseline, of_baseline)
    seen = {c: tuple(by_context[p].tolist()) for c, p in place_of.items() if p >= 0}
    assert seen == {context: sums.get(context, (0, 0)) for context in seen}

    offsets = streams_of(rows).offsets
    assert text_rows.row_sums(fixed, offsets).tolist() == naive_text.row_sums(expected)
    mean = float(before[0].sum() / before[0].size)
    excess = text_rows.excesses(offsets, own, codes, by_context, mean)
    wanted = naive_text.excesses(rows, expected, baseline, of_baseline, own)
    np.testing.assert_allclose(excess, wanted, rtol=1e-9, atol=1e-3)
    assert {c: tuple(by_context[p].tolist()) for c, p in place_of.items() if p >= 0} == seen

    text_rows.sum_contexts(streams.offsets, -streams.weights, before, by_context)
    assert not by_context.any()


@given(corpora, corpora, st.integers(1, 6), st.sampled_from([4, 300, 70_000]))
@settings(max_examples=40)
def test_new_rows_are_coded_as_if_each_came_alone(bodies, asked, order, alphabet) -> None:
    """Also where symbols are too many for keys without a hash."""
    baseline, rows = framed([*bodies, [alphabet]]), framed([*asked, *bodies, *asked])
    grams, together = codes_of(rows, baseline, order, own=False)
    assert (grams.shape[1] == 0) is (alphabet + 1 >= 2 ** (63 // (order + 1)))
    assert by_row(together[0], rows) == naive_text.code_rows(rows, order, baseline, own=False)
    alone = [grams.code(streams_of([row])) for row in rows]
    for left, right in zip(together, zip(*alone)):
        assert left.tolist() == np.concatenate(right).tolist()


@given(corpora, st.integers(1, 6), st.sampled_from([4, 70_000]))
@settings(max_examples=40)
def test_rows_are_left_out_of_a_baseline_with_equal_ones(bodies, order, alphabet) -> None:
    rows = framed([*bodies, *bodies, [alphabet], *bodies[:1]])
    _, (fixed, contexts) = codes_of(rows, rows, order, own=True)
    assert by_row(fixed, rows) == naive_text.code_rows(rows, order, rows, own=True)
    of_context = {}
    for row, places in zip(rows, by_row(contexts, rows)):
        for context, place in zip(naive_text.contexts(row), places):
            assert of_context.setdefault(context, place) == place >= 0


def test_equal_rows_with_weights_are_rows_one_by_one() -> None:
    rng = np.random.default_rng(16)
    different = framed([rng.integers(0, 3, size).tolist() for size in (5, 0, 9, 4, 7)])
    places = np.array([0, 1, 2, 1, 3, 4, 0, 0])
    together = streams_of(different)
    together = Streams(together.symbols, together.offsets, places)
    grams, ends = Grams.fit(together, 4)
    one_by_one = [different[i] for i in places]
    fixed, _ = grams.leave_out(together, ends)
    wanted = naive_text.code_rows(one_by_one, 4, one_by_one, own=True)
    assert by_row(fixed, different) == [wanted[i] for i in (0, 1, 2, 4, 5)]
    pairs = View.fit(together, 4)[1:], View.fit(streams_of(one_by_one), 4)[1:]
    for left, right in zip(*pairs):
        assert left.tolist() == right.tolist()


def test_rows_longer_than_a_block_are_coded_by_their_formula() -> None:
    rng = np.random.default_rng(15)
    size = kernels.BLOCK
    baseline = framed([rng.integers(0, 4, n).tolist() for n in (size - 2, size, 2 * size + 3)])
    for own in (True, False):
        rows = baseline if own else framed([rng.integers(0, 4, 2 * size - 1).tolist()])
        _, (fixed, contexts) = codes_of(rows, baseline, 6, own=own)
        assert by_row(fixed, rows) == naive_text.code_rows(rows, 6, baseline, own=own)
        assert (
            len({c for row in rows for c in naive_text.contexts(row)}) == np.unique(contexts).size
        )


def test_growth_of_the_table_changes_nothing(monkeypatch) -> None:
    rng = np.random.default_rng(10)
    rows = framed(rng.integers(0, 99, (150, 12)).tolist())
    grown, ends = Grams.fit(streams_of(rows), 6)
    assert grown.tables[0].size > 1 << 13
    monkeypatch.setattr("driftlock.coders.grams.SMALLEST_TABLE", 1 << 17)
    at_once, same_ends = Grams.fit(streams_of(rows), 6)
    assert (grown.totals == at_once.totals).all()
    assert (ends == same_ends).all()
    asked = streams_of(framed(rng.integers(0, 99, (20, 12)).tolist()))
    assert (grown.code(asked)[0] == at_once.code(asked)[0]).all()


def test_tables_have_no_more_room_than_their_grams_need(monkeypatch) -> None:
    rows = streams_of(framed(np.random.default_rng(17).integers(0, 9, (30, 12)).tolist()))
    usual, _ = Grams.fit(rows, 4)
    monkeypatch.setattr("driftlock.coders.grams.SMALLEST_TABLE", 1 << 20)
    ample, _ = Grams.fit(rows, 4)
    for grams in (usual, ample):
        slots, *of_nodes = grams.tables
        assert {array.size for array in of_nodes} == {grams.totals[2]}
        assert grams.totals[2] < slots.size < 4 * grams.totals[2]
    assert usual.code(rows)[0].tolist() == ample.code(rows)[0].tolist()


@pytest.mark.parametrize("alphabet", [256, 5000])
def test_every_gram_has_a_node_of_its_own(alphabet: int) -> None:
    """Equal hashes of different grams would show as fewer keys than grams."""
    rows = framed(np.random.default_rng(11).integers(0, alphabet, (60, 15)).tolist())
    grams, _ = Grams.fit(streams_of(rows), 4)
    known = {g for row in rows for t in naive_text.locate(row, 4) for g in t if g is not None}
    assert grams.totals[2] == np.count_nonzero(grams.tables[0]) == len(known)
    assert Counter(grams.tables[1].tolist()).most_common(1)[0][1] == 1

"""The text kernels equal their twins: the table of grams, a row taken out, rows of bytes."""

from __future__ import annotations

import itertools

import naive_text
import numpy as np
import pytest
from columns import texts
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import bodies, corpora, framed, streams_of

from driftlock._kernels import text as kernels
from driftlock._kernels import text_codes, text_rows
from driftlock.coders.grams import _empty_tables


def test_scrambled_and_find() -> None:
    rng = np.random.default_rng(3)
    wanted = rng.integers(1, 2**63, 11).astype(np.uint64)
    slots, twin, keys = np.zeros(13, np.uint64), [0] * 13, np.zeros(11, np.uint64)
    for node, key in enumerate(wanted):
        hashed = kernels.scrambled(key)
        assert hashed == naive_text.scrambled(int(key))
        found = kernels.find(slots, keys, key)
        assert found == naive_text.find(twin, keys.tolist(), int(key)) < 0
        keys[node] = key
        twin[-1 - found] = ((node + 1) << 32) + int(hashed) % 2**32
        slots[-1 - found] = twin[-1 - found]
        assert [kernels.find(slots, keys, key) for key in wanted[: node + 1]] == [*range(node + 1)]
    fetched = np.empty(11, np.uint64)
    kernels.fetch(slots, wanted, 11, fetched)
    for key, slot in zip(wanted.tolist(), fetched.tolist()):
        assert slot == twin[(naive_text.scrambled(key) >> 32) * 13 >> 32]


def test_find_tells_keys_of_equal_fingerprints_apart() -> None:
    keys = np.array([5, 7], np.uint64)
    slots = np.zeros(4, np.uint64)
    place = -1 - kernels.find(slots, keys, keys[1])
    slots[place] = np.uint64(1 << 32) | (kernels.scrambled(keys[1]) & kernels.LOWER)
    assert kernels.find(slots, keys, keys[1]) == -1 - (place + 1) % 4


@pytest.mark.parametrize("width", [9, 15, 0])
def test_keys_are_those_of_the_grams(width: int) -> None:
    order = 63 // width - 1 if width else 6
    row = [naive_text.START, *np.random.default_rng(12).integers(0, 256, 40), naive_text.END]
    row = [int(symbol) for symbol in row]
    symbols = np.array([9, 9, *row], np.int32)
    longest = np.empty(30, np.uint64)
    for first, stop in ((2, 12), (5, 35), (14, 44)):
        kernels.read_keys(symbols, 2, first, stop, (order, width), longest)
        for i in range(first, stop):
            *grams, gram = [g for g in naive_text.locate(row, order)[i - 2] if g is not None]
            key = longest[i - first]
            assert key == naive_text.gram_key(gram, width)
            assert key == kernels.gram_key(symbols, i, len(gram), width)
            for short in grams:
                shorter = kernels.shorter_key(symbols, i, len(short), width, key)
                assert shorter == naive_text.gram_key(short, width)


def learned(rows, order, width=9):
    """Tables of a corpus, their totals, the nodes at each symbol, and the node of each gram."""
    streams, totals, begin = streams_of(rows), np.zeros(4, np.int64), np.zeros(2, np.int64)
    tables, ends = _empty_tables(1 << 13), np.empty(streams.symbols.size, np.uint32)
    kernels.learn(
        streams.symbols,
        streams.offsets,
        streams.weights,
        begin,
        (order, width),
        tables,
        totals,
        ends,
    )
    assert begin.tolist() == [len(rows), 0]
    kernels.settle(order, tables, totals)
    known = {g for row in rows for grams in naive_text.locate(row, order) for g in grams if g}
    return tables, totals, ends, {gram: node_of(tables, gram, width) for gram in known}


def node_of(tables, gram, width=9) -> int:
    key = kernels.gram_key(np.array(gram, np.int32), len(gram) - 1, len(gram), width)
    return kernels.find(tables[0], tables[1], np.uint64(key))


def assert_counted(tables, left, node_of_gram, rows, order) -> None:
    counts = naive_text.learn(rows, order)
    followers = naive_text.after(counts)
    alone = followers.get((), {})
    assert list(left) == [sum(alone.values()), len(alone)]
    for gram, node in node_of_gram.items():
        occurrences, different = tables[2][node] & kernels.OCCURRENCES, tables[2][node] >> 32
        assert occurrences == counts.get(gram, 0)
        if len(gram) <= order:
            assert different == len(followers.get(gram, {}))


@given(corpora, st.integers(0, 6), st.sampled_from([9, 0]))
@settings(max_examples=25)
def test_learn_counts_grams_and_what_follows_them(bodies, order, width) -> None:
    rows = framed(bodies)
    tables, totals, ends, node_of_gram = learned(rows, order, width)
    assert_counted(tables, totals[:2], node_of_gram, rows, order)
    assert sorted(node_of_gram.values()) == [*range(totals[2])]
    longest = [
        [g for g in grams if g][-1] for row in rows for grams in naive_text.locate(row, order)
    ]
    assert ends.tolist() == [node_of_gram[gram] for gram in longest]
    of_excess = {g: tables[4][n] for g, n in node_of_gram.items() if len(g) == 2 or len(g) == 1}
    for gram, node in node_of_gram.items():
        if len(gram) > 1:
            assert tables[3][node] == node_of_gram[gram[1:]]
        if len(gram) != 2 and gram != (naive_text.START,):
            assert tables[4][node] == -len(gram)
            of_excess.pop(gram, None)
    assert of_excess[naive_text.START,] == node_of_gram[naive_text.START,] == 0
    assert sorted(of_excess.values()) == [*range(totals[3])]


@given(corpora, st.integers(0, 6))
@settings(max_examples=25)
def test_a_row_is_taken_out_and_put_back(bodies, order) -> None:
    rows = framed(bodies)
    tables, totals, ends, node_of_gram = learned(rows, order)
    levels, undo = np.zeros((order + 1, 10), np.uint32), np.empty(70, np.uint32)
    offsets = streams_of(rows).offsets
    for i, row in enumerate(rows):
        of_row = ends[offsets[i] : offsets[i + 1]]
        n_undo, lost = text_codes.take_out(of_row, *tables[2:4], levels, undo)
        for t, grams in enumerate(naive_text.locate(row, order)):
            nodes = [node_of_gram[gram] for gram in grams if gram]
            assert levels[: len(nodes), t].tolist() == nodes
        left = totals[0] - len(row) + 1, totals[1] - lost
        assert_counted(tables, left, node_of_gram, rows[:i] + rows[i + 1 :], order)
        text_codes.put_back(len(row), tables[2], levels, undo[:n_undo])
        assert_counted(tables, totals[:2], node_of_gram, rows, order)


@given(corpora, bodies, st.integers(0, 6))
@settings(max_examples=40)
def test_code_block(bodies, body, order) -> None:
    rows, (row,) = framed(bodies), framed([body])
    tables, totals, _, node_of_gram = learned(rows, order)
    values = np.zeros((order + 1, len(row)), np.int64)
    for t, grams in enumerate(naive_text.locate(row, order)):
        for k, gram in enumerate(grams):
            if gram in node_of_gram:
                values[k, t] = tables[2][node_of_gram[gram]]
    fixed, n = np.empty(len(row) - 1, np.int32), len(row) - 1
    text_codes.code_block(values, 0, n, tuple(totals[:2]), np.empty((2, n)), fixed)
    assert fixed.tolist() == naive_text.code_row(row, order, naive_text.learn(rows, order))


@given(corpora, bodies, st.integers(1, 6))
@settings(max_examples=25)
def test_walk_goes_from_the_longest_grams_to_all_that_they_end_with(bodies, body, order) -> None:
    rows, (row,) = framed(bodies), framed([body])
    tables, _, _, node_of_gram = learned(rows, order)
    known = [
        [gram for gram in grams if gram in node_of_gram] for grams in naive_text.locate(row, order)
    ]
    nodes = np.array([node_of_gram[grams[-1]] if grams else 0 for grams in known], np.uint32)
    lengths = np.array([len(grams) for grams in known])
    values = np.full((order + 1, kernels.BLOCK + 1), 7)
    seconds = np.empty(len(row), np.int32)
    text_codes.walk((nodes, lengths), len(row), tables, values, seconds)
    counts = naive_text.walk(row, order, naive_text.learn(rows, order))
    assert (values[:, 1 : len(row) + 1] & kernels.OCCURRENCES).T.tolist() == counts
    assert (values[:, 0] == 7).all()
    for grams, tag in zip(known, seconds.tolist(), strict=True):
        assert tag == (tables[4][node_of_gram[grams[1]]] if len(grams) > 1 else -1)


def test_gather_leaves_out_what_begins_before_the_row() -> None:
    levels = np.arange(21, dtype=np.uint32).reshape(3, 7)
    counts = np.arange(100, 121)
    for first, stop in ((0, 7), (0, 1), (1, 4), (5, 7)):
        values = np.full((3, 8), 7)
        text_codes.gather(levels, first, stop, counts, values)
        wanted = [[100 + 7 * k + t if t >= k else 0 for t in range(first, stop)] for k in range(3)]
        assert values[:, : stop - first].tolist() == wanted


def test_learn_stops_where_the_tables_have_no_room_for_one_block_more() -> None:
    rng = np.random.default_rng(4)
    rows = framed([*rng.integers(0, 200, (40, 50)).tolist(), rng.integers(0, 200, 900).tolist()])
    streams, totals, begin = streams_of(rows), np.zeros(4, np.int64), np.zeros(2, np.int64)
    tables, ends = _empty_tables(8192), np.empty(streams.symbols.size, np.uint32)
    rest = streams.symbols, streams.offsets, streams.weights, begin, (4, 9)
    kernels.learn(*rest, tables, totals, ends)
    assert begin.tolist() != [41, 0]
    assert totals[2] == np.count_nonzero(tables[0]) <= 0.6 * 8192 < totals[2] + kernels.BLOCK * 5
    before = totals.tolist(), begin.tolist()
    kernels.learn(*rest, tables, totals, ends)
    assert (totals.tolist(), begin.tolist()) == before


def test_rehash_enters_every_gram() -> None:
    rows = framed(np.random.default_rng(5).integers(0, 9, (12, 6)).tolist())
    tables, totals, _, node_of_gram = learned(rows, 4)
    keys, slots = tables[1][: totals[2]], np.zeros(3001, np.uint64)
    kernels.rehash(keys, totals[2], slots)
    assert slots.tolist() == naive_text.rehash(keys.tolist(), 3001)
    moved = (slots, *tables[1:])
    assert {gram: node_of(moved, gram) for gram in node_of_gram} == node_of_gram


@given(st.lists(bodies, min_size=1, max_size=20))
@settings(max_examples=40)
def test_first_equals(bodies) -> None:
    column = texts([bytes(body) for body in bodies])
    first = text_rows.first_equals(column.data, column.offsets)
    assert first.tolist() == naive_text.first_equals(bodies)
    for left, right in itertools.pairwise(range(len(bodies))):
        alike = text_rows.are_equal(column.data, column.offsets, left, right)
        assert alike is (bodies[left] == bodies[right])


def test_every_byte_of_a_row_counts_in_its_hash() -> None:
    row = np.random.default_rng(14).integers(0, 256, 11).astype(np.uint8)
    hashes = {int(text_rows.row_hash(row[:size])) for size in range(12)}
    for i in range(11):
        other = row.copy()
        other[i] ^= 1
        hashes.add(int(text_rows.row_hash(other)))
    assert len(hashes) == 23


@given(st.lists(bodies, min_size=1, max_size=6), st.data())
@settings(max_examples=25)
def test_pick_frame_and_count_rows_with(bodies, data) -> None:
    column = texts([bytes(body) for body in bodies])
    chosen = data.draw(st.lists(st.integers(0, len(bodies) - 1), max_size=4))
    kept = naive_text.pick(bodies, chosen)
    picked = np.empty(sum(map(len, kept)), np.uint8)
    text_rows.pick(column.data, column.offsets, np.array(chosen, np.int64), picked)
    assert picked.tolist() == [byte for body in kept for byte in body]
    wanted = naive_text.frame(kept, (256, 10))
    symbols = np.empty(len(wanted), np.int32)
    bounds = np.append(0, np.cumsum([len(body) for body in kept])).astype(np.int64)
    text_rows.frame(picked, bounds, np.array([256, 10]), symbols)
    assert symbols.tolist() == wanted
    mask = np.isin(np.arange(256), [1, 3])
    count = text_rows.count_rows_with(column.data, column.offsets, mask)
    assert count == naive_text.count_rows_with(bodies, {1, 3})

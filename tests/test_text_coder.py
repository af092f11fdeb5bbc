"""Text: kernels equal their twins, a row left out is really out, and nothing hangs on an order."""

from __future__ import annotations

import itertools
from collections import Counter

import naive
import naive_text
import numpy as np
import pytest
from columns import logs, sequences, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from driftlock._kernels import text as kernels
from driftlock._kernels import text_codes, text_rows
from driftlock.coders.grams import Grams, Streams, _empty_tables
from driftlock.coders.text import BYTE_ORDER, TOKEN_ORDER, TextCoder, View

CORPORA = {
    "messages": logs(14, np.random.default_rng(1)),
    "sequences": sequences(12, np.random.default_rng(2), 3),
    "repeats in one row": ["aaaaaaaaaaaa", "b", "a", "abababab", "b"],
    "equal rows": ["same text 1"] * 6,
    "all empty": ["", "", None, ""],
    "one missing": [None, "x1", "x2", "x3"],
    "unicode": ["☃☃", "naïve", "漢字かな", "é", "e\u0301"],
    "binary": [bytes([0, 255, 10, 0]), bytes(range(120, 136)), b"\n\n", b"\xff\xfe"],
    "with new lines": ["a\nb", "a\nc", "b\n", "\n"],
    "one row": ["alone 1"],
}
NEW = ["", "open /usr/7.log", "E1 E77 E2", "\n\n", "new\nline", "☃", None, 7, "a" * 40, b"\xff" * 9]

bodies = st.lists(st.integers(0, 4), max_size=8)
corpora = st.lists(bodies, min_size=1, max_size=6)


def streams_of(rows) -> Streams:
    offsets = np.append(0, np.cumsum([len(row) for row in rows])).astype(np.int64)
    symbols = np.array([s for row in rows for s in row], np.int32)
    return Streams(symbols, offsets, np.arange(len(rows)))


def by_row(flat: np.ndarray, rows) -> list[list[int]]:
    """Figures of the coded symbols of each row."""
    ends = np.cumsum([len(row) - 1 for row in rows])
    return [part.tolist() for part in np.split(flat, ends[:-1])]


def framed(bodies) -> list[list[int]]:
    return [[naive_text.START, *body, naive_text.END] for body in bodies]


# --- kernels --------------------------------------------------------------------------------------


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


# --- leave-one-out --------------------------------------------------------------------------------


def rows_of_views(coder: TextCoder, column, baseline) -> dict[str, tuple[list, list, int]]:
    """Rows, baseline rows and order of every view of a coder."""
    made, learned_from = column.rows(), baseline.rows()
    views = {
        "bytes": (naive_text.byte_rows, BYTE_ORDER),
        "digits masked": (naive_text.masked_rows, BYTE_ORDER),
    }
    if coder.separator is not None:
        separator = bytes([coder.separator])
        views["words"] = (
            lambda t: naive_text.word_rows(t, separator, learned_from),
            TOKEN_ORDER,
        )
    return {
        name: (views[name][0](made), views[name][0](learned_from), views[name][1])
        for name in coder.views
    }


def assert_measured(coder: TextCoder, column, baseline, *, own: bool) -> None:
    """Bits and evidence are those of grams refitted without the row, or of all for new rows."""
    measure = coder.measure(column, own=own)
    classes = baseline.classes.tolist()
    for i, of_class in enumerate(measure.parts[0]):
        rest = classes[:i] + classes[i + 1 :] if own else classes
        kt = naive.kt_bits(int(column.classes[i]), rest, 3, thinned=not own)
        assert of_class == pytest.approx(kt, abs=1e-9)
    views = rows_of_views(coder, column, baseline)
    assert len(measure.parts) == len(coder.parts) == 1 + len(views)
    for part, (name, (rows, normal, order)) in zip(measure.parts[1:], views.items()):
        evidence, bits = naive_text.view(rows, normal, order, own=own)
        there = column.classes != 1
        np.testing.assert_allclose(part, np.where(there, evidence, 0.0), rtol=1e-6, atol=1e-9)
        if name == "bytes":
            np.testing.assert_allclose(measure.bits - measure.parts[0], bits, atol=1e-9)


@pytest.mark.parametrize("name", CORPORA)
def test_own_texts_are_coded_by_grams_refitted_without_the_row(name: str) -> None:
    column = texts(CORPORA[name])
    assert_measured(TextCoder.fit(column), column, column, own=True)


@pytest.mark.parametrize("name", CORPORA)
def test_new_texts_are_coded_by_the_grams_of_all(name: str) -> None:
    column = texts(CORPORA[name])
    assert_measured(TextCoder.fit(column), texts(NEW), column, own=False)


@given(st.lists(st.text("ab 1\n", max_size=9), min_size=1, max_size=7))
@settings(max_examples=25)
def test_small_random_texts_are_coded_by_their_formula(values: list[str]) -> None:
    column = texts(values)
    coder = TextCoder.fit(column)
    assert_measured(coder, column, column, own=True)
    assert_measured(coder, texts(["", "ab", "b 11\n", "é"]), column, own=False)


def test_the_check_of_leave_one_out_can_fail() -> None:
    column = texts(CORPORA["messages"])
    coder = TextCoder.fit(column)
    in_sample = coder.measure(column.take(np.arange(len(column))), own=False)
    assert np.abs(in_sample.bits - coder.measure(column, own=True).bits).max() > 1.0


def test_views_are_those_that_say_something() -> None:
    def views(values) -> tuple[str, ...]:
        return tuple(TextCoder.fit(texts(values)).views)

    rng = np.random.default_rng(7)
    assert views(["plain text", "another one"] * 3) == ("bytes",)
    assert views(logs(20, rng)) == ("bytes", "digits masked")
    assert views(sequences(40, rng)) == ("bytes", "digits masked", "words")
    assert views([t.replace(" ", ",") for t in sequences(40, rng)])[-1] == "words"
    assert (
        views([f"{rng.random()} {rng.random()} {rng.random()}" for _ in range(30)])[-1] != "words"
    )


# --- a code ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd_rows", "new_words", "is_sequence"),
    [(3, 0, True), (12, 0, False), (0, 60, True), (0, 200, False)],
)
def test_sequences_are_rows_of_words_that_recur(odd_rows, new_words, is_sequence: bool) -> None:
    """All but a twentieth of the rows are words between separators; a word comes four times."""
    rng = np.random.default_rng(13)
    rows = [[f"E{rng.integers(4)}" for _ in range(5)] for _ in range(100)]
    for word in range(new_words):
        rows[word % 100][word // 100] = f"N{word}"
    lines = [" ".join(row) + "=?" * (i < odd_rows) for i, row in enumerate(rows)]
    assert (TextCoder.fit(texts(lines)).separator == ord(" ")) is is_sequence


@pytest.mark.parametrize("name", ["messages", "binary", "with new lines", "all empty"])
def test_shares_of_all_next_bytes_sum_to_at_most_one(name: str) -> None:
    column = texts(CORPORA[name])
    grams = TextCoder.fit(column).views["bytes"].grams
    for before in (b"", b"open", b"a\n", b"\n", b"\x00zz"):
        rows = [[naive_text.START, *before, byte, naive_text.END] for byte in range(256)]
        fixed, _ = grams.code(streams_of(rows))
        last = np.array([codes[-2] for codes in by_row(fixed, rows)])
        total = (2.0 ** (-last / naive_text.FIXED)).sum()
        assert 0.01 < total <= 1 + 1e-4


def test_a_byte_that_only_ends_rows_is_strange_but_finite_within_them() -> None:
    coder = TextCoder.fit(texts([f"hello world {i}" for i in range(20)]))
    usual, broken = coder.measure(texts(["hello world 3", "hello\nworld 3"]), own=False).bits
    assert usual < broken < 200


# --- nothing that may not matter matters ----------------------------------------------------------


def assert_same(left, right, rows=slice(None)) -> None:
    np.testing.assert_array_equal(left.bits, right.bits[rows])
    for before, after in zip(left.parts, right.parts, strict=True):
        np.testing.assert_array_equal(before, after[rows])


@pytest.fixture(scope="module")
def corpus(sizes):
    rng = np.random.default_rng(8)
    n = sizes(300, 40)
    return texts(logs(n, rng)), texts([*logs(n // 2, rng), *NEW])


def test_order_of_the_baseline_changes_no_bit(corpus) -> None:
    baseline, new = corpus
    order = np.random.default_rng(9).permutation(len(baseline))
    coder, shuffled = TextCoder.fit(baseline), TextCoder.fit(baseline.take(order))
    assert_same(shuffled.measure(baseline.take(order), own=True), coder.baseline, order)
    assert_same(shuffled.measure(new, own=False), coder.measure(new, own=False))


@pytest.mark.parametrize("size", [1, 7])
def test_texts_in_chunks_are_those_at_once(corpus, size: int) -> None:
    baseline, new = corpus
    coder = TextCoder.fit(baseline)
    at_once = coder.measure(new, own=False)
    for start in range(0, len(new), size):
        rows = np.arange(start, min(start + size, len(new)))
        assert_same(coder.measure(new.take(rows), own=False), at_once, rows)


def test_new_rows_do_not_change_the_tables(corpus) -> None:
    baseline, new = corpus
    coder = TextCoder.fit(baseline)

    def tables():
        views = coder.views.values()
        grams = [array.copy() for v in views for array in (*v.grams.tables, v.grams.totals)]
        return [*grams, *(a.copy() for v in views for a in (v.by_context, v.moments))]

    before = tables()
    coder.measure(new, own=False)
    assert all((a == b).all() for a, b in zip(before, tables(), strict=True))


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

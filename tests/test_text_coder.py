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
from driftlock._kernels import text_codes
from driftlock.coders.text import (
    BYTE_ORDER,
    TOKEN_ORDER,
    Grams,
    Streams,
    TextCoder,
    _empty_tables,
)

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
    return Streams(np.array([s for row in rows for s in row], np.int32), offsets)


def by_row(flat: np.ndarray, rows) -> list[list[int]]:
    """Figures of the coded symbols of each row."""
    ends = np.cumsum([len(row) - 1 for row in rows])
    return [part.tolist() for part in np.split(flat, ends[:-1])]


def framed(bodies) -> list[list[int]]:
    return [[naive_text.START, *body, naive_text.END] for body in bodies]


# --- kernels --------------------------------------------------------------------------------------


def test_find() -> None:
    rng = np.random.default_rng(3)
    wanted = rng.integers(1, 2**63, 11).astype(np.uint64)
    wanted[5:8] = wanted[4] + np.arange(1, 4).astype(np.uint64) * np.uint64(16)  # the same place
    keys, twin = np.zeros(16, np.uint64), [0] * 16
    for key in wanted:
        place = kernels.find(keys, key)
        assert place == naive_text.find(twin, int(key))
        keys[place], twin[place] = key, int(key)
        assert kernels.find(keys, key) == place


@given(corpora, st.integers(0, 6))
@settings(max_examples=25)
def test_locate_gives_equal_grams_one_slot_and_different_ones_different_slots(
    bodies, order
) -> None:
    keys = np.zeros(1024, np.uint64)
    slot_of = {}
    for row in framed(bodies):
        slots = np.zeros((len(row), order + 1), np.int64)
        before = len(slot_of)
        absent = np.full_like(slots, 7)
        kernels.locate(np.array(row, np.int32), keys, False, absent)
        expected = naive_text.locate(row, order)
        for t, grams in enumerate(expected):
            assert absent[t].tolist() == [slot_of.get(gram, -1) for gram in grams]
        new = kernels.locate(np.array(row, np.int32), keys, True, slots)
        for grams, places in zip(expected, slots.tolist()):
            for gram, place in zip(grams, places):
                assert (place < 0) is (gram is None)
                if gram is not None:
                    assert slot_of.setdefault(gram, place) == place
        assert new == len(slot_of) - before
    assert len(set(slot_of.values())) == len(slot_of)


def learned(rows, order, size=1024):
    """Tables of a corpus, and the slot of each of its grams."""
    longest = max(len(row) for row in rows)
    tables = _empty_tables(size, longest, order)
    streams, totals = streams_of(rows), np.zeros(3, np.int64)
    assert kernels.learn(streams.symbols, streams.offsets, 0, tables, totals) == len(rows)
    slot_of = {}
    for row in rows:
        slots = np.zeros((len(row), order + 1), np.int64)
        kernels.locate(np.array(row, np.int32), tables[0], False, slots)
        for grams, places in zip(naive_text.locate(row, order), slots.tolist()):
            slot_of |= {gram: place for gram, place in zip(grams, places) if gram is not None}
    return tables, totals, slot_of


def assert_counted(tables, totals, slot_of, rows, order) -> None:
    counts = naive_text.learn(rows, order)
    followers = naive_text.after(counts)
    alone = followers.get((), {})
    assert totals.tolist()[:2] == [sum(alone.values()), len(alone)]
    for gram, slot in slot_of.items():
        assert tables[1][slot] == counts.get(gram, 0)
        if len(gram) <= order:
            assert tables[2][slot] == len(followers.get(gram, {}))


@given(corpora, st.integers(0, 6))
@settings(max_examples=25)
def test_learn_counts_grams_and_what_follows_them(bodies, order) -> None:
    rows = framed(bodies)
    tables, totals, slot_of = learned(rows, order)
    assert_counted(tables, totals, slot_of, rows, order)
    assert totals[2] == len(slot_of) == np.count_nonzero(tables[0])


@given(corpora, st.integers(0, 6))
@settings(max_examples=25)
def test_add_takes_a_row_out_and_puts_it_back(bodies, order) -> None:
    rows = framed(bodies)
    tables, totals, slot_of = learned(rows, order)
    for i, row in enumerate(rows):
        slots = np.zeros((len(row), order + 1), np.int64)
        kernels.locate(np.array(row, np.int32), tables[0], False, slots)
        kernels.add(slots, len(row), -1, tables[1], tables[2], totals)
        assert_counted(tables, totals, slot_of, rows[:i] + rows[i + 1 :], order)
        kernels.add(slots, len(row), 1, tables[1], tables[2], totals)
        assert_counted(tables, totals, slot_of, rows, order)


@given(corpora, bodies, st.integers(0, 6))
@settings(max_examples=40)
def test_code_row(bodies, body, order) -> None:
    rows, (row,) = framed(bodies), framed([body])
    tables, totals, _ = learned(rows, order)
    slots = np.zeros((len(row), order + 1), np.int64)
    kernels.locate(np.array(row, np.int32), tables[0], False, slots)
    fixed = np.empty(len(row) - 1, np.int64)
    kernels.code_row(slots, len(row), *tables[1:3], totals, fixed)
    assert fixed.tolist() == naive_text.code_row(row, order, naive_text.learn(rows, order))


def test_learn_stops_before_the_table_is_too_full() -> None:
    rng = np.random.default_rng(4)
    rows = framed(rng.integers(0, 200, (40, 6)).tolist())
    streams, totals = streams_of(rows), np.zeros(3, np.int64)
    tables = _empty_tables(256, 8, 4)
    row = kernels.learn(streams.symbols, streams.offsets, 0, tables, totals)
    assert 0 < row < 40
    assert totals[2] == np.count_nonzero(tables[0]) <= 0.6 * 256
    assert kernels.learn(streams.symbols, streams.offsets, row, tables, totals) == row


def test_rehash_moves_every_gram() -> None:
    rows = framed(np.random.default_rng(5).integers(0, 9, (12, 6)).tolist())
    tables, _, _ = learned(rows, 4)
    larger = _empty_tables(4096, 8, 4)
    kernels.rehash(*tables[:3], larger)
    assert larger[0].tolist() == naive_text.rehash(tables[0].tolist(), 4096)

    def content(tables):
        return {key: rest for key, *rest in zip(*(t.tolist() for t in tables[:3])) if key}

    assert content(larger) == content(tables)


@pytest.mark.parametrize("own", [True, False])
def test_code_rows_sums_and_excesses(own: bool) -> None:
    rng = np.random.default_rng(6)
    baseline = framed([rng.integers(0, 3, size).tolist() for size in (5, 0, 9, 4, 5, 7)])
    rows = baseline if own else framed([[0, 1, 2, 0], [], [7, 7], [1] * 12])
    of_baseline = naive_text.code_rows(baseline, 3, baseline, own=True)
    expected = of_baseline if own else naive_text.code_rows(rows, 3, baseline, own=False)
    grams = Grams.fit(streams_of(baseline), 3)
    fixed, contexts = codes = grams.code(streams_of(rows), own=own)
    assert by_row(fixed, rows) == expected

    slot_of = {}
    for row, slots in zip(rows, by_row(contexts, rows)):
        for context, slot in zip(naive_text.contexts(row), slots):
            assert slot_of.setdefault(context, slot) == slot
    known = [slot for slot in slot_of.values() if slot >= 0]
    assert len(set(known)) == len(known)

    size = grams.tables[0].size
    by_context = np.zeros(size, np.int64), np.zeros(size, np.int64)
    before = grams.code(streams_of(baseline), own=True)
    kernels.sum_contexts(*before, *by_context, 1)
    sums = naive_text.sum_contexts(baseline, of_baseline)
    seen = {c: (by_context[0][s], by_context[1][s]) for c, s in slot_of.items() if s >= 0}
    assert seen == {context: sums.get(context, (0, 0)) for context in seen}

    offsets = streams_of(rows).offsets
    assert kernels.row_sums(fixed, offsets).tolist() == naive_text.row_sums(expected)
    mean = float(before[0].sum() / before[0].size)
    excess = kernels.excesses(offsets, own, codes, by_context, mean)
    wanted = naive_text.excesses(rows, expected, baseline, of_baseline, own)
    np.testing.assert_allclose(excess, wanted, rtol=1e-9, atol=1e-3)
    assert {c: (by_context[0][s], by_context[1][s]) for c, s in slot_of.items() if s >= 0} == seen

    kernels.sum_contexts(*before, *by_context, -1)
    assert not by_context[0].any()
    assert not by_context[1].any()


@given(st.lists(bodies, min_size=1, max_size=20))
@settings(max_examples=40)
def test_first_equals(bodies) -> None:
    streams = streams_of(bodies)
    first = text_codes.first_equals(streams.symbols, streams.offsets)
    assert first.tolist() == naive_text.first_equals(bodies)
    for left, right in itertools.pairwise(range(len(bodies))):
        alike = text_codes.are_equal(streams.symbols, streams.offsets, left, right)
        assert alike is (bodies[left] == bodies[right])


def test_gram_key_is_that_of_the_longest_gram_in_the_table() -> None:
    rows = framed(np.random.default_rng(12).integers(0, 5, (6, 9)).tolist())
    tables, _, slot_of = learned(rows, 3)
    for row in rows:
        for t, grams in enumerate(naive_text.locate(row, 3)):
            longest = max((gram for gram in grams if gram is not None), key=len)
            key = text_codes.gram_key(np.array(row, np.int32), t, 3)
            assert key == tables[0][slot_of[longest]]


@given(corpora, corpora, st.integers(1, 6))
@settings(max_examples=40)
def test_code_new_rows_that_repeat_each_other(bodies, asked, order) -> None:
    """Each is coded as if it came alone, whatever was kept of those before."""
    baseline, rows = framed(bodies), framed([*asked, *bodies, *asked])
    grams = Grams.fit(streams_of(baseline), order)
    together = grams.code(streams_of(rows), own=False)
    assert by_row(together[0], rows) == naive_text.code_rows(rows, order, baseline, own=False)
    alone = [grams.code(streams_of([row]), own=False) for row in rows]
    for left, right in zip(together, zip(*alone)):
        assert left.tolist() == np.concatenate(right).tolist()


@given(corpora, st.integers(1, 6))
@settings(max_examples=40)
def test_code_rows_of_a_baseline_with_equal_rows(bodies, order) -> None:
    rows = framed([*bodies, *bodies, *bodies[:1]])
    fixed, contexts = Grams.fit(streams_of(rows), order).code(streams_of(rows), own=True)
    assert by_row(fixed, rows) == naive_text.code_rows(rows, order, rows, own=True)
    of_context = {}
    for row, slots in zip(rows, by_row(contexts, rows)):
        for context, slot in zip(naive_text.contexts(row), slots):
            assert of_context.setdefault(context, slot) == slot >= 0


def test_copy_row() -> None:
    offsets = np.array([0, 3, 5, 8])  # two, one and two coded symbols
    out = np.arange(5), np.arange(5) + 10
    text_codes.copy_row(offsets, 0, 2, out)
    assert [part.tolist() for part in out] == [[0, 1, 2, 0, 1], [10, 11, 12, 10, 11]]


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
        fixed, _ = grams.code(streams_of(rows), own=False)
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
        grams = [array.copy() for v in views for array in (*v.grams.tables[:3], v.grams.totals)]
        return [*grams, *(a.copy() for v in views for a in (*v.by_context, v.moments))]

    before = tables()
    coder.measure(new, own=False)
    assert all((a == b).all() for a, b in zip(before, tables(), strict=True))


def test_growth_of_the_table_changes_nothing(monkeypatch) -> None:
    rng = np.random.default_rng(10)
    rows = framed(rng.integers(0, 99, (150, 12)).tolist())
    streams = streams_of(rows)
    grown = Grams.fit(streams, 6)
    assert grown.tables[0].size > 1 << 12
    tables = _empty_tables(1 << 17, 14, 6)
    totals = np.zeros(3, np.int64)
    assert kernels.learn(streams.symbols, streams.offsets, 0, tables, totals) == 150
    at_once = Grams(tables, totals)
    assert (totals == grown.totals).all()
    asked = streams_of(framed(rng.integers(0, 99, (20, 12)).tolist()))
    for new, own in ((streams, True), (asked, False)):
        assert (grown.code(new, own=own)[0] == at_once.code(new, own=own)[0]).all()


def test_no_slot_holds_two_grams() -> None:
    """Equal hashes of different grams would show as fewer keys than grams."""
    rows = framed(np.random.default_rng(11).integers(0, 256, (60, 15)).tolist())
    grams = Grams.fit(streams_of(rows), 4)
    known = {g for row in rows for t in naive_text.locate(row, 4) for g in t if g is not None}
    assert grams.totals[2] == np.count_nonzero(grams.tables[0]) == len(known)
    assert Counter(grams.tables[0][grams.tables[0] != 0].tolist()).most_common(1)[0][1] == 1

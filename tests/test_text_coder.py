"""The coder of texts: a row left out is really out, a code is one, nothing hangs on an order."""

from __future__ import annotations

import naive_codes as naive
import naive_text
import numpy as np
import pytest
from columns import logs, sequences, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import by_row, streams_of

from driftlock.coders.text import BYTE_ORDER, TOKEN_ORDER, TextCoder

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

"""Text coder: contexts of up to six bytes, in several views of the same text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftlock._kernels import text as kernels
from driftlock._kernels import text_codes
from driftlock.arrays import Column, Floats, Ints, Texts
from driftlock.coders.krichevsky_trofimov import kt_bits
from driftlock.coders.measure import Measure

BYTE_ORDER, TOKEN_ORDER = 6, 3
START, END = 256, 10  # a row's start; its end is a line feed, as in a log file
TOKEN_END, TOKEN_NEW, FIRST_TOKEN = 257, 258, 259
SEPARATORS = b" ,;|\t>"
DIGITS = (ord("0"), ord("9"))
MASKED = np.where(
    (np.arange(256) >= DIGITS[0]) & (np.arange(256) <= DIGITS[1]), DIGITS[0], np.arange(256)
)
IS_WORD = np.array([chr(i).isalnum() or chr(i) in "_-." or i > 127 for i in range(256)])
BINS_PER_OCTAVE, BIN_REACH, PRIOR_ROWS = 4, 4, 5.0
MOMENT = 1 << 10
SMALLEST_TABLE, FULLEST = 1 << 12, 0.6
SEQUENCE_SHARE = 0.95
LINEAR_REACH = 100.0  # deviations; evidence beyond grows as a logarithm, so that none is boundless

Tables = tuple[Ints, Ints, Ints, Ints]


@dataclass(frozen=True, eq=False)
class Streams:
    """Rows as symbols to code: each is a start symbol, then its symbols, the last one an end."""

    symbols: Ints
    offsets: Ints


@dataclass(frozen=True, eq=False)
class Grams:
    """Counts of every gram of the baseline in one view.

    Notes
    -----
    With c the occurrences of a symbol after a context of order o, n_o those of the context, u_o the
    number of different symbols seen after it, and p of order -1 equal to 1/256::

        p_o = (c + u_o * p_(o - 1)) / (n_o + u_o)

    up to the longest context that something was seen after, mixed with a share of 0.05 of the
    estimate after two symbols. A baseline row is coded with its own grams taken out.

    References
    ----------
    Witten and Bell, "The zero-frequency problem: estimating the probabilities of novel events in
    adaptive text compression", IEEE Transactions on Information Theory 37(4), 1991.
    """

    tables: Tables
    totals: Ints

    @classmethod
    def fit(cls, streams: Streams, order: int) -> Grams:
        """Count the grams of baseline rows."""
        longest = int(np.diff(streams.offsets).max())
        tables = _empty_tables(SMALLEST_TABLE, longest, order)
        totals, row = np.zeros(3, np.int64), 0
        while row < streams.offsets.size - 1:
            room = int(totals[2]) + longest * (order + 1)
            if room > FULLEST * tables[0].size:
                tables = _moved(tables, max(2 * tables[0].size, int(room / FULLEST) + 1))
            row = kernels.learn(streams.symbols, streams.offsets, row, tables, totals)
        fitting = max(int(totals[2] / FULLEST) + 1, SMALLEST_TABLE)
        if 4 * fitting < tables[0].size:  # the longest row had room for more grams than there are
            tables = _moved(tables, fitting)
        return cls((*tables[:3], tables[3][:0].copy()), totals)

    def code(self, streams: Streams, *, own: bool) -> tuple[Ints, Ints]:
        """Code lengths of all symbols in 2**-20 bits, and the contexts that excesses go by."""
        n_coded = streams.symbols.size - (streams.offsets.size - 1)
        out = (np.empty(n_coded, np.int64), np.empty(n_coded, np.int64))
        longest = int(np.diff(streams.offsets).max())
        order = self.tables[3].shape[1] - 1
        slots = np.empty((longest, order + 1), np.int64)
        tables = (*self.tables[:3], slots)
        text_codes.code_rows(streams.symbols, streams.offsets, own, tables, self.totals, out)
        return out


@dataclass(frozen=True, eq=False)
class View:
    """One way to look at a text: its grams, the mean bits of each context, and length moments.

    Notes
    -----
    The evidence of a text of L symbols is v = sum(bits - mean bits of the two-symbol context) /
    sqrt(L), standardised by the moments of v among baseline texts of about the same length
    (quarter octaves, Gaussian weights, shrunk by five rows of the overall moments), the row's own
    share taken out. Beyond a hundred deviations it grows as their logarithm.
    """

    grams: Grams
    by_context: tuple[Ints, Ints]
    mean: float
    moments: Ints

    @classmethod
    def fit(cls, streams: Streams, order: int) -> tuple[View, Floats, Floats]:
        """The view of baseline rows, with their leave-one-out evidence and bits."""
        grams = Grams.fit(streams, order)
        codes = grams.code(streams, own=True)
        n_slots = grams.tables[0].size
        sums, sizes = np.zeros(n_slots, np.int64), np.zeros(n_slots, np.int64)
        kernels.sum_contexts(*codes, sums, sizes, 1)
        mean = float(codes[0].sum() / codes[0].size)
        excess = kernels.excesses(streams.offsets, True, codes, (sums, sizes), mean) / kernels.FIXED
        bins = _length_bins(streams)
        v = np.rint(excess * MOMENT).astype(np.int64)
        moments = np.zeros((3, int(bins.max()) + 1), np.int64)
        for moment, values in zip(moments, (np.ones_like(v), v, v * v), strict=True):
            np.add.at(moment, bins, values)
        bits = kernels.row_sums(codes[0], streams.offsets) / kernels.FIXED
        view = cls(grams, (sums, sizes), mean, moments)
        return view, _standardised(excess, bins, moments, own=True), bits

    def measure(self, streams: Streams) -> tuple[Floats, Floats]:
        """Evidence and bits of new rows."""
        codes = self.grams.code(streams, own=False)
        excess = kernels.excesses(streams.offsets, False, codes, self.by_context, self.mean)
        bits = kernels.row_sums(codes[0], streams.offsets) / kernels.FIXED
        bins = _length_bins(streams)
        return _standardised(excess / kernels.FIXED, bins, self.moments, own=False), bits


@dataclass(frozen=True, eq=False)
class TextCoder:
    """Code of one text column: whether it is there, its bytes, and up to two more views.

    The views are the bytes as they are, the same with every digit a 0, and for sequences of words
    between one separator (event numbers, system calls) the words. The strangest view counts.

    Attributes
    ----------
    class_counts : ndarray of int64, shape (3,)
        Baseline rows with a text, without, and with something else.
    separator : int or None
        The byte between the words of a sequence.
    """

    class_counts: Ints
    views: dict[str, View]
    separator: int | None
    vocabulary: dict[bytes, int]
    baseline: Measure
    parts: tuple[str, ...]

    @classmethod
    def fit(cls, column: Texts) -> TextCoder:
        """Learn the views of a baseline column."""
        separator = _separator(column)
        vocabulary: dict[bytes, int] = {}
        if separator is not None:
            words = sorted({word for row in _words(column, separator) for word in row})
            vocabulary = {word: FIRST_TOKEN + i for i, word in enumerate(words)}
        views, evidence, bits = {}, [], np.zeros(len(column))
        for name, (streams, order) in _looks(column, separator, vocabulary).items():
            views[name], found, lengths = View.fit(streams, order)
            evidence.append(np.where(column.classes == 1, 0.0, found))
            bits = lengths if name == "bytes" else bits
        counts = np.bincount(column.classes, minlength=3).astype(np.int64)
        of_class = kt_bits(counts, own=True)[column.classes]
        measure = Measure(bits + of_class, [of_class, *evidence])
        return cls(counts, views, separator, vocabulary, measure, ("class", *views))

    def measure(self, column: Column, *, own: bool) -> Measure:
        """Bits and evidence of each text; with `own`, those of the baseline it was fitted on."""
        assert isinstance(column, Texts)
        if own:
            return self.baseline
        of_class = kt_bits(self.class_counts, own=False)[column.classes]
        evidence, bits = [], np.zeros(len(column))
        looks = _looks(column, self.separator, self.vocabulary, tuple(self.views))
        for name, view in self.views.items():
            found, lengths = view.measure(looks[name][0])
            evidence.append(np.where(column.classes == 1, 0.0, found))
            bits = lengths if name == "bytes" else bits
        return Measure(bits + of_class, [of_class, *evidence])


def _looks(
    column: Texts,
    separator: int | None,
    vocabulary: dict[bytes, int],
    names: tuple[str, ...] | None = None,
) -> dict[str, tuple[Streams, int]]:
    """Streams and order of each view; all that say something where no names are given."""
    looks = {}
    masked = MASKED[column.data]
    if names is None:
        has_digits = bool((masked != column.data).any())
        names = (
            "bytes",
            *(["digits masked"] if has_digits else []),
            *(["words"] if vocabulary else []),
        )
    for name in names:
        if name == "words" and separator is not None:
            words = _words(column, separator)
            rows = [[vocabulary.get(word, TOKEN_NEW) for word in row] for row in words]
            lengths = np.array([len(row) for row in rows], np.int64)
            flat = np.array([code for row in rows for code in row], np.int32)
            looks[name] = (_streams(flat, np.append(0, np.cumsum(lengths)), TOKEN_END), TOKEN_ORDER)
        else:
            data = column.data if name == "bytes" else masked
            looks[name] = (_streams(data.astype(np.int32), column.offsets, END), BYTE_ORDER)
    return looks


def _streams(flat: Ints, offsets: Ints, end: int) -> Streams:
    """Rows with their start and end symbols around them."""
    n = offsets.size - 1
    shifted = offsets + 2 * np.arange(n + 1)
    symbols = np.empty(flat.size + 2 * n, np.int32)
    symbols[shifted[:-1]] = START
    symbols[shifted[1:] - 1] = end
    rows = np.repeat(np.arange(n), np.diff(offsets))
    symbols[np.arange(flat.size) + 2 * rows + 1] = flat
    return Streams(symbols, shifted)


def _words(column: Texts, separator: int) -> list[list[bytes]]:
    """Words of each row."""
    return [row.split(bytes([separator])) if row else [] for row in column.rows()]


def _separator(column: Texts) -> int | None:
    """The one byte between the words of most rows, if these are sequences of words that recur."""
    present = column.take(np.flatnonzero(column.classes == 0))
    if not len(present) or not present.data.size:
        return None
    counts = np.bincount(present.data, minlength=256)
    separator = max(SEPARATORS, key=lambda byte: counts[byte])
    if counts[separator] < 2 * len(present):
        return None
    odd = ~IS_WORD[present.data] & (present.data != separator)
    rows = np.repeat(np.arange(len(present)), np.diff(present.offsets))
    if np.unique(rows[odd]).size > (1 - SEQUENCE_SHARE) * len(present):
        return None
    words = [word for row in _words(present, separator) for word in row]
    return separator if len(set(words)) * 4 <= len(words) else None


def _standardised(excess: Floats, bins: Ints, moments: Ints, *, own: bool) -> Floats:
    """Excess less its mean at this length, over its deviation at this length."""
    last = moments.shape[1] - 1
    distance = np.abs(np.arange(int(max(bins.max(), last)) + 1)[:, None] - np.arange(last + 1))
    weights = np.where(distance <= BIN_REACH, np.exp(-0.5 * distance**2), 0.0)
    near = (weights[:, None, :] * moments).sum(axis=-1)[bins].T  # (3, n)
    n, total, squares = near[0], near[1] / MOMENT, near[2] / MOMENT**2
    size, *overall = moments.sum(axis=1)
    mean, mean_square = overall[0] / size / MOMENT, overall[1] / size / MOMENT**2
    if own:
        v = np.rint(excess * MOMENT) / MOMENT
        n, total, squares = n - 1.0, total - v, squares - v * v
    center = (total + PRIOR_ROWS * mean) / (n + PRIOR_ROWS)
    variance = (squares + PRIOR_ROWS * mean_square) / (n + PRIOR_ROWS) - center**2
    return _bounded((excess - center) / (np.sqrt(np.maximum(variance, 0.0)) + 0.001))


def _bounded(deviations: Floats) -> Floats:
    """Deviations in their order, logarithmic beyond a hundred."""
    sizes = np.abs(deviations)
    beyond = LINEAR_REACH * (1.0 + np.log(np.maximum(sizes, LINEAR_REACH) / LINEAR_REACH))
    return np.where(sizes > LINEAR_REACH, np.sign(deviations) * beyond, deviations)


def _length_bins(streams: Streams) -> Ints:
    """Quarter octave of each row's length."""
    lengths = np.diff(streams.offsets) - 1
    octaves = np.log2(np.maximum(lengths, 1))
    return np.asarray(np.floor(BINS_PER_OCTAVE * octaves), np.int64)


def _moved(old: Tables, size: int) -> Tables:
    """The same counts in tables of another size."""
    tables = _empty_tables(size, old[3].shape[0], old[3].shape[1] - 1)
    kernels.rehash(old[0], old[1], old[2], tables)
    return tables


def _empty_tables(size: int, longest: int, order: int) -> Tables:
    """Keys, counts, followers, and the slots of one row; size is rounded up to a power of two."""
    size = 1 << int(np.ceil(np.log2(size)))
    return (
        np.zeros(size, np.uint64),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros((longest, order + 1), np.int64),
    )

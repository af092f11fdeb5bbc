"""Text coder: contexts of up to six bytes, in several views of the same text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftlock._kernels import text_rows as rows
from driftlock._kernels.text_codes import FIXED
from driftlock.arrays import Column, Floats, Ints, Texts
from driftlock.coders.grams import START, TOKEN_NEW, Grams, Streams
from driftlock.coders.krichevsky_trofimov import kt_bits
from driftlock.coders.measure import Measure

BYTE_ORDER, TOKEN_ORDER = 6, 3
END = 10  # of a row: a line feed, as in a log file
TOKEN_END, FIRST_TOKEN = 257, 259
SEPARATORS = b" ,;|\t>"
ZERO = np.uint8(ord("0"))
IS_WORD = np.array([chr(i).isalnum() or chr(i) in "_-." or i > 127 for i in range(256)])
BINS_PER_OCTAVE, BIN_REACH, PRIOR_ROWS = 4, 4, 5.0
MOMENT = 1 << 10
SEQUENCE_SHARE = 0.95
LINEAR_REACH = 100.0  # deviations; evidence beyond grows as a logarithm, so that none is boundless


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
    by_context: Ints
    mean: float
    moments: Ints

    @classmethod
    def fit(cls, streams: Streams, order: int) -> tuple[View, Floats, Floats]:
        """The view of baseline rows, with their leave-one-out evidence and bits."""
        grams, ends = Grams.fit(streams, order)
        codes = grams.leave_out(streams, ends)
        offsets, weights = streams.offsets, streams.weights
        by_context = np.zeros((int(grams.totals[3]), 2), np.int64)
        rows.sum_contexts(offsets, weights, codes, by_context)
        sums = rows.row_sums(codes[0], offsets)
        mean = float((sums * weights).sum() / int(grams.totals[0]))
        excess = rows.excesses(offsets, True, codes, by_context, mean) / FIXED
        bins = _length_bins(streams)
        v = np.rint(excess * MOMENT).astype(np.int64)
        moments = np.zeros((3, int(bins.max()) + 1), np.int64)
        for moment, values in zip(moments, (np.ones_like(v), v, v * v), strict=True):
            np.add.at(moment, bins, values * weights)
        view = cls(grams, by_context, mean, moments)
        evidence = _standardised(excess, bins, moments, own=True)
        return view, evidence[streams.places], (sums / FIXED)[streams.places]

    def measure(self, streams: Streams) -> tuple[Floats, Floats]:
        """Evidence and bits of new rows."""
        codes = self.grams.code(streams)
        excess = rows.excesses(streams.offsets, False, codes, self.by_context, self.mean)
        bits = rows.row_sums(codes[0], streams.offsets) / FIXED
        bins = _length_bins(streams)
        evidence = _standardised(excess / FIXED, bins, self.moments, own=False)
        return evidence[streams.places], bits[streams.places]


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
    data, offsets, places = _different(column.data, column.offsets)
    masked = _masked(data)
    if names is None:
        has_digits = bool((masked != data).any())
        names = (
            "bytes",
            *(["digits masked"] if has_digits else []),
            *(["words"] if vocabulary else []),
        )
    looks = {}
    for name in names:
        if name == "words" and separator is not None:
            looks[name] = (_word_streams(data, offsets, separator, vocabulary, places), TOKEN_ORDER)
        elif name == "digits masked":
            kept, bounds, of_different = _different(masked, offsets)
            looks[name] = (_byte_streams(kept, bounds, of_different[places]), BYTE_ORDER)
        else:
            looks[name] = (_byte_streams(data, offsets, places), BYTE_ORDER)
    return looks


def _different(data: Ints, offsets: Ints) -> tuple[Ints, Ints, Ints]:
    """Bytes and offsets of the rows that differ, and for each row which of them is equal to it."""
    equal = rows.first_equals(data, offsets)
    is_first = equal == np.arange(equal.size)
    places = (np.cumsum(is_first) - 1)[equal]
    different = np.flatnonzero(is_first)
    if different.size == equal.size:
        return data, offsets, places
    bounds = np.append(0, np.cumsum(np.diff(offsets)[different]))
    picked = np.empty(int(bounds[-1]), np.uint8)
    rows.pick(data, offsets, different, picked)
    return picked, bounds, places


def _masked(data: Ints) -> Ints:
    """Bytes with a 0 for every digit."""
    above = data - ZERO  # what is below is far above, as bytes have no sign
    return data - above * (above < 10)


def _byte_streams(data: Ints, offsets: Ints, places: Ints) -> Streams:
    """Rows of bytes with their start and end symbols around them."""
    starts = offsets + 2 * np.arange(offsets.size)
    symbols = np.empty(int(starts[-1]), np.int32)
    rows.frame(data, offsets, np.array([START, END]), symbols)
    return Streams(symbols, starts, places)


def _word_streams(
    data: Ints, offsets: Ints, separator: int, vocabulary: dict[bytes, int], places: Ints
) -> Streams:
    """The same of the numbers of words."""
    different = Texts(data, offsets, np.zeros(offsets.size - 1, np.uint8))
    coded = [
        [START, *(vocabulary.get(word, TOKEN_NEW) for word in row), TOKEN_END]
        for row in _words(different, separator)
    ]
    starts = np.append(0, np.cumsum([len(row) for row in coded]))
    return Streams(np.array([code for row in coded for code in row], np.int32), starts, places)


def _words(column: Texts, separator: int) -> list[list[bytes]]:
    """Words of each row."""
    return [row.split(bytes([separator])) if row else [] for row in column.rows()]


def _separator(column: Texts) -> int | None:
    """The one byte between the words of most rows, if these are sequences of words that recur."""
    present = column if not column.classes.any() else column.take(column.classes == 0)
    if not len(present) or not present.data.size:
        return None
    counts = {byte: np.count_nonzero(present.data == byte) for byte in SEPARATORS}
    separator = max(SEPARATORS, key=counts.__getitem__)
    if counts[separator] < 2 * len(present):
        return None
    odd = ~IS_WORD & (np.arange(256) != separator)
    n_odd = rows.count_rows_with(present.data, present.offsets, odd)
    if n_odd > (1 - SEQUENCE_SHARE) * len(present):
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
    """Quarter octave of the length of each different row."""
    lengths = np.diff(streams.offsets) - 1
    octaves = np.log2(np.maximum(lengths, 1))
    return np.asarray(np.floor(BINS_PER_OCTAVE * octaves), np.int64)

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
DIGITS = (ord("0"), ord("9"))
MASKED = np.where(
    (np.arange(256) >= DIGITS[0]) & (np.arange(256) <= DIGITS[1]), DIGITS[0], np.arange(256)
).astype(np.uint8)
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
        offsets, weights, places = streams.offsets, streams.weights, streams.places
        by_context = np.zeros((int(grams.totals[3]), 2), np.int64)
        rows.sum_contexts(offsets, weights, codes, by_context)
        sums = rows.row_sums(codes[0], offsets)
        mean = float((sums * weights).sum() / int(grams.totals[0]))
        excess = rows.excesses(offsets, True, codes, by_context, mean)[places] / FIXED
        bins = _length_bins(streams)
        v = np.rint(excess * MOMENT).astype(np.int64)
        moments = np.zeros((3, int(bins.max()) + 1), np.int64)
        for moment, values in zip(moments, (np.ones_like(v), v, v * v), strict=True):
            np.add.at(moment, bins, values)
        view = cls(grams, by_context, mean, moments)
        return view, _standardised(excess, bins, moments, own=True), (sums / FIXED)[places]

    def measure(self, streams: Streams) -> tuple[Floats, Floats]:
        """Evidence and bits of new rows."""
        codes = self.grams.code(streams)
        excess = rows.excesses(streams.offsets, False, codes, self.by_context, self.mean)
        bits = rows.row_sums(codes[0], streams.offsets) / FIXED
        bins = _length_bins(streams)
        evidence = _standardised(excess[streams.places] / FIXED, bins, self.moments, own=False)
        return evidence, bits[streams.places]


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
        data = masked if name == "digits masked" else column.data
        equal = rows.first_equals(data, column.offsets)
        if name == "words" and separator is not None:
            words = _words(column, separator)
            coded = [[vocabulary.get(word, TOKEN_NEW) for word in row] for row in words]
            lengths = np.array([len(row) for row in coded], np.int64)
            flat = np.array([code for row in coded for code in row], np.int32)
            offsets = np.append(0, np.cumsum(lengths))
            looks[name] = (_streams(flat, offsets, equal, TOKEN_END), TOKEN_ORDER)
        else:
            looks[name] = (_streams(data, column.offsets, equal, END), BYTE_ORDER)
    return looks


def _streams(flat: Ints, offsets: Ints, equal: Ints, end: int) -> Streams:
    """Different rows with their start and end symbols around them; `equal` from `first_equals`."""
    different = np.flatnonzero(equal == np.arange(equal.size))
    lengths = np.diff(offsets)[different] + 2
    places = np.append(0, np.cumsum(lengths))
    symbols = np.empty(int(places[-1]), np.int32)
    rows.frame(flat.astype(np.int32), offsets, different, np.array([START, end]), symbols)
    return Streams(symbols, places, np.searchsorted(different, equal))


def _words(column: Texts, separator: int) -> list[list[bytes]]:
    """Words of each row."""
    return [row.split(bytes([separator])) if row else [] for row in column.rows()]


def _separator(column: Texts) -> int | None:
    """The one byte between the words of most rows, if these are sequences of words that recur."""
    present = column if not column.classes.any() else column.take(column.classes == 0)
    if not len(present) or not present.data.size:
        return None
    counts = np.bincount(present.data, minlength=256)
    separator = max(SEPARATORS, key=lambda byte: counts[byte])
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
    """Quarter octave of each row's length."""
    lengths = np.diff(streams.offsets)[streams.places] - 1
    octaves = np.log2(np.maximum(lengths, 1))
    return np.asarray(np.floor(BINS_PER_OCTAVE * octaves), np.int64)

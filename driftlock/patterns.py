"""Patterns: many rows of one kind among the tested and few in the baseline are beyond doubt.

A row's own p-value is its rank among the baseline's rows, so that anomalies which are no stranger
than the strangest normal rows stay unseen, however many there are. Here rows are put into patterns
without looking at which side they come from, and how many rows of a pattern are tested ones is then
hypergeometric for exchangeable rows: an exact test of each pattern, whatever the patterns are.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import nearest as hashing
from driftlock._kernels import patterns as kernels
from driftlock.arrays import Encoded, Floats, Ints, Mask, Texts
from driftlock.cancellation import checkpoint
from driftlock.coders import RowCoder
from driftlock.coders.nearest import (
    LEAST_ROWS,
    MANY_ROWS,
    Features,
    chosen_rows,
    copies_apart,
    row_hashes,
    transposed,
)
from driftlock.significance import RowP, adjust
from driftlock.threads import in_ranges

ROWS_PER_CELL = (150, 50, 20)
MAX_CELLS = (50, 150, 400)
DIGITS, MASK = re.compile(rb"(?<!\S)[^\s\d]*\d\S*"), b"#"  # from a word's start: linear time
WORDS = re.compile(rb"[A-Za-z_\x80-\xff]+|#")
MIN_ODDS = 100.0  # a pattern counts if all its rows being tested ones would be that unlikely
MAX_DRAWS, CELL_BUDGET = 4, 1000  # small tables are cut into cells several times over
PREFIXES = (None, 16, 8, 4)
BAG_SIZE = 64
PATTERN_CONTROLS = ("fdr", "by", "storey")
LEVEL = 0.1  # share of alpha at which patterns are tested, so that both levels keep alpha together


@dataclass(frozen=True, eq=False)
class PatternTest:
    """For each of m tested rows the pattern that speaks most for it being an anomaly.

    Attributes
    ----------
    q : ndarray of float64, shape (m,)
        The smallest level at which that pattern makes the row an anomaly; 1 where none does.
    p : ndarray of float64, shape (m,)
        The exact p-value of that pattern.
    counts : ndarray of int64, shape (2, m)
        Its rows among the tested rows and in the baseline.
    """

    q: Floats
    p: Floats
    counts: Ints

    @classmethod
    def silent(cls, m: int) -> PatternTest:
        """No pattern speaks for any of m rows."""
        return cls(np.ones(m), np.ones(m), np.zeros((2, m), np.int64))


@dataclass(frozen=True, eq=False)
class Division:
    """One way of putting the rows of both sides into patterns, and each pattern's exact p-value.

    Attributes
    ----------
    labels : ndarray of int64, shape (n + m,)
        Pattern of each row, the baseline's first.
    tested, total : ndarray of int64
        Rows of each pattern among the tested ones, and in all.
    could : ndarray of bool
        Whether a pattern is large enough to be rejected if all its rows were tested ones. The
        others are not tested; this looks at totals alone, which say nothing of the sides.
    p : ndarray of float64
        p-value of each pattern; 1 for one that is not tested.
    """

    labels: Ints
    tested: Ints
    total: Ints
    could: Mask
    p: Floats

    @classmethod
    def of(cls, labels: Ints, n: int) -> Division:
        """Test every pattern of labels given to n baseline rows and then the tested ones."""
        m, size = labels.size - n, int(labels.max()) + 1
        total = np.bincount(labels, minlength=size)
        tested = np.bincount(labels[n:], minlength=size)
        could = total * np.log((n + m) / m) > np.log(MIN_ODDS)
        p = np.ones(size)
        p[could] = kernels.hypergeometric_tails(tested[could], total[could], m, n)
        return cls(labels, tested, total, could, p)

    def normal_share(self, n: int, *, chosen: bool) -> Floats:
        """Share of normal rows to be expected among the tested rows of each pattern.

        With `chosen`, the pattern is the best of several divisions and so its baseline rows are
        few partly by luck: they are taken as one standard deviation more.
        """
        m = self.labels.size - n
        untested = self.total - self.tested + 1.0
        if chosen:
            untested += np.sqrt(untested)
        return m * untested / ((n + 1) * np.maximum(self.tested, 1))  # type: ignore[no-any-return]

    def speak(self, best: PatternTest, q: Floats, n: int, *, chosen: bool) -> None:
        """Put each pattern that speaks more for a row than any before it into `best`.

        `q` are the adjusted p-values of the patterns that were tested.
        """
        mine = self.labels[n:]
        rejected = np.ones(self.p.size)
        rejected[self.could] = q / LEVEL
        share = self.normal_share(n, chosen=chosen)
        level = np.minimum(np.maximum(rejected, share), 1.0)[mine]
        better = np.flatnonzero(level < best.q)
        places = mine[better]
        best.q[better], best.p[better] = level[better], self.p[places]
        best.counts[0, better] = self.tested[places]
        best.counts[1, better] = self.total[places] - self.tested[places]


def find_patterns(
    codes: RowCoder, baseline: Sequence[Encoded], tested: Sequence[Encoded], control: str
) -> PatternTest:
    """Test every pattern of the rows of both sides.

    Parameters
    ----------
    codes : RowCoder
        Codes of the baseline, for the scales of its numbers.
    baseline, tested : sequence of columns
        The same fields of n baseline rows and m tested rows.
    control : {"fdr", "by", "storey"}
        How the patterns' p-values are adjusted.

    Returns
    -------
    PatternTest

    Notes
    -----
    A pattern with x of m tested and y of n baseline rows has p = P(Hypergeometric(n + m, x + y, m)
    >= x). A row is an anomaly at level a where a pattern of its is rejected at 0.1 a, and the share
    of normal rows to be expected in it, m (y + 1) / ((n + 1) x), is at most a; where the rows are
    divided several times, with one standard deviation of y + 1 added.
    """
    n, m = len(baseline[0]), len(tested[0])
    scales = [
        [Division.of(labels, n) for labels in scale] for scale in _scales(codes, baseline, tested)
    ]
    every = [division.p[division.could] for scale in scales for division in scale]
    q = iter(np.split(adjust(np.concatenate(every or [np.empty(0)]), control), _ends(every)))
    best = PatternTest.silent(m)
    for scale in scales:
        for division in scale:
            division.speak(best, next(q), n, chosen=len(scale) > 1)
    return best


def _ends(parts: list[Floats]) -> Ints:
    """Where each part of a concatenation ends, the last left out."""
    return np.cumsum([part.size for part in parts])[:-1]


@dataclass(frozen=True, eq=False)
class Decided:
    """p-values and q-values of rows, and which of them a pattern decides.

    Attributes
    ----------
    p, q : ndarray of float64, shape (m,)
    kinds : ndarray of str, shape (m,)
        "rank", "tail" or "pattern".
    counts : ndarray of int64, shape (2, m)
        Tested rows and baseline rows of the pattern that decides; 0 where none does.
    """

    p: Floats
    q: Floats
    kinds: NDArray[np.str_]
    counts: Ints


def decide(p: RowP, control: str, alpha: float, patterns: PatternTest | None = None) -> Decided:
    """Adjusted p-values of rows; a pattern that makes one an anomaly at alpha replaces its own."""
    q = adjust(p.values, control)
    if patterns is None:
        return Decided(p.values, q, p.kinds, np.zeros((2, q.size), np.int64))
    better = (patterns.q <= alpha) & (patterns.q < q)
    return Decided(
        np.where(better, patterns.p, p.values),
        np.where(better, patterns.q, q),
        np.where(better, "pattern", p.kinds),
        np.where(better, patterns.counts, 0),
    )


def _scales(
    codes: RowCoder, baseline: Sequence[Encoded], tested: Sequence[Encoded]
) -> list[list[Ints]]:
    """Every way in which rows are put into patterns, by scale: labels of all rows of both sides."""
    scales: list[list[Ints]] = []
    if codes.nearest is not None:
        left, right = (codes.features(columns) for columns in (baseline, tested))
        rows = np.concatenate([left[0], right[0]]), np.concatenate([left[1], right[1]])
        del left, right
        equal = np.unique(row_hashes(rows), return_inverse=True)[1].astype(np.int64)
        scales += [[equal], *_cells(rows)]
    for before, after in zip(baseline, tested, strict=True):
        checkpoint()
        if isinstance(before, Texts) and isinstance(after, Texts):
            texts = [DIGITS.sub(MASK, text) for text in (*before.rows(), *after.rows())]
            scales += _templates(texts)
            scales += _cells((_bags(texts), np.empty((len(texts), 0), np.uint8)))
    return scales


def _cells(rows: Features) -> list[list[Ints]]:
    """Rows around rows of either side, chosen by a hash of their content, at three scales.

    Small tables are divided several times over, around other rows each time.
    """
    total = rows[0].shape[0]
    order = np.argsort(copies_apart(row_hashes(rows)), kind="stable")
    sizes = [min(most, total // per) for per, most in zip(ROWS_PER_CELL, MAX_CELLS, strict=True)]
    sizes = sorted({size for size in sizes if size > 1})
    if not sizes:
        return []
    scales: list[list[Ints]] = [[] for _ in sizes]
    draws = 1 if total > MANY_ROWS else min(MAX_DRAWS, CELL_BUDGET // sizes[-1])
    for draw in range(max(1, draws)):
        centers = transposed(chosen_rows(rows, order[draw * sizes[-1] : (draw + 1) * sizes[-1]]))
        divided = _divided(rows, centers, np.array(sizes, np.int64))
        for scale, labels in zip(scales, divided, strict=True):
            scale.append(labels)
    return scales


def _divided(rows: Features, centers: Features, sizes: Ints) -> Ints:
    """The nearest of the first centers to every row, shape (S, n + m)."""
    labels = np.empty((sizes.size, rows[0].shape[0]), np.int64)

    def work(start: int, stop: int) -> None:
        part = (rows[0][start:stop], rows[1][start:stop])
        labels[:, start:stop] = kernels.cells(part, centers, sizes)

    in_ranges(work, 0, labels.shape[1], least=LEAST_ROWS)
    return labels


def _templates(texts: list[bytes]) -> list[list[Ints]]:
    """Texts equal once words with digits are masked: as a whole, and in their first words."""
    scales: list[list[Ints]] = []
    for length in PREFIXES:
        keys = texts if length is None else [b" ".join(text.split()[:length]) for text in texts]
        places = {key: place for place, key in enumerate(sorted(set(keys)))}
        scales.append([np.array([places[key] for key in keys], np.int64)])
    return scales


def _bags(texts: list[bytes]) -> NDArray[np.int16]:
    """Texts as roots of their word counts, hashed to 64 signed numbers, of length one."""
    places: dict[bytes, tuple[int, int]] = {}
    bags = np.zeros((len(texts), BAG_SIZE))
    for row, text in enumerate(texts):
        for word in WORDS.findall(text):
            if word not in places:
                hashed = zlib.crc32(word)
                places[word] = hashed % BAG_SIZE, 1 if hashed >> 16 & 1 else -1
            place, sign = places[word]
            bags[row, place] += sign
    bags = np.sign(bags) * np.sqrt(np.abs(bags))
    bags /= np.maximum(np.sqrt((bags * bags).sum(axis=1, keepdims=True)), 1e-9)
    return np.rint(bags * hashing.UNIT).astype(np.int16)

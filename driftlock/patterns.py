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
from driftlock.arrays import Column, Floats, Ints, Mask, Texts
from driftlock.coders import RowCoder
from driftlock.coders.nearest import FIXED, MISMATCH
from driftlock.significance import RowP, adjust

ROWS_PER_CELL = (150, 50, 20)
MAX_CELLS = (100, 300, 1000)
DIGITS, MASK = re.compile(rb"\S*\d\S*"), b"#"
WORDS = re.compile(rb"[A-Za-z_\x80-\xff]+|#")
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


def find_patterns(
    codes: RowCoder, baseline: Sequence[Column], tested: Sequence[Column], control: str
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
    >= x). A row is an anomaly at level a where its pattern is rejected at 0.1 a and the share of
    normal rows to be expected in it, m (y + 1) / ((n + 1) x), is at most a.
    """
    n, m = len(baseline[0]), len(tested[0])
    families = _families(codes, baseline, tested)
    best = PatternTest(np.ones(m), np.ones(m), np.zeros((2, m), np.int64))
    counted = [_counts(labels, n) for labels in families]
    worth = [_can_be_small(total, n, m) for total, _ in counted]
    p = [
        kernels.hypergeometric_tails(x[keep], total[keep], m, n)
        for (total, x), keep in zip(counted, worth, strict=True)
    ]
    q = adjust(np.concatenate(p), control) if p else np.empty(0)
    start = 0
    for labels, (total, x), keep, of_family in zip(families, counted, worth, p, strict=True):
        level = np.ones(total.size)
        y = total - x
        level[keep] = q[start : start + of_family.size] / LEVEL
        start += of_family.size
        level = np.maximum(level, m * (y + 1) / ((n + 1) * np.maximum(x, 1)))
        p_values = np.ones(total.size)
        p_values[keep] = of_family
        mine = labels[n:]
        better = level[mine] < best.q
        best.q[better] = level[mine][better]
        best.p[better] = p_values[mine][better]
        best.counts[:, better] = np.stack([x, y])[:, mine][:, better]
    return best


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


def decide(p: RowP, control: str, patterns: PatternTest | None = None) -> Decided:
    """Adjusted p-values of rows; a pattern that speaks more for an anomaly replaces the row's own."""
    q = adjust(p.values, control)
    if patterns is None:
        return Decided(p.values, q, p.kinds, np.zeros((2, q.size), np.int64))
    better = (patterns.q < q) & (patterns.q < 1.0)
    return Decided(
        np.where(better, patterns.p, p.values),
        np.where(better, patterns.q, q),
        np.where(better, "pattern", p.kinds),
        np.where(better, patterns.counts, 0),
    )


def _counts(labels: Ints, n: int) -> tuple[Ints, Ints]:
    """Rows of each pattern in all, and among the tested."""
    size = int(labels.max()) + 1
    return np.bincount(labels, minlength=size), np.bincount(labels[n:], minlength=size)


def _can_be_small(total: Ints, n: int, m: int) -> Mask:
    """Patterns large enough to be rejected at all if every row of theirs were a tested one."""
    return np.asarray((total > 1) & (total * np.log((n + m) / m) > np.log(100.0)), bool)


def _families(
    codes: RowCoder, baseline: Sequence[Column], tested: Sequence[Column]
) -> list[NDArray[np.int64]]:
    """Every way in which rows are put into patterns: a label for each row of both sides."""
    families = []
    if codes.nearest is not None:
        sides = [codes.features(columns, apart=True) for columns in (baseline, tested)]
        numbers, symbols = (np.concatenate(parts) for parts in zip(*sides, strict=True))
        families += _cells(numbers, symbols)
    for left, right in zip(baseline, tested, strict=True):
        if isinstance(left, Texts) and isinstance(right, Texts):
            texts = [DIGITS.sub(MASK, text) for text in (*left.rows(), *right.rows())]
            families += _templates(texts)
            families += _cells(_bags(texts), np.empty((len(texts), 0), np.int32))
    return families


def _cells(numbers: NDArray[np.float32], symbols: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Rows around rows of either side, chosen by their content, at three scales."""
    total = numbers.shape[0]
    sizes = [min(most, total // per) for per, most in zip(ROWS_PER_CELL, MAX_CELLS, strict=True)]
    sizes = sorted({size for size in sizes if size > 1})
    if not sizes:
        return []
    whole = np.rint(numbers.astype(float) * FIXED).astype(np.int64)
    order = np.argsort(hashing.content_hashes(whole, symbols), kind="stable")[: sizes[-1]]
    centers = (np.ascontiguousarray(numbers[order].T), np.ascontiguousarray(symbols[order].T))
    return list(kernels.cells((numbers, symbols), centers, np.array(sizes, np.int64), MISMATCH))


def _templates(texts: list[bytes]) -> list[NDArray[np.int64]]:
    """Texts equal once words with digits are masked: as a whole, and in their first words."""
    families = []
    for length in PREFIXES:
        keys = texts if length is None else [b" ".join(t.split()[:length]) for t in texts]
        places = {key: place for place, key in enumerate(sorted(set(keys)))}
        families.append(np.array([places[key] for key in keys], np.int64))
    return families


def _bags(texts: list[bytes]) -> NDArray[np.float32]:
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
    return np.ascontiguousarray(np.rint(bags * FIXED) / FIXED, dtype=np.float32)

"""Bits to evidence to one score a row: calibration of each part, the largest within a block, sums.

Code lengths, evidences and scores are whole millibits (1/1000 bit) inside: ties are then exact and
no sum depends on the order of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import evidence as kernels
from driftlock.arrays import Column, Ints, Mask
from driftlock.coders import AnyCoder, fit_coder

MILLI = 1000
TAIL_SHARE = 0.1
NARROWEST_TAIL = 1.0  # bits: the mean excess below which a baseline's tail is not trusted

Millibits = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Calibration:
    """How strange a code length is for its part: -log2 of its leave-one-out tail probability.

    Attributes
    ----------
    low : int
        Smallest baseline length in millibits, the first entry of the tables.
    own_table, new_table : ndarray of int32
        Evidence of a baseline row's and of a new row's length, up to the threshold.
    tail : tuple of float
        Threshold in millibits, evidence there, and evidence per millibit beyond.

    Notes
    -----
    With l the baseline's leave-one-out lengths, t their 90 % quantile, k of them above t, and w
    the mean excess of those, at least one bit::

        S(v) = -log2((#{l >= v} + 1 - d) / (n + 1 - d))              for v <= t
        S(v) = -log2((k + 1/2) / (n + 1)) + log2(e) * (v - t) / w    for v > t
    """

    low: int
    own_table: Millibits
    new_table: Millibits
    tail: tuple[float, float, float]

    @classmethod
    def learn(cls, lengths: Millibits) -> Calibration:
        """Calibrate on the baseline's own leave-one-out lengths, in millibits, shape (n,)."""
        n, low = lengths.size, int(lengths.min())
        counts = np.bincount(lengths - low)
        at_least = counts[::-1].cumsum()[::-1]
        position = int(np.searchsorted(counts.cumsum(), np.ceil((1 - TAIL_SHARE) * n)))
        threshold = low + position
        excesses = np.arange(counts.size - position) * counts[position:]
        beyond = int(counts[position + 1 :].sum())
        mean_excess = int(excesses.sum()) / max(beyond, 1)
        width = max(mean_excess, NARROWEST_TAIL * MILLI)
        at_threshold = -MILLI * np.log2((beyond + 0.5) / (n + 1))
        reached = at_least[: position + 1]
        return cls(
            low,
            _millibits(-np.log2(reached / n)),
            _millibits(-np.log2((reached + 1) / (n + 1))),
            (float(threshold), float(at_threshold), float(MILLI * np.log2(np.e) / width)),
        )

    def evidence(self, lengths: Millibits, *, own: bool) -> Millibits:
        """Evidence in millibits of each length in millibits."""
        table = self.own_table if own else self.new_table
        return kernels.evidence(lengths, table, self.low, self.tail)  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of n rows and F fields, in millibits.

    Attributes
    ----------
    total : ndarray of int32, shape (n,)
        Fused evidence of the row: the score.
    bits : ndarray of int32, shape (F, n)
        Code length of each field.
    evidence : ndarray of int32, shape (F, n)
        Largest calibrated evidence of each field.
    top : ndarray of intp, shape (n,)
        Field with the largest evidence; the first of them where they tie.
    """

    total: Millibits
    bits: Millibits
    evidence: Millibits
    top: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Model:
    """Coders and calibrations of every field of a baseline: block M, each field alone.

    Attributes
    ----------
    coders : tuple of coders, one per field
    calibrations : tuple of tuple of Calibration, one per part of each field
    block : Calibration
        Of the largest evidence of a row over all parts.
    baseline : Scores
        Leave-one-out scores of the baseline rows.
    """

    coders: tuple[AnyCoder, ...]
    calibrations: tuple[tuple[Calibration, ...], ...]
    block: Calibration
    baseline: Scores

    @classmethod
    def fit(cls, columns: Sequence[Column]) -> Model:
        """Learn every code and calibration from baseline columns of equal length."""
        coders = tuple(fit_coder(column) for column in columns)
        lengths = [
            _lengths(coder, column, own=True) for coder, column in zip(coders, columns, strict=True)
        ]
        calibrations = tuple(tuple(map(Calibration.learn, parts)) for parts in lengths)
        bits, evidence, top = _weigh(lengths, calibrations, own=True)
        largest = evidence.max(axis=0)
        block = Calibration.learn(largest)
        baseline = Scores(block.evidence(largest, own=True), bits, evidence, top)
        return cls(coders, calibrations, block, baseline)

    def score(self, columns: Sequence[Column]) -> Scores:
        """Scores of new rows, given as the same fields in the same order."""
        lengths = [
            _lengths(coder, column, own=False)
            for coder, column in zip(self.coders, columns, strict=True)
        ]
        bits, evidence, top = _weigh(lengths, self.calibrations, own=False)
        total = self.block.evidence(evidence.max(axis=0), own=False)
        return Scores(total, bits, evidence, top)


def merge_scores(own: Scores, new: Scores, is_own: Mask) -> Scores:
    """Scores of rows in one order, some of them baseline rows and the others new ones."""

    def merged(left: Ints, right: Ints) -> Ints:
        result = np.empty((*left.shape[:-1], is_own.size), left.dtype)
        result[..., is_own], result[..., ~is_own] = left, right
        return result

    return Scores(
        merged(own.total, new.total),  # type: ignore[arg-type]
        merged(own.bits, new.bits),  # type: ignore[arg-type]
        merged(own.evidence, new.evidence),  # type: ignore[arg-type]
        merged(own.top, new.top),  # type: ignore[arg-type]
    )


def _lengths(coder: AnyCoder, column: Column, *, own: bool) -> list[Millibits]:
    return [kernels.round_millibits(bits) for bits in coder.bits(column, own=own)]


def _weigh(
    lengths: list[list[Millibits]],
    calibrations: tuple[tuple[Calibration, ...], ...],
    *,
    own: bool,
) -> tuple[Millibits, Millibits, NDArray[np.intp]]:
    """Bits (summed over parts) and evidence (largest over parts) per field, and the leading field."""
    bits = np.stack([np.sum(parts, axis=0, dtype=np.int32) for parts in lengths])
    evidence = np.stack(
        [
            np.maximum.reduce(
                [curve.evidence(part, own=own) for curve, part in zip(curves, parts, strict=True)]
            )
            for curves, parts in zip(calibrations, lengths, strict=True)
        ]
    )
    return bits, evidence, evidence.argmax(axis=0)


def _millibits(bits: NDArray[np.float64]) -> Millibits:
    return np.rint(bits * MILLI).astype(np.int32)

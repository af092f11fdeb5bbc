"""Evidence to one score a row: the largest within a block, sums over blocks and over levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import evidence as kernels
from driftlock.arrays import Encoded, Ints, Mask
from driftlock.coders import FIELD_BLOCKS, NO_FIELD, ROW_BLOCKS, SUMS, Reading, RowCoder
from driftlock.evidence import NARROWEST, NARROWEST_OF_LENGTHS, Calibration, Millibits

WEIGHT_OF_SUMS = 2  # of what all fields say together, beside the strangest alone

ROWS_AT_ONCE = 2**14


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of n rows and F fields, in millibits.

    Attributes
    ----------
    total : ndarray of int32, shape (n,)
        The score: the sum of the levels.
    levels : ndarray of int32, shape (2, n)
        Calibrated evidence of the fields, and of the row as a whole.
    bits : ndarray of int32, shape (F, n)
        Code length of each field alone.
    evidence : ndarray of int32, shape (F, n)
        Largest calibrated evidence of each field.
    top : ndarray of intp, shape (n,)
        Field with the largest evidence; the first of them where they tie.
    """

    total: Millibits
    levels: Millibits
    bits: Millibits
    evidence: Millibits
    top: NDArray[np.intp]

    def take(self, rows: Mask) -> Scores:
        """The scores of some rows."""
        if rows.all():
            return self
        return Scores(
            self.total[rows],
            self.levels[:, rows],
            self.bits[:, rows],
            self.evidence[:, rows],
            self.top[rows],
        )

    def empty(self, n: int) -> Scores:
        """Room for the scores of n rows of the same fields."""
        return Scores(*(np.empty((*part.shape[:-1], n), part.dtype) for part in self._parts()))

    def put(self, rows: slice, scores: Scores) -> None:
        """Write the scores of some rows into their places."""
        for mine, theirs in zip(self._parts(), scores._parts(), strict=True):
            mine[..., rows] = theirs

    def _parts(self) -> tuple[Ints, ...]:
        return self.total, self.levels, self.bits, self.evidence, self.top


@dataclass(frozen=True, eq=False)
class Level:
    """Blocks that are one kind of evidence: their calibrated maxima are added and calibrated again.

    Attributes
    ----------
    blocks : dict of str to Calibration
        Of the largest evidence of each block.
    total : Calibration
        Of the sum over the blocks.
    """

    blocks: dict[str, Calibration]
    total: Calibration

    @classmethod
    def learn(cls, largest: dict[str, Millibits]) -> Level:
        """Calibrate on the baseline's own largest evidence of each block."""
        blocks = {name: Calibration.learn(values) for name, values in largest.items()}
        return cls(blocks, Calibration.learn(_added(blocks, largest, own=True)))

    def evidence(self, largest: dict[str, Millibits], *, own: bool) -> Millibits:
        """Evidence of the level, in millibits."""
        return self.total.evidence(_added(self.blocks, largest, own=own), own=own)


@dataclass(frozen=True, eq=False)
class Model:
    """Codes and calibrations of a baseline.

    Attributes
    ----------
    codes : RowCoder
        Every code of a row.
    calibrations : dict of str to list of Calibration
        One for each figure of each block.
    levels : tuple of Level
        Of what is told field by field, and of what is told of the row as a whole, if anything is.
    baseline : Scores
        Leave-one-out scores of the baseline rows.
    """

    codes: RowCoder
    calibrations: dict[str, list[Calibration]]
    levels: tuple[Level, ...]
    baseline: Scores

    @classmethod
    def fit(cls, columns: Sequence[Encoded]) -> Model:
        """Learn every code and calibration from baseline columns of equal length."""
        codes = RowCoder.fit(columns)
        reading = codes.read(columns, own=True, keep=kernels.round_millibits)
        calibrations = {
            name: [Calibration.learn(lengths, _narrowest(name)) for _, lengths in parts]
            for name, parts in reading.blocks.items()
        }
        largest, evidence = _largest(reading, calibrations, own=True)
        grouped = [_chosen(largest, names) for names in (FIELD_BLOCKS, ROW_BLOCKS)]
        levels = tuple(Level.learn(group) for group in grouped if group)
        baseline = _scores(levels, largest, evidence, reading.bits, own=True)
        return cls(codes, calibrations, levels, baseline)

    def score(self, columns: Sequence[Encoded]) -> Scores:
        """Scores of new rows, given as the same fields in the same order.

        They are read a stretch at a time: what is in between takes more memory than they do.
        """
        n = len(columns[0])
        if n <= ROWS_AT_ONCE:
            return self._score(columns)
        scores: Scores | None = None
        for start in range(0, n, ROWS_AT_ONCE):
            rows = slice(start, min(start + ROWS_AT_ONCE, n))
            part = self._score([column.take(rows) for column in columns])
            scores = scores or part.empty(n)
            scores.put(rows, part)
        assert scores is not None
        return scores

    def _score(self, columns: Sequence[Encoded]) -> Scores:
        reading = self.codes.read(columns, own=False, keep=kernels.round_millibits)
        largest, evidence = _largest(reading, self.calibrations, own=False)
        return _scores(self.levels, largest, evidence, reading.bits, own=False)


def merge_scores(own: Scores, new: Scores, is_own: Mask) -> Scores:
    """Scores of rows in one order, some of them baseline rows and the others new ones."""

    def merged(left: Ints, right: Ints) -> Ints:
        result = np.empty((*left.shape[:-1], is_own.size), left.dtype)
        result[..., is_own], result[..., ~is_own] = left, right
        return result

    return Scores(
        merged(own.total, new.total),  # type: ignore[arg-type]
        merged(own.levels, new.levels),  # type: ignore[arg-type]
        merged(own.bits, new.bits),  # type: ignore[arg-type]
        merged(own.evidence, new.evidence),  # type: ignore[arg-type]
        merged(own.top, new.top),  # type: ignore[arg-type]
    )


def _narrowest(block: str) -> float:
    return NARROWEST_OF_LENGTHS if block in FIELD_BLOCKS else NARROWEST


def _largest(
    reading: Reading, calibrations: dict[str, list[Calibration]], *, own: bool
) -> tuple[dict[str, Millibits], Millibits]:
    """Largest evidence of each block, shape (n,) each, and of each field, shape (F, n)."""
    n = reading.bits[0].size
    by_field = np.zeros((len(reading.bits), n), np.int32)
    by_block = {}
    for name, curves in calibrations.items():  # fewer than were read, of a file of format 1
        by_block[name] = np.zeros(n, np.int32)
        for (field, lengths), curve in zip(reading.blocks[name], curves, strict=True):
            found = curve.evidence(lengths, own=own)
            np.maximum(by_block[name], found, out=by_block[name])
            if field != NO_FIELD:
                np.maximum(by_field[field], found, out=by_field[field])
    return by_block, by_field


def _scores(
    levels: tuple[Level, ...],
    largest: dict[str, Millibits],
    evidence: Millibits,
    bits: list[Millibits],
    *,
    own: bool,
) -> Scores:
    found = np.zeros((2, evidence.shape[1]), np.int32)
    for place, level in enumerate(levels):
        found[place] = level.evidence(_chosen(largest, tuple(level.blocks)), own=own)
    total = found.sum(axis=0, dtype=np.int32)
    return Scores(total, found, np.stack(bits), evidence, _first_largest(evidence))


def _first_largest(evidence: Millibits) -> NDArray[np.intp]:
    """What argmax over fields gives, a field after the other, which is several times as fast."""
    largest, place = evidence[0].copy(), np.zeros(evidence.shape[1], np.intp)
    for field in range(1, len(evidence)):
        place[evidence[field] > largest] = field
        np.maximum(largest, evidence[field], out=largest)
    return place


def _chosen(largest: dict[str, Millibits], names: tuple[str, ...]) -> dict[str, Millibits]:
    return {name: largest[name] for name in names if name in largest}


def _added(
    blocks: dict[str, Calibration], largest: dict[str, Millibits], *, own: bool
) -> Millibits:
    total = np.zeros(next(iter(largest.values())).size, np.int32)
    for name, curve in blocks.items():
        weight = WEIGHT_OF_SUMS if name in SUMS else 1
        total += weight * curve.evidence(largest[name], own=own)
    return total

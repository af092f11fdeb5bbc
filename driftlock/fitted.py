"""Everything that a fit decides: what a detector holds, and what is saved of it."""

from __future__ import annotations

from dataclasses import dataclass

from driftlock.arrays import Encoded, Ints
from driftlock.baseline import Overlap
from driftlock.calibration import Calibrated
from driftlock.fields import Schema


@dataclass(frozen=True, eq=False)
class Fitted:
    """A baseline as it was learned.

    Attributes
    ----------
    schema : Schema
    calibrated : Calibrated
    columns : list of columns
        Of the rows that are part of the baseline.
    dropped : ndarray of int
        Positions of the rows that are not.
    calibration : str
        The calibration in force.
    overlap : Overlap
    seed : int
        Of the split and of the folds.
    """

    schema: Schema
    calibrated: Calibrated
    columns: list[Encoded]
    dropped: Ints
    calibration: str
    overlap: Overlap
    seed: int

    @property
    def null(self) -> tuple[Ints, Ints]:
        """Scores and bits of the rows that calibrate, in millibits."""
        chosen = self.calibrated.scores.take(self.calibrated.calibrates)
        return chosen.total, chosen.bits.sum(axis=0)

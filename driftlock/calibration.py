"""How the baseline's own scores are made, so that a new row may be ranked among them.

``loo``: every row by a model of all the others, exactly and at once; only what is learned as
structure (scales, parents, regression) has seen the row. ``split``: one half by a model of the
other; exact, at the price of half the rows twice. ``cross``: every tenth by a model of the other
nine, and new rows by a model of all; for baselines with few rows for their many fields, where the
regression of numbers, or the choice of parents among many categories, fits its own rows too well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftlock.arrays import Encoded, Ints, Mask, Numbers, Symbols
from driftlock.scoring import Model, Scores, merge_scores

CALIBRATIONS = ("auto", "loo", "split", "cross")
FOLDS = {"split": 2, "cross": 10}
ROWS_PER_NUMBER = 8
MANY_CATEGORIES, ROWS_PER_CATEGORY = 16, 40


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A model and what its baseline's scores are ranks among.

    Attributes
    ----------
    model : Model
    scores : Scores
        Of every baseline row, each by a model that did not count it.
    calibrates : ndarray of bool, shape (n,)
        Rows whose scores are the null distribution.
    """

    model: Model
    scores: Scores
    calibrates: Mask


def choose(calibration: str, columns: Sequence[Encoded], kept: Mask) -> str:
    """The calibration in force: "auto" is "cross" where fields are many for the rows."""
    if calibration != "auto":
        return calibration
    numbers, categories = (
        sum(isinstance(column, sort) for column in columns) for sort in (Numbers, Symbols)
    )
    least = ROWS_PER_NUMBER * numbers
    if categories >= MANY_CATEGORIES:
        least = max(least, ROWS_PER_CATEGORY * categories)
    return "cross" if int(kept.sum()) < least else "loo"


def calibrate(columns: Sequence[Encoded], kept: Mask, folds: Ints | None) -> Calibrated:
    """Fit the kept rows and score every row of the baseline.

    Parameters
    ----------
    columns : sequence of columns of n rows
    kept : ndarray of bool, shape (n,)
        Rows that are part of the baseline; the others are scored as new ones.
    folds : ndarray of int, shape (n,), or None
        None for leave-one-out, two folds for a split, more for cross-fitting.
    """
    n_folds = 0 if folds is None else int(folds.max()) + 1
    if folds is not None and n_folds > FOLDS["split"]:
        whole = _fitted(columns, kept)
        scores = whole.scores
        for fold in range(n_folds):
            others = kept & (folds != fold)
            scores = _replaced(scores, _fitted(columns, others).scores, kept & (folds == fold))
        return Calibrated(whole.model, scores, kept)
    fits = kept if folds is None else kept & (folds == 0)
    fitted = _fitted(columns, fits)
    return Calibrated(fitted.model, fitted.scores, kept if folds is None else kept & ~fits)


def _fitted(columns: Sequence[Encoded], rows: Mask) -> Calibrated:
    """A model of some rows; these scored each without itself, the others as new rows."""
    model = Model.fit([column.take(rows) for column in columns])
    if rows.all():
        return Calibrated(model, model.baseline, rows)
    others = model.score([column.take(~rows) for column in columns])
    return Calibrated(model, merge_scores(model.baseline, others, rows), rows)


def _replaced(scores: Scores, by: Scores, rows: Mask) -> Scores:
    """Scores with those of some rows taken from elsewhere."""
    return merge_scores(by.take(rows), scores.take(~rows), rows)


def balanced_folds(keys: Ints, n_folds: int) -> Ints:
    """Folds of equal size by the rank of each row's key."""
    folds = np.empty(keys.size, np.int64)
    folds[np.argsort(keys, kind="stable")] = np.arange(keys.size) % n_folds
    return folds

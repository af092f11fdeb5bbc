"""Which rows are the baseline: taken from a call, cleaned, halved, recognised if they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Encoded, Ints, Mask
from driftlock.calibration import balanced_folds
from driftlock.errors import InputError, OptionError, listed, warn
from driftlock.fields import to_frame
from driftlock.fields.hashes import content_hashes, scrambled, unordered_hashes
from driftlock.scoring import Model, merge_scores
from driftlock.significance import adjust, censored_row_p

EXPECTED = "expected a number of rows, a boolean mask, a table, a fitted Detector or None"
CLEAN_TAIL, CLEAN_CENSORED, CLEAN_LEVEL, CLEAN_ROUNDS = 0.175, 0.07, 0.1, 4
WITNESSES = 200


def split_baseline(events: pd.DataFrame, baseline: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Baseline rows and tested rows of one call.

    Parameters
    ----------
    events : DataFrame
        All rows.
    baseline : int, boolean mask or table
        The first rows, the rows where it is true, or other rows.

    Raises
    ------
    InputError
        If the mask does not fit or leaves no row to test, or there are too few rows.
    OptionError
        If `baseline` is something else.
    """
    if isinstance(baseline, (bool, np.bool_, float, np.floating, str, bytes)):
        raise OptionError(f"baseline={baseline!r} is not possible; {EXPECTED}")
    if isinstance(baseline, Integral):
        return _split_at(events, int(baseline))
    mask = _as_mask(baseline)
    if mask is None:
        return to_frame(baseline, "baseline"), events
    if isinstance(baseline, pd.Series) and not baseline.index.equals(events.index):
        raise InputError("the baseline mask has another index than events; align them first")
    if mask.size != len(events):
        raise InputError(
            f"the baseline mask has {mask.size:,} entries, but events {len(events):,} rows"
        )
    if mask.all():
        raise InputError("the baseline mask is true everywhere, so that no row is left to test")
    return events[mask], events[~mask]


def _split_at(events: pd.DataFrame, count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    if count < 1:
        raise OptionError(f"baseline={count} is no number of rows; {EXPECTED}")
    if len(events) <= count:
        raise InputError(
            f"baseline={count:,} needs more rows than the {len(events):,} of events, so that some "
            "are left to test"
        )
    return events.iloc[:count], events.iloc[count:]


def _as_mask(baseline: Any) -> Mask | None:
    """One-dimensional booleans; None for a table."""
    if hasattr(type(baseline), "columns"):
        return None
    values = np.asarray(baseline)
    if values.dtype == object:
        inferred = pd.api.types.infer_dtype(values.ravel(), skipna=True)
        if inferred == "boolean" and pd.isna(values).any():
            raise InputError("the baseline mask has missing entries; fill them with True or False")
        values = values.astype(bool) if inferred == "boolean" else values
    if values.dtype == bool and values.ndim == 1:
        return values
    if isinstance(baseline, (list, np.ndarray)) and (values.ndim == 2 or _are_records(baseline)):
        return None
    if isinstance(baseline, pd.Series):
        return None
    what = (
        f"a sequence of {values.dtype} values"
        if values.ndim
        else f"of type {type(baseline).__name__}"
    )
    raise OptionError(f"baseline is {what}; {EXPECTED}")


def _are_records(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def clean_rows(columns: Sequence[Encoded]) -> Mask:
    """Which baseline rows to keep: those that a censored tail does not reject.

    Every round all rows are scored by the kept ones, each without itself, and rejected by
    Benjamini-Hochberg; rows dropped before are scored anew and may come back.
    """
    n = len(columns[0])
    kept = np.ones(n, bool)
    for _ in range(CLEAN_ROUNDS):
        model = Model.fit([column.take(kept) for column in columns])
        scores = model.baseline
        if not kept.all():
            others = model.score([column.take(~kept) for column in columns])
            scores = merge_scores(scores, others, kept)
        both = scores.total, scores.bits.sum(axis=0)
        p = censored_row_p(both, both, tail=CLEAN_TAIL, censored=CLEAN_CENSORED)
        still = adjust(p, "fdr") > CLEAN_LEVEL
        if (still == kept).all():
            break
        kept = still
    return kept


def folds_of(columns: Sequence[pd.Series[Any]], n_folds: int, seed: int) -> Ints:
    """Random folds of equal size, chosen by the content of rows and a seed, not by their place.

    Equal rows are told apart by a running number, so that which of them is where does not matter
    and the folds are those of a random division.
    """
    hashes = unordered_hashes(columns, f"{seed % 16**16:016x}")
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    copies = np.arange(len(ordered)) - np.repeat(starts, np.diff(np.append(starts, len(ordered))))
    keys = np.empty(len(ordered), np.uint64)
    keys[order] = scrambled(ordered ^ scrambled(copies.astype(np.uint64)))
    return balanced_folds(keys, n_folds)


@dataclass(frozen=True, eq=False)
class Overlap:
    """A few rows of the baseline, by label and content, to recognise if they are tested."""

    labels: pd.Index[Any]
    hashes: NDArray[np.uint64]

    @classmethod
    def nothing(cls, frame: pd.DataFrame) -> Overlap:
        """Remember no row."""
        return cls(frame.index[:0], np.empty(0, np.uint64))

    @classmethod
    def remember(cls, frame: pd.DataFrame, flat: dict[str, pd.Series[Any]]) -> Overlap:
        """Remember evenly spaced rows; none where labels are not unique."""
        if not frame.index.is_unique:
            return cls.nothing(frame)
        places = np.unique(np.linspace(0, len(frame) - 1, WITNESSES).astype(int))
        hashes, first, counts = np.unique(
            _hashes(flat, places), return_index=True, return_counts=True
        )
        places = places[first[counts == 1]]  # a row that is often there returns by chance
        return cls(frame.index[places], hashes[counts == 1])

    def warn_if_in(self, frame: pd.DataFrame, flat: dict[str, pd.Series[Any]]) -> None:
        """Warn if most rows with a remembered label are the remembered rows."""
        if not len(self.labels) or not frame.index.is_unique:
            return
        try:
            places = frame.index.get_indexer(self.labels)
        except pd.errors.InvalidIndexError:  # overlapping intervals name no single row
            return
        common = places >= 0
        if not common.any():
            return
        same = _hashes(flat, places[common]) == self.hashes[common]
        if 2 * same.sum() > common.sum():
            labels = frame.index[np.sort(places[common][same])].tolist()
            warn(
                f"events hold rows that also stand in the baseline (labels {listed(labels, 4)}): "
                "their own copy makes them look normal; leave them out, or pass one table with "
                "baseline= a count or a mask",
                stacklevel=4,
            )


def _hashes(flat: dict[str, pd.Series[Any]], places: NDArray[np.int64]) -> NDArray[np.uint64]:
    return content_hashes([values.iloc[places] for values in flat.values()], "0" * 16)

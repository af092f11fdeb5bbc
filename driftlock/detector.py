"""The orchestrator: a baseline in, a detector out; events in, p-values and decisions out."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Floats
from driftlock.baseline import Overlap, clean_rows, folds_of
from driftlock.calibration import FOLDS, calibrate, choose
from driftlock.errors import (
    InputError,
    OptionError,
    warn,
)
from driftlock.estimator import Estimator
from driftlock.evidence import MILLI
from driftlock.fields import Schema, to_frame
from driftlock.fitted import Fitted
from driftlock.patterns import PATTERN_CONTROLS, Decided, decide, find_patterns
from driftlock.plan import Plan
from driftlock.results import Detection, Null
from driftlock.scoring import Scores
from driftlock.significance import (
    RowP,
    censored_row_p,
    row_p,
    shows_tail,
)
from driftlock.store import read_detector, write_detector
from driftlock.warm import ensure

MIN_BASELINE = 20
UNKNOWN_TAIL, UNKNOWN_CENSORED = 0.20, 0.05


class Detector(Estimator):
    """A baseline learned: scores, p-values and decisions for any rows with the same columns.

    Follows scikit-learn's contract (`get_params`, `set_params`, `clone`) with PyOD's orientation:
    larger scores are stranger, `predict` gives 1 for an anomaly.

    Parameters
    ----------
    alpha : float, default 0.05
        Level of the control: the expected share of false flags for "fdr".
    control : {"fdr", "fpr", "fwer", "by", "storey"}, default "fdr"
        Benjamini-Hochberg, none (each row at level alpha), Holm, Benjamini-Yekutieli, or Storey.
    tail : bool, default True
        Whether a row beyond every baseline row may get a p-value below 1 / (n + 1) from the
        exponential tail of the baseline's scores, and whether patterns are tested.
    calibration : {"auto", "loo", "split", "cross"}, default "auto"
        How the baseline's own scores are made: each row against all others ("loo"), one half
        against the other ("split": exact, less power), or each tenth against the other nine
        ("cross"). "auto" is "cross" where the baseline has fewer than eight rows for each number
        field, or has sixteen category fields or more and fewer than forty rows for each, else
        "loo".
    fields : mapping of str to str, optional
        Kinds that override what the values say: category, number, time, text or id (an id is
        left out).
    entity : str or list of str, optional
        The field, or fields together, that say whose row it is: a customer, an account, a device.
        Every row is then also coded given the baseline rows of its own entity, backing off to
        everyone's; never given other tested rows.
    clean : bool, default False
        Whether to look for anomalies in the baseline first and leave them out.
    rng : None, int or numpy.random.Generator
        Seed of the split and of the folds; None is 0, so that the same call gives the same answer.

    Attributes
    ----------
    decision_scores_ : ndarray of float64, shape (n,)
        Scores of the baseline rows in bits, each without itself.
    threshold_ : float
        Largest score whose rank p-value exceeds alpha; `predict` flags what is above.
    schema_ : DataFrame
        Every field: kind, whether it is coded, and the reason.
    calibration_ : str
        The calibration in force.
    dropped_ : ndarray of int
        Positions of the baseline rows that `clean` left out.
    feature_names_in_ : ndarray of str
        Columns of the baseline.
    n_features_in_ : int
        Their number.
    seed_ : int
        Seed of the split and of the folds.

    Examples
    --------
    >>> import driftlock as dl
    >>> normal, odd = dl.datasets.load("normal").events, dl.datasets.load("anomalous").events
    >>> detector = dl.Detector(alpha=0.05).fit(normal)
    >>> int(detector.predict(odd).sum()) > 80
    True
    """

    def __init__(
        self,
        *,
        alpha: float = 0.05,
        control: str = "fdr",
        tail: bool = True,
        calibration: str = "auto",
        fields: Mapping[str, str] | None = None,
        entity: str | Sequence[str] | None = None,
        clean: bool = False,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.alpha = alpha
        self.control = control
        self.tail = tail
        self.calibration = calibration
        self.fields = fields
        self.entity = entity
        self.clean = clean
        self.rng = rng

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002, N803  (scikit-learn's names)
        """Learn the code and the null distribution of a baseline.

        Parameters
        ----------
        X : DataFrame, or polars or pyarrow table
            Normal rows, 20 at least.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        Detector
            This one.

        Raises
        ------
        InputError
            If there are too few rows, colliding names or no field that can be coded.
        OptionError
            If an option has a value that makes no sense.
        """
        return self._learn(X, may_return=True)

    def _learn(self, baseline: Any, *, may_return: bool) -> Self:
        """Fit; `may_return` says whether its rows may stand among those that are tested."""
        seed = self._check_options()
        ensure("detect")
        frame = to_frame(baseline, "baseline")
        if len(frame) < MIN_BASELINE:
            raise InputError(
                f"the baseline has {len(frame)} rows; at least {MIN_BASELINE} are needed"
            )
        schema, flat, columns = Schema.encoded(frame, self.fields, self.entity)
        kept = clean_rows(columns) if self.clean else np.ones(len(frame), bool)
        calibration = choose(self.calibration, columns, kept)
        folds = None
        if calibration in FOLDS:
            folds = np.full(len(frame), -1)
            folds[kept] = folds_of([v[kept] for v in flat.values()], FOLDS[calibration], seed)
        fitted = Fitted(
            schema,
            calibrate(columns, kept, folds),
            [column.take(kept) for column in columns],
            np.flatnonzero(~kept),
            calibration,
            Overlap.remember(frame, flat) if may_return else Overlap.nothing(frame),
            seed,
        )
        return self._take(fitted)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted detector to a file, from which `load` makes the same one.

        A file of that name is replaced in one step: whatever fails, it is the old one or the new
        one. Nothing in it is code, and the format is documented.

        Parameters
        ----------
        path : str or path
            Any name; ``.npz`` is the usual ending.

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        FileError
            If the file cannot be written, or something of the detector has no place in one: a
            time zone without a name, an option of a type of its own.

        Notes
        -----
        An `rng` that is neither None nor a whole number is saved as the seed that it gave,
        `seed_`. Row labels that a file cannot hold (intervals, periods, objects) are left out
        with a warning, and tested rows that also stand in the baseline are then not noticed.

        Examples
        --------
        >>> import tempfile
        >>> import driftlock as dl
        >>> mixed = dl.datasets.load("mixed").events
        >>> detector = dl.Detector(alpha=0.1).fit(mixed[:400])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     detector.save(f"{folder}/mixed.npz")
        ...     dl.Detector.load(f"{folder}/mixed.npz")
        Detector(alpha=0.1)
        """
        write_detector(path, self.get_params(), self._state)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a detector that `save` wrote: every result is, to the bit, that of the saved one.

        Parameters
        ----------
        path : str or path
            The file. It is checked whole before anything is made of it, and no code in it is run.
            Its hashes tell of damage, not of intent: load what comes from where you trust.

        Returns
        -------
        Detector
            Fitted, with the options that it had.

        Raises
        ------
        FileError
            If the file cannot be read, is no saved detector, is damaged, or is of a newer format.
        """
        options, fitted = read_detector(path, inspect.signature(cls).parameters)
        ensure("detect")
        return cls(**options)._take(fitted)  # noqa: SLF001  (one of its own)

    def decision_function(self, X: Any) -> Floats:  # noqa: N803
        """Score of each row, without a decision.

        Parameters
        ----------
        X : DataFrame, or polars or pyarrow table
            Rows with the baseline's columns.

        Returns
        -------
        ndarray of float64, shape (m,)
            Scores in bits; larger is stranger.
        """
        state = self._state
        columns = state.schema.encode(state.schema.flatten(to_frame(X)))
        return state.calibrated.model.score(columns).total / MILLI

    def predict(self, X: Any) -> NDArray[np.int64]:  # noqa: N803
        """Decide on each row alone, whatever others are tested with it.

        Parameters
        ----------
        X : DataFrame, or polars or pyarrow table
            Rows with the baseline's columns.

        Returns
        -------
        ndarray of int64, shape (m,)
            1 where the score is above `threshold_`, else 0: a level of alpha for each row.
        """
        if np.isinf(self.threshold_):
            needed = int(np.ceil(1 / self.alpha)) - 1
            warn(
                f"no row can be flagged at alpha={self.alpha:g} with this baseline; it takes "
                f"{needed:,} rows that calibrate",
                stacklevel=2,
            )
        return (self.decision_function(X) > self.threshold_).astype(np.int64)

    def detect(self, events: Any) -> Detection:
        """Scores, p-values, decisions and explanations of rows with the baseline's columns.

        Parameters
        ----------
        events : DataFrame, or polars or pyarrow table
            Rows to test; none of them should stand in the baseline.

        Returns
        -------
        Detection

        Raises
        ------
        NotFittedError
            If `fit` was not called.
        InputError
            If the columns are not those of the baseline.
        """
        self._check_options()
        frame = to_frame(events)
        state = self._state
        flat = state.schema.flatten(frame)
        columns = state.schema.encode(flat)
        patterns = None
        if self.tail and self.control in PATTERN_CONTROLS:
            codes = state.calibrated.model.codes
            patterns = find_patterns(codes, state.columns, columns, self.control)
        scores = state.calibrated.model.score(columns)
        del columns  # of a million rows they are much memory
        state.overlap.warn_if_in(frame, flat)
        p = row_p(state.null, (scores.total, scores.bits.sum(axis=0)), tail=self.tail)
        is_exact = state.calibration == "split" and not self.tail and not self.clean
        guarantee = "exact" if is_exact else "calibrated"
        return self._detection(
            frame, scores, decide(p, self.control, self.alpha, patterns), guarantee
        )

    def detect_baseline(self, frame: pd.DataFrame) -> Detection:
        """Judge the very rows of the last fit, each against all others, with the tail censored.

        This is `driftlock.detect` without a baseline: a ranking with flags, and no guarantee.

        Parameters
        ----------
        frame : DataFrame
            The frame that was fitted.

        Returns
        -------
        Detection
            With the guarantee "none".
        """
        state = self._state
        scores = state.calibrated.scores
        both = scores.total, scores.bits.sum(axis=0)
        if not self.tail:
            raise OptionError("tail=False leaves nothing to judge by where no baseline is known")
        p = censored_row_p(state.null, both, tail=UNKNOWN_TAIL, censored=UNKNOWN_CENSORED)
        if (p == 1).all():
            warn(
                f"{len(frame):,} rows without a baseline have no tail to judge by, too few or "
                "too much alike as they are; the scores rank them, and no row can be flagged",
                stacklevel=3,
            )
        kinds = np.full(len(frame), "tail", dtype="<U7")
        decided = decide(RowP(p, kinds), self.control, self.alpha)
        return self._detection(frame, scores, decided, "none")

    def plan(self, m: int) -> Plan:
        """What a test can find, told before it.

        Parameters
        ----------
        m : int
            How many rows are to be tested together.

        Returns
        -------
        Plan
            The smallest p-value, and how many anomalies it takes.
        """
        if isinstance(m, bool) or not isinstance(m, Integral) or m < 1:
            raise OptionError(f"m={m!r} is no number of rows; expected a whole number from 1 on")
        n = int(self._state.calibrated.calibrates.sum())
        return Plan.of(
            n,
            int(m),
            alpha=self.alpha,
            control=self.control,
            tail=self.tail,
            shows_tail=shows_tail(self._state.null),
        )

    def _detection(
        self, frame: pd.DataFrame, scores: Scores, decided: Decided, guarantee: str
    ) -> Detection:
        state = self._state
        null = Null(
            state.null[0],
            state.calibrated.scores.take(state.calibrated.calibrates).bits.mean(axis=1) / MILLI,
            self.threshold_,
        )
        return Detection(
            frame,
            scores,
            decided,
            null,
            state.schema,
            replace(self.plan(len(frame)), knows_normal=guarantee != "none"),
            state.calibration,
            guarantee,
        )

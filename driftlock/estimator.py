"""What a detector is beside what it does: its options, scikit-learn's contract, what it learned."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd

from driftlock.arrays import Floats, Ints
from driftlock.calibration import CALIBRATIONS
from driftlock.errors import NotFittedError, OptionError, check_choice
from driftlock.evidence import MILLI
from driftlock.fitted import Fitted
from driftlock.significance import CONTROLS, score_threshold


class Estimator:
    """Options by name, checked in one place, and attributes of a fit that end in an underscore.

    `driftlock.Detector` says what each option is.
    """

    alpha: float
    control: str
    tail: bool
    calibration: str
    fields: Mapping[str, str] | None
    entity: str | Sequence[str] | None
    clean: bool
    rng: int | np.random.Generator | None

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """The options, by name.

        Parameters
        ----------
        deep : bool, default True
            For scikit-learn's sake; there is nothing below.

        Returns
        -------
        dict of str to object
            As they were given.
        """
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Set options by name: alpha, control and tail count at once, the others from `fit` on.

        Parameters
        ----------
        **params
            Options of the constructor.

        Returns
        -------
        Detector
            This one.

        Raises
        ------
        OptionError
            If there is no option of a name.
        """
        for name, value in params.items():
            check_choice("option", name, self.get_params())
            setattr(self, name, value)
        return self

    @property
    def decision_scores_(self) -> Floats:
        """Scores of the baseline rows in bits, shape (n,)."""
        return self._state.calibrated.scores.total / MILLI

    @property
    def threshold_(self) -> float:
        """Largest score in bits whose rank p-value exceeds alpha."""
        self._check_options()
        return score_threshold(self._state.null[0], self.alpha) / MILLI

    @property
    def schema_(self) -> pd.DataFrame:
        """Every field: kind, whether it is coded, and the reason."""
        return self._state.schema.table()

    @property
    def calibration_(self) -> str:
        """The calibration in force."""
        return self._state.calibration

    @property
    def dropped_(self) -> Ints:
        """Positions of the baseline rows that `clean` left out."""
        return self._state.dropped

    @property
    def seed_(self) -> int:
        """Seed of the split."""
        return self._state.seed

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self)).parameters
        changed = ", ".join(
            f"{name}={value!r}"
            for name, value in self.get_params().items()
            if repr(value) != repr(defaults[name].default)
        )
        return f"Detector({changed})"

    @property
    def _state(self) -> Fitted:
        try:
            return self.__dict__["_fitted"]  # type: ignore[no-any-return]
        except KeyError:
            raise NotFittedError(
                "this Detector is not fitted yet; call fit(baseline) first"
            ) from None

    def __sklearn_is_fitted__(self) -> bool:
        return "_fitted" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        base = importlib.import_module("sklearn.base")  # only scikit-learn itself asks for this
        return base.BaseEstimator().__sklearn_tags__()

    def _take(self, fitted: Fitted) -> Self:
        """Become a detector that was fitted so."""
        self._fitted = fitted
        self.feature_names_in_ = np.array(fitted.schema.columns, dtype=object)
        self.n_features_in_ = len(self.feature_names_in_)
        return self

    def _check_options(self) -> int:
        """Validate every option; the seed of the split."""
        alpha = self.alpha
        if isinstance(alpha, bool) or not isinstance(alpha, Real) or not 0 < alpha < 1:
            raise OptionError(f"alpha={alpha!r} is no level; expected a number between 0 and 1")
        check_choice("control", self.control, CONTROLS)
        check_choice("calibration", self.calibration, CALIBRATIONS)
        check_choice("tail", self.tail, (True, False))
        check_choice("clean", self.clean, (True, False))
        try:
            return int(np.random.default_rng(0 if self.rng is None else self.rng).integers(2**63))
        except (TypeError, ValueError) as error:
            raise OptionError(
                f"rng={self.rng!r} is no seed; expected None, an int or a Generator"
            ) from error

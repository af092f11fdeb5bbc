"""``frame.driftlock``: the same functions as pandas methods; each forwards and keeps nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd

from driftlock.one_call import detect
from driftlock.results import Detection


@pd.api.extensions.register_dataframe_accessor("driftlock")
class DriftlockAccessor:
    """Methods of driftlock on a pandas frame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def detect(self, *, baseline: Any = None, **options: Any) -> Detection:
        """`driftlock.detect` of this frame.

        Parameters
        ----------
        baseline : int, boolean mask, DataFrame, fitted Detector or None
            What is known to be normal; see `driftlock.detect`.
        **options
            Those of `driftlock.Detector`.

        Returns
        -------
        Detection

        Examples
        --------
        >>> import driftlock as dl
        >>> events = dl.datasets.load("mixed").events
        >>> len(events.driftlock.detect(baseline=400))
        600
        """
        return detect(self._frame, baseline=baseline, **options)

"""Detection in one call: what is normal and what is to be tested, told together."""

from __future__ import annotations

import inspect
from typing import Any

from driftlock.baseline import split_baseline
from driftlock.detector import MIN_BASELINE, Detector
from driftlock.errors import InputError, OptionError, check_choice
from driftlock.fields import to_frame
from driftlock.results import Detection


def detect(events: Any, *, baseline: Any = None, **options: Any) -> Detection:
    """Find the rows of a table that cost more bits to write down than the baseline makes likely.

    Parameters
    ----------
    events : DataFrame, or polars or pyarrow table
        Rows to test, of any mix of strings, numbers, times, nested records and missing values.
    baseline : int, boolean mask, DataFrame, fitted Detector or None
        What is known to be normal: the first rows of `events`, those where a mask is true, another
        table with the same columns, or a detector fitted before. Rows of `events` that serve as
        baseline are not tested. With None every row is compared with all others: a ranking with
        flags, good for up to about 2 % of anomalies, and no guarantee.
    **options
        Those of `Detector`: alpha, control, tail, calibration, fields, entity, clean, rng.

    Returns
    -------
    Detection
        Score, bits, p-value, decision and top field of every tested row.

    Raises
    ------
    InputError
        If a table has no rows, too few baseline rows, colliding names, or other columns than the
        baseline.
    OptionError
        If an option is not known or has a value that makes no sense.

    Examples
    --------
    >>> import driftlock as dl
    >>> mixed = dl.datasets.load("mixed").events
    >>> found = dl.detect(mixed, baseline=400)
    >>> len(found), bool(found.table["p_value"].min() > 0)
    (600, True)
    """
    if isinstance(baseline, Detector):
        if options:
            raise OptionError(
                f"a fitted Detector has its own options; drop {', '.join(options)} from the call"
            )
        return baseline.detect(events)
    known = inspect.signature(Detector).parameters
    for name in options:
        check_choice("option", name, known)
    detector = Detector(**options)
    frame = to_frame(events)
    if baseline is None:
        if len(frame) < MIN_BASELINE:
            raise InputError(
                f"events has {len(frame)} rows; at least {MIN_BASELINE} are needed to compare each "
                "with all others"
            )
        alone = detector._learn(frame, may_return=False)  # noqa: SLF001
        return alone.detect_baseline(frame)
    normal, tested = split_baseline(frame, baseline)
    # rows of one table with labels of their own stand on one side only
    is_apart = tested is not frame and frame.index.is_unique
    return detector._learn(normal, may_return=not is_apart).detect(tested)  # noqa: SLF001

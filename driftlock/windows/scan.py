"""scan: every window of a stream against its baseline."""

from __future__ import annotations

import inspect
from datetime import timedelta
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from driftlock.baseline import split_baseline
from driftlock.coders.codec import CODECS, get_codec
from driftlock.errors import InputError, OptionError, check_choice, listed, warn
from driftlock.fields import to_frame
from driftlock.lines import row_lines
from driftlock.significance import adjust
from driftlock.warm import ensure
from driftlock.windows.heat import field_heat
from driftlock.windows.nulls import choose_null, warn_of_short_window, without
from driftlock.windows.options import (
    MIN_BASELINE,
    ScanOptions,
    check_count,
    check_sizes,
)
from driftlock.windows.permuted import stacked
from driftlock.windows.scan_results import Scan, ScanPlan
from driftlock.windows.scan_run import (
    ScanJob,
    scan_by_codec,
    scan_by_counts,
    scan_by_pools,
)
from driftlock.windows.spans import Spans, by_groups, by_rows, by_time, duration, instants_of
from driftlock.windows.table import WindowTable, encode
from driftlock.windows.text import TextRows, text_lines

FEW_ROWS = 20
LENGTHS = (str, timedelta, np.timedelta64)  # of time, a Timedelta among them


def scan(
    events: Any,
    *,
    baseline: Any = 400,
    window: int | str = 50,
    hop: int | str | None = None,
    trailing: bool = False,
    guard: int = 0,
    **options: Any,
) -> Scan:
    """Slide a window over a stream and test each place of it against the baseline.

    Parameters
    ----------
    events : DataFrame, or polars or pyarrow table
        Rows in the order of time.
    baseline : int, boolean mask or DataFrame, default 400
        What is known to be normal, as in `detect`; 20 rows at least.
    window : int or str, default 50
        Rows of a window, or a length of time such as "1h". Not used with ``groups``.
    hop : int or str, optional
        From the start of one window to that of the next; by default windows do not overlap.
    trailing : bool, default False
        Whether each window is held against the rows before it, as many as `baseline` says, instead
        of against the same baseline.
    guard : int, default 0
        Rows between a trailing baseline and its window: what has just begun does not teach it.
    **options
        ``coder="fields"`` ("text" or a codec as in `compare`), ``n_permutations=999``,
        ``max_permutations=1_000_000``, ``null="auto"``, ``groups`` (a window for each value of that
        column), ``alpha=0.05``, ``control="fdr"``, ``time`` (column of the times), ``fields``
        (kinds that override what values say), ``rng``, ``tell`` (called with the plan before the
        scan runs).

    Returns
    -------
    Scan

    Raises
    ------
    InputError
        If no window fits, or times are missing, unreadable, unsorted or of mixed zones.
    OptionError
        If an option is not known or not possible.

    Notes
    -----
    Bits of rows are leave-one-out among all rows of the call (of text, among the window and its
    baseline), NCD and entropy are of each window and its baseline alone. A window whose verdict has
    fewer than 10 draws as extreme gets ten times as many of the same stream, up to as many as it
    would take to flag one window alone, and at most `max_permutations`: the rule of Besag and
    Clifford in stages. Whether a window is flagged plays no part in it. With ``coder="text"`` or a
    codec no window has more than `n_permutations` draws. Overlapping windows depend on each other:
    that Benjamini-Hochberg keeps its level for them is known from simulation; ``control="by"``
    keeps it for any dependence. ``null="auto"`` leaves out the hours of times that the rows are in
    the order of, unless ``fields`` names them: every window differs in them.

    References
    ----------
    Besag and Clifford, "Sequential Monte Carlo p-values", Biometrika 78(2), 1991.

    Examples
    --------
    >>> import driftlock as dl
    >>> events = dl.datasets.make_transactions(1_000, anomaly_rate=0, seed=1).events
    >>> found = dl.scan(events, baseline=400, window=100, null="rows", control="fpr", rng=1)
    >>> len(found), found.plan.first_draws
    (6, 999)
    """
    for name in options:
        check_choice("option", name, inspect.signature(ScanOptions).parameters)
    chosen = ScanOptions(**options)
    frame = to_frame(events)
    _check_trailing(baseline, chosen, trailing=trailing, guard=guard)
    normal, tested = split_baseline(frame, baseline)
    check_sizes(len(normal), 2, MIN_BASELINE)
    ensure("windows")
    groups = chosen.groups
    _check_group_column(groups, normal, tested)
    frames = [without(normal, groups), without(tested, groups)]
    table = encode(frames, len(normal), chosen.fields, chosen.leave_clocks)
    after = check_count("guard", guard, 0) if trailing else None
    spans = _spans(tested, table, (window, hop), after, chosen)
    usual = int(np.median(spans.sizes[1]))
    null = choose_null(chosen.null, groups is not None, table, spans.rows(0)[0], usual)
    labels = [] if groups is None else [normal[groups], tested[groups]]
    job = ScanJob(table, spans, null, chosen, chosen.seed(), labels)
    plan = _tell(job)
    codec = get_codec(chosen.coder) if chosen.coder in CODECS else None
    if codec:
        lines = row_lines(frames[0]) + row_lines(frames[1])
        found = scan_by_codec(job, lines, codec)
    elif chosen.coder == "text":
        text = TextRows.of(text_lines(stacked(frames), table.schema))
        found = scan_by_pools(job, text)
    elif null.name == "groups":
        found = scan_by_pools(job, table)
    else:
        found = scan_by_counts(job)
    heat = field_heat(job)
    return Scan(
        _table(job, found, heat),
        heat,
        plan,
        null,
        spans.left_out,
        is_ordered=groups is None,
        fallback_from=codec.fallback_from if codec else None,
    )


def _check_trailing(baseline: Any, options: ScanOptions, *, trailing: bool, guard: Any) -> None:
    check_choice("trailing", trailing, (True, False))
    if not trailing and guard != 0:
        raise OptionError(
            f"guard={guard!r} needs trailing=True: a frozen baseline learns nothing new"
        )
    if trailing and (not isinstance(baseline, Integral) or options.groups is not None):
        raise OptionError("trailing=True needs a baseline that is a number of rows, and no groups")


def _check_group_column(groups: str | None, normal: pd.DataFrame, tested: pd.DataFrame) -> None:
    for frame in (normal, tested) if groups is not None else ():
        if groups not in frame.columns:
            raise InputError(
                f"groups={groups!r} is no column; there are {listed(map(str, frame.columns))}"
            )


def _spans(
    tested: pd.DataFrame,
    table: WindowTable,
    sizes: tuple[Any, Any],
    guard: int | None,
    options: ScanOptions,
) -> Spans:
    """The windows, by groups, by rows or by time."""
    n = len(table.codes) - len(tested)
    window, hop = sizes
    if options.groups is not None:
        if hop is not None:
            raise OptionError(f"hop={hop!r} is for windows of rows or of time; groups are windows")
        return by_groups(n, tested[options.groups])
    in_time = isinstance(window, LENGTHS)
    if hop is not None and isinstance(hop, LENGTHS) != in_time:
        sort = "a length of time" if in_time else "a number of rows"
        raise OptionError(f"hop={hop!r} does not go with window={window!r}; expected {sort} too")
    if not in_time:
        return by_rows(n, tested, window, hop, guard)
    width = duration("window", window)
    step = width if hop is None else duration("hop", hop)
    instants, zone = instants_of(tested, table.schema, options.time)
    return by_time(n, instants, width, step, guard, zone=zone)


def _tell(job: ScanJob) -> ScanPlan:
    """The plan, told before the run; warnings of what it shows to be in vain."""
    first, most = job.draws
    rows = job.spans.sizes[1]
    options = job.options
    plan = ScanPlan.of(
        (len(job.spans), int(rows.min()), int(rows.max())),
        (first, most),
        (options.alpha, options.control),
        job.null,
    )
    if options.tell is not None:
        options.tell(plan)
    if not plan.one_suffices and plan.windows_needed is None:
        plain = f"no window can be flagged: no p-value can be below {plan.smallest_p:.3g}"
        told = "" if options.tell is not None else f"\n{plan!r}"  # once is enough
        warn(plain + told, stacklevel=3)
    if rows.min() < FEW_ROWS:
        warn(
            f"the smallest window has {rows.min()} rows: too few to show any but blatant "
            "differences; from 50 on claims are safe",
            stacklevel=3,
        )
    warn_of_short_window(job.null, int(rows.min()), stacklevel=4)
    return plan


def _table(job: ScanJob, found: pd.DataFrame, heat: pd.DataFrame) -> pd.DataFrame:
    """A row per window, decisions and leading fields added."""
    spans, options = job.spans, job.options
    q = adjust(found["p_value"].to_numpy(), options.control)
    head = pd.DataFrame(
        {"start": spans.starts, "end": spans.ends, "rows": spans.sizes[1]}, index=spans.labels
    )
    tail = pd.DataFrame(
        {
            "q_value": q,
            "is_anomaly": q <= options.alpha,
            "draws": found["draws"].to_numpy(),
            "top_field": heat.columns.to_numpy(dtype=object)[heat.to_numpy().argmax(axis=1)],
        },
        index=spans.labels,
    )
    middle = found.drop(columns="draws").set_axis(spans.labels)
    return pd.concat([head, middle, tail], axis=1)

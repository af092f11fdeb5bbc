"""Which rows make which window, and which baseline each is held against."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Ints
from driftlock.errors import InputError, OptionError, listed
from driftlock.fields import Schema
from driftlock.fields.table import simplify
from driftlock.fields.times import times
from driftlock.windows.options import check_count

MAX_WINDOWS = 5_000_000
LEAST_ROWS = 2


@dataclass(frozen=True, eq=False)
class Spans:
    """W windows of rows; row numbers count the baseline's n rows first, then the tested ones.

    Attributes
    ----------
    baseline, window : ndarray of int64
        Row numbers that the bounds point into.
    bounds : ndarray of int64, shape (W, 4)
        Window w is window[b2:b3] against baseline[b0:b1].
    labels : Index
        Name of each window: its number, or its group.
    starts, ends : list
        What is shown as the first and last of it: row labels or times.
    left_out : DataFrame
        Windows with fewer than two rows: their label and rows.
    """

    baseline: Ints
    window: Ints
    bounds: NDArray[np.int64]
    labels: pd.Index[Any]
    starts: list[Any]
    ends: list[Any]
    left_out: pd.DataFrame

    def __len__(self) -> int:
        return len(self.bounds)

    @property
    def sizes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of each baseline and of each window."""
        return self.bounds[:, 1] - self.bounds[:, 0], self.bounds[:, 3] - self.bounds[:, 2]

    @property
    def arrays(self) -> tuple[Ints, Ints, NDArray[np.int64]]:
        """What kernels take."""
        return self.baseline, self.window, self.bounds

    def rows(self, w: int) -> tuple[Ints, Ints]:
        """Row numbers of baseline and window w."""
        b0, b1, b2, b3 = self.bounds[w]
        return self.baseline[b0:b1], self.window[b2:b3]


def by_rows(n: int, tested: pd.DataFrame, window: Any, hop: Any, guard: int | None) -> Spans:
    """Windows of `window` rows, `hop` rows apart; with a guard, each after its own n rows.

    Raises
    ------
    InputError
        If a window is longer than the tested rows.
    OptionError
        If window or hop is no number of rows.
    """
    width = check_count("window", window, LEAST_ROWS)
    step = width if hop is None else check_count("hop", hop)
    first = guard or 0
    left = max(len(tested) - first, 0)
    if width > left:
        raise InputError(f"window={width:,} is longer than the {left:,} rows that are left to test")
    starts = np.arange(first, len(tested) - width + 1, step)
    window_bounds = np.column_stack([starts, starts + width])
    labels = tested.index
    return _spans(
        n,
        len(tested),
        window_bounds,
        guard,
        labels=pd.RangeIndex(len(starts), name="window"),
        starts=labels[starts].tolist(),
        ends=labels[starts + width - 1].tolist(),
    )


def by_time(
    n: int, instants: Ints, width: int, step: int, guard: int | None, *, zone: Any = None
) -> Spans:
    """Windows of `width` microseconds, `step` apart, over sorted instants of the tested rows.

    The first begins with the first row; with a guard, with the first row after it. Instants with a
    zone are in UTC; starts and ends are shown in the zone.

    Raises
    ------
    InputError
        If a window is longer than the time that the rows span, or a guard leaves none.
    OptionError
        If the hop makes too many windows.
    """
    left = instants[guard or 0 :]
    if not left.size:
        raise InputError(f"guard={guard:,} leaves none of the {len(instants):,} rows to test")
    begin, end = int(left[0]), int(left[-1])
    # the last window is there in full up to where another row could be
    if end > begin and width > end - begin + int(np.diff(left).max()):
        window, span = (pd.Timedelta(us, "us") for us in (width, end - begin))
        raise InputError(f"window={window} is longer than the {span} of the rows left to test")
    count = (end - begin) // step + 1
    if count > MAX_WINDOWS:
        raise OptionError(f"a hop of {step:,} us makes {count:,} windows; take a longer one")
    edges = begin + step * np.arange(count)
    # a baseline that trails needs all its rows, also where several share the first instant
    starts = np.maximum(np.searchsorted(instants, edges), guard or 0)
    bounds = np.column_stack([starts, np.searchsorted(instants, edges + width)])
    begins, stops = (pd.to_datetime(us, unit="us") for us in (edges, edges + width))
    if zone is not None:
        begins, stops = (at.tz_localize("UTC").tz_convert(zone) for at in (begins, stops))
    return _spans(
        n,
        len(instants),
        bounds,
        guard,
        labels=pd.RangeIndex(count, name="window"),
        starts=list(begins),
        ends=list(stops),
    )


def by_groups(n: int, labels: pd.Series[Any]) -> Spans:
    """A window for each group of the tested rows, in the order in which they appear."""
    codes, uniques = pd.factorize(labels, use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(uniques) + 1))
    spans = _spans(
        n,
        len(labels),
        np.column_stack([edges[:-1], edges[1:]]),
        None,
        labels=pd.Index(uniques, name=labels.name),
        starts=[labels.index[order[e]] for e in edges[:-1]],
        ends=[labels.index[order[e - 1]] for e in edges[1:]],
    )
    return Spans(**(vars(spans) | {"window": n + order.astype(np.int64)}))


def _spans(
    n: int,
    m: int,
    windows: NDArray[np.int64],
    guard: int | None,
    *,
    labels: pd.Index[Any],
    starts: list[Any],
    ends: list[Any],
) -> Spans:
    """Spans with the windows of fewer than two rows left out, and listed."""
    rows = windows[:, 1] - windows[:, 0]
    kept = np.flatnonzero(rows >= LEAST_ROWS)
    short = np.flatnonzero(rows < LEAST_ROWS)
    if not kept.size:
        raise InputError("no window has two rows or more; take longer windows or larger groups")
    windows = windows[kept]
    baselines = np.column_stack([np.zeros(kept.size, np.int64), np.full(kept.size, n)])
    if guard is not None:  # the window's first row is row n + windows[:, 0] of all
        baselines += windows[:, :1] - guard
    pick = [starts[i] for i in kept], [ends[i] for i in kept]
    left_out = pd.DataFrame({"rows": rows[short]}, index=labels[short])
    return Spans(
        np.arange(n + m, dtype=np.int64),
        n + np.arange(m, dtype=np.int64),
        np.ascontiguousarray(np.column_stack([baselines, windows]), np.int64),
        labels[kept],
        *pick,
        left_out,
    )


def duration(name: str, value: Any) -> int:
    """A positive length of time in microseconds."""
    try:
        length = pd.Timedelta(value)
    except (ValueError, TypeError) as error:
        raise OptionError(
            f'{name}={value!r} is no length of time; expected one like "1h", "30min" or "1D"'
        ) from error
    if not length > pd.Timedelta(0):  # NaT among them
        raise OptionError(f"{name}={value!r} is no length of time above zero")
    # a bare number would be nanoseconds
    is_bare = isinstance(value, (int, float)) or str(value).strip().isdigit()
    if is_bare or length < pd.Timedelta(1, "us"):
        raise OptionError(
            f'{name}={value!r} is no length of time from a microsecond on; expected one like "1h"'
        )
    return int(length / pd.Timedelta(1, "us"))


def instants_of(tested: pd.DataFrame, schema: Schema, time: Hashable | None) -> tuple[Ints, Any]:
    """Sorted instants of the tested rows in microseconds, and their zone or None.

    With a zone they are in UTC, and UTC is the zone of texts with offsets.

    Parameters
    ----------
    tested : DataFrame
    schema : Schema
        Of the baseline; its only time field is taken where `time` is None and the index has none.
    time : str or None
        Column of the times.

    Raises
    ------
    InputError
        If there is no such column, or its times are missing, unreadable, out of order, or some with
        a zone and some without.
    """
    if time is None and isinstance(tested.index, pd.DatetimeIndex):
        name, values, unit = "the index", tested.index.to_series(), None
    else:
        name = repr(chosen := _time_column(tested, schema, time))
        decision = schema.decisions.get(chosen)
        values, unit = simplify(tested[chosen]), decision.unit if decision else None
    parsed = times(values, unit=unit)
    if not parsed.readable.all():
        place = int(np.flatnonzero(~parsed.readable)[0])
        raise InputError(
            f"{name} has no readable time in row {tested.index[place]!r}; time windows need all"
        )
    if parsed.aware is not None and parsed.aware.any() and not parsed.aware.all():
        raise InputError(f"{name} has times with a zone and times without; make them alike first")
    back = np.flatnonzero(np.diff(parsed.values) < 0)
    if back.size:
        raise InputError(
            f"{name} is not sorted: row {tested.index[int(back[0]) + 1]!r} is before the row "
            "above; sort the events by time first"
        )
    is_aware = parsed.aware is not None and parsed.aware.all()
    return parsed.values, getattr(values.dtype, "tz", None) or ("UTC" if is_aware else None)


def _time_column(tested: pd.DataFrame, schema: Schema, time: Hashable | None) -> str:
    if time is not None:
        if time not in tested.columns:
            raise InputError(
                f"time={time!r} is no column; there are {listed(map(str, tested.columns))}"
            )
        return str(time)
    found = [name for name, d in schema.decisions.items() if d.kind == "time" and name in tested]
    if len(found) != 1:
        which = f"the times {listed(found)}" if found else "no time column"
        raise InputError(f'events have {which}; time windows need one: time="column"')
    return found[0]

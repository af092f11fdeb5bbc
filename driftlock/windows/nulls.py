"""Which null fits the data: rows, circular shifts or whole groups, and why."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftlock._kernels.scan import RANK
from driftlock.arrays import Ints
from driftlock.errors import InputError, listed, warn
from driftlock.permutation import Order, autocorrelation, repetition
from driftlock.windows.stretches import ALL, patchiness
from driftlock.windows.table import WindowTable

BITS_SIGMAS, PART_SIGMAS = 3.0, 4.0
INDEPENDENT_ROWS = 10.0  # what a window should hold for shifts to keep the level


@dataclass(frozen=True)
class NullChoice:
    """The null in force and what it rests on.

    Attributes
    ----------
    name : {"rows", "shift", "groups"}
    reason : str
    field : str
        Where the baseline shows most order: a field, or the bits of all fields together.
    lag : int
        From 1 to 5, where it shows most; 0 where stretches show it.
    autocorrelation : float
        At that lag; of symbols, how much more often than by chance they repeat; of stretches, what
        their chi-square is beyond the usual, as a share of that.
    sigmas, limit : float
        Standard errors that this is from 0, and those beyond which "auto" takes shifts.
    left_out : tuple of str
        Times that "auto" left out, since the rows are in their order.
    stretch : int
        Rows of a stretch, where stretches show the order.
    """

    name: str
    reason: str
    field: str
    lag: int
    autocorrelation: float
    sigmas: float
    limit: float
    left_out: tuple[str, ...] = ()
    stretch: int = 0

    @property
    def is_ordered(self) -> bool:
        """Whether the baseline shows order."""
        return self.sigmas > self.limit

    def __repr__(self) -> str:
        order = f"autocorrelation of {self.field} {self.autocorrelation:+.3f} at lag {self.lag}, "
        if self.stretch:
            order = f"stretches of {self.stretch} rows differ in {self.field}, "
        return (
            f"{self.name} ({self.reason}; {order}{self.sigmas:.1f} standard errors, "
            f"limit {self.limit:g}{self._without()})"
        )

    def _without(self) -> str:
        if not self.left_out:
            return ""
        are = "is" if len(self.left_out) == 1 else "are"
        return f"; {', '.join(self.left_out)} {are} left out: rows are in the order of time"


def choose_null(
    asked: str, has_groups: bool, table: WindowTable, rows: Ints, window: int
) -> NullChoice:
    """The null for baseline rows of a table, in order, and windows of so many rows.

    "auto" takes whole groups where they are given; else shifts where, at any lag from 1 to 5, the
    autocorrelation of the rows' bits is above 3 / sqrt(n), or that of the bits or of a single field
    (ranks of numbers, symbols that repeat) is beyond 4 standard errors to either side; else rows.
    Row permutation on ordered data rejects true nulls: about half of them at an autoregression of
    0.6, nearly all at 0.9. Where bits alternate a little, it rejects too few.

    Where times are left out, other fields may still follow the hour: there stretches of the
    baseline as long as a window must not differ by more than 4 standard errors either, in a field
    or in all together.
    """
    of_bits = autocorrelation(table.row_bits[rows])
    orders = [(ALL, of_bits, BITS_SIGMAS if of_bits.value > 0 else PART_SIGMAS)]
    for codes, sort, place in zip(table.codes[rows].T, table.sorts, table.field_of, strict=True):
        order = autocorrelation(codes) if sort == RANK else repetition(codes)
        orders.append((table.names[place], order, PART_SIGMAS))
    stretch = 0
    if table.clocks:
        patchy = patchiness(table, rows, window)
        stretch = patchy.rows
        orders.append((patchy.field, Order(0, patchy.excess, patchy.sigmas), PART_SIGMAS))
    field, order, limit = max(
        orders, key=lambda found: (found[1].sigmas > found[2], found[1].sigmas)
    )
    if asked != "auto":
        name, reason = asked, "as asked"
    elif has_groups:
        name, reason = "groups", "groups are given"
    elif order.sigmas > limit:
        name, reason = "shift", "the baseline has an order"
    else:
        name, reason = "rows", "the baseline shows no order"
    shown = order.lag, order.value, order.sigmas, limit
    return NullChoice(name, reason, field, *shown, table.clocks, 0 if order.lag else stretch)


def warn_of_short_window(choice: NullChoice, m: int, stacklevel: int = 3) -> None:
    """Warn where a window of m rows holds too few independent ones for shifts to keep the level.

    Bits are about squares of what is autocorrelated, and decay twice as fast.
    """
    if choice.name != "shift" or not choice.is_ordered or choice.lag != 1:
        return
    phi = min(max(choice.autocorrelation, 0.0), 0.9999) ** (0.5 if choice.field == ALL else 1.0)
    if m * (1 - phi) < INDEPENDENT_ROWS:
        warn(
            f"rows are so like those before them ({choice.field}) that a window of {m} holds about "
            f"{m * (1 - phi):.1f} independent ones; below {INDEPENDENT_ROWS:g} shifts reject too "
            f"often: take windows of {int(np.ceil(INDEPENDENT_ROWS / (1 - phi))):,} rows or more",
            stacklevel=stacklevel,
        )


def group_labels(baseline: pd.DataFrame, window: pd.DataFrame, column: str) -> Ints:
    """Group number of each row, the baseline's groups before the window's.

    Raises
    ------
    InputError
        If there is no such column, or a group stands on both sides.
    """
    labels = []
    for frame in (baseline, window):
        if column not in frame.columns:
            raise InputError(
                f"groups={column!r} is no column; there are {listed(map(str, frame.columns))}"
            )
        labels.append(frame[column].astype(object).where(frame[column].notna(), None))
    codes, uniques = pd.factorize(pd.concat(labels, ignore_index=True), use_na_sentinel=False)
    n = len(baseline)
    both = np.intersect1d(codes[:n], codes[n:])
    if both.size:
        raise InputError(
            f"the group(s) {listed(uniques[both])} of {column!r} stand in the baseline and in the "
            "window; the null of whole groups needs each on one side"
        )
    return codes.astype(np.int64)


def without(frame: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """The frame without the column that only says who belongs together."""
    return frame if column is None else frame.drop(columns=column)

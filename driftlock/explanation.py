"""Why one row is strange: a table of its fields, printable."""

from __future__ import annotations

import html
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from driftlock.fields import shortened
from driftlock.fields.values import spelt

USUAL = 120  # characters of what is usual, of a text with an example
MOST_FIELDS = 20  # that are printed


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why one row is strange.

    Attributes
    ----------
    label : hashable
        Index label of the row.
    table : DataFrame
        A row per field, the largest evidence first: value, bits, expected_bits (mean over the
        baseline), evidence (calibrated, in bits) and the baseline's usual values.
    verdict : Series
        The row of `Detection.table`.
    notes : tuple of str
        What the score is the sum of; of what kind the row is, if that decides; whose row it is.
    """

    label: Hashable
    table: pd.DataFrame
    verdict: pd.Series[Any]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines = [self._headline(), *(f"  {note}" for note in self.notes)]
        rest = filter(None, [self._unprinted()])
        return "\n".join([*lines, self._printable().to_string(max_colwidth=48), *rest])

    def _repr_html_(self) -> str:
        notes = "".join(f"<br>{html.escape(note)}" for note in self.notes)
        head = f"<p><b>{html.escape(self._headline())}</b>{notes}</p>"
        shown = self._printable()
        rest = f"<p>{html.escape(self._unprinted())}</p>" if self._unprinted() else ""
        shown = shown.assign(usual=[shortened(u, USUAL) for u in shown["usual"]])
        return head + shown.to_html() + rest

    def _printable(self) -> pd.DataFrame:
        """The first of the table as texts: rounded, long values cut."""
        table = self.table.head(MOST_FIELDS)
        bits = table[["bits", "expected_bits", "evidence"]].map("{:.2f}".format)
        return table.assign(**bits, value=[shortened(spelt(v)) for v in table["value"]])

    def _unprinted(self) -> str:
        """How many fields are not printed, and where they are; nothing where all of them are."""
        rest = self.table["evidence"].iloc[MOST_FIELDS:]
        if not len(rest):
            return ""
        each = "" if len(rest) == 1 else "each "
        return f"{len(rest):,} more in .table, {each}of {rest.iloc[0]:.2f} bits of evidence or less"

    def _headline(self) -> str:
        row = self.verdict
        decision = "anomaly" if row["is_anomaly"] else "not flagged"
        return (
            f"Row {self.label!r}: {decision}, score {row['score']:.2f} bits, "
            f"p = {row['p_value']:.3g} ({row['p_kind']}), q = {row['q_value']:.3g}; "
            f"code length {row['bits']:.2f} bits"
        )

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
        return "\n".join([*lines, self._printable().to_string(max_colwidth=48)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<br>{html.escape(note)}" for note in self.notes)
        head = f"<p><b>{html.escape(self._headline())}</b>{notes}</p>"
        shown = self._printable()
        return head + shown.assign(usual=[shortened(u, USUAL) for u in shown["usual"]]).to_html()

    def _printable(self) -> pd.DataFrame:
        """The table as texts: rounded, long values cut."""
        bits = self.table[["bits", "expected_bits", "evidence"]].map("{:.2f}".format)
        return self.table.assign(**bits, value=[shortened(spelt(v)) for v in self.table["value"]])

    def _headline(self) -> str:
        row = self.verdict
        decision = "anomaly" if row["is_anomaly"] else "not flagged"
        return (
            f"Row {self.label!r}: {decision}, score {row['score']:.2f} bits, "
            f"p = {row['p_value']:.3g} ({row['p_kind']}), q = {row['q_value']:.3g}; "
            f"code length {row['bits']:.2f} bits"
        )

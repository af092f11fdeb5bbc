"""Reasons in a few words: the fields that make a row strange, the row's value beside what is usual.

`Detection.explain` has every field of one row as a table; this is for many rows at once, for those
who print or send them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from driftlock.arrays import Ints
from driftlock.evidence import MILLI
from driftlock.fields.values import spelt
from driftlock.results import Detection

NOTABLE = 5.0  # bits of evidence from which a field is a reason: one baseline row in 32
MOST = 3


@dataclass(frozen=True)
class Reason:
    """What one field says of a row.

    Attributes
    ----------
    field : str
    value : object
        As it stands in the row.
    usual : str
        What is usual in the baseline.
    bits, expected_bits, evidence : float
        Code length, its mean over the baseline, and calibrated evidence.
    """

    field: str
    value: Any
    usual: str
    bits: float
    expected_bits: float
    evidence: float

    def __str__(self) -> str:
        return f"{brief(self.field)}: {brief(self.value)} (usual: {brief(self.usual, 90)})"


def reasons_of(found: Detection, places: Ints, most: int | None = None) -> list[tuple[Reason, ...]]:
    """What the fields say of some rows, the largest evidence first.

    Parameters
    ----------
    found : Detection
        The result.
    places : ndarray of int, shape (k,)
        Places of the rows among the tested ones, from 0.
    most : int, optional
        Fields for each row at most; all by default.

    Returns
    -------
    list of tuple of Reason
        For each place, in the order of `Detection.explain`.
    """
    fields = found.fitted.fields
    if not places.size:
        return []
    flat = found.fitted.flatten(found.events.iloc[places])
    values = [
        flat[field.name].tolist() if field.name in flat else [None] * places.size
        for field in fields
    ]
    usual = cache(lambda field: fields[field].usual())
    rows = []
    for row, place in enumerate(places.tolist()):
        evidence, bits = found.scores.evidence[:, place], found.scores.bits[:, place]
        leading = np.lexsort((-bits.astype(np.int64), -evidence.astype(np.int64)))[:most]
        rows.append(
            tuple(
                Reason(
                    fields[field].name,
                    values[field][row],
                    usual(field),
                    bits[field] / MILLI,
                    float(found.null.expected[field]),
                    evidence[field] / MILLI,
                )
                for field in leading.tolist()
            )
        )
    return rows


def notable(reasons: Sequence[Reason]) -> Sequence[Reason]:
    """The first few reasons: beside a strong one, weak ones are noise."""
    least = max(NOTABLE, reasons[0].evidence / 4)
    count = sum(reason.evidence >= least for reason in reasons)
    return reasons[: min(max(count, 1), MOST)]


def brief(value: Any, width: int = 48) -> str:
    """A value on one line, cut where it is long; what would steer a terminal is spelt out."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "missing"
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in spelt(value)[: width + 1])
    return text if len(text) <= width else text[: width - 3] + "..."

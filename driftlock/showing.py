"""How a detection is shown: a line, a few lines, and a table for notebooks."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftlock.fields import shortened
from driftlock.fields.values import spelt

if TYPE_CHECKING:
    from driftlock.results import Detection

GUARANTEES = {
    "exact": "exact: split calibration, so P(p <= a) <= a for exchangeable rows",
    "calibrated": "calibrated: levels held in simulation, for exchangeable rows",
    "none": "none: no baseline was known; a ranking with flags",
}
SHOWN_ROWS, FEWER_ROWS = 10, 5
SHOWN_COLUMNS = 20
SHOWN_CHARACTERS = 200  # of a value in a notebook, which would hold a payload of a megabyte whole
FIGURES = 4  # columns in front of a row's own that are numbers
MANY = 20  # rows, or fields, of which a summary need not speak one by one
MOST_FLAGGED = (
    "most rows are flagged; if they should be normal, they are of another time or source than the "
    "baseline, and the fields that lead show in what"
)


def headline(found: Detection) -> str:
    """How many rows were flagged of how many, against what."""
    flagged = int(found.is_anomaly.sum())
    return (
        f"Detection: {_counted(flagged, 'anomaly', 'anomalies')} in "
        f"{_counted(len(found), 'row', 'rows')}, {found.against} "
        f"({found.plan.control} at alpha = {found.plan.alpha:g}, {found.guarantee})"
    )


def summary(found: Detection) -> str:
    """What was tested, what was found and what was left out."""
    coded, left_out = found.schema["coded"].sum(), found.schema[~found.schema["coded"]]
    lines = [
        headline(found),
        f"calibration: {found.calibration}; guarantee {GUARANTEES[found.guarantee]}",
        repr(found.plan),
        f"fields coded: {coded}; left out: {len(left_out)}",
    ]
    lines += [f"  {name}: {row.kind}, {row.reason}" for name, row in left_out.iterrows()]
    if found.plan.knows_normal and 2 * found.is_anomaly.sum() > len(found) >= MANY:
        lines.append(MOST_FLAGGED)
    leaders = found.table.loc[found.is_anomaly, "top_field"].value_counts()
    if len(leaders):
        counts = ", ".join(f"{name} {count:,}" for name, count in leaders[:MANY].items())
        more = f", {len(leaders) - MANY:,} more" if len(leaders) > MANY else ""
        lines.append(f"fields that lead the anomalies: {counts}{more}")
    return "\n".join(lines)


def as_html(found: Detection) -> str:
    """The headline and the strangest rows, flagged ones if there are any."""
    flagged = found.anomalies
    head = f"<p><b>{html.escape(headline(found))}</b></p>"
    if not len(flagged):
        rows = found.strangest(FEWER_ROWS)
        return head + "<p>The strangest rows, none of them flagged:</p>" + _table(rows)
    more = len(flagged) - SHOWN_ROWS
    note = f"<p>{more:,} more in <code>.anomalies</code></p>" if more > 0 else ""
    return head + _table(flagged.head(SHOWN_ROWS)) + note


def _counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _table(rows: pd.DataFrame) -> str:
    """Escaped table of `Detection.rows`, its own numbers rounded, the user's as they are or cut."""
    formatters: list[Any] = [_formatter(values) for _, values in rows.items()]
    formatters[:FIGURES] = ["{:.4g}".format] * FIGURES
    return rows.to_html(formatters=formatters, max_cols=SHOWN_COLUMNS)


def _formatter(values: pd.Series[Any]) -> Callable[[Any], str] | None:
    """How to write a column of long values, or of whole numbers too long for Python's own."""
    try:
        longest = max(len(str(value)) for value in values)
    except ValueError:
        return spelt
    return _cut if longest > SHOWN_CHARACTERS else None


def _cut(value: Any) -> str:
    return shortened(spelt(value), SHOWN_CHARACTERS)

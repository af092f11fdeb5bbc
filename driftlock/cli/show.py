"""What people see: the strangest rows, windows and fields, and what is going on meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from driftlock.reasons import brief, notable, reasons_of

if TYPE_CHECKING:
    from driftlock.results import Detection
    from driftlock.windows import Comparison, Scan

COMPARED = (
    "ncd",
    "expected_ncd",
    *(f"{name}_{side}" for name in ("entropy", "bits") for side in ("baseline", "window")),
)
PLAIN_WIDTH = 1000  # where there is no terminal to fit in, nothing is folded


def strangest_rows(found: Detection, n: int) -> str:
    """Lay out the strangest rows, with colour where a terminal shows it."""
    table = _table("row", "score", "p", "q")
    table.add_column("flag", no_wrap=True)
    table.add_column("because of", overflow="fold")
    places = found.strangest_places(n)
    for place, reasons in zip(places.tolist(), reasons_of(found, places), strict=True):
        row = found.table.iloc[place]
        numbers = (f"{row['score']:.2f}", f"{row['p_value']:.2g}", f"{row['q_value']:.2g}")
        because = Text("\n".join(map(str, notable(reasons))))
        table.add_row(str(row.name), *numbers, _flag(row["is_anomaly"]), because)
    return _laid_out(table)


def leading_fields(found: Comparison, n: int) -> str:
    """Lay out the fields that drive the difference most, each on both sides."""
    table = _table("p", "NCD", "expected", "entropy", "window", "bits", "window")
    table.add_column("field", overflow="fold")
    for name, row in found.fields.head(n).iterrows():
        numbers = [f"{row['p_value']:.2g}", *(f"{row[column]:.4g}" for column in COMPARED)]
        is_low = row["p_value"] <= found.alpha
        table.add_row(*numbers, Text(brief(name), style="bold red" if is_low else ""))
    return _laid_out(table)


def strangest_windows(found: Scan, n: int) -> str:
    """Lay out the strangest windows; where flagged ones can be neighbours, runs of these."""
    if not found.is_ordered or not len(found.events):
        return _windows(found, n)
    table = _table("from", "to", labels=("start", "end"), numbers=("p",))
    table.add_column("because of", overflow="fold")
    for _, run in found.events.sort_values("p_value", kind="stable").head(n).iterrows():
        names = ("first_window", "last_window", "start", "end")
        cells = (Text(brief(run[name])) for name in names)
        table.add_row(*cells, f"{run['p_value']:.2g}", Text(brief(run["top_field"])))
    more = len(found.events) - n
    return _laid_out(table) + (f"\n{more:,} more" if more > 0 else "")


def _windows(found: Scan, n: int) -> str:
    """Windows or groups, the smallest p-value first, flagged or not."""
    labels = ("start", "end") if found.is_ordered else ("group", "start", "end")
    table = _table(*["window"] * found.is_ordered, labels=labels, numbers=("rows", "p", "q"))
    table.add_column("flag", no_wrap=True)
    table.add_column("because of", overflow="fold")
    for label, row in found.table.sort_values("p_value", kind="stable").head(n).iterrows():
        names = (Text(brief(value)) for value in (label, row["start"], row["end"]))
        numbers = (f"{row['rows']:,}", f"{row['p_value']:.2g}", f"{row['q_value']:.2g}")
        table.add_row(*names, *numbers, _flag(row["is_anomaly"]), Text(brief(row["top_field"])))
    return _laid_out(table)


def settings_table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Lay out settings: the variable, what is in force, what it is for."""
    table = _table(labels=("setting", "in force", "what it is"))
    for column in table.columns:
        column.justify = "left"
    for row in rows:
        table.add_row(*map(Text, row))
    return _laid_out(table)


def flags_table(anomalies: Sequence[dict[str, Any]], known: Collection[int]) -> str:
    """Lay out what a service flagged: where, how strange, whether it is one, and why."""
    table = _table("row", "score", "p", "q")
    table.add_column("anomaly", no_wrap=True)
    table.add_column("because of", overflow="fold")
    for anomaly in anomalies:
        metrics = anomaly["metrics"]
        is_known = "yes" if anomaly["index"] in known else "no"
        numbers = (f"{metrics[name]:.2g}" for name in ("p_value", "q_value"))
        cells = (str(anomaly["index"]), f"{metrics['score']:.2f}", *numbers, is_known)
        table.add_row(*cells, Text(escaped(anomaly["why"])))
    return _laid_out(table)


def checks_table(rows: Sequence[tuple[str, bool, str]]) -> str:
    """Lay out checks: what was looked at, whether it is well, what was found."""
    table = _table(labels=("check", "result", "found"))
    for column in table.columns:
        column.justify = "left"
    for name, passed, said in rows:
        result = Text("passed") if passed else Text("FAILED", style="bold red")
        table.add_row(Text(name), result, Text(escaped(said)))
    return _laid_out(table)


def progress(text: str) -> AbstractContextManager[Any]:
    """Say on a terminal what is going on; elsewhere keep quiet."""
    return Console(stderr=True).status(f"{text} ...") if sys.stderr.isatty() else nullcontext()


def escaped(text: str) -> str:
    """Spell out what would steer the terminal; lines stay lines."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _table(*counted: str, labels: tuple[str, ...] = (), numbers: tuple[str, ...] = ()) -> Table:
    """A table, framed where a terminal shows it; only labels give way where it is narrow."""
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in (*counted, *labels, *numbers):
        table.add_column(heading, justify="right", no_wrap=heading not in labels, overflow="fold")
    return table


def _flag(is_anomaly: bool) -> Text:
    return Text("yes", style="bold red") if is_anomaly else Text("no")


def _laid_out(table: Table) -> str:
    """A table as text, with colour where a terminal shows it."""
    console = Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False)
    with console.capture() as text:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.get().splitlines())

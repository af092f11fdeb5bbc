"""What people see: the strangest rows with their reasons, and what is going on meanwhile."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Hashable

    from driftlock.results import Detection

NOTABLE = 5.0  # bits of evidence from which a field is a reason: one baseline row in 32
REASONS = 3
PLAIN_WIDTH = 1000  # where there is no terminal to fit in, nothing is folded


def strangest_rows(found: Detection, n: int) -> str:
    """Lay out the strangest rows, with colour where a terminal shows it."""
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else PLAIN_WIDTH, highlight=False)
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    for heading in ("row", "score", "p", "q"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("flag", no_wrap=True)
    table.add_column("because of", overflow="fold")
    for label in found.strangest(n).index:
        row = found.table.loc[label]
        numbers = (f"{row['score']:.2f}", f"{row['p_value']:.2g}", f"{row['q_value']:.2g}")
        flag = Text("yes", style="bold red") if row["is_anomaly"] else Text("no")
        table.add_row(str(label), *numbers, flag, Text(_reasons(found, label)))
    with console.capture() as text:
        console.print(table)
    return "\n".join(line.rstrip() for line in text.get().splitlines())


def progress(text: str) -> AbstractContextManager[Any]:
    """Say on a terminal what is going on; elsewhere keep quiet."""
    return Console(stderr=True).status(f"{text} ...") if sys.stderr.isatty() else nullcontext()


def _reasons(found: Detection, label: Hashable) -> str:
    """Name the fields with the most evidence, a line each: the value, and what is usual."""
    fields = found.explain(label).table
    least = max(
        NOTABLE, fields["evidence"].max() / 4
    )  # beside a strong reason, weak ones are noise
    notable = int((fields["evidence"] >= least).sum())
    return "\n".join(
        f"{_brief(name)}: {_brief(field['value'])} (usual: {_brief(field['usual'], 90)})"
        for name, field in fields.head(min(max(notable, 1), REASONS)).iterrows()
    )


def _brief(value: Any, width: int = 48) -> str:
    """Put a value on one line; spell out what would steer the terminal."""
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "missing"
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value)[: width + 1])
    return text if len(text) <= width else text[: width - 3] + "..."

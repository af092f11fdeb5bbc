"""``driftlock compare`` and ``driftlock scan``: their options, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from driftlock.baseline import split_baseline
from driftlock.cli.options import (
    Alpha,
    Baseline,
    Coder,
    Control,
    Debug,
    Encoding,
    Field,
    File,
    Form,
    Null,
    Out,
    Permutations,
    Plot,
    Seed,
)
from driftlock.cli.run import (
    FOUND,
    FOUND_NOTHING,
    Job,
    baseline_of,
    check_targets,
    draw,
    kinds_of,
)
from driftlock.cli.show import escaped, leading_fields, progress, strangest_windows
from driftlock.errors import OptionError
from driftlock.files import read_table, write_table
from driftlock.windows import compare, scan

if TYPE_CHECKING:
    import pandas as pd

    from driftlock.windows import Comparison, Scan, ScanPlan

COMPARE_HELP = """Tell whether the rows of FILE after the baseline are, as a whole, like it.

FILE is CSV, TSV, JSON, JSON Lines or Parquet, also with .gz or .zst; "-" is standard input.

Exit code: 0 not told apart, 1 different, 2 bad input or usage, 3 anything unexpected.

Examples:

\b
  driftlock compare transactions.csv --baseline 400
  driftlock compare today.jsonl --baseline normal.jsonl --out statistics.csv
  driftlock compare sessions.parquet --baseline 5000 --groups session --plot difference.png
"""
SCAN_HELP = """Hold every window of FILE against the baseline: by rows, by time or by group.

FILE is CSV, TSV, JSON, JSON Lines or Parquet, also with .gz or .zst; "-" is standard input. \
Rows are numbered from 0. The plan is told before the scan runs.

Exit code: 0 no window differs, 1 some do, 2 bad input or usage, 3 anything unexpected.

Examples:

\b
  driftlock scan transactions.csv --baseline 400 --window 50 --hop 10
  driftlock scan log.jsonl.gz --baseline 2000 --window 1h --out windows.parquet
  driftlock scan log.jsonl.gz --baseline 2000 --trailing --guard 200 --plot scan.png
  driftlock scan orders.csv --baseline normal.csv --groups customer --control by
"""


def compare_command(
    file: File,
    *,
    baseline: Baseline = "400",
    coder: Coder = "fields",
    permutations: Permutations = 999,
    null: Null = "auto",
    groups: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Rows with the same value there stay together."),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the verdict.")] = 0.05,
    field: Field = None,
    form: Form = "auto",
    encoding: Encoding = "utf-8",
    out: Out = None,
    plot: Plot = None,
    top: Annotated[int, typer.Option(min=0, help="Show so many of the leading fields.")] = 10,
    seed: Seed = None,
    _debug: Debug = False,
) -> int:
    """Pass the options on."""
    options = {
        "coder": coder,
        "n_permutations": permutations,
        "null": null,
        "groups": groups,
        "alpha": alpha,
        "rng": seed,
    }
    return run_compare(
        Job(file, baseline, form, encoding, out, plot, top, tuple(field or ()), options)
    )


def scan_command(
    file: File,
    *,
    baseline: Baseline = "400",
    window: Annotated[
        str, typer.Option(metavar="ROWS|TIME", help='Rows of a window, or a time such as "1h".')
    ] = "50",
    hop: Annotated[
        str | None,
        typer.Option(metavar="ROWS|TIME", help="From window to window; a window, if not given."),
    ] = None,
    trailing: Annotated[
        bool, typer.Option("--trailing", help="The baseline moves along before each window.")
    ] = False,
    guard: Annotated[
        int, typer.Option(help="Rows between a trailing baseline and its window.")
    ] = 0,
    groups: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="A window for each value of that column.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Times that windows go by.")
    ] = None,
    coder: Coder = "fields",
    permutations: Permutations = 999,
    max_permutations: Annotated[
        int, typer.Option(help="Draws at most, for windows that need more.")
    ] = 1_000_000,
    null: Null = "auto",
    alpha: Alpha = 0.05,
    control: Control = "fdr",
    field: Field = None,
    form: Form = "auto",
    encoding: Encoding = "utf-8",
    out: Out = None,
    plot: Plot = None,
    top: Annotated[int, typer.Option(min=0, help="Show so many of the strangest.")] = 10,
    seed: Seed = None,
    _debug: Debug = False,
) -> int:
    """Pass the options on."""
    sizes = _sizes(window, hop)
    options = sizes | {
        "trailing": trailing,
        "guard": guard,
        "groups": groups,
        "time": time,
        "coder": coder,
        "n_permutations": permutations,
        "max_permutations": max_permutations,
        "null": null,
        "alpha": alpha,
        "control": control,
        "rng": seed,
    }
    return run_scan(
        Job(file, baseline, form, encoding, out, plot, top, tuple(field or ()), options)
    )


def run_compare(job: Job) -> int:
    """Read, compare, write what was asked for, show the rest; return the exit code."""
    fields = kinds_of(job.kinds)
    events, baseline, words = _read(job)
    normal, window = split_baseline(events, baseline)
    with progress(f"comparing {len(window):,} rows with {len(normal):,}"):
        found = compare(normal, window, fields=fields, **job.options)
    _write(job, found.table.reset_index(), found)
    if job.top:
        typer.echo(leading_fields(found, job.top) + "\n")
    typer.echo(f"baseline: {words}")
    typer.echo(escaped(repr(found)))
    return FOUND if found.is_anomaly else FOUND_NOTHING


def run_scan(job: Job) -> int:
    """Read, tell the plan, scan, write what was asked for, show the rest; return the exit code."""
    fields = kinds_of(job.kinds)
    events, baseline, words = _read(job)
    with progress(f"scanning {len(events):,} rows"):
        found = scan(events, baseline=baseline, fields=fields, tell=_tell, **job.options)
    label = "window" if found.is_ordered else "group"  # no other column has either name
    _write(job, found.table.rename_axis(label).reset_index(), found)
    if job.top:
        typer.echo(strangest_windows(found, job.top) + "\n")
    typer.echo(f"baseline: {words}")
    typer.echo(repr(found))
    if len(found.left_out):
        typer.echo(f"{len(found.left_out):,} {label}(s) of fewer than two rows are left out")
    return FOUND if found.table["is_anomaly"].any() else FOUND_NOTHING


def _read(job: Job) -> tuple[pd.DataFrame, int | pd.DataFrame, str]:
    """The rows of FILE and the baseline, this also in words; first, where results are to go."""
    check_targets(job)
    with progress(f"reading {job.file}"):
        events = read_table(job.file, format=job.form, encoding=job.encoding)
        baseline, words = baseline_of(job)
    if baseline is None:
        raise OptionError("--baseline none: windows need normal rows; give their number or a file")
    return events, baseline, words


def _write(job: Job, table: pd.DataFrame, found: Comparison | Scan) -> None:
    """The table and the picture that were asked for."""
    if job.out is not None:
        with progress(f"writing {job.out}"):
            write_table(table, job.out)
    if job.plot is not None:
        draw(found.plot(), job.plot)


def _tell(plan: ScanPlan) -> None:
    """The plan apart from the result, so that the result can be piped on."""
    typer.echo(escaped(repr(plan)), err=True)


def _sizes(window: str, hop: str | None) -> dict[str, Any]:
    """Window and hop as the library takes them, both in rows or both in time."""
    sizes = {
        name: int(text) if text is not None and text.removeprefix("-").isdecimal() else text
        for name, text in {"window": window, "hop": hop}.items()
    }
    if isinstance(sizes["window"], str) and isinstance(sizes["hop"], int):
        raise OptionError(
            f"--hop {hop} is a number of rows, but --window {window} a length of time; "
            "give --hop one too, such as 10min"
        )
    return sizes

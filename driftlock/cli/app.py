"""Commands, options, exit codes: what is typed, and what the shell gets back."""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import driftlock
from driftlock.cli.fit import FIT_HELP, detector_options, fit_command, given_options
from driftlock.cli.options import (
    Alpha,
    Calibration,
    Clean,
    Control,
    Debug,
    Encoding,
    Entity,
    Field,
    File,
    Form,
    NoTail,
    SplitSeed,
)
from driftlock.cli.run import Job, check_target, run_detect
from driftlock.cli.service import (
    CHECK_HELP,
    DEMO_HELP,
    SERVE_HELP,
    check_command,
    demo_command,
    serve_command,
)
from driftlock.cli.windows import COMPARE_HELP, SCAN_HELP, compare_command, scan_command
from driftlock.datasets import KINDS, make_transactions
from driftlock.errors import DriftlockError, warnings_told_to
from driftlock.files import check_writable, to_json_lines, write_table
from driftlock.warm import warmup

if TYPE_CHECKING:
    from collections.abc import Sequence

BAD_INPUT, UNEXPECTED, INTERRUPTED, CLOSED_PIPE = 2, 3, 130, 141

app = typer.Typer(
    name="driftlock",
    help="Find the strange rows and windows of a table, with p-values and the fields behind them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DETECT_HELP = """Find the rows of FILE that are strange, given a baseline of normal rows.

FILE is CSV, TSV, JSON, JSON Lines or Parquet, also with .gz or .zst; "-" is standard input. \
Rows are numbered from 0.

Exit code: 0 found nothing, 1 found something, 2 bad input or usage, 3 anything unexpected.

Examples:

\b
  driftlock detect transactions.csv --baseline 400
  driftlock detect today.jsonl --baseline normal.jsonl --out result.parquet
  zcat log.jsonl.gz | driftlock detect - --control fwer --plot scores.png
  driftlock detect orders.csv --field zip=category --field note=id
  driftlock detect today.jsonl --baseline normal.npz
"""
SIMULATE_HELP = """Write simulated card transactions to OUT, some of them anomalies of known kinds.

OUT ends in .csv, .jsonl or .parquet, also with .gz or .zst; "-" is JSON Lines on standard output.

Examples:

\b
  driftlock simulate transactions.jsonl --labels labels.csv
  driftlock simulate - --kind odd_hour --kind unseen_place | driftlock detect -
"""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"driftlock {driftlock.__version__}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    _debug: Debug = False,
) -> None:
    """Take the options that stand before a command."""


@app.command("detect", help=DETECT_HELP)
def _detect(
    context: typer.Context,
    file: File,
    *,
    baseline: Annotated[
        str,
        typer.Option(
            metavar="N|FILE|none",
            help="What is normal: the first N rows of FILE, another file (a table, or a detector "
            "from `driftlock fit`, whose options then count), or none known.",
        ),
    ] = "400",
    alpha: Alpha = 0.05,
    control: Control = "fdr",
    calibration: Calibration = "auto",
    no_tail: NoTail = False,
    clean: Clean = False,
    field: Field = None,
    entity: Entity = None,
    form: Form = "auto",
    encoding: Encoding = "utf-8",
    out: Annotated[
        Path | None,
        typer.Option(help="Write every tested row with its result: .csv, .jsonl, .parquet."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the scores: .png, .svg, .pdf.")] = None,
    top: Annotated[int, typer.Option(min=0, help="Show so many of the strangest rows.")] = 10,
    seed: SplitSeed = None,
    _debug: Debug = False,
) -> int:
    """Pass the options on."""
    options = detector_options(
        {"alpha": alpha, "control": control, "calibration": calibration, "clean": clean},
        no_tail=no_tail,
        entity=entity,
        seed=seed,
    )
    source = context.get_parameter_source("baseline")
    is_default = source is not None and source.name == "DEFAULT"
    job = Job(
        file, baseline, form, encoding, out, plot, top, tuple(field or ()), options, is_default
    )
    return run_detect(job, given_options(context))


app.command("fit", help=FIT_HELP)(fit_command)
app.command("compare", help=COMPARE_HELP)(compare_command)
app.command("scan", help=SCAN_HELP)(scan_command)
app.command("serve", help=SERVE_HELP)(serve_command)
app.command("demo", help=DEMO_HELP)(demo_command)
app.command("check-service", help=CHECK_HELP)(check_command)


@app.command("simulate", help=SIMULATE_HELP)
def _simulate(
    out: Annotated[str, typer.Argument(metavar="OUT", help='File to write; "-" is stdout.')],
    *,
    rows: Annotated[int, typer.Option(help="Number of rows.")] = 1000,
    anomaly_rate: Annotated[float, typer.Option(help="Share of anomalies.")] = 0.02,
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Kind of anomaly; may be repeated. All, if not given: {', '.join(KINDS)}."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 0,
    labels: Annotated[
        Path | None, typer.Option(help="Write which rows are anomalies, and of what kind.")
    ] = None,
    _debug: Debug = False,
) -> int:
    """Write a simulated table, and its labels to a file of their own."""
    for path in (None if out == "-" else Path(out), labels):
        if path is not None:
            check_writable(path)
            check_target(path)
    data = make_transactions(rows, anomaly_rate=anomaly_rate, kinds=kind or None, seed=seed)
    if labels is not None:
        write_table(data.labels.rename_axis("row").reset_index(), labels)
    if out == "-":
        typer.echo(to_json_lines(data.events), nl=False)
    else:
        write_table(data.events, out)
        n_anomalies = int(data.labels["is_anomaly"].sum())
        typer.echo(f"{out}: {len(data.events):,} rows, {n_anomalies:,} of them anomalies")
    return 0


@app.command("warmup", help="Compile every kernel now, so that no later call has to wait for it.")
def _warmup(_debug: Debug = False) -> int:
    """Compile, and say how long it took."""
    typer.echo(f"kernels ready after {warmup():.1f} s")
    return 0


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    args : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Returns
    -------
    int
        Exit code: 0 found nothing, 1 found something, 2 bad input or usage, 3 anything unexpected,
        130 interrupted, 141 nobody reads the output any more.
    """
    args = sys.argv[1:] if args is None else list(args)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with warnings_told_to(_show_warning), warnings.catch_warnings():
            warnings.showwarning = _show_other_warning  # type: ignore[assignment]
            code = app(args, prog_name="driftlock", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as stop:  # typer ends a closed pipe with 1, which here says "found something"
        return CLOSED_PIPE if stop.code == 1 else int(stop.code or 0)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 (whatever it is, it has an exit code)
        return _failed(error, debug="--debug" in args)
    return int(code or 0)


def _failed(error: Exception, *, debug: bool) -> int:
    """Report an error on one line; return its exit code."""
    if hasattr(error, "show") and hasattr(error, "exit_code"):  # typer's usage errors
        error.show()
        return BAD_INPUT
    if isinstance(error, typer.Abort) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # typer's wrapping of an EOFError
    if debug:
        traceback.print_exception(error)
    if isinstance(error, DriftlockError):
        typer.echo(f"driftlock: {_one_line(error)}", err=True)
        return BAD_INPUT
    hint = "" if debug else "; --debug shows the traceback"
    typer.echo(f"driftlock: unexpected {_one_line(repr(error))}{hint}", err=True)
    return UNEXPECTED


def _show_warning(message: str) -> None:
    """Put a warning of driftlock on one line."""
    typer.echo(f"driftlock: warning: {_one_line(message)}", err=True)


def _show_other_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any
) -> None:
    """Show a warning of another library as ever."""
    typer.echo(warnings.formatwarning(message, category, filename, lineno), nl=False, err=True)


def _one_line(message: object) -> str:
    return " ".join(str(message).splitlines())

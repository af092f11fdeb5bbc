"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from driftlock.calibration import CALIBRATIONS
from driftlock.files.reading import FORMATS
from driftlock.significance import CONTROLS
from driftlock.windows.options import AUTO_NULLS, CODERS

File = Annotated[str, typer.Argument(metavar="FILE", help='Table to test; "-" is stdin.')]
Form = Annotated[
    str,
    typer.Option(
        "--format",
        help=f"Format of FILE, and of a baseline of the same ending: one of {', '.join(FORMATS)}; "
        "ssv and psv are CSV with semicolons and vertical bars.",
    ),
]
Encoding = Annotated[
    str,
    typer.Option(
        help="Encoding of FILE, and of a baseline of the same ending: utf-8, cp1252, utf-16 or any "
        "other that Python knows."
    ),
]
Alpha = Annotated[float, typer.Option(help="Level of the control.")]
Control = Annotated[str, typer.Option(help=f"One of {', '.join(CONTROLS)}.")]
Field = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=KIND", help="Set the kind of a field; may be repeated."),
]

# Of detect and fit: what a detector has besides.
Calibration = Annotated[str, typer.Option(help=f"One of {', '.join(CALIBRATIONS)}.")]
NoTail = Annotated[
    bool, typer.Option("--no-tail", help="No p-value below 1 / (baseline rows + 1).")
]
Clean = Annotated[
    bool, typer.Option("--clean", help="First leave anomalies in the baseline out of it.")
]
Entity = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="The field that says whose row it is; may be repeated."),
]
SplitSeed = Annotated[int | None, typer.Option(help="Seed of the split calibration.")]

# `main` looks for it among the arguments, since an error may come before any is parsed.
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]

# Of compare and scan.
Baseline = Annotated[
    str,
    typer.Option(metavar="N|FILE", help="What is normal: the first N rows of FILE, or a file."),
]
Coder = Annotated[str, typer.Option(help=f"What measures rows: one of {', '.join(CODERS)}.")]
Permutations = Annotated[int, typer.Option(help="Draws for each window.")]
Null = Annotated[
    str,
    typer.Option(help=f"What may change places: one of {', '.join(AUTO_NULLS)}."),
]
Seed = Annotated[int | None, typer.Option(help="Seed of the draws.")]
Out = Annotated[Path | None, typer.Option(help="Write the table: .csv, .jsonl, .parquet.")]
Plot = Annotated[Path | None, typer.Option(help="Draw the result: .png, .svg, .pdf.")]

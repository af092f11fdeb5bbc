"""``driftlock fit``: a table of normal rows to a file that `detect` takes as a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from driftlock.cli.options import (
    Alpha,
    Calibration,
    Clean,
    Control,
    Debug,
    Encoding,
    Entity,
    Field,
    Form,
    NoTail,
    SplitSeed,
)
from driftlock.cli.run import check_target, kinds_of
from driftlock.cli.show import progress
from driftlock.detector import Detector
from driftlock.files import read_table

FIT_HELP = """Learn the rows of FILE, all of them normal, and keep what was learned.

FILE is CSV, TSV, JSON, JSON Lines or Parquet, also with .gz or .zst; "-" is standard input. The \
result is a baseline for `driftlock detect`, and `Detector.load` reads it in Python.

Exit code: 0 done, 2 bad input or usage, 3 anything unexpected.

Examples:

\b
  driftlock fit normal.jsonl --out normal.npz
  driftlock fit orders.csv --out orders.npz --entity customer --field zip=category --alpha 0.01
  driftlock detect today.jsonl --baseline normal.npz
"""
# Options of commands that are a detector's own, by the name that Python gives them.
OWN = ("alpha", "control", "calibration", "no_tail", "clean", "field", "entity", "seed")


def fit_command(
    file: Annotated[str, typer.Argument(metavar="FILE", help='Normal rows; "-" is stdin.')],
    *,
    out: Annotated[Path, typer.Option(help="Write the detector to this file: .npz.")],
    alpha: Alpha = 0.05,
    control: Control = "fdr",
    calibration: Calibration = "auto",
    no_tail: NoTail = False,
    clean: Clean = False,
    field: Field = None,
    entity: Entity = None,
    form: Form = "auto",
    encoding: Encoding = "utf-8",
    seed: SplitSeed = None,
    _debug: Debug = False,
) -> int:
    """Read, fit, write, and say what was learned."""
    options = detector_options(
        {"alpha": alpha, "control": control, "calibration": calibration, "clean": clean},
        no_tail=no_tail,
        entity=entity,
        seed=seed,
    )
    fields = kinds_of(tuple(field or ()))
    check_target(out, file)
    with progress(f"reading {file}"):
        normal = read_table(file, format=form, encoding=encoding)
    with progress(f"fitting {len(normal):,} rows"):
        detector = Detector(fields=fields, **options).fit(normal)
    with progress(f"writing {out}"):
        detector.save(out)
    coded = detector.schema_["coded"]
    dropped = f", {len(detector.dropped_):,} rows left out" if clean else ""
    typer.echo(
        f"{out}: {len(normal):,} rows learned{dropped}; "
        f"{coded.sum()} of {len(coded)} fields coded; calibration {detector.calibration_}"
    )
    return 0


def detector_options(
    plain: dict[str, Any], *, no_tail: bool, entity: list[str] | None, seed: int | None
) -> dict[str, Any]:
    """Options of a detector; an entity is only named where there is one."""
    options = plain | {"tail": not no_tail, "rng": seed}
    return options | {"entity": list(entity)} if entity else options


def given_options(context: typer.Context) -> tuple[str, ...]:
    """Which options of a detector were typed, as they are typed."""
    sources = {name: context.get_parameter_source(name) for name in OWN}
    return tuple(
        f"--{name.replace('_', '-')}"
        for name, source in sources.items()
        if source is not None and source.name != "DEFAULT"
    )

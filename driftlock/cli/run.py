"""What `driftlock detect` does: read, test, write, show; and what other commands do alike."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import typer

from driftlock.cli.show import progress, strangest_rows
from driftlock.detector import Detector
from driftlock.errors import FileError, InputError, OptionError, listed, warn
from driftlock.files import check_writable, read_table, split_ending, write_bytes, write_table
from driftlock.one_call import detect
from driftlock.store import is_saved

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from driftlock.results import Detection

FOUND_NOTHING, FOUND = 0, 1
PICTURES = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Job:
    """What was asked for; `options` are those of the library's function."""

    file: str
    baseline: str
    form: str
    encoding: str
    out: Path | None
    plot: Path | None
    top: int
    kinds: tuple[str, ...]
    options: dict[str, Any]
    is_default: bool = False  # the baseline was not typed


def run_detect(job: Job, given: tuple[str, ...]) -> int:
    """Read, test, write what was asked for, show the rest; return the exit code.

    `given` are the options of a detector that were typed: a saved one has its own.
    """
    fields = kinds_of(job.kinds)
    check_targets(job)
    with progress(f"reading {job.file}"):
        events = read_table(job.file, format=job.form, encoding=job.encoding)
        saved = _saved_detector(job, given)
        baseline, words = saved or baseline_of(job)
    with progress(f"{'' if saved else 'fitting and '}scoring {len(events):,} rows"):
        options = {} if saved else {"fields": fields, **job.options}
        try:
            found = detect(events, baseline=baseline, **options)
        except InputError:
            _check_some_left(job, baseline, len(events))
            raise
    if job.out is not None:
        with progress(f"writing {job.out}"):
            write_table(result_table(found, str(job.out)), job.out)
    if job.plot is not None:
        draw(found.plot(), job.plot)
    if job.top:
        typer.echo(strangest_rows(found, job.top) + "\n")
    typer.echo(f"baseline: {words}")
    typer.echo(found.summary())
    if hint := unflagged(found, is_saved=saved is not None):
        typer.echo(hint)
    return FOUND if found.table["is_anomaly"].any() else FOUND_NOTHING


def unflagged(found: Detection, *, is_saved: bool) -> str:
    """What would flag rows that are beyond the whole baseline and yet too few; else nothing."""
    plan = found.plan
    beyond = int((found.table["p_value"] <= plan.smallest_rank_p * (1 + 1e-9)).sum())
    is_rank = (found.table["p_value"] >= plan.smallest_rank_p * (1 - 1e-9)).all()
    if found.table["is_anomaly"].any() or not (plan.knows_normal and beyond and is_rank):
        return ""
    rows = "row is" if beyond == 1 else "rows are"
    ways = [f"a baseline of {plan.baseline_for_one:,} rows or more"]
    if plan.control != "fpr" and plan.smallest_rank_p <= plan.alpha:
        ways.insert(0, f"{'a detector fitted with ' if is_saved else ''}--control fpr")
    return (
        f"hint: {beyond:,} {rows} stranger than the whole baseline, at the smallest rank p-value "
        f"{plan.smallest_rank_p:.4g}, which is not small enough to be flagged by {plan.control}; "
        f"{' or '.join(ways)} would show {'it' if beyond == 1 else 'them'}"
    )


def _check_some_left(job: Job, baseline: object, n: int) -> None:
    """Say in the words of the command line that a file is too short for its baseline."""
    if isinstance(baseline, int) and n <= baseline:
        default = " (the default)" if job.is_default else ""
        raise InputError(
            f"--baseline {baseline}{default} needs more than {baseline:,} rows, {_named(job.file)} "
            f"has {n:,}; give --baseline N|FILE|none"
        )


def result_table(found: Detection, name: str) -> pd.DataFrame:
    """Join every tested row's number in the file, its own columns and what was found of it.

    Own columns keep their names. A result column whose name is taken is called
    ``driftlock.<name>``, as in `Detection.anomalies`, and a warning says so.
    """
    own = found.events
    results = pd.concat([own.index.to_series(name="row"), found.table], axis=1)
    names = []
    for column in results.columns:
        free = str(column)
        while free in own.columns:
            free = f"driftlock.{free}"
        names.append(free)
    renamed = [free for free, column in zip(names, results.columns, strict=True) if free != column]
    if renamed:
        warn(
            f"{name}: columns of the table have the names of results, which are written as "
            f"{listed(renamed)}",
            stacklevel=2,
        )
    results.columns = pd.Index(names)
    return pd.concat([results.iloc[:, :1], own, results.iloc[:, 1:]], axis=1)


def draw(figure: Figure, path: Path) -> None:
    """Write a picture, in the format that its ending says."""
    picture = io.BytesIO()
    figure.savefig(picture, format=path.suffix[1:].lower(), dpi=150)
    write_bytes(path, picture.getvalue())


def check_target(target: Path, *inputs: str) -> None:
    """Refuse before the work what could not, or should not, be written after it."""
    if not target.parent.is_dir():
        raise FileError(f"{target}: there is no folder {str(target.parent)!r}")
    for path in inputs:
        if target.exists() and Path(path).exists() and target.samefile(path):
            raise OptionError(f"{target}: is an input; write to another file")


def check_targets(job: Job) -> None:
    """Check where the results are to go, and that standard input is read once."""
    if job.file == job.baseline == "-":
        raise OptionError("FILE and --baseline cannot both be standard input")
    if job.out is not None:
        check_writable(job.out)
    if job.plot is not None and job.plot.suffix.lower() not in PICTURES:
        raise OptionError(f"{job.plot}: cannot draw to this ending; known are {listed(PICTURES)}")
    for target in (job.out, job.plot):
        if target is not None:
            check_target(target, job.file, job.baseline)


def kinds_of(pairs: tuple[str, ...]) -> dict[str, str] | None:
    """Read NAME=KIND pairs; the last "=" parts them, since a name may hold one."""
    fields: dict[str, str] = {}
    for pair in pairs:
        name, _, kind = pair.rpartition("=")
        if not name:
            raise OptionError(f"--field {pair!r} is not of the form NAME=KIND")
        if name in fields:
            raise OptionError(f"--field sets the kind of {name!r} twice")
        fields[name] = kind
    return fields or None


def _saved_detector(job: Job, given: tuple[str, ...]) -> tuple[Detector, str] | None:
    """The detector that --baseline names, told by its content, and the same in words."""
    if not is_saved(job.baseline):
        return None
    if given:
        raise OptionError(
            f"{job.baseline}: a saved detector has its own options; drop {', '.join(given)}, or "
            "fit and save one with them"
        )
    detector = Detector.load(job.baseline)
    rows = len(detector.decision_scores_)
    return detector, f"{job.baseline}, a detector that learned {rows:,} rows"


def baseline_of(job: Job) -> tuple[int | pd.DataFrame | None, str]:
    """Read what --baseline says, a count, a file or none, and put it in words."""
    text = job.baseline
    if text.lower() == "none":
        return None, "none; every row is compared with all others"
    if text.removeprefix("-").isdecimal():
        return int(text), f"the first {int(text):,} rows of {_named(job.file)}, taken as normal"
    if text != "-" and not Path(text).exists():
        raise FileError(f"--baseline {text!r} is neither a number of rows nor a file nor none")
    if is_saved(text):
        raise OptionError(f"--baseline {text}: a saved detector is a baseline for detect alone")
    is_alike = split_ending(text)[0] == split_ending(job.file)[0]
    how = {"format": job.form, "encoding": job.encoding} if is_alike else {}
    table = read_table(text, **how)
    return table, f"{_named(text)}, {len(table):,} rows, taken as normal"


def _named(path: str) -> str:
    return "standard input" if path == "-" else path

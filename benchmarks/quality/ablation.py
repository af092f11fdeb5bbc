"""What each ingredient is worth: the same task with one of them taken out.

    python benchmarks/quality/ablation.py              # simulated worlds; writes the docs' table
    python benchmarks/quality/ablation.py --protocol PATH/protocol.py   # labelled data sets

The library has no options for this: ingredients are taken out from outside, by replacing the
function that makes them. A change is told against the default, in hundredths, mean over the tasks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from labelled import evaluate, load, types
from run import STATIC, of_driftlock
from worlds import MAKERS, Size, make

from driftlock import detector, scoring
from driftlock.coders import number, row, text

SIZE = Size(500, 500, 40)
NOTICEABLE = 0.005
DEFAULT = "default"
FIGURES = {"auc": "AUC", "ap": "AP", "false_share": "false share", "recall": "recall"}


# ------------------------------------------------- how an ingredient is taken out
def without_blocks(*names: str) -> list[Any]:
    read = row.RowCoder.read

    def fewer(self: row.RowCoder, columns: Any, **options: Any) -> row.Reading:
        reading = read(self, columns, **options)
        kept = {name: parts for name, parts in reading.blocks.items() if name not in names}
        return row.Reading(reading.bits, kept)

    return [patch.object(row.RowCoder, "read", fewer)]


def without_contexts() -> list[Any]:
    return [patch.object(row.ContextBlock, "parts", lambda *_, **__: [])]


def without_groups() -> list[Any]:
    return [patch.object(row.GroupBlock, "parts", lambda *_, **__: [])]


def without_view(view: str) -> list[Any]:
    looks = text._looks

    def fewer(column: Any, separator: Any, vocabulary: Any, names: Any = None) -> dict[str, Any]:
        found = looks(column, separator, vocabulary, names)
        return {name: look for name, look in found.items() if name != view or len(found) == 1}

    return [patch.object(text, "_looks", fewer)]


def without_length() -> list[Any]:
    return [patch.object(text, "_standardised", lambda excess, *_, **__: excess)]


def without_part(coder: type, part: str) -> list[Any]:
    measure, place = coder.measure, coder.parts.index(part)  # type: ignore[attr-defined]

    def fewer(self: Any, column: Any, *, own: bool) -> Any:
        whole = measure(self, column, own=own)
        kept = whole.parts[:place] + whole.parts[place + 1 :]
        return replace(whole, parts=kept)

    return [patch.object(coder, "measure", fewer)]


def scores_by(total: Callable[[scoring.Scores], np.ndarray]) -> list[Any]:
    scores = scoring._scores

    def other(*arguments: Any, own: bool) -> scoring.Scores:
        found = scores(*arguments, own=own)
        return replace(found, total=total(found).astype(np.int32))

    return [patch.object(scoring, "_scores", other)]


def without_tail() -> list[Any]:
    row_p = detector.row_p
    return [patch.object(detector, "row_p", lambda *given, **_: row_p(*given, tail=False))]


VARIANTS: dict[str, Callable[[], list[Any]]] = {
    DEFAULT: list,
    "no sums of lengths": lambda: without_blocks(*row.SUMS),
    "no context": without_contexts,
    "no groups": without_groups,
    "no context and no groups": lambda: without_blocks("context", row.SUMS[1]),
    "no regression": lambda: without_blocks("regression"),
    "no distance": lambda: without_blocks("distance"),
    "no ratio of distances": lambda: without_blocks("ratio"),
    "no distance and no ratio": lambda: without_blocks("distance", "ratio"),
    "each field alone": lambda: without_blocks(
        "context", *row.SUMS, "regression", "distance", "ratio"
    ),
    "text: no bytes as they are": lambda: without_view("bytes"),
    "text: no masked digits": lambda: without_view("digits masked"),
    "text: no words": lambda: without_view("words"),
    "text: length not allowed for": without_length,
    "number: no class": lambda: without_part(number.NumberCoder, "class"),
    "number: no precision": lambda: without_part(number.NumberCoder, "precision"),
    "number: no logarithmic scale": lambda: [patch.object(number, "LOG_SCALE_DECADES", 300.0)],
    "fusion: one sum of all blocks": lambda: [
        patch.object(scoring, "FIELD_BLOCKS", row.FIELD_BLOCKS + row.ROW_BLOCKS),
        patch.object(scoring, "ROW_BLOCKS", ()),
    ],
    "fusion: strongest level only": lambda: scores_by(lambda found: found.levels.max(axis=0)),
    "fusion: strongest field only": lambda: scores_by(lambda found: found.evidence.max(axis=0)),
    "fusion: plain sum of bits": lambda: scores_by(lambda found: found.bits.sum(axis=0)),
    "no patterns": lambda: [patch.object(detector, "PATTERN_CONTROLS", ())],
    "no tail below the smallest rank": without_tail,
}


@contextmanager
def variant(name: str) -> Iterator[None]:
    """The library with an ingredient taken out."""
    with ExitStack() as stack:
        for change in VARIANTS[name]():
            stack.enter_context(change)
        yield


# -------------------------------------------------------------------------- tasks
def on_worlds(seeds: list[int]) -> pd.DataFrame:
    """Figures of the simulated worlds, a row for each world and seed."""
    rows = [
        {"task": world, **of_driftlock(make(world, seed, SIZE))}
        for world in MAKERS
        for seed in seeds
    ]
    return pd.DataFrame(rows)


def on_labelled(protocol: ModuleType, seeds: list[int]) -> pd.DataFrame:
    """The same figures of the labelled data sets."""
    results = evaluate(protocol, seeds)
    return results.rename(columns={"set": "task", "fdp": "false_share"})


def measure(run: Callable[[list[int]], pd.DataFrame], seeds: list[int]) -> pd.DataFrame:
    """Means over seeds, a row for each variant and task."""
    tables = {}
    for name in VARIANTS:
        with variant(name):
            tables[name] = run(seeds).groupby("task", sort=False)[list(FIGURES)].mean()
        print(f"{name:34s}", tables[name].mean().round(4).to_dict(), flush=True)
    return pd.concat(tables, names=["variant"])


# ------------------------------------------------------------------------- report
def worth(results: pd.DataFrame, kinds: dict[str, str]) -> str:
    """Change of each figure, in hundredths, and tasks that change noticeably, as Markdown.

    `kinds` are words for tasks that are not to be called by their names.
    """
    default = results.loc[DEFAULT]
    lines = [
        "| | " + " | ".join(FIGURES.values()) + " | worse | better | most affected |",
        "| --- |" + " --: |" * (len(FIGURES) + 2) + " --- |",
        "| default | " + " | ".join(f"{default[f].mean():.3f}" for f in FIGURES) + " | | | |",
    ]
    for name in list(VARIANTS)[1:]:
        change = results.loc[name] - default
        cells = [f"{100 * change[figure].mean():+.1f}" for figure in FIGURES]
        both = (change["auc"] + change["ap"]) / 2
        worse, better = (both < -NOTICEABLE).sum(), (both > NOTICEABLE).sum()
        most = both.abs().idxmax()
        shown = kinds.get(most, most.replace("_", " "))
        example = f"{shown} ({100 * both[most]:+.1f})" if abs(both[most]) > NOTICEABLE else ""
        lines.append(f"| {name} | {' | '.join(cells)} | {worse} | {better} | {example} |")
    return "\n".join(lines)


def leave_one_out(results: pd.DataFrame) -> str:
    """The variant best on all other tasks, scored on the task left out."""
    quality = results[["auc", "ap"]].mean(axis=1).unstack("variant")[list(VARIANTS)]
    picks = {task: str(quality.drop(index=task).mean().idxmax()) for task in quality.index}
    chosen = pd.DataFrame([results.loc[(pick, task)] for task, pick in picks.items()]).mean()
    default = results.loc[DEFAULT].mean()
    counts = pd.Series(picks).value_counts()
    how = ", ".join(f"{name!r} on {count} of {len(picks)}" for name, count in counts.items())
    return (
        f"Chosen on the other tasks: AUC {chosen['auc']:.3f}, AP {chosen['ap']:.3f}; "
        f"default: {default['auc']:.3f}, {default['ap']:.3f}. Choices: {how}."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--protocol", type=Path, help="labelled data sets instead of worlds")
    parser.add_argument("--seeds", default="0,1")
    options = parser.parse_args()
    if options.protocol and not options.protocol.exists():
        parser.error(f"there is no {options.protocol}")
    protocol = load(options.protocol) if options.protocol else None
    run = partial(on_labelled, protocol) if protocol else on_worlds
    kinds = types(protocol) if protocol else {}
    results = measure(run, list(map(int, options.seeds.split(","))))
    report = f"{worth(results, kinds)}\n\n{leave_one_out(results)}\n"
    name = "ablation_labelled.md" if protocol else "ablation_simulated.md"
    (STATIC / name).write_text(report, encoding="utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

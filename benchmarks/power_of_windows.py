"""How often windows of 50 rows against 400 are told apart, by kind of change; Markdown tables.

    python benchmarks/power_of_windows.py [trials]

Rows of fields, then lines of a log by coder="text". Every statistic is tested at .05 by the same
999 draws; the NCD of zstd by 199 draws of its own that stop after 10 as extreme. Standard errors
are at most sqrt(.25 / trials).
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np

from driftlock.coders.codec import get_codec
from driftlock.draws import Draws
from driftlock.lines import row_lines
from driftlock.permutation import evaluate, sequential_p
from driftlock.windows.permuted import codec_statistic
from driftlock.windows.text import TextPool

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import test_window_promises as fields
import test_windows_text as text

LEVEL, N, M = 0.05, 400, 50


def zstd_p(lines, seed):
    statistic = codec_statistic("ncd", lines, N, get_codec("zstd"))
    draws = Draws.rows(N, N + M, 199, seed)
    return sequential_p(lambda a, b: evaluate(statistic, draws, a, b), "two-sided", 199)[0]


def of_fields(kind, rng, trial):
    frame = fields.world(N + M, rng)
    if kind in fields.KINDS:
        frame = fields.spoiled(frame, kind, rng)
    return [*fields.p_values(frame, N, seed=trial), zstd_p(row_lines(frame), trial)]


def of_text(kind, rng, trial):
    lines = text.log(N + M, rng)
    if kind in text.KINDS:
        lines = text.spoiled(lines, kind, rng)
    own = text.p_values(lines, N, draws=999, seed=trial)
    return [*own, zstd_p([line.encode() + b"\n" for line in lines], trial)]


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    warnings.simplefilter("ignore")
    of_texts = [*TextPool.statistics, "verdict"]
    for kinds, names, p_of_trial in (
        (fields.KINDS, fields.NAMES, of_fields),
        (text.KINDS, of_texts, of_text),
    ):
        columns = [*names, "NCD of zstd"]
        print("\n| change | " + " | ".join(columns) + " |")
        print("|---|" + "--:|" * len(columns))
        for kind in ("none", *kinds):
            rng = np.random.default_rng(1)
            found = np.array([p_of_trial(kind, rng, trial) for trial in range(trials)])
            shares = " | ".join(f"{share:.2f}" for share in (found <= LEVEL).mean(axis=0))
            print(f"| {kind} | {shares} |", flush=True)


if __name__ == "__main__":
    main()

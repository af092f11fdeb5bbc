"""How often windows of 50 rows against 400 are told apart, by kind of change; a Markdown table.

    python benchmarks/power_of_windows.py [trials]

Every statistic is tested at .05 by the same 999 draws; the NCD of zstd by 199 draws of its own that
stop after 10 as extreme. Standard errors are at most sqrt(.25 / trials).
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

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from test_window_promises import KINDS, NAMES, p_values, spoiled, world

LEVEL, N, M = 0.05, 400, 50


def zstd_p(frame, seed):
    statistic = codec_statistic("ncd", row_lines(frame), N, get_codec("zstd"))
    draws = Draws.rows(N, N + M, 199, seed)
    return sequential_p(lambda a, b: evaluate(statistic, draws, a, b), "two-sided", 199)[0]


def row_of(kind, trials):
    rng = np.random.default_rng(1)
    found = []
    for trial in range(trials):
        frame = world(N + M, rng)
        if kind in KINDS:
            frame = spoiled(frame, kind, rng)
        found.append([*p_values(frame, N, seed=trial), zstd_p(frame, trial)])
    return (np.array(found) <= LEVEL).mean(axis=0)


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    warnings.simplefilter("ignore")
    columns = [*NAMES, "NCD of zstd"]
    print("| change | " + " | ".join(columns) + " |")
    print("|---|" + "--:|" * len(columns))
    for kind in ("none", *KINDS):
        shares = " | ".join(f"{share:.2f}" for share in row_of(kind, trials))
        print(f"| {kind} | {shares} |", flush=True)


if __name__ == "__main__":
    main()

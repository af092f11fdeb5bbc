"""Realised levels and power in the simulated worlds of the tests, as the page docs/levels.md.

    python benchmarks/levels.py              # about ten minutes on one core
    python benchmarks/levels.py --runs 10    # a first look

Every run draws a world anew: n baseline rows and 1,000 tested ones.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import worlds  # noqa: E402

SIZES = (100, 300, 1000)
TESTED = 1000
ALPHA = 0.1
HEADER = (
    "| world | n | P(p ≤ .05) | P(p ≤ .01) | any false flag | a lone row found |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: |"
)
PAGE = """# Levels and power, simulated

How often p-values are small where nothing is odd, how often a call flags anything there, and how
often one blatant row among 1,000 is found. Each world is a simulated table (`tests/worlds.py`)
whose baseline rows and tested rows are drawn alike; {runs} runs of each, every one with a new
baseline of n rows and {tested:,} tested rows. `P(p ≤ ...)` is by rank alone. Flags are those of the
defaults at `alpha={alpha}`, the second level of patterns included: at most {alpha} of the runs may
have one. A blatant row is odd in two of its fields, if there are two: symbols that nobody else has,
numbers 10 to 1,000 interquartile ranges out, a message in another language.

{header}
{rows}

The standard error of a level is about {se5:.4f} at .05 and {se1:.4f} at .01 for n = 100, a third of
that for n = 1,000; of a share of runs up to {share:.2f}.

The promises, held by `tests/test_promises.py` and `tests/test_promises_found.py`: at most .065 and
.02 for n = 100, .06 and .015 from n = 300 on. Where values never seen are common (`one_zipf`,
`two_zipf`, `id_and_three`) one more of them is nothing special, and no single row can be found.

This page was written by `python benchmarks/levels.py`.
"""


def cell(world: str, n: int, runs: int) -> str:
    """One line of the table."""
    p, any_flag, found = [], [], []
    for seed in range(5000, 5000 + runs):
        rank = worlds.judged(world, n, TESTED, seed, tail=False, control="fpr")["p_value"]
        p.append([(rank <= level + 1e-12).mean() for level in (0.05, 0.01)])
        any_flag.append(worlds.judged(world, n, TESTED, seed, alpha=ALPHA)["is_anomaly"].any())
        lone = worlds.judged(world, n, TESTED, seed, alpha=ALPHA, odd=1)["is_anomaly"]
        found.append(lone.iloc[0])
    at_05, at_01 = np.mean(p, axis=0)
    shares = f"{np.mean(any_flag):.2f} | {np.mean(found):.2f}"
    return f"| {world} | {n:,} | {at_05:.4f} | {at_01:.4f} | {shares} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "levels.md")
    asked = parser.parse_args()
    rows = []
    for world in worlds.WORLDS:
        for n in SIZES:
            rows.append(cell(world, n, asked.runs))
            print(rows[-1], flush=True)
    spread = np.sqrt((1 / (SIZES[0] + 2) + 1 / TESTED) / asked.runs)
    asked.out.write_text(
        PAGE.format(
            runs=asked.runs,
            tested=TESTED,
            alpha=ALPHA,
            header=HEADER,
            rows="\n".join(rows),
            se5=np.sqrt(0.05 * 0.95) * spread,
            se1=np.sqrt(0.01 * 0.99) * spread,
            share=0.5 / np.sqrt(asked.runs),
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()

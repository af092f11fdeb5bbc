"""False alarms on simulated transactions with a daily rhythm, by null; a Markdown table.

    python benchmarks/day_shift.py [trials]

Nothing is wrong in these rows: each window of 100 follows its baseline of 1,000 without a gap. It
holds a few hours of the day, so that rows are not exchangeable.
"""

from __future__ import annotations

import sys
import warnings

import numpy as np

import driftlock as dl
from driftlock.windows import compare

LEVEL, N, M = 0.05, 1_000, 100


def main():
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    warnings.simplefilter("ignore")
    found = {}
    for seed in range(trials):
        events = dl.datasets.make_transactions(N + M, anomaly_rate=0, seed=seed).events
        baseline, window = events[:N], events[N:]
        for name, options in [
            ("rows", {"null": "rows"}),
            ("auto", {}),
            ("auto, times kept", {"fields": {"timestamp": "time"}}),
        ]:
            result = compare(baseline, window, n_permutations=1_099, rng=seed, **options)
            found.setdefault(name, []).append((result.p_value, result.null.name))
    print("| null | false alarms at .05 | chosen |")
    print("|---|--:|---|")
    for name, results in found.items():
        share = np.mean([p <= LEVEL for p, _ in results])
        chosen = sorted({null for _, null in results})
        counts = ", ".join(f"{c} {sum(n == c for _, n in results)}" for c in chosen)
        print(f"| {name} | {share:.2f} | {counts} |")


if __name__ == "__main__":
    main()

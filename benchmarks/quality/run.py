"""Ranking quality of driftlock and of its peers on simulated worlds.

    python benchmarks/quality/run.py            # every world, two seeds; writes docs/_static
    python benchmarks/quality/run.py --quick    # a small world of each family; only checks

AUC and AP are those of the scores of the tested rows. The false share is that of driftlock's flags
at alpha = 0.1, the recall the share of anomalies among them. Seconds are fit and score together.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from peers import PEERS
from report import by_family, by_world, figure, summary
from sklearn.metrics import average_precision_score, roc_auc_score
from worlds import FULL, MAKERS, QUICK, QUICK_WORLDS, Size, Task, family, make

import driftlock as dl

ALPHA = 0.1
STATIC = Path(__file__).parents[2] / "docs" / "_static"
QUICK_AUC = 0.90


def quality(truth: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    return {"auc": roc_auc_score(truth, scores), "ap": average_precision_score(truth, scores)}


def of_driftlock(task: Task) -> dict[str, float]:
    """One detector with its defaults, whatever the world."""
    begin = time.perf_counter()
    detector = dl.Detector(alpha=ALPHA, rng=0).fit(task.baseline)
    scores = detector.decision_function(task.tested)
    seconds = time.perf_counter() - begin
    flagged = detector.detect(task.tested).table["is_anomaly"].to_numpy(bool)
    return {
        **quality(task.truth, scores),
        "false_share": (flagged & ~task.truth).sum() / max(flagged.sum(), 1),
        "recall": flagged[task.truth].mean(),
        "seconds": seconds,
    }


def of_peer(name: str, task: Task) -> dict[str, float]:
    begin = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what they warn of is not ours to mend
        scores = PEERS[name](task)
    return {**quality(task.truth, scores), "seconds": time.perf_counter() - begin}


def measure(names: list[str], seeds: list[int], size: Size) -> pd.DataFrame:
    """A row for each world, seed and method."""
    warm = make("requests: all kinds", 0, Size(100, 50, 10))  # compiled code is timed when compiled
    of_driftlock(warm)
    for peer in PEERS:
        of_peer(peer, warm)
    rows = []
    for name in names:
        for seed in seeds:
            task = make(name, seed, size)
            about = {"world": name, "family": family(name), "seed": seed}
            rows.append({**about, "method": "driftlock", **of_driftlock(task)})
            rows += [{**about, "method": peer, **of_peer(peer, task)} for peer in PEERS]
        print(f"{name:40s} driftlock {rows[-1 - len(PEERS)]['auc']:.3f}", flush=True)
    return pd.DataFrame(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a world of each family, small")
    parser.add_argument("--redraw", action="store_true", help="from the figures of the last run")
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--worlds", default="", help="only those whose name begins so")
    parser.add_argument("--out", type=Path, default=STATIC, help="where table and figure go")
    options = parser.parse_args()
    if options.redraw:
        write(pd.read_csv(options.out / "quality.csv"), options.out)
        return 0
    chosen = QUICK_WORLDS if options.quick else MAKERS
    names = [name for name in chosen if name.startswith(options.worlds)]
    seeds = [0] if options.quick else list(map(int, options.seeds.split(",")))
    results = measure(names, seeds, QUICK if options.quick else FULL)
    methods = summary(results)
    print(methods.round(3).to_string())
    if options.quick:
        best_peer = methods["auc"].drop("driftlock").max()
        mean = methods.loc["driftlock", "auc"]
        holds = bool(mean >= max(QUICK_AUC, best_peer))
        verdict = "ok" if holds else "FAILED"
        print(f"driftlock {mean:.3f}, best single peer {best_peer:.3f}: {verdict}")
        return 0 if holds else 1
    results.round(4).to_csv(options.out / "quality.csv", index=False, lineterminator="\n")
    write(results, options.out)
    return 0


def write(results: pd.DataFrame, folder: Path) -> None:
    """Tables and figure for the documentation."""
    for name, table in (("families", by_family(results)), ("worlds", by_world(results))):
        (folder / f"quality_{name}.md").write_text(table + "\n", encoding="utf-8")
    figure(results, folder / "quality.svg")


if __name__ == "__main__":
    raise SystemExit(main())

"""Tables and clocks that the benchmarks share."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from driftlock.datasets import make_transactions

if TYPE_CHECKING:
    from collections.abc import Callable

# The million is asked for by name: DRIFTLOCK_BENCH_LARGE=1 asv run ...
LARGE = os.environ.get("DRIFTLOCK_BENCH_LARGE") == "1"
TESTED_ROWS = [1_000, 100_000] + ([1_000_000] if LARGE else [])
FORMS = ["raw", "typed"]  # nested and with values that cannot be read, or flat and with dtypes


def baseline_rows(tested: int) -> int:
    """400 normal rows for each 1,000 tested ones."""
    return tested * 2 // 5


def tables() -> dict[tuple[int, str], pd.DataFrame]:
    """Simulated transactions by size and form: the baseline's rows, then the tested ones."""
    made = {}
    for tested in TESTED_ROWS:
        raw = make_transactions(baseline_rows(tested) + tested, seed=0).events
        made[tested, "raw"] = raw
        made[tested, "typed"] = _typed(raw)
    return made


def _typed(raw: pd.DataFrame) -> pd.DataFrame:
    """The same rows as a database would return them: flat, numbers as floats, times as times."""
    flat = raw.drop(columns="metadata").join(
        pd.DataFrame(raw["metadata"].tolist(), index=raw.index)
    )
    flat["amount"] = pd.to_numeric(flat["amount"], errors="coerce")
    flat["timestamp"] = pd.to_datetime(flat["timestamp"], errors="coerce", utc=True)
    return flat


def wide_table(n: int, texts: str, *, seed: int) -> pd.DataFrame:
    """Five columns of texts of a dtype, an id, four numbers, a time and a bool."""
    rng = np.random.default_rng(seed)
    names = {
        f"s{k}": np.array([f"value {i:03d}" for i in range(30 * k)])[rng.integers(0, 30 * k, n)]
        for k in range(1, 6)
    }
    names["id"] = np.array([f"{i:012x}" for i in rng.integers(0, 2**48, n)])
    made = pd.DataFrame(names).astype(texts)
    for k in range(4):
        made[f"x{k}"] = np.round(rng.lognormal(3, 1, n), 2)
    seconds = np.sort(rng.integers(0, 90 * 86_400, n))
    made["when"] = pd.Timestamp("2025-01-01") + pd.to_timedelta(seconds, unit="s")
    made["ok"] = rng.random(n) < 0.9
    return made


def best_seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Shortest time of a few runs: what the work costs when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)

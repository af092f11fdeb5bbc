"""Tables and clocks that the benchmarks share."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

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


def best_seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Shortest time of a few runs: what the work costs when nothing else disturbs it."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)

"""Permutations of windows: how many a second, beside two peers in the same run, and a whole scan.

Ratios mean something on any machine; permutations a second only beside others of the same one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import zstandard
from scipy import stats

import driftlock as dl
from driftlock.draws import Draws
from driftlock.windows.table import encode

from .common import best_seconds

SIZES = [(400, 50), (4_000, 500), (100_000, 500)]
DRAWS = {400: 50_000, 4_000: 5_000, 100_000: 2_000}


def rows_of(n, seed=0):
    """Eight fields, four categories and four numbers, and an id: JSON lines of about 250 bytes."""
    rng = np.random.default_rng(seed)
    names = {"method": 3, "category": 8, "place": 20, "merchant": 60}
    rows = {"transaction_id": [rng.bytes(16).hex() for _ in range(n)]}
    for name, k in names.items():
        rows[name] = rng.choice([f"{name} number {i}" for i in range(k)], n)
    for name in ("amount", "balance", "fee", "distance"):
        rows[name] = np.round(rng.lognormal(3, 1, n), 2)
    return pd.DataFrame(rows)


class Permutations:
    """One thread; all four statistics of every draw, except beside scipy."""

    params = [SIZES]
    param_names = ("baseline and window rows",)
    timeout = 600
    unit = "permutations/s"

    def setup(self, sizes):
        dl.warmup()
        dl.set_threads(1)
        self.n, self.m = sizes
        self.rows = rows_of(self.n + self.m)
        table = encode([self.rows], self.n)
        self.pool = table.pool(np.arange(self.n), np.arange(self.n, self.n + self.m))
        self.draws = Draws.rows(self.n, self.n + self.m, DRAWS[self.n], 1)
        self.draws.measure(self.pool, 0, 2)

    def teardown(self, sizes):
        dl.set_threads(None)

    def rate(self):
        return DRAWS[self.n] / best_seconds(lambda: self.draws.measure(self.pool))

    def track_permutations(self, sizes):
        return self.rate()

    def peakmem_permutations(self, sizes):
        self.draws.measure(self.pool)

    def track_times_zstd(self, sizes):
        """How many times the rate of recompressing window and baseline with zstd, level 3."""
        lines = self.rows.to_json(orient="records", lines=True).encode().splitlines(keepends=True)
        compress = zstandard.ZstdCompressor(level=3).compress
        rng, repeats = np.random.default_rng(1), max(3, 20_000 // self.n)

        def recompress():
            for _ in range(repeats):
                order = rng.permutation(len(lines))
                baseline = b"".join([lines[i] for i in order[self.m :]])
                window = b"".join([lines[i] for i in order[: self.m]])
                compress(baseline), compress(window), compress(baseline + window)

        return self.rate() * best_seconds(recompress) / repeats

    def track_times_scipy(self, sizes):
        """How many times the rate of scipy.stats.permutation_test of a mean, mean against mean."""
        values = self.rows["amount"].to_numpy()
        window, baseline = values[self.n :], values[: self.n]
        repeats = max(50, 400_000 // self.n)

        def mean_test():
            stats.permutation_test(
                (window, baseline),
                lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
                n_resamples=repeats,
                vectorized=True,
                batch=100,
            )

        own = best_seconds(lambda: self.draws.mean_bits(self.pool)) / DRAWS[self.n]
        return best_seconds(mean_test) / repeats / own


class Scan:
    """DataFrame in, a p-value for every window out: windows of 50 rows, 10 apart, 999 draws."""

    params = (10_000, 100_000)
    param_names = ("tested rows",)
    timeout = 900

    def setup(self, tested):
        dl.warmup()
        self.rows = rows_of(400 + tested)

    def time_scan(self, tested):
        dl.scan(self.rows, baseline=400, window=50, hop=10, null="rows", rng=1)

    def peakmem_scan(self, tested):
        dl.scan(self.rows, baseline=400, window=50, hop=10, null="rows", rng=1)


class Compare:
    """What a single comparison costs, fields and plan included."""

    def setup(self):
        dl.warmup()
        rows = rows_of(450)
        self.baseline, self.window = rows[:400], rows[400:]

    def time_compare(self):
        dl.compare(self.baseline, self.window, rng=1)

    def time_compare_zstd(self):
        dl.compare(self.baseline, self.window, coder="zstd", n_permutations=199, rng=1)

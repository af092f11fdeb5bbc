"""What the recipe costs against one zstd pass: its blocks on a table, its views on lines of text.

One thread, processor seconds, the shortest of a few runs; a ratio above 1 says that driftlock is
faster than the peer. The table has 12 columns: an id, a time, five strings, four numbers and a
boolean, two sevenths of it baseline. The block of nearest rows, and with it the patterns of rows,
is taken out by a coder that finds nothing to measure.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import zstandard
from sklearn.ensemble import IsolationForest

import driftlock as dl
from driftlock.arrays import Texts
from driftlock.coders.nearest import NearestCoder
from driftlock.coders.text import TextCoder

from .common import LARGE
from .detect import as_numbers

ROWS = [100_000] + ([1_000_000] if LARGE else [])
LINES = 30_000
WORDS = {"method": 3, "category": 8, "place": 20, "merchant": 60, "currency": 5}
KINDS = ["lines that repeat", "lines with numbers", "records"]


def table(n: int, seed: int = 0) -> pd.DataFrame:
    """Transactions as a database would return them."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.uniform(0, 30 * 86_400, n)).round(3)
    columns = {
        "transaction_id": [rng.bytes(16).hex() for _ in range(n)],
        "timestamp": pd.Timestamp("2025-03-01", tz="UTC") + pd.to_timedelta(seconds, unit="s"),
    }
    for name, size in WORDS.items():
        shares = 1.0 / np.arange(1, size + 1)
        values = [f"{name} number {i}" for i in range(size)]
        columns[name] = rng.choice(values, n, p=shares / shares.sum())
    for name in ("amount", "balance", "fee", "distance"):
        columns[name] = np.round(rng.lognormal(3, 1, n), 2)
    return pd.DataFrame({**columns, "is_online": rng.random(n) < 0.3})


def lines(kind: str) -> list[str]:
    """Lines of a log, or JSON records of about 300 bytes, none of which repeats."""
    rng = np.random.default_rng(1)
    if kind == "records":
        return table(LINES // 4).to_json(orient="records", lines=True).splitlines()
    many = kind == "lines with numbers"
    made = []
    for _ in range(LINES):
        host, file = rng.integers(1, 9), rng.integers(1, 40)
        line = f"host{host} app: read file /var/data/part{file} in mode r"
        made.append(line + f", {rng.integers(10**6)} bytes, id {rng.integers(10**8)}" * many)
    return made


def as_texts(rows: list[str]) -> Texts:
    data = [row.encode() for row in rows]
    ends = np.append(0, np.cumsum([len(row) for row in data]))
    return Texts(
        np.frombuffer(b"".join(data), np.uint8).copy(), ends, np.zeros(len(rows), np.uint8)
    )


def nothing_to_measure(columns, scaled):
    """In place of `NearestCoder.fit`: no field has a distance."""


def best_cpu_seconds(run, repeats: int = 5) -> float:
    """Shortest processor time of a few runs: what other work on the machine disturbs least."""
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times)


class _OneThread:
    unit = "x"
    timeout = 900

    def setup(self, *_):
        dl.warmup()
        dl.set_threads(1)

    def teardown(self, *_):
        dl.set_threads(None)


class Blocks(_OneThread):
    """DataFrame in, decisions out, every block or without the nearest rows."""

    params = (ROWS, ["all", "without nearest rows"])
    param_names = ("rows", "blocks")

    def setup(self, n, blocks):
        super().setup()
        self.rows, self.n_baseline = table(n), n * 2 // 7
        self.kept = NearestCoder.fit
        if blocks != "all":
            NearestCoder.fit = staticmethod(nothing_to_measure)
        dl.detect(self.rows, baseline=self.n_baseline)

    def teardown(self, *_):
        NearestCoder.fit = self.kept
        super().teardown()

    def own(self):
        return best_cpu_seconds(lambda: dl.detect(self.rows, baseline=self.n_baseline))

    def track_zstd(self, n, blocks):
        """Against one pass of zstd, level 3, over the same rows as JSON lines."""
        data = self.rows.to_json(orient="records", lines=True, date_format="iso").encode()
        compress = zstandard.ZstdCompressor(level=3).compress
        return best_cpu_seconds(lambda: compress(data)) / self.own()

    def track_isolation_forest(self, n, blocks):
        """Against IsolationForest, fit and score, its table made numeric outside the clock."""
        numeric = as_numbers(self.rows)
        normal, tested = numeric[: self.n_baseline], numeric[self.n_baseline :]

        def fit_and_score():
            IsolationForest(random_state=0, n_jobs=1).fit(normal).score_samples(tested)

        return best_cpu_seconds(fit_and_score, repeats=3) / self.own()


class TextViews(_OneThread):
    """Every view of a text column, in MB/s over those of zstd, level 3, on the same lines."""

    params = KINDS
    param_names = ("text",)

    def setup(self, kind):
        super().setup()
        rows = lines(kind)
        self.rate = self.zstd("\n".join(rows).encode())
        half = len(rows) // 2
        self.normal, self.tested = as_texts(rows[:half]), as_texts(rows[half:])
        self.coder = TextCoder.fit(self.normal)
        self.coder.measure(self.tested, own=False)

    @staticmethod
    def zstd(data):
        compress = zstandard.ZstdCompressor(level=3).compress
        return len(data) / best_cpu_seconds(lambda: compress(data))

    def track_leave_one_out(self, kind):
        """Learn a baseline and code each of its rows without itself."""
        seconds = best_cpu_seconds(lambda: TextCoder.fit(self.normal))
        return self.normal.data.size / seconds / self.rate

    def track_new_rows(self, kind):
        """Code rows that were not learned."""
        seconds = best_cpu_seconds(lambda: self.coder.measure(self.tested, own=False))
        return self.tested.data.size / seconds / self.rate

    def peakmem_leave_one_out(self, kind):
        TextCoder.fit(self.normal)

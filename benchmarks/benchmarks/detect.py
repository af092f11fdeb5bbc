"""What `detect` costs, alone and beside two peers that see the same rows in the same run.

Tables are made once and kernels compiled before the clock starts. Ratios mean something on any
machine; seconds only beside other seconds of the same one.
"""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import zstandard
from sklearn.ensemble import IsolationForest

import driftlock as dl

from .common import FORMS, TESTED_ROWS, baseline_rows, best_seconds, tables, wide_table


class _Tables:
    params = (TESTED_ROWS, FORMS)
    param_names = ("tested rows", "table")
    timeout = 900

    def setup_cache(self):
        return tables()

    def setup(self, made, tested, form):
        dl.warmup()
        self.events = made[tested, form]
        self.n_baseline = baseline_rows(tested)
        self.detect()

    def detect(self):
        return dl.detect(self.events, baseline=self.n_baseline)


class Detect(_Tables):
    """DataFrame in, p-values and decisions for every tested row out."""

    def time_detect(self, made, tested, form):
        self.detect()

    def peakmem_detect(self, made, tested, form):
        self.detect()


class Fitted(_Tables):
    """The same, the baseline already learned: what each further batch costs."""

    def setup(self, made, tested, form):
        super().setup(made, tested, form)
        self.detector = dl.Detector().fit(self.events.iloc[: self.n_baseline])
        self.batch = self.events.iloc[self.n_baseline :]

    def time_detect(self, made, tested, form):
        self.detector.detect(self.batch)


class Memory:
    """Memory that `detect` takes at its peak beyond the frame, in frames.

    Five texts, four numbers, a time, an id and a bool. What the kernels themselves allocate is not
    seen: it is small.
    """

    params = ([100_000, 1_000_000], ["object", "str"])
    param_names = ("tested rows", "texts")
    unit = "frames"
    timeout = 900

    def setup(self, tested, texts):
        dl.warmup()
        self.detector = dl.Detector().fit(wide_table(2_000, texts, seed=1))
        self.events = wide_table(tested, texts, seed=2)

    def track_peak_beyond_the_frame(self, tested, texts):
        tracemalloc.start()
        self.detector.detect(self.events)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak / self.events.memory_usage(deep=True).sum()


class Peers(_Tables):
    """How many times the peer's speed: above 1, driftlock is the faster one."""

    unit = "x"

    def track_zstd(self, made, tested, form):
        """Against one zstd pass, level 3, over all the rows as JSON lines."""
        lines = self.events.to_json(orient="records", lines=True).encode()
        compress = zstandard.ZstdCompressor(level=3).compress
        return best_seconds(lambda: compress(lines)) / best_seconds(self.detect)

    def track_isolation_forest(self, made, tested, form):
        """Against IsolationForest, fit and score, its table made numeric outside the clock."""
        numeric = as_numbers(self.events)
        normal, tested_part = numeric[: self.n_baseline], numeric[self.n_baseline :]

        def fit_and_score():
            IsolationForest(random_state=0, n_jobs=1).fit(normal).score_samples(tested_part)

        return best_seconds(fit_and_score) / best_seconds(self.detect)


def as_numbers(events):
    """Numbers as they are, all else as codes: the least work that gives a forest its table."""
    columns = [
        column.to_numpy(np.float64)
        if pd.api.types.is_numeric_dtype(column)
        else pd.factorize(column.astype(str))[0].astype(np.float64)
        for _, column in events.items()
    ]
    return np.column_stack(columns)

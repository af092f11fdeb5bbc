"""A pool of random rows, as draws and their statistics take it."""

from __future__ import annotations

import numpy as np

from driftlock._kernels import scan
from driftlock.draws import Pool


def random_pool(n=40, m=12, seed=0, alphabets=(3, 30), *, numbers=True):
    rng = np.random.default_rng(seed)
    codes = [rng.integers(k, size=n + m) for k in alphabets]
    if numbers:
        codes.append(np.where(rng.random(n + m) < 0.2, 1, scan.FIRST_RANK + rng.permutation(n + m)))
    codes = np.column_stack(codes).astype(np.int32)
    sorts = np.array([scan.SYMBOL] * len(alphabets) + [scan.RANK] * numbers, np.int8)
    bits = rng.integers(500, 30_000, size=n + m).astype(np.int32)
    return Pool.of(codes, sorts, bits, n), codes, bits

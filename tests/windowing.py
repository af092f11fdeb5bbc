"""Rows for tests of windows: those of a shop, those of another world, and sessions with a level."""

from __future__ import annotations

import numpy as np
import pandas as pd

DRAWS = 199


def table(n=450, seed=0):
    """Exchangeable rows of five kinds."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "shop": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "user": rng.integers(0, 40, n).astype(str),
            "amount": np.round(rng.lognormal(3, 1, n), 2),
            "count": rng.poisson(3, n),
            "ok": rng.random(n) < 0.9,
        }
    )


def shifted(n=50, seed=1):
    """Rows of another world: other shops, larger amounts."""
    rows = table(n, seed)
    rows["shop"] = np.random.default_rng(seed).choice(["a", "b", "c"], n, p=[0.1, 0.3, 0.6])
    rows["amount"] = np.round(rows["amount"] * 5, 2)
    return rows


def sessions(n_groups, size, seed):
    """Groups of rows that share a level: rows are not exchangeable, groups are."""
    rng = np.random.default_rng(seed)
    level = rng.normal(0, 3, n_groups)
    return pd.DataFrame(
        {
            "who": np.repeat([f"g{i}" for i in range(n_groups)], size),
            "x": np.repeat(level, size) + rng.normal(size=n_groups * size),
        }
    )

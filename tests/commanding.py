"""What commands of `driftlock detect` read: a table without anomalies and one with two."""

from __future__ import annotations

import numpy as np
import pandas as pd

from driftlock.files import write_table

N = 80  # normal rows; 60 of them serve as baseline
ODD = ["detect", "odd.jsonl", "--baseline", "60"]


def write_tables() -> None:
    """Write normal.csv and odd.jsonl into the current folder."""
    rng = np.random.default_rng(7)
    normal = pd.DataFrame(
        {
            "amount": rng.lognormal(3, 0.5, N).round(2),
            "shop": rng.choice(["bakery", "books", "cinema"], N),
            "key": [f"{rng.integers(16**8):08x}" for _ in range(N)],
        }
    )
    odd = pd.DataFrame({"amount": [9e6, 8e6], "shop": ["casino", "yacht"], "key": ["ab", "cd"]})
    write_table(normal, "normal.csv")
    write_table(pd.concat([normal, odd], ignore_index=True), "odd.jsonl")

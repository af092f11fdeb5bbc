"""Every world of the benchmark: normal rows, anomalies, and how they are split into a task.

All of them are simulated from a seed, so the benchmark needs no data and no licence. A world is
named "family: kind of anomaly"; the kinds of one family share their normal rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from tables import TABLES
from texts import TEXTS

from driftlock.datasets import KINDS, make_transactions

Maker = Callable[[np.random.Generator, int, int], tuple[pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Size:
    """Rows of the baseline, and normal and anomalous rows among the tested ones."""

    baseline: int
    normal: int
    anomalies: int


FULL = Size(1000, 1000, 50)
QUICK = Size(400, 400, 20)


@dataclass(frozen=True)
class Task:
    """What a detector is given, and the truth that it is judged by.

    `text` names the column that is a text, for peers that have to be told; driftlock is not.
    """

    baseline: pd.DataFrame
    tested: pd.DataFrame
    truth: np.ndarray
    text: str | None


def transactions(
    rng: np.random.Generator, n: int, n_anomalies: int, kinds: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    data = make_transactions(
        n + n_anomalies,
        anomaly_rate=n_anomalies / (n + n_anomalies),
        kinds=kinds,
        seed=int(rng.integers(2**31)),
    )
    flat = pd.json_normalize(data.events.to_dict("records"))
    strange = data.labels["is_anomaly"].to_numpy(bool)
    return flat[~strange], flat[strange]


MAKERS: dict[str, Maker] = {
    **{f"transactions: {kind}": partial(transactions, kinds=(kind,)) for kind in KINDS},
    "transactions: all kinds": partial(transactions, kinds=tuple(KINDS)),
    **TABLES,
    **TEXTS,
}
# One of each family, for a run of less than a minute.
QUICK_WORLDS = (
    "transactions: all kinds",
    "categories: two from another class",
    "numbers: broken correlation",
    "numbers: group in the gap",
    "requests: all kinds",
    "log lines: all kinds",
    "sequences: step left out",
    "payloads: values exchanged",
)


def family(name: str) -> str:
    """The part of a world's name before the colon."""
    return name.split(":", maxsplit=1)[0]


def make(name: str, seed: int, size: Size = FULL) -> Task:
    """One task: normal rows split at random, then the anomalies."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    normal, strange = MAKERS[name](rng, size.baseline + size.normal, size.anomalies)
    order = rng.permutation(len(normal))
    baseline, others = order[: size.baseline], order[size.baseline :]
    tested = pd.concat([normal.iloc[others], strange], ignore_index=True)
    truth = np.arange(len(tested)) >= len(others)
    text = "text" if "text" in normal.columns else None
    return Task(normal.iloc[baseline].reset_index(drop=True), tested, truth, text)

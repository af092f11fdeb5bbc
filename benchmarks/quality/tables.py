"""Simulated tables: dependent categories, numbers, signals, and requests of every kind of field."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

Rng = np.random.Generator
Pair = tuple[pd.DataFrame, pd.DataFrame]


def frame(values: np.ndarray, prefix: str = "x") -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"{prefix}{i}" for i in range(values.shape[1])])


def some(rng: Rng, n_rows: int, n_columns: int, k: int) -> np.ndarray:
    """A mask with k columns of each row."""
    order = rng.random((n_rows, n_columns)).argsort(axis=1)
    return order < k


# ----------------------------------------------------------------- categories
N_CLASSES, N_FIELDS, N_VALUES = 6, 9, 8


def categories(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    """Nine fields of a hidden class: each class uses three of eight values of each field."""
    used = rng.random((N_CLASSES, N_FIELDS, N_VALUES)).argsort(axis=2)[:, :, :3]

    def draw(classes: np.ndarray) -> np.ndarray:
        which = rng.choice(3, (len(classes), N_FIELDS), p=[0.6, 0.3, 0.1])
        return used[classes[:, None], np.arange(N_FIELDS), which]

    shares = np.array([0.35, 0.25, 0.15, 0.1, 0.1, 0.05])
    normal = draw(rng.choice(N_CLASSES, n, p=shares))
    classes = rng.choice(N_CLASSES, n_anomalies, p=shares)
    strange = draw(classes)
    if kind == "value never seen":
        strange[some(rng, n_anomalies, N_FIELDS, 1)] = N_VALUES
    elif kind == "two from another class":
        other = draw((classes + rng.integers(1, N_CLASSES, n_anomalies)) % N_CLASSES)
        strange = np.where(some(rng, n_anomalies, N_FIELDS, 2), other, strange)
    else:  # every pair of values is usual, the three together are not
        normal[:, 2] = (normal[:, 0] % 2) ^ (normal[:, 1] % 2)
        strange[:, 2] = 1 - ((strange[:, 0] % 2) ^ (strange[:, 1] % 2))
    names = np.array([f"v{i}" for i in range(N_VALUES + 1)], dtype=object)
    return frame(names[normal], "c"), frame(names[strange], "c")


# -------------------------------------------------------------------- numbers
def correlated(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    """Ten numbers of three factors."""
    loadings = rng.normal(size=(3, 10))

    def draw(rows: int) -> np.ndarray:
        return rng.normal(size=(rows, 3)) @ loadings + 0.3 * rng.normal(size=(rows, 10))

    normal, strange = draw(n), draw(n_anomalies)
    if kind == "broken correlation":
        strange = np.where(some(rng, n_anomalies, 10, 2), draw(n_anomalies), strange)
    else:  # far out
        moved = some(rng, n_anomalies, 10, 1)
        strange[moved] += rng.choice([-1, 1], n_anomalies) * 5 * normal.std()
    return frame(normal.round(3)), frame(strange.round(3))


def clustered(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    """Six numbers: a tight and a wide cluster; or a shell around an empty middle."""
    if kind == "beside a tight cluster":
        tight = rng.random(n) < 0.5
        width = np.where(tight, 0.1, 1.5)[:, None]
        normal = np.where(tight, 0.0, 6.0)[:, None] + width * rng.normal(size=(n, 6))
        direction = rng.normal(size=(n_anomalies, 6))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        strange = direction * rng.uniform(0.8, 1.4, (n_anomalies, 1))
    else:  # group in the gap
        direction = rng.normal(size=(n, 6))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        normal = direction * rng.normal(3.0, 0.3, (n, 1))
        strange = 0.3 * rng.normal(size=(n_anomalies, 6))
    return frame(normal.round(3)), frame(strange.round(3))


def grouped(rng: Rng, n: int, n_anomalies: int) -> Pair:
    """An amount on the scale of its category; anomalies have that of another category."""
    levels = rng.permutation(np.linspace(1.0, 8.0, 20))
    shares = 1.0 / np.arange(1, 21)

    def draw(rows: int, shift: int) -> pd.DataFrame:
        item = rng.choice(20, rows, p=shares / shares.sum())
        level = np.sort(levels)
        place = (np.argsort(np.argsort(levels))[item] + shift * rng.integers(7, 14, rows)) % 20
        amount = np.exp(level[place] + 0.35 * rng.normal(size=rows))
        names = [f"item {i}" for i in item]
        return pd.DataFrame(
            {
                "item": names,
                "amount": amount.round(2),
                "pieces": 1 + rng.poisson(3, rows),
                "weight": rng.normal(20, 5, rows).round(2),
            }
        )

    return draw(n, 0), draw(n_anomalies, 1)


def prototypes(rng: Rng, n: int, n_anomalies: int) -> Pair:
    """48 whole numbers from 0 to 16 around one of nine prototypes; anomalies have a tenth one."""
    shapes = rng.beta(0.6, 0.6, (10, 48)) * 16

    def draw(which: np.ndarray) -> pd.DataFrame:
        noisy = shapes[which] + 6.0 * rng.normal(size=(len(which), 48))
        return frame(noisy.round().clip(0, 16).astype(int))

    return draw(rng.integers(0, 9, n)), draw(np.full(n_anomalies, 9))


# -------------------------------------------------------------------- signals
def signals(rng: Rng, n: int, n_anomalies: int, kind: str) -> Pair:
    """The last 24 values of a wave with noise; its phase and height differ from row to row."""
    steps = np.arange(24)

    def wave(rows: int, period: float) -> np.ndarray:
        phase = rng.uniform(0, 2 * np.pi, (rows, 1))
        height = rng.uniform(0.7, 1.3, (rows, 1))
        return height * np.sin(2 * np.pi * steps / period + phase)

    noise = 0.15
    normal = wave(n, 12.0) + noise * rng.normal(size=(n, 24))
    clean = wave(n_anomalies, 12.0)
    if kind == "spike":
        clean[some(rng, n_anomalies, 24, 1)] += rng.choice([-0.8, 0.8], n_anomalies)
    elif kind == "flat":
        clean = np.where(steps >= rng.integers(10, 18, (n_anomalies, 1)), 0.0, clean)
    else:  # another period
        clean = wave(n_anomalies, 10.8)
    strange = clean + noise * rng.normal(size=(n_anomalies, 24))
    return frame(normal.round(3)), frame(strange.round(3))


# ------------------------------------------------------------------- requests
PATHS = ("/", "/cart", "/item/{}", "/item/{}/reviews", "/search?q={}", "/login", "/api/v1/order/{}")
WORDS = ("lamp", "blue chair", "desk", "rug", "green sofa", "shelf", "oak table", "mirror")
ATTACKS = ("/item/{}' OR '1'='1", "/search?q=<script>alert({})</script>", "/../../etc/passwd?{}")
KINDS_OF_REQUEST = ("slow", "attack", "size out of place", "wrong status")


def requests(rng: Rng, n: int, n_anomalies: int) -> Pair:
    """Web requests: method, path, status, bytes, milliseconds, agent and time."""
    normal, strange = _requests(rng, n), _requests(rng, n_anomalies)
    for row, kind in enumerate(rng.permutation(np.arange(n_anomalies) % 4)):
        _bend_request(strange, row, KINDS_OF_REQUEST[kind], rng)
    return normal, strange


def _requests(rng: Rng, n: int) -> pd.DataFrame:
    place = rng.choice(len(PATHS), n, p=[0.15, 0.1, 0.3, 0.15, 0.15, 0.05, 0.1])
    fill = [
        WORDS[rng.integers(len(WORDS))].replace(" ", "+") if p == 4 else int(rng.integers(1, 5000))
        for p in place
    ]
    is_post = (place == 5) | (place == 6)
    typical_bytes = np.array([20_000, 6_000, 14_000, 30_000, 18_000, 900, 1_500])[place]
    seconds = rng.uniform(0, 86_400 * 21, n)
    return pd.DataFrame(
        {
            "time": pd.Timestamp("2024-03-01") + pd.to_timedelta(seconds.round(), unit="s"),
            "method": np.where(is_post, "POST", "GET").astype(object),
            "text": [PATHS[p].format(f) for p, f in zip(place, fill, strict=True)],
            "status": np.where(is_post, rng.choice([201, 401], n, p=[0.9, 0.1]), 200),
            "bytes": (typical_bytes * np.exp(0.2 * rng.normal(size=n))).astype(int),
            "milliseconds": np.exp(3 + 0.4 * rng.normal(size=n) + is_post).round(1),
            "agent": rng.choice(["Firefox", "Chrome", "Safari", "app"], n, p=[0.2, 0.4, 0.2, 0.2]),
        }
    )


def _bend_request(table: pd.DataFrame, row: int, kind: str, rng: Rng) -> None:
    changed: dict[str, Any] = {}
    if kind == "slow":
        changed["milliseconds"] = float(rng.uniform(400, 4000))
    elif kind == "attack":
        changed["text"] = ATTACKS[rng.integers(3)].format(rng.integers(1, 5000))
    elif kind == "size out of place":
        is_small = table.loc[row, "bytes"] < 4_000
        changed["bytes"] = int(rng.uniform(12_000, 30_000) if is_small else rng.uniform(600, 1500))
    else:
        changed["status"] = 401 if table.loc[row, "method"] == "GET" else 200
    for name, value in changed.items():
        table.loc[row, name] = value


TABLES = {
    **{
        f"categories: {kind}": partial(categories, kind=kind)
        for kind in ("value never seen", "two from another class", "three that never meet")
    },
    **{
        f"numbers: {kind}": partial(correlated, kind=kind)
        for kind in ("far out", "broken correlation")
    },
    **{
        f"numbers: {kind}": partial(clustered, kind=kind)
        for kind in ("beside a tight cluster", "group in the gap")
    },
    "numbers: level of another category": grouped,
    "numbers: a tenth prototype": prototypes,
    **{
        f"signals: {kind}": partial(signals, kind=kind)
        for kind in ("spike", "flat", "another period")
    },
    "requests: all kinds": requests,
}

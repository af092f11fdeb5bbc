"""Simulated worlds: a DataFrame of n rows from a seed, all of them drawn alike.

Anything that differs between the first rows of a world and the others is chance, so whatever is
flagged there is a false flag. `spoil` makes rows of a world blatant, `judged` is one call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

import driftlock as dl

World = Callable[[int, int], pd.DataFrame]

FAR = 10.0  # interquartile ranges from the median to a blatant number, at least
IDENTIFIERS = ("id", "customer")


def zipf(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    """Ranks 0 to size - 1, each with a probability proportional to 1 / (rank + 1)."""
    shares = 1.0 / np.arange(1, size + 1)
    return rng.choice(size, n, p=shares / shares.sum())


def named(prefix: str, codes: np.ndarray) -> list[str]:
    return [f"{prefix}{code}" for code in codes.tolist()]


def times(rng: np.random.Generator, n: int) -> pd.DatetimeIndex:
    """Times of sixty days, most of them around two in the afternoon."""
    hours = 24 * rng.integers(0, 60, n) + rng.normal(14, 4, n)
    return pd.Timestamp("2024-03-01") + pd.to_timedelta(np.rint(3600 * hours), unit="s")


def mixed(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([1, seed])
    merchant = zipf(rng, n, 60)
    amount = np.exp(rng.normal(2 + merchant % 5, 0.8))
    return pd.DataFrame(
        {
            "merchant": named("shop ", merchant),
            "category": named("kind ", merchant % 5),
            "channel": rng.choice(["web", "app", "till"], n, p=[0.5, 0.3, 0.2]),
            "country": rng.choice(["DE", "FR", "IT", "PL", "SE"], n, p=[0.6, 0.2, 0.1, 0.07, 0.03]),
            "member": rng.choice([True, False], n),
            "when": times(rng, n),
            "amount": np.round(amount, 2),
            "balance": np.round(rng.normal(1000, 200, n), 1),
        }
    )


def one_zipf(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([2, seed])
    return pd.DataFrame({"account": pd.Categorical(named("a", zipf(rng, n, 3000)))})


def two_zipf(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([3, seed])
    return pd.DataFrame(
        {
            "account": pd.Categorical(named("a", zipf(rng, n, 3000))),
            "product": pd.Categorical(named("p", zipf(rng, n, 300))),
        }
    )


def id_and_three(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([4, seed])
    return pd.DataFrame(
        {
            "id": pd.Categorical(named("T", rng.integers(10**12, 10**13, n))),
            "state": rng.choice(["new", "paid", "void"], n, p=[0.6, 0.3, 0.1]),
        }
    )


def low_cardinality(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([5, seed])
    return pd.DataFrame(
        {
            f"field {size}": rng.choice(named("v", np.arange(size)), n, p=shares)
            for size, shares in {
                2: [0.7, 0.3],
                3: [0.6, 0.3, 0.1],
                4: [0.5, 0.3, 0.15, 0.05],
                5: [0.4, 0.3, 0.2, 0.07, 0.03],
            }.items()
        }
    )


def numeric(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([6, seed])
    second = rng.random(n) < 0.3
    return pd.DataFrame(
        {
            "normal": rng.normal(0, 1, n),
            "lognormal": np.exp(rng.normal(0, 1, n)),
            "heavy": rng.standard_t(3, n),
            "mixture": np.where(second, rng.normal(5, 0.5, n), rng.normal(0, 1, n)),
        }
    )


def dependent(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([7, seed])
    group = zipf(rng, n, 8)
    level = rng.normal(group % 4, 0.5)
    return pd.DataFrame(
        {
            "group": named("g", group),
            "mostly group": named(
                "h", np.where(rng.random(n) < 0.95, group, rng.integers(0, 8, n))
            ),
            "parity": named("q", (group + (rng.random(n) < 0.1)) % 2),
            "level": level,
            "twice level": 2 * level + rng.normal(0, 0.2, n),
            "noise": rng.normal(0, 1, n),
        }
    )


def messages(rng: np.random.Generator, n: int) -> list[str]:
    """Lines of a small log: seven templates, a few words and numbers put into them."""
    user, host = zipf(rng, n, 20), zipf(rng, n, 6)
    number, port = rng.integers(1, 5000, n), rng.integers(1024, 65536, n)
    kind = rng.choice(7, n, p=[0.3, 0.25, 0.15, 0.12, 0.1, 0.05, 0.03])
    return [
        (
            f"session opened for user u{u} on host{h}",
            f"request {x} served in {x % 97} ms by host{h}",
            f"connection from 10.0.{h}.{u} port {p} accepted",
            f"job {x} finished with status 0 on host{h}",
            f"cache miss for key user:u{u}:profile",
            f"retry {x % 5} of request {x} after timeout",
            f"disk usage on host{h} at {x % 100} percent",
        )[k]
        for k, u, h, x, p in zip(kind, user, host, number, port)
    ]


def text(n: int, seed: int) -> pd.DataFrame:
    return pd.DataFrame({"message": messages(np.random.default_rng([8, seed]), n)})


def text_and_table(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([9, seed])
    return pd.DataFrame(
        {
            "message": messages(rng, n),
            "severity": rng.choice(["info", "debug", "warning"], n, p=[0.7, 0.2, 0.1]),
            "service": named("service-", zipf(rng, n, 12)),
            "seconds": np.round(np.exp(rng.normal(-2, 0.7, n)), 3),
        }
    )


def customers(n: int, seed: int) -> pd.DataFrame:
    """Payments in the order of time by forty customers with habits, one in three hours or so."""
    rng = np.random.default_rng([11, seed])
    customer = zipf(rng, n, 40)
    often = rng.random(n) < 0.8
    hours = np.cumsum(rng.exponential(3, n))
    return pd.DataFrame(
        {
            "customer": named("c", customer),
            "when": pd.Timestamp("2024-03-01") + pd.to_timedelta(np.rint(3600 * hours), unit="s"),
            "device": named("d", np.where(often, customer % 7, rng.integers(0, 7, n))),
            "amount": np.round(np.exp(rng.normal(1 + customer % 4, 0.6)), 2),
        }
    )


WORLDS: dict[str, World] = {
    world.__name__: world
    for world in (
        mixed,
        one_zipf,
        two_zipf,
        id_and_three,
        low_cardinality,
        numeric,
        dependent,
        text,
        text_and_table,
        customers,
    )
}
OPTIONS: dict[str, dict[str, Any]] = {"customers": {"entity": "customer"}}


def judged(
    world: str,
    n: int,
    m: int,
    seed: int,
    *,
    odd: int = 0,
    alike: bool = False,
    odd_baseline: int = 0,
    **options: Any,
) -> pd.DataFrame:
    """`found.table` of m rows of a world against n others; the first ones of either are odd."""
    frame = WORLDS[world](n + m, seed)
    rows = [*range(odd_baseline), *range(n, n + odd)]
    if rows:
        frame = spoil(frame, rows, seed, alike=alike)
    detector = dl.Detector(**OPTIONS.get(world, {}), **options)
    return detector.fit(frame.iloc[:n]).detect(frame.iloc[n:]).table


def survey(n: int, seed: int, questions: int = 60) -> pd.DataFrame:
    """Answers on a scale of five, all of them moved by one attitude."""
    rng = np.random.default_rng([12, seed])
    attitude = rng.normal(size=n)
    answers = {}
    for i in range(questions):
        scale = np.rint(2 + attitude + rng.normal(0, 0.7, n)).astype(int)
        answers[f"q{i}"] = named("answer ", np.clip(scale, 0, 4))
    return pd.DataFrame(answers)


def spoil(
    frame: pd.DataFrame, rows: Sequence[int], seed: int, *, alike: bool = False
) -> pd.DataFrame:
    """The frame with some rows made blatant in two of their fields (in one if there is only one).

    A symbol becomes one that nobody else has, a number lies 10 to 1,000 interquartile ranges out,
    a message is of another language altogether. Which fields and how far is drawn for each row;
    with `alike` once for all of them, so that they are many anomalies of one kind.
    """
    rng = np.random.default_rng([10, seed])
    usable = [name for name in frame.columns if _can_be_odd(frame[name])]
    columns = {name: frame[name].astype(object) for name in usable}
    draws: list[tuple[list[str], str, float]] = []
    for row in range(len(rows)):
        fields = rng.choice(usable, min(2, len(usable)), replace=False).tolist()
        far = rng.choice([-1, 1]) * FAR ** (1 + 2 * rng.random())
        draws.append(draws[0] if alike and draws else (fields, _odd_word(rng, row), far))
    for row, (fields, word, far) in zip(rows, draws, strict=True):
        for name in fields:
            columns[name].iloc[row] = _odd(frame[name], word, far * (1 + 0.01 * rng.normal()))
    return frame.assign(**{name: c.astype(frame[name].dtype.name) for name, c in columns.items()})


def _can_be_odd(column: pd.Series) -> bool:
    if column.name in IDENTIFIERS:
        return False
    kind = column.dtype
    return not (pd.api.types.is_datetime64_dtype(kind) or pd.api.types.is_bool_dtype(kind))


def _odd(column: pd.Series, word: str, far: float) -> object:
    if pd.api.types.is_float_dtype(column.dtype):
        low, middle, high = np.quantile(column, [0.25, 0.5, 0.75])
        return round(middle + far * (high - low), 2)
    return f"!! pwned by {word} <<{far:.0f}>>" if column.name == "message" else word


def _odd_word(rng: np.random.Generator, row: int) -> str:
    """Random letters and a running number: a symbol that no world has."""
    return "".join(chr(97 + code) for code in rng.integers(0, 26, 12)) + str(row)

"""Typed columns for tests, made from plain lists, and what coders say of them."""

from __future__ import annotations

import math

import numpy as np

from driftlock.arrays import (
    HOUR_MISSING,
    HOUR_UNREADABLE,
    MINUS_INF,
    MISSING,
    NEGATIVE,
    NO_WEEKDAY,
    PLUS_INF,
    POSITIVE,
    UNREADABLE,
    ZERO,
    Column,
    Numbers,
    Symbols,
    Texts,
    Times,
)


def parts_of(coder, column, *, own):
    """What a coder measures of a column: an array of shape (n,) per part."""
    measure = coder.measure(column, own=own)
    np.testing.assert_allclose(measure.bits, sum(measure.parts), atol=1e-9)
    return measure.parts


def symbols(codes, n_symbols=None):
    codes = np.asarray(codes, np.int32)
    return Symbols(codes, int(codes.max()) + 1 if n_symbols is None else n_symbols)


def number_class(value):
    if isinstance(value, str):
        return UNREADABLE
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return PLUS_INF if value > 0 else MINUS_INF
    return ZERO if value == 0 else POSITIVE if value > 0 else NEGATIVE


def numbers(values, decimals=None):
    """A number column: NaN is missing and a string unreadable."""
    classes = np.array([number_class(value) for value in values], np.uint8)
    dense = np.isin(classes, (NEGATIVE, POSITIVE))
    floats = np.array([float(v) if ok else 0.0 for v, ok in zip(values, dense)])
    if decimals is None:
        decimals = np.zeros(len(classes))
    return Numbers(classes, floats, np.asarray(decimals, np.int8))


def times(hours, weekdays, cycles=("hour", "weekday")):
    hours = np.asarray(hours, np.int8)
    absent = np.isin(hours, (HOUR_MISSING, HOUR_UNREADABLE))
    return Times(hours, np.where(absent, NO_WEEKDAY, weekdays).astype(np.int8), cycles)


def texts(values):
    """A text column: None is missing, and what is neither text nor bytes is something else."""
    encoded = [v if isinstance(v, bytes) else b"" if v is None else str(v).encode() for v in values]
    classes = [1 if v is None else 0 if isinstance(v, (str, bytes)) else 2 for v in values]
    offsets = np.append(0, np.cumsum([len(text) for text in encoded])).astype(np.int64)
    data = np.frombuffer(b"".join(encoded), np.uint8).copy()
    return Texts(data, offsets, np.array(classes, np.uint8))


def take(columns, rows) -> list[Column]:
    return [column.take(rows) for column in columns]


def logs(n, rng, words=("open", "read", "close", "error")):
    """Messages of a few kinds with numbers in them, empty and missing ones too."""
    made = [f"{words[rng.integers(len(words))]} /usr/{rng.integers(30)}.log" for _ in range(n)]
    for place, odd in ((2, ""), (5, None), (9, "naïve ☃ 漢字"), (11, "two\nlines"), (13, 7)):
        made[place % n] = odd
    return made


def sequences(n, rng, size=6):
    """Event numbers with one separator, each repeated now and then."""
    return [
        " ".join(f"E{k}" for k in np.repeat(rng.integers(0, 9, size), rng.integers(1, 3)))
        for _ in range(n)
    ]


def a_table(n, rng):
    """Columns of every kind with everything that can happen in them."""
    zipf = np.minimum(rng.zipf(1.5, n) - 1, 4 * n)
    _, zipf = np.unique(zipf, return_inverse=True)
    amounts = np.round(np.exp(rng.normal(3, 2, n)), 2).tolist()
    for i, odd in enumerate([math.nan, 0.0, -5.0, math.inf, -math.inf, "n/a"]):
        amounts[(7 * i + 3) % n] = odd
    hours = rng.choice([8, 9, 9, 10, 17, 23, 0, HOUR_MISSING, HOUR_UNREADABLE], n)
    level, shop = rng.normal(100, 15, n), rng.integers(0, 4, n)
    return [
        symbols(zipf, 4 * n),
        symbols(rng.permutation(n), n),
        symbols(np.zeros(n), 1),
        symbols(shop, 4),
        numbers(level),
        numbers(level * 2 + 20 * shop + rng.normal(0, 5, n)),
        numbers(amounts, rng.choice([0, 1, 2], n)),
        numbers([7.0] * n),
        times(hours, rng.integers(0, 7, n)),
        texts(logs(n, rng)),
        texts(sequences(n, rng, 3)),
    ]

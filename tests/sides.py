"""Columns of all rows, cut into a baseline and a tested side, and the patterns found in both."""

from __future__ import annotations

import numpy as np
import worlds
from columns import numbers, symbols, take, texts, times

from driftlock.arrays import Symbols
from driftlock.coders import RowCoder
from driftlock.patterns import PatternTest, find_patterns


def as_new(column, baseline):
    """A column as it is when its field was learned on another: symbols not there are new ones."""
    if not isinstance(column, Symbols):
        return column
    known = np.isin(column.codes, baseline.codes)
    codes = np.where(known, column.codes, -1).astype(np.int32)
    identities = np.where(known, column.codes, -2 - column.codes).astype(np.int32)
    return Symbols(codes, column.n_symbols, identities)


def split(columns, chosen):
    """Baseline rows and tested rows, by a mask of the latter."""
    baseline, tested = take(columns, ~chosen), take(columns, chosen)
    return baseline, [as_new(new, old) for new, old in zip(tested, baseline)]


def random_sides(rng, n: int, m: int) -> np.ndarray:
    return rng.permutation(n + m) < m


def find(columns, chosen) -> PatternTest:
    baseline, tested = split(columns, chosen)
    return find_patterns(RowCoder.fit(baseline), baseline, tested, "fdr")


def mixed(n: int, rng) -> list:
    shop = np.minimum(rng.zipf(1.4, n) - 1, 300)
    return [
        symbols(shop, 301),
        symbols(shop % 4, 4),
        numbers(np.exp(rng.normal(2 + shop % 4, 0.8))),
        numbers(rng.normal(0, 1, n)),
        times(np.minimum(rng.normal(14, 4, n).astype(int) % 24, 23), rng.integers(0, 7, n)),
    ]


def messages(n: int, rng) -> list:
    return [texts(worlds.messages(rng, n))]


def categories(n: int, rng) -> list:
    """Two columns of few frequent and very many rare symbols."""
    return [symbols(np.minimum(rng.zipf(1.3, n), 5000), 5001) for _ in range(2)]


def repeats(n: int, rng) -> list:
    """Few kinds of rows, each many times."""
    kind = np.minimum(rng.geometric(0.2, n) - 1, 25)
    return [symbols(kind, 26), symbols(kind % 5, 5), numbers(kind % 7 + 1.0)]


NULLS = {
    "mixed": mixed,
    "text": messages,
    "Zipf": categories,
    "repeats": repeats,
    "log and fields": lambda n, rng: [*messages(n, rng), *mixed(n, rng)[:3]],
}

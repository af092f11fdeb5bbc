"""Category coder: how often a symbol was seen, and Good-Turing novelty for one never seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftlock.arrays import Column, Floats, Ints, Symbols
from driftlock.coders.measure import Measure, summed


@dataclass(frozen=True, eq=False)
class CategoryCoder:
    """Code of one category column.

    A seen symbol is coded by its share of the baseline, a new one by the probability of novelty,
    spread over as many new symbols as there are old ones.

    Attributes
    ----------
    counts : ndarray of int64, shape (K,)
        Occurrences of each symbol in the baseline.

    Notes
    -----
    With n rows, c = r * count - d the occurrences elsewhere, and n1, n2 the numbers of symbols
    seen once and twice::

        p_new = (n1 - [count = 1] + [count = 2] + 1/2) / n    for a baseline row (d = 1, r = 1)
        p_new = (r * n1 + 2 * n2 / n + 1/2) / n               for a new row (d = 0, r = (n - 1) / n)
        bits  = -log2((1 - p_new) * c / (n - 1))              where c > 0
        bits  = -log2(p_new / max(K, 2))                      otherwise

    The first is the second refitted without the row; the second is its mean over the row left out.

    References
    ----------
    Good, "The population frequencies of species and the estimation of population parameters",
    Biometrika 40, 1953.
    """

    counts: Ints
    own_table: Floats
    new_table: Floats
    parts: tuple[str, ...] = ("symbol",)

    @classmethod
    def fit(cls, column: Symbols) -> CategoryCoder:
        """Count the symbols of a baseline column."""
        counts = np.bincount(column.codes, minlength=column.n_symbols).astype(np.int64)
        return cls(counts, _table(counts, own=True), _table(counts, own=False))

    def measure(self, column: Column, *, own: bool) -> Measure:
        """Code length of each symbol in bits."""
        assert isinstance(column, Symbols)
        table = self.own_table if own else self.new_table
        return summed(
            [table[column.codes]]
        )  # code -1, a symbol never seen, is the table's last entry


def _table(counts: Ints, *, own: bool) -> Floats:
    """Bits of each symbol; the last entry is for a symbol that the alphabet lacks."""
    counts = np.append(counts, 0)
    n = int(counts.sum())
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    alphabet = max(int((counts > 0).sum()), 2)
    thinning = 1.0 if own else (n - 1) / n
    elsewhere = np.maximum(counts - 1, 0).astype(float) if own else thinning * counts
    if own:
        p_new = (once - (counts == 1) + (counts == 2) + 0.5) / n
    else:
        p_new = np.full(counts.size, (thinning * once + 2.0 * twice / n + 0.5) / n)
    seen = elsewhere > 0
    shares = np.where(seen, (1.0 - p_new) * elsewhere / max(n - 1, 1), p_new / alphabet)
    return -np.log2(shares)  # type: ignore[no-any-return]

"""Pools of rows and the draws from them: which rows might as well have been the window.

The pool is the baseline's n rows, then the window's m. A null says which subsets of it are as
likely as the window: any m rows ("rows", exchangeable), any m neighbours on the circle of the pool
("shift", for ordered data), or as many whole groups ("groups"). Draw b depends on (seed, b) alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import permute as kernels
from driftlock._kernels import scan as scan_kernels
from driftlock._kernels.gains import measured_pool
from driftlock.arrays import Floats, Ints
from driftlock.distance import count_tables, counts_entropy
from driftlock.errors import InputError
from driftlock.threads import in_ranges

STATISTICS = ("ncd", "entropy", "mean_bits", "top_bits", "max_field")
NULLS = ("rows", "shift", "groups")
Source = tuple[int, np.uint64, int]


class Measurable(Protocol):
    """A pool that can say what every subset of its rows would be as the window."""

    statistics: ClassVar[tuple[str, ...]]

    @property
    def bits(self) -> Ints:
        """Code length of each row in millibits, itself left out."""

    def measure_subsets(self, rows: Ints, starts: Ints, out: NDArray[np.int64]) -> None:
        """Statistics of subsets rows[starts[b] : starts[b + 1]] into the rows of `out`."""

    def measure_draws(self, first: int, stop: int, source: Source, out: NDArray[np.int64]) -> None:
        """Statistics of draws first ... stop - 1 into the rows of `out`."""

    def entropies(self) -> tuple[float, float]:
        """Entropy of the baseline and of the window, in bits."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Baseline and window rows as symbols, an alphabet for each part.

    Attributes
    ----------
    symbols : ndarray of uint32, shape (N, P)
        Numbered over all parts without gaps; the baseline's n rows first.
    totals : ndarray of uint32, shape (S,)
        Rows of each symbol.
    halves : ndarray of float64, shape (P,)
        Half the size of each part's alphabet.
    bits : ndarray of int32, shape (N,)
        Code length of each row in millibits, itself left out.
    n : int
        Rows of the baseline.
    arrays : tuple of ndarray
        What kernels take: the same without the parts in which all rows are alike, the first symbol
        of each part, the scale on which its gain is told, and the rows in order of their bits.
    """

    statistics: ClassVar[tuple[str, ...]] = STATISTICS
    symbols: Ints
    totals: Ints
    halves: Floats
    bits: Ints
    n: int
    arrays: tuple[Ints, Ints, Floats, Ints, Ints, Floats, Ints, Ints]

    @classmethod
    def of(cls, codes: Ints, sorts: Ints, bits: Ints, n: int) -> Pool:
        """A pool of rows given by codes (N, P) and the sort of each part."""
        rows = np.arange(len(codes), dtype=np.int64)
        place = np.full(code_space(codes), -1, np.int32)
        symbols, totals, halves = scan_kernels.pool_symbols(codes, sorts, place, rows)
        return cls.scaled(symbols, totals, halves, bits, n)

    @classmethod
    def scaled(cls, symbols: Ints, totals: Ints, halves: Floats, bits: Ints, n: int) -> Pool:
        """A pool whose parts are put on one scale."""
        bits = np.ascontiguousarray(bits, np.int32)
        size = len(symbols)
        arrays = measured_pool(symbols, totals, halves, bits, size - n, count_tables(size))
        return cls(symbols, totals, halves, bits, n, arrays)

    @property
    def size(self) -> int:
        """Rows of baseline and window together."""
        return len(self.symbols)

    def measure_subsets(self, rows: Ints, starts: Ints, out: NDArray[np.int64]) -> None:
        """Statistics of subsets rows[starts[b] : starts[b + 1]] into the rows of `out`."""
        tables = count_tables(self.size)
        kernels.measure_subsets(rows, starts, False, self.arrays, tables, out)

    def measure_draws(self, first: int, stop: int, source: Source, out: NDArray[np.int64]) -> None:
        """Statistics of draws first ... stop - 1 into the rows of `out`."""
        kernels.permute_range(first, stop, source, self.arrays, count_tables(self.size), out)

    def entropies(self) -> tuple[float, float]:
        """Entropy a row in bits, summed over parts, of the baseline and of the window."""
        sides = self.symbols[: self.n], self.symbols[self.n :]
        before, after = (
            sum(counts_entropy(np.bincount(part)) for part in side.T) for side in sides
        )
        return before, after

    def parts(self, which: Sequence[int], bits: Ints) -> Pool:
        """The pool of some parts alone, with bits of their own."""
        picked = self.symbols[:, list(which)]
        found, dense = np.unique(picked, return_inverse=True)
        symbols = np.ascontiguousarray(dense.reshape(picked.shape), np.uint32)
        halves = np.ascontiguousarray(self.halves[list(which)])
        return Pool.scaled(symbols, self.totals[found], halves, bits, self.n)


def code_space(codes: Ints) -> int:
    """One more than any code, the bins of numbers among them."""
    return max(int(codes.max()) + 1, scan_kernels.FIRST_RANK + scan_kernels.BINS + 1)


@dataclass(frozen=True, eq=False)
class Draws:
    """Which subsets of a pool stand for the null.

    Attributes
    ----------
    n, size : int
        Rows of the baseline and of the pool.
    count : int
        Subsets beside the window itself, which is draw 0.
    exact : bool
        Whether these are all the others there are.
    null : {"rows", "shift", "groups"}
    source : tuple of (int, uint64, int), or tuple of ndarray
        How kernels draw them, or the subsets themselves: rows one after the other, and the start of
        each.
    """

    n: int
    size: int
    count: int
    exact: bool
    null: str
    source: Source | tuple[Ints, Ints]

    @classmethod
    def rows(cls, n: int, size: int, most: int, seed: int) -> Draws:
        """Any m rows; all of them where there are at most `most` others."""
        others = _subsets(size, n, most + 1) - 1
        if others <= most:
            subsets = [np.array(c) for c in itertools.combinations(range(size), size - n)]
            # the window is the last of them
            return cls(n, size, others, True, "rows", _flat(subsets[::-1]))
        return cls(n, size, most, False, "rows", (kernels.ROWS, np.uint64(seed), n))

    @classmethod
    def shifts(cls, n: int, size: int, most: int, seed: int) -> Draws:
        """Any m neighbours on the circle; all of them where there are at most `most` others."""
        if size - 1 <= most:
            return cls(n, size, size - 1, True, "shift", (kernels.SHIFT, np.uint64(seed), n))
        return cls(n, size, most, False, "shift", (kernels.RANDOM_SHIFT, np.uint64(seed), n))

    @classmethod
    def groups(cls, labels: Ints, n: int, most: int, seed: int) -> Draws:
        """As many whole groups as the window has.

        Parameters
        ----------
        labels : ndarray of int, shape (N,)
            Group of each row of the pool, from 0 on; those of the window after all others.
        n, most, seed : int
            Rows of the baseline, draws at most, and the seed.

        Raises
        ------
        InputError
            If there is but one group.
        """
        n_groups, of_window = int(labels.max()) + 1, np.unique(labels[n:]).size
        if n_groups - of_window < 1:
            raise InputError(
                f"the pool has {n_groups} group(s), all in the window; the null of whole groups "
                "needs at least one in the baseline"
            )
        by_groups = cls.rows(n_groups - of_window, n_groups, most, seed)
        members = [np.flatnonzero(labels == g) for g in range(n_groups)]
        subsets = [np.concatenate([members[g] for g in chosen]) for chosen in by_groups.subsets()]
        return cls(n, labels.size, by_groups.count, by_groups.exact, "groups", _flat(subsets))

    def members(self, first: int, stop: int) -> list[Ints]:
        """Positions of the rows of draws first ... stop - 1, in the order of the pool."""
        if len(self.source) == 2:
            rows, starts = self.source
            return [rows[starts[b] : starts[b + 1]].astype(np.int64) for b in range(first, stop)]
        m = self.size - self.n
        listed = np.empty((stop - first, min(self.n, m)), np.uint32)
        kernels.draw_range(first, stop, self.source, self.size, listed.ravel())
        if self.n >= m:
            return list(np.sort(listed, axis=1).astype(np.int64))
        return [np.delete(np.arange(self.size), baseline) for baseline in listed]

    def subsets(self) -> list[Ints]:
        """All of them, the window first."""
        return self.members(0, self.count + 1)

    def mean_bits(
        self, pool: Measurable, first: int = 0, stop: int | None = None
    ) -> NDArray[np.int64]:
        """Mean bits alone of draws first ... stop - 1, in units of 1e-9: column 2 of `measure`."""
        if len(self.source) == 2:
            return np.ascontiguousarray(self.measure(pool, first, stop)[:, kernels.MEAN_BITS])
        stop = self.count + 1 if stop is None else stop
        out, source = np.empty(stop, np.int64), self.source
        in_ranges(
            lambda a, b: kernels.sum_range(a, b, source, pool.bits, out), first, stop, least=1_000
        )
        return out[first:]

    def measure(
        self, pool: Measurable, first: int = 0, stop: int | None = None
    ) -> NDArray[np.int64]:
        """Statistics of the pool for draws first ... stop - 1, a row each, in units of 1e-9."""
        stop = self.count + 1 if stop is None else stop
        out = np.empty((stop, len(pool.statistics)), np.int64)

        def work(a: int, b: int) -> None:
            if len(self.source) == 2:
                rows, starts = self.source
                pool.measure_subsets(rows, starts[a : b + 1], out[a:b])
            else:
                pool.measure_draws(a, b, self.source, out)

        in_ranges(work, first, stop, least=64, most=1_024)
        return out[first:]


def _subsets(size: int, k: int, limit: int) -> int:
    """How many k-subsets there are, or a number above `limit`: in full it may have 10**5 digits."""
    count = 1
    for i in range(min(k, size - k)):
        count = count * (size - i) // (i + 1)  # it only grows up to half of the rows
        if count > limit:
            break
    return count


def _flat(subsets: list[Ints]) -> tuple[Ints, Ints]:
    starts = np.concatenate([[0], np.cumsum([s.size for s in subsets])]).astype(np.int64)
    return np.concatenate(subsets).astype(np.uint32), starts


def draws_of(null: str, labels: Ints | None, sizes: tuple[int, int], most: int, seed: int) -> Draws:
    """Draws of a null by its name; sizes = (n, N)."""
    n, size = sizes
    if null == "groups":
        assert labels is not None
        return Draws.groups(labels, n, most, seed)
    return (Draws.shifts if null == "shift" else Draws.rows)(n, size, most, seed)

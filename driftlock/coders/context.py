"""Block C: a field given other fields of the row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import context as kernels
from driftlock.arrays import (
    HOUR_MISSING,
    NEGATIVE,
    POSITIVE,
    ZERO,
    Column,
    Floats,
    Ints,
    Numbers,
    Symbols,
    Texts,
    Times,
)

MAX_PARENTS = 3
MAX_SYMBOLS = 30
QUANTILE_BINS = 8
COMMON_COUNT, COMMON_SHARE = 3, 0.05
HOURS_PER_BIN = 3

Codes = NDArray[np.int16]


@dataclass(frozen=True, eq=False)
class Reduction:
    """A column as few symbols: what serves as the context of other fields.

    Categories keep their 30 most frequent symbols, times three-hour bins; numbers keep values that
    recur in 5 % of the baseline and share out the rest among quantile bins. Of times without a
    daily rhythm only their absence is left: the hours of part of a day would make all later ones
    new.
    """

    size: int
    kept: Ints | Floats
    edges: Floats

    @classmethod
    def fit(cls, column: Column) -> Reduction:
        """Learn the symbols of a baseline column."""
        nothing = np.empty(0)
        if isinstance(column, Symbols):
            counts = np.bincount(column.codes, minlength=column.n_symbols)
            places = np.full(column.n_symbols + 1, min(column.n_symbols, MAX_SYMBOLS), np.int64)
            common = np.argsort(-counts, kind="stable")[:MAX_SYMBOLS]
            places[common] = np.arange(common.size)
            return cls(common.size + 1, places, nothing)
        if isinstance(column, Times):
            bins = HOUR_MISSING // HOURS_PER_BIN if "hour" in column.cycles else 1
            return cls(bins + 1, nothing, nothing)
        if isinstance(column, Texts):
            return cls(1, nothing, nothing)
        values = np.sort(column.values[_is_finite(column)])
        distinct, counts = np.unique(values, return_counts=True)
        kept = distinct[counts >= max(COMMON_COUNT, COMMON_SHARE * len(column))]
        rest = values[~np.isin(values, kept)]
        cuts = np.arange(1, QUANTILE_BINS) / QUANTILE_BINS
        edges = np.unique(np.quantile(rest, cuts)) if rest.size else nothing
        return cls(edges.size + 1 + kept.size + 1, kept, edges)

    def codes(self, column: Column) -> Codes:
        """Symbol of each row, shape (n,), below `size`."""
        if isinstance(column, Symbols):
            return self.kept[column.codes].astype(np.int16)
        if isinstance(column, Times):
            per_bin = HOUR_MISSING // (self.size - 1)
            return np.minimum(column.hours // per_bin, self.size - 1).astype(np.int16)
        if isinstance(column, Texts):
            return np.zeros(len(column), np.int16)
        codes = np.searchsorted(self.edges, column.values, side="right")
        if self.kept.size:
            place = np.minimum(np.searchsorted(self.kept, column.values), self.kept.size - 1)
            is_common = self.kept[place] == column.values
            codes = np.where(is_common, self.edges.size + 1 + place, codes)
        return np.where(_is_finite(column), codes, self.size - 1).astype(np.int16)


@dataclass(frozen=True, eq=False)
class ContextCoder:
    """Bits of a field once the fields it depends on are known.

    Attributes
    ----------
    child : int
        The field.
    parents : tuple of int
        Up to three fields with the largest penalised mutual information.
    own_ratios, new_ratios : ndarray of float64
        Likelihood ratio of each pair of symbols, a table for each parent, flat.
    starts : ndarray of int64, shape (2 P,)
        Where each table starts, then the number of symbols of each parent.

    Notes
    -----
    With J the count of the pair, N_p that of the parent's symbol, and q the child's own estimate::

        bits - log2 mean over parents of [(r J - d + q) / (r N_p - d + 1)] / q
        q = (r N_c - d + 1/2) / (n - 1 + K_c / 2)

    References
    ----------
    Webb, Boughton and Wang, "Not so naive Bayes: aggregating one-dependence estimators", Machine
    Learning 58, 2005.
    """

    child: int
    parents: tuple[int, ...]
    own_ratios: Floats
    new_ratios: Floats
    starts: Ints

    @classmethod
    def fit(cls, child: int, parents: tuple[int, ...], codes: Codes, sizes: Ints) -> ContextCoder:
        """Count pairs of reduced symbols; codes has shape (F, n)."""
        own, new, starts = [], [], [0]
        for parent in parents:
            pairs = kernels.pair_counts(
                codes[child], codes[parent], int(sizes[child]), int(sizes[parent])
            )
            own.append(_ratios(pairs, own=True).ravel())
            new.append(_ratios(pairs, own=False).ravel())
            starts.append(starts[-1] + pairs.size)
        layout = np.array([*starts[:-1], *(sizes[parent] for parent in parents)], np.int64)
        return cls(child, parents, np.concatenate(own), np.concatenate(new), layout)

    def bits(self, bits: Floats, codes: Codes, *, own: bool) -> Floats:
        """Code length of the field in its context, given that of the field alone."""
        ratios = self.own_ratios if own else self.new_ratios
        parents = np.ascontiguousarray(codes[list(self.parents)])
        return kernels.context_bits(bits, codes[self.child], parents, ratios, self.starts)  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class ContextBlock:
    """All fields that depend on others.

    Attributes
    ----------
    reductions : tuple of Reduction, one per field
    coders : tuple of ContextCoder
    """

    reductions: tuple[Reduction, ...]
    coders: tuple[ContextCoder, ...]

    @classmethod
    def fit(cls, columns: Sequence[Column]) -> ContextBlock:
        """Find the parents of every field of a baseline."""
        reductions = tuple(map(Reduction.fit, columns))
        codes = _codes(reductions, columns)
        sizes = np.array([reduction.size for reduction in reductions], np.int64)
        gains = kernels.information(codes, sizes)
        coders = []
        for child, gain in enumerate(gains):
            best = np.argsort(-gain, kind="stable")[:MAX_PARENTS]
            parents = tuple(int(parent) for parent in best if gain[parent] > 0)
            if parents:
                coders.append(ContextCoder.fit(child, parents, codes, sizes))
        return cls(reductions, tuple(coders))

    def parts(
        self, columns: Sequence[Column], bits: Sequence[Floats], *, own: bool
    ) -> Iterator[tuple[int, Floats]]:
        """Field and code lengths in context, for every field that has one."""
        if not self.coders:
            return
        codes = _codes(self.reductions, columns)
        for coder in self.coders:
            yield coder.child, coder.bits(bits[coder.child], codes, own=own)


def _codes(reductions: Sequence[Reduction], columns: Sequence[Column]) -> Codes:
    return np.stack([r.codes(column) for r, column in zip(reductions, columns, strict=True)])


def _is_finite(column: Numbers) -> NDArray[np.bool_]:
    return np.isin(column.classes, (ZERO, NEGATIVE, POSITIVE))


def _ratios(pairs: Ints, *, own: bool) -> Floats:
    """Likelihood ratio of each (child, parent) pair of symbols."""
    n = int(pairs.sum())
    thinning, removed = (1.0, 1.0) if own else ((n - 1) / n, 0.0)
    of_child, of_parent = pairs.sum(axis=1)[:, None], pairs.sum(axis=0)
    q = (np.maximum(thinning * of_child - removed, 0.0) + 0.5) / (n - 1 + 0.5 * pairs.shape[0])
    joint = np.maximum(thinning * pairs - removed, 0.0) + q
    return joint / (np.maximum(thinning * of_parent - removed, 0.0) + 1.0) / q  # type: ignore[no-any-return]

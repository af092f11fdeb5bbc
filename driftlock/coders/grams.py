"""Counts of the grams of symbol streams, and code lengths by them: what text views are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from driftlock._kernels import text as kernels
from driftlock._kernels import text_codes
from driftlock.arrays import Ints

START, TOKEN_NEW = 256, 258  # a row's start; a word that the baseline lacks
KEY_BITS = 63
SMALLEST_TABLE, FULLEST = 1 << 13, 0.6
LEAST_GROWTH, MOST_GROWTH = 1.25, 4.0

Tables = tuple[Ints, Ints, Ints, Ints, Ints]


@dataclass(frozen=True, eq=False)
class Streams:
    """Different rows as symbols to code: a start symbol, then its symbols, the last one an end.

    Attributes
    ----------
    symbols : ndarray of int32
        One row after the other.
    offsets : ndarray of int64
        Where each of them starts, and the end of the last one.
    places : ndarray of int64
        For each row of the column, which of the rows here is equal to it.
    """

    symbols: Ints
    offsets: Ints
    places: Ints

    @property
    def weights(self) -> Ints:
        """How many rows of the column are equal to each."""
        return np.bincount(self.places, minlength=self.offsets.size - 1).astype(np.int64)

    @property
    def longest(self) -> int:
        """Symbols of the longest row."""
        return int(np.diff(self.offsets).max())


@dataclass(frozen=True, eq=False)
class Grams:
    """Counts of every gram of the baseline in one view.

    Notes
    -----
    With c the occurrences of a symbol after a context of order o, n_o those of the context, u_o the
    number of different symbols seen after it, and p of order -1 equal to 1/256::

        p_o = (c + u_o * p_(o - 1)) / (n_o + u_o)

    up to the longest context that something was seen after, mixed with a share of 0.05 of the
    estimate after two symbols. A baseline row is coded with its own grams taken out.

    References
    ----------
    Witten and Bell, "The zero-frequency problem: estimating the probabilities of novel events in
    adaptive text compression", IEEE Transactions on Information Theory 37(4), 1991.
    """

    tables: Tables
    totals: Ints
    shape: tuple[int, int]

    @classmethod
    def fit(cls, streams: Streams, order: int) -> tuple[Grams, Ints]:
        """Count the grams of baseline rows; also the node of the longest gram at each symbol."""
        width = KEY_BITS // (order + 1)
        if max(int(streams.symbols.max()), TOKEN_NEW) + 1 >= 1 << width:
            width = 0
        ends = np.empty(streams.symbols.size, np.uint32)
        totals, begin, weights = np.zeros(4, np.int64), np.zeros(2, np.int64), streams.weights
        tables = _empty_tables(SMALLEST_TABLE)
        rest = streams.symbols, streams.offsets, weights, begin, (order, width)
        kernels.learn(*rest, tables, totals, ends)
        while begin[0] < weights.size:
            read = int(streams.offsets[begin[0]] + begin[1])
            growth = np.clip(1.05 * streams.symbols.size / read, LEAST_GROWTH, MOST_GROWTH)
            tables = _resized(tables, int(growth * tables[0].size), int(totals[2]))
            kernels.learn(*rest, tables, totals, ends)
        kernels.settle(order, tables, totals)
        return cls(_trimmed(tables, int(totals[2])), totals, (order, width)), ends

    def leave_out(self, streams: Streams, ends: Ints) -> tuple[Ints, Ints]:
        """Code lengths of baseline symbols in 2**-20 bits, their rows left out, and contexts."""
        out = _room(streams)
        order = self.shape[0]
        text_codes.code_own_rows(streams.offsets, order, self.tables, self.totals, ends, out)
        return out

    def code(self, streams: Streams) -> tuple[Ints, Ints]:
        """Code lengths of new symbols in 2**-20 bits, and the contexts that excesses go by."""
        out = _room(streams)
        text_codes.code_new_rows(
            streams.symbols, streams.offsets, self.shape, self.tables, self.totals, out
        )
        return out


def _room(streams: Streams) -> tuple[Ints, Ints]:
    """Space for a code length and a context of each coded symbol."""
    n_coded = streams.symbols.size - (streams.offsets.size - 1)
    return np.empty(n_coded, np.int32), np.empty(n_coded, np.int32)


def _resized(old: Tables, size: int, n_nodes: int) -> Tables:
    """The same nodes in tables that have place for more of them."""
    tables = _empty_tables(size)
    for before, after in zip(old[1:], tables[1:], strict=True):
        after[:n_nodes] = before[:n_nodes]
    kernels.rehash(tables[1], n_nodes, tables[0])
    return tables


def _trimmed(tables: Tables, n_nodes: int) -> Tables:
    """The same nodes with no place for more of them."""
    slots, *of_nodes = tables
    for array in of_nodes:
        array.resize(n_nodes, refcheck=False)  # gives memory back, and copies nothing
    fitting = int(n_nodes / FULLEST) + 1
    if slots.size > 2 * fitting:
        slots = np.zeros(fitting, np.uint64)
        kernels.rehash(tables[1], n_nodes, slots)
    return slots, *tables[1:]


def _empty_tables(size: int) -> Tables:
    """Slots, keys, counts, suffixes, tags; places for as many nodes as the slots may hold."""
    n_nodes = int(FULLEST * size)
    return (
        np.zeros(size, np.uint64),
        np.empty(n_nodes, np.uint64),
        np.empty(n_nodes, np.int64),
        np.empty(n_nodes, np.uint32),
        np.empty(n_nodes, np.int32),
    )

"""Rows read as text: contexts of one and of three bytes, and code lengths by counts alone.

The code length of a set of rows is the mean of two, which is a code length again. After one byte
nearly all has been seen, so that what is new has its price; three bytes know what is repeated. Each
is blind without the other: a context that a pool has once costs nothing there, and single bytes
recur whether rows do or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock._kernels import text_counts as kernels
from driftlock._kernels.largest import by_falling
from driftlock._kernels.permute import UNIT
from driftlock.arrays import Ints
from driftlock.draws import STATISTICS
from driftlock.fields import Schema, column_names
from driftlock.lines import row_lines, value_lines

ORDERS = (1, 3)
START, BASE = 256, 257  # a symbol before each row, and the number of symbols there are


def text_lines(rows: pd.DataFrame, schema: Schema) -> list[bytes]:
    """What of each row is read, its line end included.

    The values of the only column, or of the only one whose kind is text; otherwise the whole row as
    compact JSON.
    """
    names = column_names(rows.columns)
    texts = [name for name, found in schema.decisions.items() if found.kind == "text"]
    chosen = names if len(names) == 1 else texts
    if len(chosen) == 1 and chosen[0] in names and chosen[0] not in schema.nested:
        return value_lines(rows.iloc[:, names.index(chosen[0])])
    return row_lines(rows)


@dataclass(frozen=True, eq=False)
class TextRows:
    """T rows as sparse counts of grams: a context and the byte after it, one number for both.

    Attributes
    ----------
    offsets : ndarray of int64, shape (T + 1,)
        Where the entries of each row start.
    grams, times : ndarray of int64
        Numbers of grams, rising within a row, and how often the row has each.
    keys : ndarray of int64, shape (G,)
        Each gram as order, context and byte, in rising order.
    sizes : ndarray of int64, shape (T,)
        Coded symbols of each row, over all orders.
    """

    offsets: Ints
    grams: Ints
    times: Ints
    keys: Ints
    sizes: Ints

    @classmethod
    def of(cls, lines: list[bytes]) -> TextRows:
        """Count the grams of every line."""
        lengths = np.array([len(line) for line in lines], np.int64)
        row = np.repeat(np.arange(len(lines)), lengths)
        data = np.frombuffer(b"".join(lines), np.uint8).astype(np.int64)
        place = np.arange(data.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        keys, context = [], np.zeros_like(data)
        for order in range(1, max(ORDERS) + 1):
            before = np.where(place >= order, np.roll(data, order), START)
            context += before * BASE ** (order - 1)
            if order in ORDERS:
                keys.append((order * BASE**order + context) * BASE + data)
        distinct, gram = np.unique(np.concatenate(keys), return_inverse=True)
        pairs = np.tile(row, len(ORDERS)) * distinct.size + gram
        entries, times = np.unique(pairs, return_counts=True)
        offsets = np.searchsorted(entries, np.arange(len(lines) + 1) * distinct.size)
        return cls(
            offsets.astype(np.int64),
            entries % distinct.size,
            times.astype(np.int64),
            distinct,
            lengths * len(ORDERS),
        )

    def pool(self, baseline: Ints, window: Ints) -> TextPool:
        """The pool of some rows: alphabets and bits are its own."""
        rows = np.concatenate([baseline, window])
        entries = np.diff(self.offsets)[rows]
        ends = np.cumsum(entries)
        taken = np.repeat(self.offsets[rows] - ends + entries, entries) + np.arange(ends[-1])
        row, gram, times = np.repeat(np.arange(rows.size), entries), self.grams[taken], self.times
        contexts, context_of = np.unique(self.keys // BASE, return_inverse=True)
        alphabets = np.bincount(context_of[np.unique(gram)], minlength=contexts.size)
        # where a single symbol follows it costs nothing, in any set of rows
        kept = alphabets[context_of[gram]] > 1
        row, gram, times = row[kept], gram[kept], times[taken][kept]
        pairs, entry = np.unique(row * contexts.size + context_of[gram], return_inverse=True)
        visits = np.bincount(entry, weights=times, minlength=pairs.size)
        row = np.concatenate([pairs // contexts.size, row])
        item = np.concatenate([pairs % contexts.size, contexts.size + gram])
        times = np.concatenate([visits, times])
        order = np.argsort(row, kind="stable")
        used, items = np.unique(item[order], return_inverse=True)
        widths = np.append(alphabets, np.ones(self.keys.size, np.int64))[used]
        counts = (
            np.searchsorted(row[order], np.arange(rows.size + 1)).astype(np.int64),
            items.astype(np.int32),
            times[order].astype(np.int32),
            np.bincount(items, weights=times[order]).astype(np.int64),
            widths,
            np.where(used < contexts.size, 1, -1).astype(np.int64),
            self.sizes[rows],
        )
        return TextPool.of(counts, len(baseline))


@dataclass(frozen=True, eq=False)
class TextPool:
    """Baseline and window rows as counts of contexts and grams.

    Attributes
    ----------
    arrays : tuple of ndarray
        What kernels take: offsets, items, times, totals, widths, signs, sizes, bits, place of each
        row by falling bits, sums of falling bits.
    tables : tuple of ndarray of int64
        log2 gamma(k / 2) by k, and c * log2 c by c, in units of 2**-24 bit.
    n : int
        Rows of the baseline.
    """

    statistics: ClassVar[tuple[str, ...]] = STATISTICS[:-1]  # a text has no fields
    arrays: tuple[Ints, ...]
    tables: tuple[Ints, Ints]
    n: int

    @classmethod
    def of(cls, counts: tuple[Ints, ...], n: int) -> TextPool:
        """A pool of rows given by all that kernels take but the bits."""
        totals, widths, sizes = counts[3], counts[4], counts[6]
        tables = text_tables(int(totals.max(initial=1)), int(widths.max(initial=1)))
        bits = np.empty(sizes.size, np.int32)
        kernels.text_bits(counts, tables, len(ORDERS), bits)
        return cls((*counts, bits, *by_falling(bits)), tables, n)

    @property
    def size(self) -> int:
        """Rows of baseline and window together."""
        return int(self.bits.size)

    @property
    def bits(self) -> Ints:
        """Code length of each row given all others, in millibits."""
        return self.arrays[7]

    def measure_subsets(self, rows: Ints, starts: Ints, out: NDArray[np.int64]) -> None:
        """Statistics of subsets rows[starts[b] : starts[b + 1]] into the rows of `out`."""
        kernels.measure_texts(rows, starts, False, self.arrays, self.tables, out)

    def measure_draws(
        self, first: int, stop: int, source: tuple[int, np.uint64, int], out: NDArray[np.int64]
    ) -> None:
        """Statistics of draws first ... stop - 1 into the rows of `out`."""
        kernels.permute_texts(first, stop, source, self.arrays, self.tables, out)

    def entropies(self) -> tuple[float, float]:
        """Entropy of a byte in its context, of the baseline and of the window."""
        offsets, items, times, _, _, signs, sizes = self.arrays[:7]
        found = []
        for first, stop in ((0, self.n), (self.n, self.size)):
            part = slice(offsets[first], offsets[stop])
            counts = np.bincount(items[part], weights=times[part], minlength=signs.size)
            used = counts * np.log2(np.maximum(counts, 1.0))
            found.append(float(signs @ used) / float(sizes[first:stop].sum()))
        return found[0], found[1]


@lru_cache(maxsize=4)
def text_tables(largest: int, width: int) -> tuple[Ints, Ints]:
    """Terms of code lengths and entropies, in units of 2**-24 bit.

    Parameters
    ----------
    largest, width : int
        Largest count and largest alphabet.

    Returns
    -------
    tuple of ndarray of int64
        log2 gamma(k / 2) for k from 0 (unused, 0) to 2 * largest + width, and c * log2 c.
    """
    halves = np.arange(2 * largest + width + 3) / 2
    lengths = np.zeros(halves.size)
    lengths[1] = 0.5 * np.log2(np.pi)
    for parity in (1, 2):
        lengths[parity + 2 :: 2] = np.cumsum(np.log2(halves[parity:-2:2])) + lengths[parity]
    counts = np.arange(largest + 1, dtype=np.float64)
    used = counts * np.log2(np.maximum(counts, 1.0))
    return tuple(np.rint(table * UNIT).astype(np.int64) for table in (lengths, used))  # type: ignore[return-value]

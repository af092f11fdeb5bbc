"""Block D: a row given the rows most like it, as a dictionary coder points at an earlier phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels import nearest as kernels
from driftlock.arrays import HOUR_MISSING, Column, Floats, Ints, Symbols, Times
from driftlock.coders.residual import _moments
from driftlock.threads import in_ranges

MAX_EXEMPLARS, FEWER_EXEMPLARS, MANY_ROWS = 2000, 1000, 20_000
SYMBOL_SALT, MODULUS, LARGEST = 1 << 50, 1 << 60, 1 << 10  # no hashed number is negative
LEAST_ROWS = 1000  # for a thread of their own
MAX_NUMBERS = 1800  # more squared differences than that may not fit an int32
REACH = 4.0  # standardised values are clipped there, so that one number cannot be all the distance
FLOOR = 0.03  # of the median distance that is not 0, so that exact repeats have a logarithm
SYMBOL_BYTES = 251  # symbols are told apart by a byte
RARE, NO_SYMBOL = 254, 255  # a row's symbol and one asked for that are like no other
GOLDEN = np.uint64(0x9E3779B97F4A7C15)

Bytes = NDArray[np.uint8]
Features = tuple[NDArray[np.int16], Bytes]


@dataclass(frozen=True, eq=False)
class NearestCoder:
    """Distance of a row to its five nearest exemplars, and the same beside their own distances.

    Exemplars are baseline rows, at most 2,000 of them (1,000 of more than 20,000, so that the
    price stays that of a pass), chosen by a hash of their content. Numbers
    count by their standardised scaled values, times by the hour on a circle, categories as one-hot
    vectors. A baseline row is no neighbour of itself, and its symbol is as new as to a model of the
    others where no other row has it.

    Attributes
    ----------
    labels : tuple of pair of ndarray of uint8, shape (K + 1,)
        For each category the byte of each symbol, of baseline rows and of new ones; the last is for
        a symbol that the alphabet lacks.
    places : ndarray of int64, shape (n,)
        Of every baseline row among the exemplars, or -1.

    References
    ----------
    Ziv and Lempel, "A universal algorithm for sequential data compression", IEEE Transactions on
    Information Theory 23(3), 1977; Breunig et al., "LOF: identifying density-based local
    outliers", SIGMOD 2000.
    """

    numbers: tuple[int, ...]
    means: Floats
    deviations: Floats
    exemplars: Features
    own_means: Floats
    floor: float
    labels: tuple[tuple[Bytes, Bytes], ...]
    places: Ints

    @classmethod
    def fit(cls, columns: Sequence[Column], scaled: dict[int, Floats]) -> NearestCoder | None:
        """Choose the exemplars of a baseline; None where no field has a distance."""
        n = len(columns[0])
        moments = [_moments(g) for g in scaled.values()]
        means, deviations = np.array(moments).reshape(-1, 2).T.copy()
        categories = [column for column in columns if isinstance(column, Symbols)]
        numbers = _numbers(columns, scaled, means, deviations)
        rows = (numbers, _stacked([_bytes_of(column)[0][column.codes] for column in categories], n))
        if rows[0].shape[1] + rows[1].shape[1] == 0 or rows[0].shape[1] > MAX_NUMBERS:
            return None
        most = FEWER_EXEMPLARS if n > MANY_ROWS else MAX_EXEMPLARS
        chosen = smallest(copies_apart(row_hashes(rows)), most)
        labels = tuple(map(_labels, categories))
        asked = _stacked([own[c.codes] for (own, _), c in zip(labels, categories, strict=True)], n)
        own_means = _own_means(chosen_rows((numbers, asked), chosen), chosen_rows(rows, chosen))
        order = np.argsort(
            own_means, kind="stable"
        )  # of equal neighbours, those in the thick of it
        chosen, own_means = chosen[order], own_means[order]
        exemplars = transposed(chosen_rows(rows, chosen))
        places = np.full(n, -1, np.int64)
        places[chosen] = np.arange(chosen.size)
        apart = own_means[own_means > 0]
        floor = FLOOR * float(np.median(apart) if apart.size else 0.0) + 1e-6
        return cls(tuple(scaled), means, deviations, exemplars, own_means, floor, labels, places)

    def parts(
        self, columns: Sequence[Column], scaled: dict[int, Floats], *, own: bool
    ) -> tuple[Floats, Floats]:
        """log2 of the mean distance, and log2 of its ratio to that of the neighbours, (n,) each."""
        n = len(columns[0])
        categories = [column for column in columns if isinstance(column, Symbols)]
        asked = [
            labels[0 if own else 1][column.codes]
            for labels, column in zip(self.labels, categories, strict=True)
        ]
        rows = _numbers(columns, scaled, self.means, self.deviations), _stacked(asked, n)
        places = self.places if own else np.full(n, -1, np.int64)
        means = np.empty((2, n))

        def work(start: int, stop: int) -> None:
            part = (rows[0][start:stop], rows[1][start:stop])
            found = kernels.nearest(part, self.exemplars, places[start:stop], self.own_means)
            means[:, start:stop] = found

        in_ranges(work, 0, n, least=LEAST_ROWS)
        distance = means[0] + self.floor
        return np.log2(distance), np.log2(distance / (means[1] + self.floor))

    def features(self, columns: Sequence[Column], scaled: dict[int, Floats]) -> Features:
        """Numbers and symbols of rows; symbols new to the baseline are like themselves."""
        symbols = [_identity_bytes(column) for column in columns if isinstance(column, Symbols)]
        numbers = _numbers(columns, scaled, self.means, self.deviations)
        return numbers, _stacked(symbols, len(columns[0]))


def row_hashes(rows: Features) -> NDArray[np.uint64]:
    """A hash of the content of each row, whatever the order of rows and fields.

    Every field has a salt of its own, the sum of its values, so that a number in one field is not
    the same number in another.
    """
    salts = np.append(rows[0].sum(axis=0, dtype=np.int64), rows[1].sum(axis=0, dtype=np.int64))
    salts[rows[0].shape[1] :] += SYMBOL_SALT
    return kernels.content_hashes(*rows, salts % MODULUS + LARGEST)  # type: ignore[no-any-return]


def _own_means(asked: Features, rows: Features) -> Floats:
    """Mean distance of every exemplar to its nearest others."""
    places, nothing = np.arange(len(rows[0])), np.zeros(len(rows[0]))
    return kernels.nearest(asked, transposed(rows), places, nothing)[0].copy()  # type: ignore[no-any-return]


def smallest(keys: NDArray[np.uint64], most: int) -> Ints:
    """Places of the smallest keys, in their order."""
    if keys.size > most:
        places = np.argpartition(keys, most)[:most]
        return places[np.argsort(keys[places], kind="stable")]
    return np.argsort(keys, kind="stable")


def chosen_rows(rows: Features, places: Ints) -> Features:
    """Some rows, each array contiguous."""
    return np.ascontiguousarray(rows[0][places]), np.ascontiguousarray(rows[1][places])


def transposed(rows: Features) -> Features:
    """A row per field, each array contiguous."""
    return np.ascontiguousarray(rows[0].T), np.ascontiguousarray(rows[1].T)


def _numbers(
    columns: Sequence[Column], scaled: dict[int, Floats], means: Floats, deviations: Floats
) -> NDArray[np.int16]:
    """Numbers and hours of rows in multiples of 1/128, shape (n, F)."""
    numbers = [
        np.clip(np.nan_to_num((g - mean) / deviation, nan=0.0), -REACH, REACH)
        for g, mean, deviation in zip(scaled.values(), means, deviations, strict=True)
    ]
    for column in columns:
        if isinstance(column, Times) and "hour" in column.cycles:
            angle = np.where(column.hours < HOUR_MISSING, column.hours, 0) * (np.pi / 12)
            numbers += [np.cos(angle), np.sin(angle)]
    whole = np.empty((len(columns[0]), len(numbers)), np.int16)
    for place, values in enumerate(numbers):
        whole[:, place] = np.rint(values * kernels.UNIT)
    return whole


def _stacked(symbols: list[Bytes], n: int) -> Bytes:
    """Shape (n, K), also where K is 0."""
    stacked = np.empty((n, len(symbols)), np.uint8)
    for place, labels in enumerate(symbols):
        stacked[:, place] = labels
    return stacked


def _bytes_of(column: Symbols) -> tuple[Bytes, Ints, int]:
    """A byte for each symbol that is frequent enough to have its own; counts, and how frequent.

    Whether a symbol has a byte must not depend on the row that asks: see `_labels`.
    """
    counts = np.bincount(column.codes, minlength=column.n_symbols)
    order = np.argsort(-counts, kind="stable")
    least = 1 if counts.size <= SYMBOL_BYTES else int(counts[order[SYMBOL_BYTES]]) + 1
    ranks = np.empty(counts.size, np.int64)
    ranks[order] = np.arange(counts.size)
    return np.where(counts >= least, ranks, RARE).astype(np.uint8), counts, least


def _labels(column: Symbols) -> tuple[Bytes, Bytes]:
    """What baseline rows and new rows ask for: no symbol where too few other rows have it."""
    labels, counts, least = _bytes_of(column)
    own, new = (np.where(counts - d >= least, labels, NO_SYMBOL) for d in (1, 0))
    return np.append(own, NO_SYMBOL).astype(np.uint8), np.append(new, NO_SYMBOL).astype(np.uint8)


def _identity_bytes(column: Symbols) -> Bytes:
    """A byte for each symbol, those new to the baseline as well."""
    codes = column.codes if column.identities is None else column.identities
    places = np.where(codes < 0, column.n_symbols - 2 - codes, codes)
    return (places % SYMBOL_BYTES).astype(np.uint8)


def copies_apart(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Hashes under which equal rows differ, so that few kinds of rows cannot take every place."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    copies = np.arange(ordered.size) - np.repeat(starts, np.diff(np.append(starts, ordered.size)))
    words = (ordered ^ (copies.astype(np.uint64) * GOLDEN)) * GOLDEN
    apart = np.empty_like(hashes)
    apart[order] = (words ^ (words >> np.uint64(32))) * GOLDEN
    return apart

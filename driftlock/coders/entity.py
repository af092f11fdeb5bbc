"""A row given its own entity's history in the baseline, backing off to everyone's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftlock.arrays import HOUR_MISSING, Column, Entities, Floats, Ints, Symbols, Times
from driftlock.coders.measure import Measure
from driftlock.coders.residual import GroupCoder, fit_group, residual_bits

BACK_OFFS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 200.0)
FIXED = 1 << 10


@dataclass(frozen=True, eq=False)
class HabitCoder:
    """A symbol given how often its entity had it.

    Notes
    -----
    With c the entity's rows with this symbol, N its rows (the own row out, for a baseline row) and
    p the probability of the symbol among everyone's rows::

        -log2((c + k * p) / (N + k))

    k, how many rows of everyone's an entity's own outweigh, is the one of eight that codes the
    baseline in the fewest bits.

    References
    ----------
    MacKay and Peto, "A hierarchical Dirichlet language model", Natural Language Engineering 1,
    1995.
    """

    field: int
    part: int
    n_symbols: int
    pairs: Ints
    counts: Ints
    sizes: Ints
    back_off: float

    @classmethod
    def fit(cls, field: int, part: int, owners: Symbols, codes: Ints, alone: Floats) -> HabitCoder:
        """Count the pairs of entity and symbol of a baseline; codes are not negative."""
        n_symbols = int(codes.max()) + 1
        joint = owners.codes.astype(np.int64) * n_symbols + codes
        pairs, counts = np.unique(joint, return_counts=True)
        sizes = np.bincount(owners.codes, minlength=owners.n_symbols + 1)
        best, least = BACK_OFFS[0], None
        for back_off in BACK_OFFS:
            coder = cls(field, part, n_symbols, pairs, counts, sizes, back_off)
            bits = coder.bits(owners, codes, alone, own=True)
            total = int(np.rint(bits * FIXED).astype(np.int64).sum())
            if least is None or total < least:
                best, least = back_off, total
        return cls(field, part, n_symbols, pairs, counts, sizes, best)

    def bits(self, owners: Symbols, codes: Ints, alone: Floats, *, own: bool) -> Floats:
        """Code length of each symbol given its entity; `alone` is that among everyone's rows."""
        known = (owners.codes >= 0) & (codes >= 0) & (codes < self.n_symbols)
        joint = np.where(known, owners.codes.astype(np.int64) * self.n_symbols + codes, -1)
        place = np.minimum(np.searchsorted(self.pairs, joint), self.pairs.size - 1)
        count = np.where(known & (self.pairs[place] == joint), self.counts[place], 0) - float(own)
        size = np.where(owners.codes >= 0, self.sizes[owners.codes], 0) - float(own)
        share = (np.maximum(count, 0.0) + self.back_off * 2.0**-alone) / (size + self.back_off)
        return -np.log2(share)


@dataclass(frozen=True, eq=False)
class EntityBlock:
    """What is told of a row by whose it is: habits, and levels of numbers.

    Attributes
    ----------
    habits : tuple of HabitCoder
        For categories and hours.
    levels : tuple of GroupCoder
        For numbers: the residual from the entity's shrunken mean.
    """

    habits: tuple[HabitCoder, ...]
    levels: tuple[GroupCoder, ...]

    @classmethod
    def fit(
        cls,
        entities: Entities,
        columns: Sequence[Column],
        measures: Sequence[Measure],
        scaled: dict[int, Floats],
    ) -> EntityBlock:
        """Learn the entities of a baseline."""
        owners = entities.owners
        habits = []
        for field, (column, measure) in enumerate(zip(columns, measures, strict=True)):
            found = _habit(column)
            if found is not None:
                part, codes = found
                habits.append(HabitCoder.fit(field, part, owners, codes, measure.parts[part]))
        levels = [fit_group(field, g, [(-1, owners)], least=-np.inf) for field, g in scaled.items()]
        return cls(tuple(habits), tuple(level for level in levels if level))

    def parts(
        self,
        entities: Entities,
        columns: Sequence[Column],
        measures: Sequence[Measure],
        scaled: dict[int, Floats],
        *,
        own: bool,
    ) -> Iterator[tuple[int, Floats]]:
        """Field and code lengths given the entity."""
        owners = entities.owners
        for coder in self.habits:
            found = _habit(columns[coder.field])
            assert found is not None
            alone = measures[coder.field].parts[coder.part]
            yield coder.field, coder.bits(owners, found[1], alone, own=own)
        for level in self.levels:
            residual = level.residual(scaled[level.number], owners.codes, own=own)
            yield level.number, residual_bits(residual, level.density, own=own)


def _habit(column: Column) -> tuple[int, Ints] | None:
    """The part of a column that may be a habit, and its symbols; a negative one is new."""
    if isinstance(column, Symbols):
        return 0, column.codes
    if isinstance(column, Times) and "hour" in column.cycles:
        return 1, np.minimum(column.hours, HOUR_MISSING).astype(np.int64)
    return None

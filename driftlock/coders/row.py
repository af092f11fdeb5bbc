"""All the codes of a row: each field alone, fields given others, and the row given its like."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from driftlock.arrays import Column, Encoded, Entities, Floats, Numbers, Symbols, Texts
from driftlock.cancellation import checkpoint
from driftlock.coders.category import CategoryCoder
from driftlock.coders.context import ContextBlock
from driftlock.coders.entity import EntityBlock
from driftlock.coders.measure import Measure
from driftlock.coders.nearest import Features, NearestCoder
from driftlock.coders.number import NumberCoder
from driftlock.coders.residual import GroupBlock, RegressionCoder, scaled_numbers
from driftlock.coders.text import TextCoder
from driftlock.coders.time import TimeCoder

Figures: TypeAlias = NDArray[Any]
AnyCoder = CategoryCoder | NumberCoder | TimeCoder | TextCoder

# What is looked at field by field, and what at the row as a whole.
# The sums of lengths are those of all fields of a table of categories, alone and in context.
SUMS = ("lengths", "lengths in context")
FIELD_BLOCKS = ("alone", "context", "entity", "regression", *SUMS)
ROW_BLOCKS = ("distance", "ratio")
NO_FIELD = -1
LEAST_SUMMED = 4  # fields of several symbols; of fewer the strangest says as much as their sum


@dataclass(frozen=True, eq=False)
class Reading:
    """What the codes say of n rows.

    Attributes
    ----------
    bits : list of ndarray, shape (n,) for each of F fields
        Code length of each field alone.
    blocks : dict of str to list of (int, ndarray, shape (n,))
        For each block its figures, the larger the stranger, with the field that each is about (-1
        for the row as a whole). Blocks that say nothing are left out.
    """

    bits: list[Figures]
    blocks: dict[str, list[tuple[int, Figures]]]


@dataclass(frozen=True, eq=False)
class RowCoder:
    """Every code of a baseline.

    Attributes
    ----------
    coders : tuple of coders, one per field
    context : ContextBlock
    groups : GroupBlock
    regression : RegressionCoder or None
    nearest : NearestCoder or None
    entity : EntityBlock or None
    """

    coders: tuple[AnyCoder, ...]
    context: ContextBlock
    groups: GroupBlock
    regression: RegressionCoder | None
    nearest: NearestCoder | None
    entity: EntityBlock | None

    @classmethod
    def fit(cls, encoded: Sequence[Encoded]) -> RowCoder:
        """Learn every code from baseline columns of equal length."""
        columns, entities = told_apart(encoded)
        coders = tuple(map(fit_coder, columns))
        scaled = scaled_numbers(coders, columns)
        entity = None
        if entities is not None:
            measures = list(_measured(coders, columns, own=True))
            entity = EntityBlock.fit(entities, columns, measures, scaled)
        return cls(
            coders,
            ContextBlock.fit(columns),
            GroupBlock.fit(columns, scaled),
            RegressionCoder.fit(scaled),
            NearestCoder.fit(columns, scaled),
            entity,
        )

    def read(
        self,
        encoded: Sequence[Encoded],
        *,
        own: bool,
        keep: Callable[[Floats], Figures] = np.asarray,
    ) -> Reading:
        """Bits and figures of rows; with `own` these are the baseline, each row left out.

        `keep` makes what is kept of each array as soon as it is there, so that one that takes less
        memory need not wait for the others.
        """
        columns, entities = told_apart(encoded)
        measures, alone = [], []
        for field, measure in enumerate(_measured(self.coders, columns, own=own)):
            alone += [(field, keep(part)) for part in measure.parts]
            measures.append(measure if self.entity is not None else Measure(measure.bits, []))
        bits = [measure.bits for measure in measures]
        scaled = scaled_numbers(self.coders, columns)

        def kept(*parts: Iterable[tuple[int, Floats]]) -> list[tuple[int, Figures]]:
            return [(field, keep(figures)) for some in parts for field, figures in some]

        sums = {SUMS[0]: np.sum(bits, axis=0)} if self.is_summed else {}
        blocks = {
            "alone": alone,
            "context": kept(
                _summing(self.context.parts(columns, bits, own=own), bits, sums),
                self.groups.parts(columns, scaled, own=own),
            ),
        }
        blocks |= {name: kept([(NO_FIELD, total)]) for name, total in sums.items()}
        if self.entity is not None and entities is not None:
            blocks["entity"] = kept(self.entity.parts(entities, columns, measures, scaled, own=own))
        lengths = [keep(measure.bits) for measure in measures]
        del measures, bits
        if self.regression is not None:
            blocks["regression"] = kept(self.regression.parts(scaled, own=own))
        if self.nearest is not None:
            distance, ratio = self.nearest.parts(columns, scaled, own=own)
            blocks["distance"] = kept([(NO_FIELD, distance)])
            blocks["ratio"] = kept([(NO_FIELD, ratio)])
        return Reading(lengths, {name: parts for name, parts in blocks.items() if parts})

    @property
    def is_summed(self) -> bool:
        """Whether all fields are categories, enough of them with several symbols."""
        counts = [coder.counts for coder in self.coders if isinstance(coder, CategoryCoder)]
        several = sum(np.count_nonzero(of_field) > 1 for of_field in counts)
        return len(counts) == len(self.coders) and bool(several >= LEAST_SUMMED)

    def features(self, encoded: Sequence[Encoded]) -> Features:
        """Numbers and symbols of rows on the scales of the nearest-row code."""
        assert self.nearest is not None
        columns, _ = told_apart(encoded)
        return self.nearest.features(columns, scaled_numbers(self.coders, columns))


def _summing(
    parts: Iterable[tuple[int, Floats]], bits: Sequence[Floats], sums: dict[str, Floats]
) -> Iterator[tuple[int, Floats]]:
    """The same parts; where lengths are summed, each takes its field's place in the sum."""
    alone, in_context = SUMS
    for field, lengths in parts:
        if alone in sums:
            sums[in_context] = sums.get(in_context, sums[alone]) + (lengths - bits[field])
        yield field, lengths


def told_apart(encoded: Sequence[Encoded]) -> tuple[list[Column], Entities | None]:
    """The columns of the fields, and the entities if there are any."""
    entities = [part for part in encoded if isinstance(part, Entities)]
    columns = [part for part in encoded if not isinstance(part, Entities)]
    return columns, entities[0] if entities else None


def _measured(
    coders: Sequence[AnyCoder], columns: Sequence[Column], *, own: bool
) -> Iterator[Measure]:
    """Each column measured by its coder."""
    for coder, column in zip(coders, columns, strict=True):
        checkpoint()
        yield coder.measure(column, own=own)


def fit_coder(column: Column) -> AnyCoder:
    """The coder of a column's kind, fitted on that column."""
    checkpoint()
    if isinstance(column, Symbols):
        return CategoryCoder.fit(column)
    if isinstance(column, Numbers):
        return NumberCoder.fit(column)
    if isinstance(column, Texts):
        return TextCoder.fit(column)
    return TimeCoder.fit(column)

"""Entities: whose row it is, and how long after that one's previous row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftlock import arrays
from driftlock.arrays import Floats, Ints
from driftlock.errors import OptionError, listed
from driftlock.fields import times
from driftlock.fields.kinds import Decision
from driftlock.fields.typed import CategoryField, CodedField, TimeField
from driftlock.fields.values import shown, symbols

Flat = dict[str, "pd.Series[Any]"]
JOINT = "\x1e"


@dataclass(frozen=True, eq=False)
class EntityField:
    """The column or columns that say whose row it is."""

    names: tuple[str, ...]
    owners: CategoryField

    @classmethod
    def learn(cls, entity: str | Sequence[str], flat: Flat) -> EntityField:
        """The entities of a baseline; several columns make one entity together."""
        names = (entity,) if isinstance(entity, str) else tuple(entity)
        unknown = [name for name in names if name not in flat]
        if unknown or not names:
            raise OptionError(
                f"entity={entity!r} is no field, or no list of fields; there are {listed(flat)}"
            )
        joined = _joined(names, flat)
        return cls(names, CategoryField.learn("entity", joined, Decision("category", "as asked")))

    def encode(self, flat: Flat, fields: Sequence[CodedField]) -> arrays.Entities:
        """Whose each row is, and for every time field the seconds since that one's previous row.

        Rows are taken in the order of time, baseline and events each on their own.
        """
        owners = self.owners.encode(_joined(self.names, flat))
        assert isinstance(owners, arrays.Symbols)
        assert owners.identities is not None
        gaps = {
            place: _gaps(field, flat[field.name], owners.identities)
            for place, field in enumerate(fields)
            if isinstance(field, TimeField) and field.name in flat
        }
        return arrays.Entities(owners, gaps)

    def described(self, flat: Flat) -> str:
        """The entity of the only row, and how many rows of the baseline are its."""
        joined = _joined(self.names, flat).iloc[0]
        place = self.owners.alphabet.get(joined)
        rows = 0 if place is None else int(self.owners.counts[place])
        parts = zip(self.names, joined.split(JOINT), strict=True)
        names = ", ".join(f"{name} = {shown(value)}" for name, value in parts)
        if not rows:
            return f"{names}: no row in the baseline, compared with everyone's"
        return f"{names}: {rows:,} row{'s' * (rows > 1)} in the baseline"


def _joined(names: tuple[str, ...], flat: Flat) -> pd.Series[Any]:
    """One text for the entity of each row."""
    parts = []
    for name in names:
        codes, texts = symbols(flat[name])
        parts.append(np.array(texts, dtype=object)[codes])
    rows = parts[0] if len(parts) == 1 else [JOINT.join(row) for row in zip(*parts, strict=True)]
    return pd.Series(rows, dtype=object)


def _gaps(field: TimeField, values: pd.Series[Any], owners: Ints) -> Floats:
    """log2 of one more than the seconds since the owner's previous row, NaN for the first."""
    parsed = times.times(values, zone=field.zone, unit=field.unit)
    rows = np.flatnonzero(parsed.readable)
    order = rows[np.lexsort((parsed.values[rows], owners[rows]))]
    gaps = np.full(len(values), np.nan)
    if order.size > 1:
        seconds = np.diff(parsed.values[order]) / 1e6
        same = owners[order][1:] == owners[order][:-1]
        gaps[order[1:][same]] = np.log2(seconds[same] + 1.0)
    return gaps

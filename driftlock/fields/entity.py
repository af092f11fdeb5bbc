"""Entities: whose row it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftlock import arrays
from driftlock.errors import OptionError, listed
from driftlock.fields.kinds import Decision
from driftlock.fields.raw import Raw
from driftlock.fields.typed import CategoryField
from driftlock.fields.values import symbols

Flat = dict[str, "pd.Series[Any]"]
JOINT, ESCAPE = "\x1e", "\x1b"  # between the parts of one text, and before either within a part


@dataclass(frozen=True, eq=False)
class EntityField:
    """The column or columns that say whose row it is."""

    names: tuple[str, ...]
    owners: CategoryField

    @classmethod
    def learn(cls, entity: str | Sequence[str], flat: Flat) -> EntityField:
        """The entities of a baseline; several columns make one entity together."""
        asked = entity if isinstance(entity, (list, tuple)) else (entity,)
        names = tuple(map(str, asked))
        unknown = [name for name in names if name not in flat]
        if unknown or not names:
            raise OptionError(
                f"entity={entity!r} is no field, or no list of fields; there are {listed(flat)}"
            )
        joined = Raw(_joined(names, flat))
        return cls(names, CategoryField.learn("entity", joined, Decision("category", "as asked")))

    def encode(self, flat: Flat) -> arrays.Entities:
        """Whose each row is."""
        owners = self.owners.encode(Raw(_joined(self.names, flat)))
        assert isinstance(owners, arrays.Symbols)
        return arrays.Entities(owners)

    def described(self, flat: Flat) -> str:
        """The entity of the only row, and how many rows of the baseline are its."""
        place = self.owners.alphabet.get(_joined(self.names, flat).iloc[0])
        rows = 0 if place is None else int(self.owners.counts[place])
        names = ", ".join(f"{name} = {flat[name].iloc[0]}" for name in self.names)
        if not rows:
            return f"{names}: no row in the baseline, compared with everyone's"
        return f"{names}: {rows:,} row{'s' * (rows > 1)} in the baseline"


def _joined(names: tuple[str, ...], flat: Flat) -> pd.Series[Any]:
    """One text for the entity of each row."""
    parts = []
    for name in names:
        codes, texts = symbols(flat[name])
        told_apart = [
            text.replace(ESCAPE, 2 * ESCAPE).replace(JOINT, ESCAPE + "j") for text in texts
        ]
        parts.append(np.array(told_apart, dtype=object)[codes])
    rows = parts[0] if len(parts) == 1 else [JOINT.join(row) for row in zip(*parts, strict=True)]
    return pd.Series(rows, dtype=object)

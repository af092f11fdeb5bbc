"""The schema: the fields of a baseline, how each is read, and what they were found to be."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import pandas as pd

from driftlock.arrays import Encoded
from driftlock.errors import InputError, OptionError, check_choice, listed
from driftlock.fields.entity import EntityField
from driftlock.fields.kinds import KINDS, SAMPLE, Decision, as_asked, decided
from driftlock.fields.nested import is_nested, lay_out
from driftlock.fields.raw import Raw
from driftlock.fields.table import column_names, simplify
from driftlock.fields.typed import CODED, CodedField, TimeField

Flat: TypeAlias = "dict[str, pd.Series[Any]]"


@dataclass(frozen=True, eq=False)
class Schema:
    """The typed fields of a baseline.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns of the table.
    nested : frozenset of str
        Those that are laid out into fields with dotted names.
    decisions : dict of str to Decision
        Kind and reason of every field, those left out among them.
    fields : tuple of CategoryField, NumberField, TimeField or TextField
        The fields that are coded.
    entity : EntityField or None
        Whose row it is, if that was asked for.
    """

    columns: tuple[str, ...]
    nested: frozenset[str]
    decisions: dict[str, Decision]
    fields: tuple[CodedField, ...] = field(default=())
    entity: EntityField | None = None

    @classmethod
    def learn(
        cls,
        frame: pd.DataFrame,
        kinds: Mapping[str, str] | None = None,
        entity: str | Sequence[str] | None = None,
    ) -> tuple[Schema, Flat]:
        """Decide every field's kind on a baseline frame; also its columns, as from `flatten`.

        Parameters
        ----------
        frame : DataFrame
            The baseline.
        kinds : mapping of str to str, optional
            Kinds that override what the values say, by field name.
        entity : str or sequence of str, optional
            The field or fields that say whose row it is.

        Raises
        ------
        InputError
            If names collide or no field is left to be coded.
        OptionError
            If `kinds` names a field or a kind that does not exist.
        """
        schema, flat, _ = cls.encoded(frame, kinds, entity)
        return schema, flat

    @classmethod
    def encoded(
        cls,
        frame: pd.DataFrame,
        kinds: Mapping[str, str] | None = None,
        entity: str | Sequence[str] | None = None,
    ) -> tuple[Schema, Flat, list[Encoded]]:
        """The same, and the baseline as from `encode`: no column is read more often than once."""
        names = column_names(frame.columns, "baseline")
        series = dict(zip(names, map(simplify, _columns_of(frame)), strict=True))
        nested = frozenset(name for name, values in series.items() if is_nested(values))
        flat = _flatten(series, nested)
        asked = _checked(kinds, flat)
        asked_for = {name: as_asked(name, kind, flat[name]) for name, kind in asked.items()}
        decisions: dict[str, Decision] = {}
        fields: list[CodedField] = []
        columns: list[Encoded] = []
        for name, values in flat.items():
            column = Raw(values)
            decision = asked_for.get(name) or _decide(name, column, nested)
            if decision.kind != "category" and len(column) > SAMPLE:
                column.forget_texts()
            if decision.kind in CODED:
                learned = CODED[decision.kind].learn(name, column, decision)
                fields.append(learned)
                columns.append(learned.encode(column))
                if isinstance(learned, TimeField):
                    decision = _with_cycles(decision, learned.cycles)
            decisions[name] = decision
        owner = None if entity is None else EntityField.learn(entity, flat)
        schema = cls(tuple(names), nested, decisions, tuple(fields), owner)
        schema._check_some_left()
        return schema, flat, columns if owner is None else [*columns, owner.encode(flat)]

    def flatten(self, frame: pd.DataFrame, role: str = "events") -> Flat:
        """Plain columns by field name; a frame with other columns than the baseline is an error."""
        names = column_names(frame.columns, role)
        absent = [name for name in self.columns if name not in names]
        new = [name for name in names if name not in self.columns]
        if absent or new:
            parts = [f"lacks the column(s) {listed(absent)}"] if absent else []
            parts += [f"has the column(s) {listed(new)}, which the baseline lacks"] if new else []
            raise InputError(f"{role} {' and '.join(parts)}; both need the same columns")
        given = dict(zip(names, _columns_of(frame), strict=True))
        return _flatten({name: simplify(given[name]) for name in self.columns}, self.nested)

    def encode(self, flat: Flat) -> list[Encoded]:
        """Typed arrays of every coded field, and the entities, from the columns of `flatten`."""
        n = len(next(iter(flat.values())))
        absent = pd.Series([None] * n, dtype=object)
        encoded: list[Encoded] = [f.encode(Raw(flat.get(f.name, absent))) for f in self.fields]
        return encoded if self.entity is None else [*encoded, self.entity.encode(flat)]

    def table(self) -> pd.DataFrame:
        """Every field with its kind, whether it is coded, and the reason; a row each."""
        rows = [
            {"field": name, "kind": d.kind, "coded": d.kind in CODED, "reason": d.reason}
            for name, d in self.decisions.items()
        ]
        return pd.DataFrame(rows).set_index("field")

    def _check_some_left(self) -> None:
        if not self.fields:
            kinds = "; ".join(f"{n!r} is {d.kind}: {d.reason}" for n, d in self.decisions.items())
            raise InputError(
                f"no field is left to be coded ({kinds}); id fields are left out, "
                "fields={'name': 'category'} overrides that"
            )


def _columns_of(frame: pd.DataFrame) -> Iterator[pd.Series[Any]]:
    """The columns by their place, whatever they are called."""
    return (values for _, values in frame.items())


def _decide(name: str, column: Raw, nested: frozenset[str]) -> Decision:
    if name in nested:
        return Decision("category", "nested column: its set of keys")
    return decided(column)


def _with_cycles(decision: Decision, cycles: tuple[str, ...]) -> Decision:
    missing = [cycle for cycle in ("hour", "weekday") if cycle not in cycles]
    if not missing:
        return decision
    note = f"{' and '.join(missing)} left out: the baseline is shorter than one cycle"
    return replace(decision, reason=f"{decision.reason}; {note}")


def _flatten(columns: Flat, nested: frozenset[str]) -> Flat:
    flat: Flat = {}
    for name, values in columns.items():
        laid = lay_out(name, values) if name in nested else {name: values}
        twice = flat.keys() & laid.keys() | (laid.keys() & columns.keys()) - {name}
        if twice:
            raise InputError(
                f"flattening column {name!r} makes the name(s) {listed(sorted(twice))}, "
                "which another column has; rename one of them"
            )
        flat |= laid
    return flat


def _checked(kinds: Mapping[str, str] | None, fields: Collection[str]) -> dict[str, str]:
    if kinds is None:
        return {}
    if not isinstance(kinds, Mapping):
        raise OptionError(f"fields={kinds!r} is no mapping; expected {{'name': 'kind'}}")
    kinds = {str(name): kind for name, kind in kinds.items()}
    for name, kind in kinds.items():
        if name not in fields:
            raise OptionError(
                f"fields names {name!r}, which is no field; there are {listed(fields)}"
            )
        check_choice(f"fields[{name!r}]", kind, KINDS)
    return dict(kinds)

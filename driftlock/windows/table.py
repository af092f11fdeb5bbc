"""Frames to codes: rows of baseline and windows as symbols and bits, alphabets from all of them.

Kinds of fields, and which rhythms times have, come from the baseline. All else that is learned
(alphabets, ranks, bits) comes from all rows together, so that exchanging a baseline row with a
window row exchanges their codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from driftlock._kernels.evidence import round_millibits
from driftlock._kernels.scan import CONTENT, FIRST_RANK, RANK, SYMBOL
from driftlock.arrays import NEGATIVE, POSITIVE, Column, Ints, Numbers, Symbols, Times
from driftlock.coders import fit_coder
from driftlock.draws import Pool
from driftlock.fields import Schema
from driftlock.fields.raw import Raw
from driftlock.fields.typed import CODED, TimeField
from driftlock.fields.values import symbols

REPEATS = "(repeated rows)"
IN_ORDER = 0.9  # rank correlation of rows with times that they are in the order of


@dataclass(frozen=True, eq=False)
class WindowTable:
    """T rows as codes of P parts of F fields.

    Attributes
    ----------
    codes : ndarray of int32, shape (T, P)
        Of a number part: its class below 8, its rank from there on.
    sorts : ndarray of int8, shape (P,)
        Symbols as they are, ranks that a pool cuts, or the content of the whole row.
    field_of : ndarray of int, shape (P,)
        Field that each part belongs to: a time has an hour and a weekday. The last, F - 1, stands
        for the row as a whole: whether it repeats.
    bits : ndarray of int32, shape (F, T)
        Code length of each row in each field in millibits, the row itself left out.
    schema : Schema
        As learned on the baseline.
    clocks : tuple of str
        Times whose hours and weekdays do not count, since the rows are in their order.
    """

    codes: Ints
    sorts: Ints
    field_of: Ints
    bits: Ints
    schema: Schema
    clocks: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The fields, and the row as a whole."""
        return [*(field.name for field in self.schema.fields), REPEATS]

    @property
    def row_bits(self) -> Ints:
        """Code length of each row in millibits, shape (T,)."""
        total: Ints = self.bits.sum(axis=0, dtype=np.int32)
        return total

    def pool(self, baseline: Ints, window: Ints) -> Pool:
        """The pool of some rows, bits as they are."""
        rows = np.concatenate([baseline, window])
        codes = np.ascontiguousarray(self.codes[rows])
        return Pool.of(codes, self.sorts, self.row_bits[rows], len(baseline))


def encode(
    frames: list[pd.DataFrame],
    n: int,
    kinds: Mapping[str, str] | None = None,
    leave_clocks: bool = False,
) -> WindowTable:
    """Codes of the rows of all frames, one after the other; the first n rows say the kinds.

    Parameters
    ----------
    frames : list of DataFrame
        With the same columns.
    n : int
        Rows of the first frame that are baseline.
    kinds : mapping of str to str, optional
        Kinds of fields that override what the values say.
    leave_clocks : bool
        Whether to leave out hours and weekdays of times in whose order the baseline's rows are,
        unless `kinds` names them.
    """
    schema, _ = Schema.learn(frames[0].iloc[:n], kinds)
    roles = ["baseline", *["window"] * (len(frames) - 1)]
    flats = [schema.flatten(frame, role) for frame, role in zip(frames, roles, strict=True)]
    sizes = [len(frame) for frame in frames]
    codes, sorts, field_of, bits, left_out = [], [], [], [], []
    content: Ints = np.zeros(sum(sizes), np.int64)
    for place, field in enumerate(schema.fields):
        values = _joined(
            [_column(flat, field.name, size) for flat, size in zip(flats, sizes, strict=True)]
        )
        decision = schema.decisions[field.name]
        raw = Raw(values)
        column = CODED[decision.kind].learn(field.name, raw, decision).encode(raw)
        if isinstance(field, TimeField) and isinstance(column, Times):
            cycles = field.cycles  # one that the baseline is too short for would be all new
            if leave_clocks and field.name not in (kinds or ()) and _is_clock(raw, field, n):
                left_out.append(field.name)
                cycles = ()
            column = Times(column.hours, column.weekdays, cycles)
        bits.append(round_millibits(fit_coder(column).measure(column, own=True).bits))
        for part in _parts(column, values):
            codes.append(part)
            sorts.append(RANK if isinstance(column, Numbers) else SYMBOL)
            field_of.append(place)
        if not isinstance(column, Times):  # what is replayed comes at another time
            content = _paired(content, _exact(column, codes[-1], values))
    if left_out and not any(np.ptp(part) for part in codes):
        return encode(frames, n, kinds)  # nothing else would be left
    codes.append(_repeated(content))
    bits.append(np.zeros_like(bits[0]))
    return WindowTable(
        np.ascontiguousarray(np.column_stack(codes), np.int32),
        np.array([*sorts, CONTENT], np.int8),
        np.array([*field_of, len(schema.fields)], np.int64),
        np.stack(bits),
        schema,
        tuple(left_out),
    )


def _is_clock(column: Raw, field: TimeField, n: int) -> bool:
    """Whether the first n rows are in the order of these times, but for a few that are late."""
    parsed = column.times(field.zone, field.unit)
    instants = parsed.values[:n][parsed.readable[:n]]
    if instants.size < 2 or (instants == instants[0]).all():
        return False
    ranks = np.unique(instants, return_inverse=True)[1]
    order = np.corrcoef(np.arange(instants.size), ranks)[0, 1]
    return bool(abs(order) >= IN_ORDER)


def _column(flat: dict[str, pd.Series[Any]], name: str, size: int) -> pd.Series[Any]:
    """A plain column, or missing values where a nested column has no such path."""
    if name in flat:
        return flat[name]
    return pd.Series([None] * size, dtype=object)


def _joined(columns: list[pd.Series[Any]]) -> pd.Series[Any]:
    """One column of all rows; of different dtypes as objects, so that no value is changed."""
    if len(columns) == 1:
        return columns[0].reset_index(drop=True)
    dtypes = {column.dtype for column in columns}
    numeric = all(isinstance(dtype, np.dtype) and dtype.kind in "iuf" for dtype in dtypes)
    if len(dtypes) > 1 and not numeric:
        columns = [column.astype(object) for column in columns]
    return pd.concat(columns, ignore_index=True)


def _parts(column: Column, values: pd.Series[Any]) -> list[Ints]:
    """Codes of one field: hours and weekdays, ranks of numbers, texts with their digits masked."""
    if isinstance(column, Symbols):
        return [column.codes]
    if isinstance(column, Times):
        cycles = {"hour": column.hours, "weekday": column.weekdays}
        return [cycles[name] for name in column.cycles] or [(column.hours >= 24) * column.hours]
    if isinstance(column, Numbers):
        dense = (column.classes == NEGATIVE) | (column.classes == POSITIVE)
        codes = column.classes.astype(np.int32)
        codes[dense] = FIRST_RANK + np.unique(column.values[dense], return_inverse=True)[1]
        return [codes]
    found, texts = symbols(values)
    masked = pd.Series(texts, dtype=object).str.replace(r"\d+", "0", regex=True)
    return [pd.factorize(masked)[0][found].astype(np.int32)]


def _exact(column: Column, part: Ints, values: pd.Series[Any]) -> Ints:
    """Codes that are equal for equal values only."""
    if isinstance(column, (Symbols, Numbers)):
        return part
    return symbols(values)[0]


def _paired(first: Ints, second: Ints) -> Ints:
    """Codes of pairs, from 0 on."""
    pairs = first.astype(np.int64) * (int(second.max()) + 1) + second
    return pd.factorize(pairs)[0].astype(np.int64)


def _repeated(content: Ints) -> Ints:
    """0 for rows that occur once, a code from 1 on for each content that occurs again."""
    again = np.bincount(content)[content] > 1
    codes = np.zeros(content.size, np.int32)
    codes[again] = 1 + pd.factorize(content[again])[0]
    return codes

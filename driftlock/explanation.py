"""Why one row is strange: a table of its fields, printable."""

from __future__ import annotations

import html
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import pandas as pd

from driftlock.errors import OptionError
from driftlock.evidence import MILLI
from driftlock.fields import shortened
from driftlock.fields.values import spelt

if TYPE_CHECKING:
    from driftlock.results import Detection

USUAL = 120  # characters of what is usual, of a text with an example
MOST_FIELDS = 20  # that are printed


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """Why one row is strange.

    Attributes
    ----------
    label : hashable
        Index label of the row.
    table : DataFrame
        A row per field, the largest evidence first: value, bits, expected_bits (mean over the
        baseline), evidence (calibrated, in bits) and the baseline's usual values.
    verdict : Series
        The row of `Detection.table`.
    notes : tuple of str
        What the score is the sum of; of what kind the row is, if that decides; whose row it is.
    """

    label: Hashable
    table: pd.DataFrame
    verdict: pd.Series[Any]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        lines = [self._headline(), *(f"  {note}" for note in self.notes)]
        rest = filter(None, [self._unprinted()])
        return "\n".join([*lines, self._printable().to_string(max_colwidth=48), *rest])

    def _repr_html_(self) -> str:
        notes = "".join(f"<br>{html.escape(note)}" for note in self.notes)
        head = f"<p><b>{html.escape(self._headline())}</b>{notes}</p>"
        shown = self._printable()
        rest = f"<p>{html.escape(self._unprinted())}</p>" if self._unprinted() else ""
        shown = shown.assign(usual=[shortened(u, USUAL) for u in shown["usual"]])
        return head + shown.to_html() + rest

    def _printable(self) -> pd.DataFrame:
        """The first of the table as texts: rounded, long values cut."""
        table = self.table.head(MOST_FIELDS)
        bits = table[["bits", "expected_bits", "evidence"]].map("{:.2f}".format)
        return table.assign(**bits, value=[shortened(spelt(v)) for v in table["value"]])

    def _unprinted(self) -> str:
        """How many fields are not printed, and where they are; nothing where all of them are."""
        rest = self.table["evidence"].iloc[MOST_FIELDS:]
        if not len(rest):
            return ""
        each = "" if len(rest) == 1 else "each "
        return f"{len(rest):,} more in .table, {each}of {rest.iloc[0]:.2f} bits of evidence or less"

    def _headline(self) -> str:
        row = self.verdict
        decision = "anomaly" if row["is_anomaly"] else "not flagged"
        return (
            f"Row {self.label!r}: {decision}, score {row['score']:.2f} bits, "
            f"p = {row['p_value']:.3g} ({row['p_kind']}), q = {row['q_value']:.3g}; "
            f"code length {row['bits']:.2f} bits"
        )


def explained(found: Detection, label: Hashable, position: int | None) -> Explanation:
    """The explanation of one tested row, by its label or by its place."""
    names = [field.name for field in found.fitted.fields]
    place = _place(found.events.index, label) if position is None else position
    whole = isinstance(place, Integral) and not isinstance(place, bool)
    if not whole or not -len(found) <= place < len(found):
        raise OptionError(
            f"position={place!r} is no place among the {len(found):,} tested rows; expected "
            f"a whole number from 0 to {len(found) - 1}"
        )
    row = found.events.iloc[[place]]
    flat = found.fitted.flatten(row)
    values = [flat[name].iloc[0] if name in flat else None for name in names]
    table = pd.DataFrame(
        {
            "value": pd.Series(values, dtype=object),
            "bits": found.scores.bits[:, place] / MILLI,
            "expected_bits": found.null.expected,
            "evidence": found.scores.evidence[:, place] / MILLI,
            "usual": [field.usual() for field in found.fitted.fields],
        }
    )
    table.index = pd.Index(names, name="field", dtype=object)
    ordered = table.sort_values(["evidence", "bits"], ascending=False, kind="stable")
    notes = tuple(_notes(found, int(place), flat))
    return Explanation(row.index.tolist()[0], ordered, found.table.iloc[place], notes)


def _notes(found: Detection, place: int, flat: dict[str, pd.Series[Any]]) -> Iterator[str]:
    """What is to be said of one row beside its fields."""
    fields, whole = found.scores.levels[:, place] / MILLI
    if whole:
        like = "how far it is from the baseline rows most like it"
        yield f"score: {fields:.2f} bits from its fields, {whole:.2f} from {like}"
    tested, baseline = found.decided.counts[:, place]
    if tested:
        yield (
            f"pattern: {tested:,} of the {len(found):,} tested rows are of its kind, and "
            f"{baseline:,} of the {found.plan.n_baseline:,} baseline rows"
        )
    if found.fitted.entity is not None:
        yield f"entity: {found.fitted.entity.described(flat)}"


def _place(index: pd.Index[Any], label: Hashable) -> int:
    """Position of the only row with a label."""
    try:
        found = index.get_indexer_for([label])  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise OptionError(f"{label!r} is no label of a tested row") from error
    if len(found) > 1:
        places = ", ".join(map(str, found[:8]))
        raise OptionError(
            f"label {label!r} stands for {len(found)} tested rows, at the positions {places}; "
            f"ask for one of them: explain(position={found[0]})"
        )
    if found[0] < 0:
        first, last = index[[0, -1]].tolist()
        raise OptionError(
            f"{label!r} is no label of a tested row; they run from {first!r} to {last!r}"
        )
    return int(found[0])

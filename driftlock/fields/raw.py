"""A column as it came, and what it was read as: every reading is made once."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.arrays import Floats, Ints, Mask
from driftlock.fields.times import times
from driftlock.fields.values import Parsed, is_text, numbers, symbols
from driftlock.fields.written import Written


class Raw:
    """A column of a table, kept as long as its field is learned and encoded.

    Parameters
    ----------
    values : Series
        The column.
    """

    def __init__(self, values: pd.Series[Any]) -> None:
        self.values = values
        self._times: dict[tuple[Any, str | None], Parsed[NDArray[np.int64]]] = {}
        self._plain: dict[Written, Raw] = {}

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def gaps(self) -> Mask:
        """Rows where nothing is."""
        return self.values.isna().to_numpy(bool)

    @cached_property
    def symbols(self) -> tuple[Ints, list[str]]:
        """Codes of shape (n,) and the text of each code, missing among them."""
        return symbols(self.values)

    @cached_property
    def present(self) -> tuple[Ints, list[str]]:
        """Codes of the rows that are not missing, and the text of each code."""
        codes, texts = self.symbols
        return (codes[~self.gaps], texts[:-1]) if self.gaps.any() else (codes, texts)

    @cached_property
    def distinct(self) -> Raw | None:
        """The different texts of a column that holds nothing else; to be read in its stead."""
        if not is_text(self.values):
            return None
        return Raw(pd.Series(np.array(self.present[1], dtype=object), dtype=object))

    @cached_property
    def numbers(self) -> Parsed[Floats]:
        """Values as float64."""
        distinct = self._distinct_if_known
        if distinct is None:
            return numbers(self.values)
        return distinct.numbers.spread(self.symbols[0])

    def times(self, zone: Any = None, unit: str | None = None) -> Parsed[NDArray[np.int64]]:
        """Wall-clock times in microseconds since 1970, as from `times.times`."""
        if (zone, unit) not in self._times:
            distinct = self._distinct_if_known
            self._times[zone, unit] = (
                times(self.values, zone=zone, unit=unit)
                if distinct is None
                else distinct.times(zone, unit).spread(self.symbols[0])
            )
        return self._times[zone, unit]

    def plain(self, written: Written | None) -> Raw:
        """The column with its numbers as Python writes them."""
        if written is None:
            return self
        if written not in self._plain:
            self._plain[written] = Raw(written.rewritten(self.values))
        return self._plain[written]

    def forget_texts(self) -> None:
        """Let the texts go: of a long column they take more room than time to be told again."""
        for name in ("symbols", "present", "distinct"):
            self.__dict__.pop(name, None)

    @property
    def _distinct_if_known(self) -> Raw | None:
        """Telling texts apart costs as much as reading them: not for that alone."""
        return self.__dict__.get("distinct")

"""Numbers as people write them: 1,234.50 or 1.234,50, $1,200.00, 45.3 %, (12.50).

A column has one convention, learned on the baseline. A text that does not fit it is no number:
"43,28.00" among amounts is evidence, not 4328.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd

from driftlock.arrays import Ints
from driftlock.fields.glance import is_spelt_missing
from driftlock.fields.times import WRITTEN_DATE

CURRENCY = "$\u00a2-\u00a5\u0e3f\u20a0-\u20c0"
SIGN, SIGNS = "[-+\u2212]", str.maketrans("\u2212", "-")
TEXT = re.compile(
    rf"\(?{SIGN}? ?(?P<before>[^\W\d_]{{0,3}}[{CURRENCY}]|[A-Z]{{3}}|) ?{SIGN}?"
    r"(?P<body>\d[\d., '_]*\d|\d|[.,]\d+) ?"
    rf"(?P<after>[%\u2030{CURRENCY}]|\u00b0?[^\W\d_]{{1,3}}(?:/[^\W\d_]{{1,3}})?|)\)?"
)
SPELLINGS = str.maketrans("\u00a0\u202f\u2019", "  '")  # spaces and apostrophes that look alike
PARTNERS = {".": ",", ",": "."}  # the grouping mark of a decimal mark and the other way round
PAIRS = [(decimal, group) for decimal in ".," for group in ",. '_" if group != decimal]
NO_NUMBER = "?"
MOST_DECIMALS = 17  # as many as floats are said to have
LEAST = 0.97  # share of the values present that must fit the convention
CODES_SHARE = 0.01  # of whole numbers with a leading zero, as in codes
CODE_LENGTH = 4  # digits of whole numbers that may be codes if all have as many
ALIKE_SHARE = 0.95  # of numbers in as many groups, as in telephone numbers


@dataclass(frozen=True)
class Written:
    """How the numbers of a column are written.

    Attributes
    ----------
    decimal, group : str
        The decimal mark, and the mark between groups of three digits; empty if unknown.
    before, after : str
        What stands in front of every number and behind it: a currency, a unit, a percent sign.
    brackets : bool
        Whether negative numbers may stand in brackets.
    """

    decimal: str
    group: str
    before: str = ""
    after: str = ""
    brackets: bool = False

    def plain(self, text: str) -> str:
        """The number as Python writes it; what does not fit as a text that is no number."""
        match = _whole(self).fullmatch(_spelt(text))
        if match is None:
            is_spared = is_spelt_missing(text) or self._adds_to_plain
            return text if is_spared else NO_NUMBER
        opened, first, second, body, closed = match.groups()
        sign = (first or "") + (second or "") + (opened or "")
        if len(sign) > 1 or bool(opened) != bool(closed) or (opened and not self.brackets):
            return NO_NUMBER
        digits = body.replace(self.group, "") if self.group else body
        sign = "-" if opened else sign.translate(SIGNS)
        return sign + (digits.replace(self.decimal, ".") if self.decimal else digits)

    def rewritten(self, values: pd.Series[Any]) -> pd.Series[Any]:
        """A column with every text as Python writes numbers; what is no text stays as it is."""
        if values.dtype.kind != "O":
            return values
        each = [self.plain(v) if isinstance(v, str) else v for v in values.to_numpy(object)]
        return pd.Series(each, index=values.index, dtype=object)

    @property
    def example(self) -> str:
        """A number so written."""
        number = f"1{self.group}234" + (f"{self.decimal}50" if self.decimal else "")
        before = f"{self.before} " if self.before.isalpha() else self.before
        after = self.after if self.after in ("", "%") else f" {self.after}"
        return f"({before}{number}{after})" if self.brackets else f"{before}{number}{after}"

    @property
    def _adds_to_plain(self) -> bool:
        """Whether what Python reads means the same here, so that 1e5 is no misprint."""
        return self.decimal == "." and not (self.before or self.after)


def _spelt(text: str) -> str:
    """A text without what stands around it, its spaces and apostrophes the usual ones."""
    return text.strip() if text.isascii() else text.strip().translate(SPELLINGS)


def looks_written(text: str) -> bool:
    """Whether a text may be a number by some convention, or a date with its parts between marks."""
    return TEXT.fullmatch(_spelt(text)) is not None or (WRITTEN_DATE.fullmatch(text) is not None)


def learn_written(counts: Mapping[str, int], n: int, *, is_asked: bool = False) -> Written | None:
    """The convention that n values follow, given how often each text is among them.

    None where there is none, where two would do, and where Python reads the texts as they are.
    With `is_asked` they are known to be numbers: any share of them will do, and 1,234 alone is
    taken for 1234.
    """
    least = 0.0 if is_asked else LEAST * n
    found = {text: match for text in counts if (match := TEXT.fullmatch(_spelt(text)))}
    affixes: Counter[tuple[str, str]] = Counter()
    for text, match in found.items():
        affixes[match["before"], match["after"]] += counts[text]
    if not affixes:
        return None
    (before, after), count = affixes.most_common(1)[0]
    bodies: Counter[str] = Counter()
    bracketed = 0
    for text, match in found.items():
        if (match["before"], match["after"]) == (before, after):
            bodies[match["body"]] += counts[text]
            bracketed += counts[text] * text.strip().startswith("(")
    marks = _marks(bodies, least, is_asked=is_asked)
    if marks is None or (not is_asked and _are_labels(bodies, marks[0], before, after)):
        return None
    is_bare = not (before or after or 0 < bracketed < count)
    is_grouped = marks[1] and any(marks[1] in body for body in bodies)
    if is_bare and marks[0] in ("", ".") and not is_grouped:
        return None  # Python reads them
    return Written(*marks, before, after, 0 < bracketed < count)


def _marks(bodies: Counter[str], least: float, *, is_asked: bool) -> tuple[str, str] | None:
    """Decimal and grouping mark of the one reading that most bodies have, if there is one."""
    readings: dict[tuple[str, str], int] = {}
    for decimal, group in PAIRS:
        fitting = [body for body in bodies if _number(decimal, group).fullmatch(body)]
        used = tuple(mark if any(mark in b for b in fitting) else "" for mark in (decimal, group))
        readings[used] = sum(bodies[body] for body in fitting)  # type: ignore[index]
    best = max(readings.values())
    chosen = [used for used, count in readings.items() if count == best]
    if is_asked:
        chosen = [used for used in chosen if used[1]] or chosen
    if len(chosen) != 1 or best <= least:
        return None
    decimal, group = chosen[0]
    if not is_asked and _may_be_codes(bodies, decimal, group, best):
        return None
    return decimal or PARTNERS.get(group, ""), group or PARTNERS.get(decimal, "")


def _may_be_codes(bodies: Counter[str], decimal: str, group: str, total: int) -> bool:
    """Whether whole numbers look like codes: leading zeros, or all in as many groups, or in one."""
    zeros = sum(n for body, n in bodies.items() if re.match(r"0\d", body))
    if zeros > CODES_SHARE * total:
        return True
    if decimal or not group:
        return False
    groups: Counter[int] = Counter()
    for body, n in bodies.items():
        groups[body.count(group)] += n
    alike = any(n >= ALIKE_SHARE * total for k, n in groups.items() if k > 1)
    return max(groups) < 2 or alike


def _are_labels(bodies: Counter[str], decimal: str, before: str, after: str) -> bool:
    """Whether letters around the numbers are part of a code, as in INV 10023 and 10023EU.

    In front they are a currency if every number has two decimals. Behind they are a unit, unless
    whole numbers of four digits or more are all equally long.
    """
    if before.isalpha():
        return not all(body[-3:-2] == decimal for body in bodies)
    if not after.isalpha() or not all(body.isdecimal() for body in bodies):
        return False
    lengths: Counter[int] = Counter()
    for body, n in bodies.items():
        lengths[len(body)] += n
    length, n = lengths.most_common(1)[0]
    return length >= CODE_LENGTH and n >= ALIKE_SHARE * sum(lengths.values())


def text_decimals(plain: pd.Series[Any], decimals: Ints) -> Ints:
    """Decimals as they are written in plain texts, trailing zeros among them; else as given."""
    if plain.dtype.kind != "O":
        return decimals
    made = decimals.copy()
    for row, value in enumerate(plain.to_numpy(object)):
        if isinstance(value, str) and "e" not in value.lower():
            made[row] = min(len(value.strip().partition(".")[2]), MOST_DECIMALS)
    return made


@lru_cache(maxsize=64)
def _number(decimal: str, group: str) -> re.Pattern[str]:
    """Digits, in groups of three or not, with decimals or not."""
    whole = rf"\d+|[1-9]\d{{0,2}}(?:{re.escape(group)}\d{{3}})+" if group else r"\d+"
    if not decimal:
        return re.compile(whole, re.ASCII)
    mark = re.escape(decimal)
    return re.compile(rf"(?:{whole})(?:{mark}\d+)?|{mark}\d+", re.ASCII)


@lru_cache(maxsize=64)
def _whole(written: Written) -> re.Pattern[str]:
    """A whole text: bracket, sign, what stands before, sign, number, what stands after, bracket."""
    before, after = re.escape(written.before), re.escape(written.after)
    number = _number(written.decimal, written.group).pattern
    return re.compile(rf"(\()?({SIGN})? ?{before} ?({SIGN})?({number}) ?{after}(\))?", re.ASCII)

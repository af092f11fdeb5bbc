"""Text fields: messages, addresses, payloads, sequences of words, as bytes for the text coder."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from driftlock import arrays
from driftlock.arrays import Column
from driftlock.fields.kinds import Decision
from driftlock.fields.raw import Raw
from driftlock.fields.values import shown, spelt, symbol

PRESENT, MISSING, NO_TEXT = range(3)
MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
INSTANT = re.compile(
    rb"(?<![\w.-])(?:"
    rb"\d{4}([-/.])\d{1,2}\1\d{1,2}(?:[T _-]\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:[.,]\d+)?Z?)?"
    rb"|\d{1,2}[/ -](?:" + MONTH + rb"|\d{1,2})[/ -]\d{4}(?::\d{2}:\d{2}:\d{2})?"
    rb"|\d{1,2}\.\d{1,2}\.\d{4}(?!\.\d)"
    rb"|(?<!\d[/.])[0-3]\d([/.])[0-3]\d\2\d\d(?![/.]\d)"
    rb"|" + MONTH + rb" +\d{1,2}(?:,? \d{4})?(?=[\s,;)\]]|\.?$)"
    rb"|\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?"
    rb"|1\d{9}(?:\.\d+|\d{3}|\d{6})?"
    rb")(?![\w])"
)
DIGIT = re.compile(rb"\d|" + MONTH)


@dataclass(frozen=True, eq=False)
class TextField:
    """Texts as UTF-8 bytes; what is no string is coded by its written form and marked.

    Dates, times of day and epochs within a text are masked: as with a time column, the instant
    itself is no evidence, or every line of tomorrow's log would be strange.
    """

    name: str
    example: str
    median_length: float

    @classmethod
    def learn(cls, name: str, column: Raw, _: Decision) -> TextField:
        """Learn the field from a baseline column."""
        texts = [spelt(value) for value in column.values[~column.gaps]]
        lengths = np.fromiter(map(len, texts), np.float64, len(texts))
        typical = float(np.median(lengths)) if texts else 0.0
        nearest = np.abs(lengths - typical)
        close = [texts[i] for i in np.flatnonzero(nearest == nearest.min(initial=np.inf))]
        return cls(name, min(close, default=""), typical)

    def encode(self, column: Raw) -> Column:
        """A column, of the baseline or later, as bare arrays."""
        each, missing = column.values.to_numpy(object), column.gaps
        encoded, classes = [], np.zeros(len(each), np.uint8)
        for row, (value, is_gap) in enumerate(zip(each, missing, strict=True)):
            if is_gap:
                classes[row] = MISSING
                encoded.append(b"")
            elif isinstance(value, str):
                encoded.append(value.encode("utf-8", "surrogatepass"))
            elif isinstance(value, bytes):
                encoded.append(value)
            else:
                classes[row] = NO_TEXT
                encoded.append(shown(symbol(value)).encode("utf-8", "surrogatepass"))
        encoded = [INSTANT.sub(_masked, text) for text in encoded]
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        data = np.frombuffer(b"".join(encoded), np.uint8).copy()
        return arrays.Texts(data, np.append(0, np.cumsum(lengths)), classes)

    def usual(self) -> str:
        """What is usual in the baseline, in a few words."""
        return f"{self.median_length:.0f} characters, such as {self.example!r}"


def _masked(instant: re.Match[bytes]) -> bytes:
    """A date or time with every digit a 0 and every month the same."""
    return DIGIT.sub(lambda part: b"0" if part[0].isdigit() else b"Mmm", instant[0])

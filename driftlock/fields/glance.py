"""What a look at single texts rules out, before anything is parsed.

Each check is wider than the reader that it stands in front of: what it lets pass may still be
unreadable, what it stops surely is.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

MISSING_SPELLINGS = frozenset(["", "-", "na", "n/a", "nan", "<na>", "nat", "none", "null"])
# What Python or pandas may read as a number. pandas reads as far as a zero byte.
NUMBER_LIKE = re.compile(
    r"[\d\s.+e-]*|[\s+-]*(?:inf|infinity|nan)\s*|.*\x00.*", re.IGNORECASE | re.DOTALL
)
# A year in front and nothing but digits, the marks of a date and those of a zone behind it. pandas
# reads some more, "-03" among them, but as years that are none of those taken for times.
ISO_LIKE = re.compile(r"\s*[+-]?\d{4}[\d\s.,:/\\+TZ-]*", re.IGNORECASE)


def is_spelt_missing(value: Any) -> bool:
    """Whether a value is a text that says that there is none."""
    return isinstance(value, str) and value.strip().lower() in MISSING_SPELLINGS


def may_be_number(text: str) -> bool:
    """Whether a text may read as a number as it stands."""
    return NUMBER_LIKE.fullmatch(text) is not None


def may_be_iso_time(text: str) -> bool:
    """Whether a text may read as an ISO time, also one without leading zeros."""
    return ISO_LIKE.fullmatch(text) is not None


def is_plainly_read(text: str) -> bool:
    """Whether Python itself reads a text, as a number or as an ISO time: then so may the others."""
    try:
        float(text)
    except ValueError:
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return False
    return True

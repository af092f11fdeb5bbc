"""Rows of symbols, framed by their start and their end, as the grams of a text see them."""

from __future__ import annotations

import naive_text
import numpy as np
from hypothesis import strategies as st

from driftlock.coders.grams import Streams

bodies = st.lists(st.integers(0, 4), max_size=8)
corpora = st.lists(bodies, min_size=1, max_size=6)


def streams_of(rows) -> Streams:
    offsets = np.append(0, np.cumsum([len(row) for row in rows])).astype(np.int64)
    symbols = np.array([s for row in rows for s in row], np.int32)
    return Streams(symbols, offsets, np.arange(len(rows)))


def by_row(flat: np.ndarray, rows) -> list[list[int]]:
    """Figures of the coded symbols of each row."""
    ends = np.cumsum([len(row) - 1 for row in rows])
    return [part.tolist() for part in np.split(flat, ends[:-1])]


def framed(bodies) -> list[list[int]]:
    return [[naive_text.START, *body, naive_text.END] for body in bodies]

"""From numbers to the tables that users see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftlock.datasets._names import (
    CATEGORIES,
    CURRENCIES,
    DEVICES,
    METHODS,
    PLACES,
    merchant_name,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftlock.datasets._world import Dice, Rows

FIRST_DAY = np.datetime64("2025-03-03", "s")  # a Monday


def event_frame(rows: Rows, n_categories: int, dice: Dice) -> pd.DataFrame:
    """Rows under their names, in the order in which they stand."""
    n = len(rows.amount)
    categories = list(CATEGORIES)
    columns: dict[str, Any] = {
        "transaction_id": _ids(n, dice),
        "timestamp": _timestamps(rows),
        "customer": [f"C{1000 + number}" for number in rows.customer.tolist()],
        "merchant": [merchant_name(number, n_categories) for number in rows.merchant.tolist()],
        "amount": _amounts(rows),
        "method": [METHODS[number] for number in rows.method.tolist()],
        "device": [DEVICES[number] for number in rows.device.tolist()],
        "place": [PLACES[number] for number in rows.place.tolist()],
        "metadata": [
            {"category": categories[category], "currency": CURRENCIES[currency]}
            for category, currency in zip(
                rows.category.tolist(), rows.currency.tolist(), strict=True
            )
        ],
    }
    return pd.DataFrame(columns)


def label_frame(marks: dict[str, NDArray[np.bool_]], n: int) -> pd.DataFrame:
    """Name the kinds of each row, joined by "+"; a row without any is normal."""
    kinds = [""] * n
    for kind, mark in marks.items():
        for row in np.flatnonzero(mark).tolist():
            kinds[row] += f"+{kind}" if kinds[row] else kind
    return pd.DataFrame({"is_anomaly": [kind != "" for kind in kinds], "kind": kinds})


def _ids(n: int, dice: Dice) -> list[str]:
    """64 random bits each, drawn last and for every row alike."""
    high, low = dice.below(2**32, n).tolist(), dice.below(2**32, n).tolist()
    return [f"{a:08x}{b:08x}" for a, b in zip(high, low, strict=True)]


def _timestamps(rows: Rows) -> list[str]:
    """Whole seconds in UTC; three ways of not being a time."""
    seconds = rows.day * 86_400 + np.floor(rows.second).astype(np.int64)
    stamps = np.datetime_as_string(FIRST_DAY + seconds.astype("m8[s]"), timezone="UTC").tolist()
    for row in np.flatnonzero(rows.broken_time).tolist():
        date, clock = stamps[row].split("T")
        broken = (f"{date[:5]}13{date[7:]}T{clock}", f"{date}T{clock[:6]}6?Z", "not available")
        stamps[row] = broken[rows.broken_time[row] - 1]
    return list(stamps)


def _amounts(rows: Rows) -> Any:
    """Amounts in cents, at least one; three ways of not being a number."""
    cents = np.maximum(np.rint(rows.amount * 100.0), 1.0) / 100.0
    if not rows.broken_amount.any():
        return cents
    amounts: list[Any] = cents.tolist()
    for row in np.flatnonzero(rows.broken_amount).tolist():
        text = f"{amounts[row]:.2f}"
        broken = (f"{text[:-3]},{text[-2:]}.00", f"{text[:-1]}O", "#VALUE!")
        amounts[row] = broken[rows.broken_amount[row] - 1]
    return pd.Series(amounts, dtype=object)

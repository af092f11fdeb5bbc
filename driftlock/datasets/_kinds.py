"""The kinds of anomaly, and how each one bends an otherwise normal row."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from driftlock.datasets._names import CATEGORIES, CURRENCIES, DEVICES, OWNERS, PLACES
from driftlock.datasets._world import CLOSING, HOUR, SHIFTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from driftlock.datasets._world import Dice, Ints, Rows, World

LIMIT = 1000.0

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "amount_far_out": "an amount 100 to 1,000 times what the dearest category usually costs",
        "unseen_merchant": "a merchant that no normal payment goes to, of a known category",
        "unseen_place": "a place where no normal payment is made, of a known currency",
        "unseen_device": "a device that no normal payment is made with",
        "odd_hour": "between 2 and 5 at night, when nobody is active",
        "amount_out_of_habit": "6 to 15 times what this customer usually pays in this category",
        "impossible_combination": "a category that is not the merchant's, or a currency that is "
        "not the place's; each value is common alone",
        "new_device_and_place": "a device and a place that others use and this customer never did",
        "structuring": f"one customer's payments within 2 hours, each just under {LIMIT:,.0f} "
        "(4 to 7 rows; fewer where there are fewer anomalies)",
        "replay": "a normal payment once more within 10 minutes: the same but for id and time",
        "malformed_value": "an amount or a timestamp that cannot be read",
    }
)
# What one field alone can show.
SINGLE_FIELD = (
    "amount_far_out",
    "unseen_merchant",
    "unseen_place",
    "unseen_device",
    "odd_hour",
    "malformed_value",
)
BROKEN_AMOUNTS, BROKEN_TIMES = 3, 3

Marks = dict[str, NDArray[np.bool_]]


def assign_kinds(
    marked: Ints, kinds: Sequence[str], n: int, dice: Dice, two_at_once: float = 0.0
) -> Marks:
    """Which of n rows get which kind: equal shares of the marked rows, some with a second kind."""
    k = len(marked)
    first = dice.shuffled(k) % len(kinds)
    marks = {kind: np.zeros(n, dtype=np.bool_) for kind in kinds}
    twice = dice.chance(two_at_once, k)
    second = (first + 1 + dice.below(len(kinds) - 1, k)) % len(kinds)
    for number, kind in enumerate(kinds):
        marks[kind][marked[(first == number) | (twice & (second == number))]] = True
    return marks


def bend(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    """Make the marked rows strange, in place, kind by kind."""
    for kind in KINDS:  # not in the order given: the same kinds must give the same rows
        if kind in marks and marks[kind].any():
            _BENDS[kind](rows, marks, world, dice)


def _amount_far_out(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["amount_far_out"])
    dearest = max([median for _, median in CATEGORIES.values()][: world.size.categories])
    rows.amount[at] = dearest * 10.0 ** dice.uniform(2.0, 3.0, len(at))


def _unseen_merchant(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["unseen_merchant"])
    n_categories = world.size.categories
    kept_back = len(OWNERS) - world.size.merchants // n_categories
    step = dice.below(kept_back, len(at)) * n_categories
    rows.merchant[at] = world.size.merchants + step + rows.category[at]


def _unseen_place(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["unseen_place"])
    kept_back = (len(PLACES) - world.size.places) // len(CURRENCIES)
    step = dice.below(kept_back, len(at)) * len(CURRENCIES)
    rows.place[at] = world.size.places + step + rows.currency[at]


def _unseen_device(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["unseen_device"])
    kept_back = len(DEVICES) - world.size.devices
    rows.device[at] = world.size.devices + dice.below(kept_back, len(at))


def _odd_hour(rows: Rows, marks: Marks, _world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["odd_hour"])
    rows.day[at] += 1  # the night after: never to before rows that must stay first
    rows.second[at] = dice.uniform(2 * HOUR, 5 * HOUR, len(at))


def _amount_out_of_habit(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["amount_out_of_habit"])
    usual = world.usual_amount(rows.customer[at], rows.category[at])
    rows.amount[at] = usual * dice.uniform(6.0, 15.0, len(at))


def _impossible_combination(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["impossible_combination"])
    by_category = dice.chance(0.5, len(at))
    for column, bound, chosen in (
        (rows.category, world.size.categories, at[by_category]),
        (rows.currency, len(CURRENCIES), at[~by_category]),
    ):
        column[chosen] = (column[chosen] + 1 + dice.below(bound - 1, len(chosen))) % bound


def _new_device_and_place(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["new_device_and_place"])
    customer = rows.customer[at]
    rows.place[at] = dice.besides(world.places[customer], world.size.places)
    rows.device[at] = dice.besides(world.devices[customer], world.size.devices)
    rows.currency[at] = rows.place[at] % len(CURRENCIES)


def _structuring(rows: Rows, marks: Marks, world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["structuring"])
    n_groups = max(1, len(at) // 4)
    group = np.arange(len(at)) % n_groups
    leader = at[dice.shuffled(len(at))[:n_groups]][group]
    for name in ("customer", "place", "currency", "device", "method", "day"):
        column = getattr(rows, name)
        column[at] = column[leader]
    opens, closes = SHIFTS[world.shift[rows.customer[at]]].T
    begins = dice.uniform(0.0, 1.0, n_groups)[group]  # within the customer's active hours
    start = opens + (closes - opens - 2 * HOUR) * begins
    rows.second[at] = start + dice.uniform(0.0, 2 * HOUR, len(at))
    rows.merchant[at] = world.favourite(rows.customer[at], dice)
    rows.category[at] = rows.merchant[at] % world.size.categories
    rows.amount[at] = LIMIT * dice.uniform(0.93, 0.999, len(at))


def _replay(rows: Rows, marks: Marks, _world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["replay"])
    normal = np.flatnonzero(~np.logical_or.reduce(list(marks.values())))
    source = normal[dice.below(len(normal), len(at))]
    rest = np.minimum(600.0, CLOSING - rows.second[source])
    for name in ("customer", "merchant", "category", "place", "currency", "device", "method"):
        column = getattr(rows, name)
        column[at] = column[source]
    rows.amount[at] = rows.amount[source]
    rows.day[at] = rows.day[source]
    rows.second[at] = rows.second[source] + rest * dice.uniform(0.0, 1.0, len(at))


def _malformed_value(rows: Rows, marks: Marks, _world: World, dice: Dice) -> None:
    at = np.flatnonzero(marks["malformed_value"])
    nowhere = np.zeros(len(rows.amount), dtype=np.bool_)
    in_amount = dice.chance(0.5, len(at))
    # Where another kind already holds one of the two fields, the other one is broken.
    in_amount |= marks.get("odd_hour", nowhere)[at]
    in_amount &= ~marks.get("amount_far_out", nowhere)[at]
    in_time = ~in_amount
    rows.broken_amount[at[in_amount]] = 1 + dice.below(BROKEN_AMOUNTS, int(in_amount.sum()))
    rows.broken_time[at[in_time]] = 1 + dice.below(BROKEN_TIMES, int(in_time.sum()))


_BENDS: dict[str, Callable[[Rows, Marks, World, Dice], None]] = {
    "amount_far_out": _amount_far_out,
    "unseen_merchant": _unseen_merchant,
    "unseen_place": _unseen_place,
    "unseen_device": _unseen_device,
    "odd_hour": _odd_hour,
    "amount_out_of_habit": _amount_out_of_habit,
    "impossible_combination": _impossible_combination,
    "new_device_and_place": _new_device_and_place,
    "structuring": _structuring,
    "replay": _replay,
    "malformed_value": _malformed_value,
}

"""The normal process: who pays whom, how much, where, with what and when."""

from __future__ import annotations

from dataclasses import dataclass, fields
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from driftlock.datasets._names import CATEGORIES, CURRENCIES, METHODS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUR = 3600.0
CLOSING = 22 * HOUR  # nobody pays from here until 8 in the morning
SHIFTS = np.array([[8.0, 17.0], [10.0, 20.0], [12.0, 22.0]]) * HOUR
WEEKDAY_WEIGHTS = np.array([0.95, 0.95, 1.0, 1.0, 1.1, 1.2, 0.8])


class Dice:
    """Everything random, made of uniform doubles alone.

    The other methods of NumPy's generator may change their stream between versions; these do not.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, low: float, high: float, size: int) -> Floats:
        return low + (high - low) * self._generator.random(size)

    def below(self, bound: int, size: int) -> Ints:
        """Integers 0 ... bound - 1."""
        return np.floor(bound * self._generator.random(size)).astype(np.int64)

    def chance(self, probability: float, size: int) -> NDArray[np.bool_]:
        return self._generator.random(size) < probability

    def normal(self, size: int) -> Floats:
        # 1 - u stands in (0, 1], and 1 itself, the one value without a quantile, is pulled in.
        inverse = NormalDist().inv_cdf
        draws = np.minimum(1.0 - self._generator.random(size), 1.0 - 2.0**-53)
        return np.array([inverse(u) for u in draws.tolist()], dtype=np.float64)

    def shuffled(self, size: int) -> Ints:
        """Put the numbers 0 ... size - 1 in random order."""
        return np.argsort(self._generator.random(size), kind="stable").astype(np.int64)

    def weighted(self, weights: Floats, size: int) -> Ints:
        """Positions drawn in proportion to their weights."""
        edges = np.cumsum(weights)
        drawn = np.searchsorted(edges, self.uniform(0.0, float(edges[-1]), size), side="right")
        return np.minimum(drawn, len(weights) - 1).astype(np.int64)

    def besides(self, own: Ints, bound: int) -> Ints:
        """Integers below `bound` that are neither of the two (different) own ones in each row."""
        drawn = self.below(bound - 2, len(own))
        drawn += drawn >= own.min(axis=1)
        drawn += drawn >= own.max(axis=1)
        return drawn


@dataclass(frozen=True)
class Size:
    """How large a world is.

    Merchants are a multiple of the categories and places of the currencies, so that each
    category and currency has as many of its own.
    """

    customers: int
    categories: int
    merchants: int
    places: int
    devices: int
    favourites: int
    rows_per_day: int
    activity: float  # customers pay 1 - activity to 1 + activity times as often as the mean
    amount_sigma: float
    level_sigma: float


RICH = Size(
    customers=250,
    categories=10,
    merchants=120,
    places=24,
    devices=20,
    favourites=6,
    rows_per_day=100,
    activity=0.6,
    amount_sigma=0.45,
    level_sigma=0.5,
)
# Small alphabets, each value seen many times in 400 rows, which span more than three weeks.
SMALL = Size(
    customers=32,
    categories=6,
    merchants=12,
    places=8,
    devices=6,
    favourites=4,
    rows_per_day=16,
    activity=0.25,
    amount_sigma=0.2,
    level_sigma=0.1,
)


@dataclass(frozen=True)
class World:
    """Habits, an entry (or row) a customer: own places, devices, merchants, hours, level."""

    size: Size
    weight: Floats
    level: Floats
    places: Ints  # shape (customers, 2): home, and where they sometimes are
    devices: Ints  # shape (customers, 2)
    favourites: Ints  # shape (customers, favourites)
    method: Ints
    shift: Ints

    @classmethod
    def draw(cls, size: Size, dice: Dice) -> World:
        n = size.customers
        return cls(
            size=size,
            weight=dice.uniform(1.0 - size.activity, 1.0 + size.activity, n),
            level=np.exp(size.level_sigma * dice.normal(n)),
            places=_two_each(dice, size.places, n),
            devices=_two_each(dice, size.devices, n),
            favourites=np.array(
                [dice.shuffled(size.merchants)[: size.favourites] for _ in range(n)]
            ),
            method=dice.below(len(METHODS), n),
            shift=dice.below(len(SHIFTS), n),
        )

    def usual_amount(self, customer: Ints, category: Ints) -> Floats:
        """Say what these customers usually pay in these categories."""
        medians = np.array([median for _, median in CATEGORIES.values()])
        return medians[category] * self.level[customer]

    def favourite(self, customer: Ints, dice: Dice) -> Ints:
        """One of the own merchants of each of these customers."""
        return self.favourites[customer, dice.below(self.size.favourites, len(customer))]


def _two_each(dice: Dice, bound: int, n: int) -> Ints:
    """Two different values below `bound` for each of n; the first are spread evenly."""
    first = dice.shuffled(n) % bound
    second = (first + 1 + dice.below(bound - 1, n)) % bound
    return np.column_stack([first, second])


@dataclass
class Rows:
    """Transactions as numbers, an array a column, before they are given names."""

    customer: Ints
    merchant: Ints
    category: Ints
    place: Ints
    currency: Ints
    device: Ints
    method: Ints
    amount: Floats
    day: Ints
    second: Floats  # of the day
    broken_amount: Ints  # 0, or which way of being unreadable
    broken_time: Ints

    def reorder(self, order: Ints) -> None:
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name)[order])

    def time_order(self) -> Ints:
        """Sort the rows by time, equal times as they stand: the order, not the rows."""
        return np.lexsort((self.second, self.day)).astype(np.int64)


def normal_rows(world: World, n: int, dice: Dice) -> Rows:
    """Draw n normal transactions in the order of time."""
    size = world.size
    customer = dice.weighted(world.weight, n)
    elsewhere = dice.chance(0.1, n).astype(np.int64)
    other_device = dice.chance(0.25, n).astype(np.int64)
    merchant = np.where(
        dice.chance(0.75, n), world.favourite(customer, dice), dice.below(size.merchants, n)
    )
    method = np.where(dice.chance(0.8, n), world.method[customer], dice.below(len(METHODS), n))
    category = merchant % size.categories
    place = world.places[customer, elsewhere]
    n_days = -(-n // size.rows_per_day)
    opens, closes = SHIFTS[world.shift[customer]].T
    noise = np.exp(size.amount_sigma * dice.normal(n))
    rows = Rows(
        customer=customer,
        merchant=merchant,
        category=category,
        place=place,
        currency=place % len(CURRENCIES),
        device=world.devices[customer, other_device],
        method=method,
        amount=world.usual_amount(customer, category) * noise,
        day=dice.weighted(WEEKDAY_WEIGHTS[np.arange(n_days) % 7], n),
        second=opens + (closes - opens) * dice.uniform(0.0, 1.0, n),
        broken_amount=np.zeros(n, dtype=np.int64),
        broken_time=np.zeros(n, dtype=np.int64),
    )
    rows.reorder(rows.time_order())
    return rows

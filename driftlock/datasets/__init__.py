"""Simulated card transactions with known anomalies: the one source of data for tests and docs.

The same seed gives the same bytes on every machine and with every version of NumPy, because
everything random is made of uniform doubles of one documented generator (PCG64).
"""

from __future__ import annotations

import json
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftlock.datasets._frame import event_frame, label_frame
from driftlock.datasets._kinds import KINDS, SINGLE_FIELD, assign_kinds, bend
from driftlock.datasets._world import RICH, SMALL, Dice, World, normal_rows
from driftlock.errors import OptionError, check_choice

if TYPE_CHECKING:
    import pandas as pd

    from driftlock.datasets._world import Ints

__all__ = ["KINDS", "NAMES", "Transactions", "load", "make_transactions", "write_testdata"]


@dataclass(frozen=True, eq=False)
class Transactions:
    """Simulated transactions and the truth about them, row by row.

    Attributes
    ----------
    events : DataFrame
        The transactions in the order of time: ``transaction_id``, ``timestamp`` (ISO 8601, UTC),
        ``customer``, ``merchant``, ``amount``, ``method``, ``device``, ``place`` and
        ``metadata``, a dict of ``category`` and ``currency``. ``amount`` is a float column
        unless a malformed amount stands in it.
    labels : DataFrame
        With the same index: ``is_anomaly`` (bool) and ``kind`` (str: a key of `KINDS`, two of
        them joined by "+", or "" for a normal row).
    """

    events: pd.DataFrame
    labels: pd.DataFrame

    def __repr__(self) -> str:
        n_anomalies = int(self.labels["is_anomaly"].sum())
        return f"Transactions({len(self.events)} events, {n_anomalies} anomalies)"

    def to_jsonl(self) -> str:
        r"""Write the events as one compact JSON object a line, keys in the order of the columns.

        Returns
        -------
        str
            The lines, each with its end.

        Examples
        --------
        >>> from driftlock.datasets import make_transactions
        >>> make_transactions(2, seed=7).to_jsonl().count("\n")
        2
        """
        names = list(self.events.columns)
        columns = [self.events[name].tolist() for name in names]
        return "".join(
            json.dumps(dict(zip(names, row, strict=True)), separators=(",", ":")) + "\n"
            for row in zip(*columns, strict=True)
        )

    def labels_to_csv(self) -> str:
        r"""Write the labels as CSV with the columns row (counted from 0), is_anomaly and kind.

        Returns
        -------
        str
            The lines, each with its end.

        Examples
        --------
        >>> from driftlock.datasets import make_transactions
        >>> make_transactions(1, seed=7).labels_to_csv()
        'row,is_anomaly,kind\n0,False,\n'
        """
        return str(self.labels.to_csv(index_label="row", lineterminator="\n"))


@dataclass(frozen=True)
class _Recipe:
    """One of the fixed data sets: rows, anomalies among them, first row that may be one."""

    n: int
    n_anomalies: int
    first: int
    seed: int
    week: int  # in which it begins


_WORLD_SEED = 0  # the three live in one world
_RECIPES = {
    "normal": _Recipe(n=500, n_anomalies=0, first=0, seed=1, week=0),
    "anomalous": _Recipe(n=100, n_anomalies=100, first=0, seed=2, week=5),
    "mixed": _Recipe(n=1000, n_anomalies=50, first=400, seed=4, week=0),
}
NAMES = tuple(_RECIPES)


def make_transactions(
    n: int = 1000,
    *,
    anomaly_rate: float = 0.02,
    kinds: str | Iterable[str] | None = None,
    seed: int = 0,
) -> Transactions:
    """Simulate card transactions, some of them anomalies of known kinds.

    250 customers, each with a level of spending, favourite merchants, two places, two devices
    and active hours of their own, pay 120 merchants in 10 categories, about 100 times a day.
    An anomaly is a row of this process that was bent in one documented way; nothing else in it
    differs from a normal row.

    Parameters
    ----------
    n : int
        Number of rows, at least 1.
    anomaly_rate : float
        Share of anomalies, from 0 to below 1; ``round(n * anomaly_rate)`` rows, but always at
        least one normal row.
    kinds : str or iterable of str, optional
        Which kinds of anomaly (keys of `KINDS`), in equal shares; all of them if None.
    seed : int
        Seed of everything, 0 or larger.

    Returns
    -------
    Transactions
        The ``events`` and, apart from them, their ``labels``.

    Raises
    ------
    OptionError
        If `n`, `anomaly_rate`, `kinds` or `seed` is not one of the above.

    Examples
    --------
    >>> from driftlock.datasets import make_transactions
    >>> data = make_transactions(500, anomaly_rate=0.1, kinds=["odd_hour", "replay"], seed=7)
    >>> data
    Transactions(500 events, 50 anomalies)
    >>> data.labels["kind"].value_counts().sort_index().to_dict()
    {'': 450, 'odd_hour': 25, 'replay': 25}
    >>> list(data.events["metadata"].iloc[0])
    ['category', 'currency']
    """
    n = _whole("n", n, at_least=1)
    seed = _whole("seed", seed, at_least=0)
    rate = _rate(anomaly_rate)
    chosen = _kinds(kinds)
    dice = Dice(seed)
    world = World.draw(RICH, dice)
    marked = dice.shuffled(n)[: min(round(n * rate), n - 1)]
    return _simulate(world, n, marked, chosen, dice)


def load(name: str) -> Transactions:
    """Load one of three small, fixed sets of transactions, made anew from its seed.

    Their anomalies are of the kinds that a single field shows, half of them of two kinds at
    once, in a world of 32 customers, 12 merchants, 8 places and 6 devices.

    Parameters
    ----------
    name : {"normal", "anomalous", "mixed"}
        500 normal rows; 100 anomalies of the same world, some days later; or 1,000 rows, of
        which 50 are anomalies, all after the first 400.

    Returns
    -------
    Transactions
        The ``events`` and, apart from them, their ``labels``.

    Raises
    ------
    OptionError
        If there is no set of that name.

    Examples
    --------
    >>> from driftlock.datasets import load
    >>> mixed = load("mixed")
    >>> mixed
    Transactions(1000 events, 50 anomalies)
    >>> bool(mixed.labels["is_anomaly"].iloc[:400].any())
    False
    """
    check_choice("name", name, NAMES)
    recipe = _RECIPES[name]
    world = World.draw(SMALL, Dice(_WORLD_SEED))
    dice = Dice(recipe.seed)
    marked = recipe.first + dice.shuffled(recipe.n - recipe.first)[: recipe.n_anomalies]
    return _simulate(world, recipe.n, marked, SINGLE_FIELD, dice, two_at_once=0.5, week=recipe.week)


def write_testdata(directory: str | Path) -> None:
    """Write the fixed sets and their labels, the same bytes every time.

    Parameters
    ----------
    directory : str or Path
        Where ``normal.jsonl``, ``normal.labels.csv`` and the like go; made if it is not there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from driftlock.datasets import write_testdata
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_testdata(folder)
    ...     sorted(path.name for path in Path(folder).glob("mixed*"))
    ['mixed.jsonl', 'mixed.labels.csv']
    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        data = load(name)
        (folder / f"{name}.jsonl").write_bytes(data.to_jsonl().encode())
        (folder / f"{name}.labels.csv").write_bytes(data.labels_to_csv().encode())


def _simulate(
    world: World,
    n: int,
    marked: Ints,
    kinds: tuple[str, ...],
    dice: Dice,
    *,
    two_at_once: float = 0.0,
    week: int = 0,
) -> Transactions:
    """Draw n normal rows, bend the marked ones, put them in the order of time."""
    rows = normal_rows(world, n, dice)
    marks = assign_kinds(marked, kinds, n, dice, two_at_once)
    bend(rows, marks, world, dice)
    order = rows.time_order()
    rows.reorder(order)
    marks = {kind: mark[order] for kind, mark in marks.items()}
    rows.day += 7 * week
    return Transactions(event_frame(rows, world.size.categories, dice), label_frame(marks, n))


def _whole(name: str, value: Any, at_least: int) -> int:
    """Return the value as an int, or raise an `OptionError`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = at_least - 1
    if number < at_least or isinstance(value, bool):
        raise OptionError(f"{name}={value!r} is not a whole number of at least {at_least}")
    return number


def _rate(value: Any) -> float:
    """Return the share of anomalies as a float, or raise an `OptionError`."""
    rate = float(value) if isinstance(value, Real) and value is not True else 1.0
    if not 0 <= rate < 1:
        raise OptionError(f"anomaly_rate={value!r} is not a number from 0 to below 1")
    return rate


def _kinds(kinds: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the kinds wanted, each once, in the order of `KINDS`."""
    if kinds is None:
        return tuple(KINDS)
    wanted = [kinds] if isinstance(kinds, str) or not isinstance(kinds, Iterable) else list(kinds)
    for kind in wanted:
        check_choice("kinds", kind, KINDS)
    if not wanted:
        raise OptionError("kinds is empty; name at least one, or set anomaly_rate=0")
    return tuple(kind for kind in KINDS if kind in wanted)

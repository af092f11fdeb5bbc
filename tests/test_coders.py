"""Coders: each value costs what its formula says; a row taken out of the counts is really out."""

from __future__ import annotations

import math
from functools import partial

import naive_codes as naive
import numpy as np
import pytest
from columns import numbers, parts_of, symbols, times

from driftlock.arrays import HOUR_MISSING, HOUR_UNREADABLE, Column, Numbers, Symbols, Times
from driftlock.coders import fit_coder
from driftlock.coders.number import Density, NumberCoder

NAN, INF = math.nan, math.inf


def world(name: str, n: int = 60) -> Column:
    rng = np.random.default_rng(sum(map(ord, name)))
    normal = rng.normal(100, 15, n)
    spike = np.where(rng.random(n) < 0.8, 5.0, normal).tolist()
    odd = [NAN, 0.0, -7.5, 0.0, INF, -INF, "n/a", NAN, -2.0]
    zipf = np.unique(rng.zipf(1.4, n), return_inverse=True)[1]
    night = rng.choice([22, 23, 0, 0, 1, 2], n)
    broken = rng.choice([9, 10, 23, HOUR_MISSING, HOUR_UNREADABLE], n)
    days = rng.integers(0, 7, n)
    worlds = {
        "category: frequent symbols": lambda: symbols(rng.integers(0, 5, n)),
        "category: Zipf": lambda: symbols(zipf, zipf.max() + 20),
        "category: ids": lambda: symbols(rng.permutation(n)),
        "category: pairs": lambda: symbols(np.repeat(np.arange(n // 2), 2)),
        "category: constant": lambda: symbols(np.zeros(n)),
        "category: constant but for one row": lambda: symbols([1] + [0] * (n - 1)),
        "number: normal": lambda: numbers(normal, rng.choice([0, 1, 2], n)),
        "number: over decades": lambda: numbers(np.exp(rng.normal(0, 4, n)), rng.choice([2, 7], n)),
        "number: every class": lambda: numbers([*odd, *normal[len(odd) :]]),
        "number: one row of a class": lambda: numbers(["n/a", *normal[1:]], [0, 9] + [2] * (n - 2)),
        "number: constant": lambda: numbers([5.0] * n),
        "number: constant but for one row": lambda: numbers([5.0] * (n - 1) + [5.5]),
        "number: a spike": lambda: numbers(spike),
        "number: an outlier": lambda: numbers([*normal[1:], 1e5]),
        "number: one value": lambda: numbers([NAN] * (n - 1) + [3.0]),
        "number: none": lambda: numbers([NAN, 0.0] * (n // 2)),
        "time: all day": lambda: times(rng.integers(0, 24, n), days),
        "time: over midnight": lambda: times(night, days),
        "time: one hour": lambda: times([13] * n, [0] * n),
        "time: missing and unreadable": lambda: times(broken, days),
        "time: hours alone": lambda: times(night, days, ("hour",)),
        "time: neither": lambda: times(night, days, ()),
        "time: missing always": lambda: times([HOUR_MISSING] * n, days),
    }
    return worlds[name]()


WORLDS = (
    [f"category: {x}" for x in ("frequent symbols", "Zipf", "ids", "pairs", "constant")]
    + [f"number: {x}" for x in ("normal", "over decades", "every class", "one row of a class")]
    + [f"number: {x}" for x in ("constant", "a spike", "an outlier", "one value", "none")]
    + [f"time: {x}" for x in ("all day", "over midnight", "one hour", "hours alone", "neither")]
    + ["category: constant but for one row", "number: constant but for one row"]
    + ["time: missing and unreadable", "time: missing always"]
)


def rows_of(column: Column) -> list:
    """Plain rows: what the slow twins take."""
    if isinstance(column, Symbols):
        return column.codes.tolist()
    if isinstance(column, Numbers):
        return list(zip(*(a.tolist() for a in (column.classes, column.values, column.decimals))))
    return list(zip(column.hours.tolist(), column.weekdays.tolist()))


def structure_of(density: Density | None):
    """What stays fixed of a density when a row is left out."""
    if density is None:
        return None
    return density.center, density.spread, density.grid, len(density.masses)


def twin_of(coder, column: Column):
    """`code(row, others, thinned=...)`: naive bits per part; only the structure is the coder's."""
    if isinstance(column, Symbols):
        alphabet = len(set(column.codes.tolist()))
        return lambda *rows, thinned: [naive.category_bits(*rows, alphabet, thinned=thinned)]
    if isinstance(column, Times):
        return partial(naive.time_bits, cycles=column.cycles)
    assert isinstance(coder, NumberCoder)
    structure = structure_of(coder.density)
    return partial(naive.number_bits, structure=structure, usual_decimals=coder.usual_decimals)


def expected_bits(coder, column: Column, *, leave_out: bool) -> np.ndarray:
    """Bits (part, row) of baseline rows by the counts of the other rows, or of all rows."""
    rows, code = rows_of(column), twin_of(coder, column)
    others = [rows[:i] + rows[i + 1 :] if leave_out else rows for i in range(len(rows))]
    return np.array([code(row, left, thinned=False) for row, left in zip(rows, others)]).T


# --- leave-one-out --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WORLDS)
def test_own_bits_are_those_of_counts_refitted_without_the_row(name: str) -> None:
    column = world(name)
    coder = fit_coder(column)
    own = np.array(parts_of(coder, column, own=True))
    np.testing.assert_allclose(own, expected_bits(coder, column, leave_out=True), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["category: Zipf", "number: normal", "time: over midnight"])
def test_the_check_of_leave_one_out_can_fail(name: str) -> None:
    column = world(name)
    coder = fit_coder(column)
    own = np.array(parts_of(coder, column, own=True))
    in_sample = expected_bits(coder, column, leave_out=False)
    assert np.abs(own - in_sample).max() > 0.01


@pytest.mark.parametrize("name", WORLDS)
def test_new_bits_are_those_of_thinned_counts(name: str) -> None:
    column = world(name)
    some = [0.0, NAN, INF, -INF, "x", 100, -3, 5, 5.001, 1e9, -1e308]
    new = {
        "category": symbols([0, 1, 2, 3, -1], 5),
        "number": numbers(some, [0, 3] * 5 + [17]),
        "time": times([*range(24), HOUR_MISSING, HOUR_UNREADABLE], np.arange(26) % 7),
    }[name.partition(":")[0]]
    coder = fit_coder(column)
    rows = rows_of(column)
    code = twin_of(coder, column)
    if isinstance(new, Symbols):
        known = isinstance(column, Symbols) and column.n_symbols
        new = Symbols(np.where(new.codes < known, new.codes, -1), known)
    expected = np.array([code(row, rows, thinned=True) for row in rows_of(new)]).T
    np.testing.assert_allclose(parts_of(coder, new, own=False), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", WORLDS)
def test_bits_do_not_depend_on_the_order_of_the_baseline(name: str) -> None:
    column = world(name)
    order = np.random.default_rng(0).permutation(len(column))
    coder, shuffled = fit_coder(column), fit_coder(column.take(order))
    for own in (True, False):
        for before, after in zip(
            parts_of(coder, column, own=own), parts_of(shuffled, column, own=own)
        ):
            assert (before == after).all()


# --- sums of probabilities ------------------------------------------------------------------------


def total(bits: np.ndarray) -> float:
    return float((2.0**-bits).sum())


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("category")])
def test_category_is_a_code_over_seen_symbols_and_as_many_new_ones(name: str) -> None:
    column = world(name)
    seen = np.unique(column.codes)
    (bits,) = parts_of(fit_coder(column), symbols([*seen, -1], column.n_symbols), own=False)
    assert total(bits[:-1]) + seen.size * total(bits[-1:]) <= 1 + 1e-12


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("time")])
def test_time_is_a_code_over_classes_hours_and_weekdays(name: str) -> None:
    coder = fit_coder(world(name))
    hours = [*range(24), HOUR_MISSING, HOUR_UNREADABLE]
    of_class, hour, weekday = parts_of(coder, times(hours, np.arange(26) % 7), own=False)
    assert total(of_class[23:]) == pytest.approx(1)
    for part, cycle, size in ((hour, "hour", 24), (weekday, "weekday", 7)):
        if cycle in world(name).cycles:
            assert total(part[:size]) == pytest.approx(1)
        else:
            assert (part == 0).all()
    assert hour[24] == hour[25] == weekday[24] == weekday[25] == 0


@pytest.mark.parametrize("name", [name for name in WORLDS if name.startswith("number")])
def test_number_is_a_code_over_classes_and_precisions(name: str) -> None:
    coder = fit_coder(world(name))
    usual = coder.usual_decimals
    every_class = numbers([NAN, 0.0, -1, 1, INF, -INF, "x"], [usual] * 3 + [usual + 1] + [0] * 3)
    of_class, _, precision = parts_of(coder, every_class, own=False)
    assert total(of_class) == pytest.approx(1)
    if coder.density is not None:
        assert total(precision[2:4]) == pytest.approx(1)


def integral(density: Density) -> float:
    """Of the density over the scaled value: a trapezoid per cell, and ever wider ones beyond."""
    low, step, _ = density.grid
    high = low + step * (len(density.masses) - 1)
    inside = low + step * np.arange(len(density.masses))
    beyond = np.geomspace(1e-6, 300, 1000)
    g = np.concatenate([low - beyond[::-1], inside[1:-1], high + beyond])
    g = g[np.abs(g) < 700]
    halves = np.sinh(g) * (density.spread / 2) + density.center / 2
    bits = density.bits(halves * 2, own=False)
    return float(np.trapezoid(2.0**-bits / 0.05, g))


@pytest.mark.parametrize(
    "name",
    ["normal", "over decades", "every class", "constant", "a spike", "an outlier", "one value"],
)
def test_density_integrates_to_at_most_one(name: str) -> None:
    density = fit_coder(world(f"number: {name}")).density
    assert 0.99 < integral(density) <= 1.001


def test_density_integrates_to_at_most_one_where_the_grid_is_coarse() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([np.full(90, 5.0), rng.normal(5, 1, 20), [1e308]])
    assert integral(Density.fit(values)) <= 1.001


# --- structure ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["number: normal", "number: over decades", "number: every class"])
def test_scale_and_bandwidth(name: str) -> None:
    column = world(name)
    density = fit_coder(column).density
    dense = column.values[column.values != 0].tolist()
    assert (density.center, density.spread) == pytest.approx(naive.scale(dense), rel=1e-12)
    scaled = naive.asinh_scale(dense, density.center, density.spread)
    assert density.grid[2] == pytest.approx(naive.bandwidth(scaled), rel=1e-12)


def test_bandwidth_goes_by_the_quartiles_where_tails_are_heavy() -> None:
    values = np.concatenate([np.linspace(-1, 1, 81), np.full(10, 40.0), np.full(10, -40.0)])
    density = Density.fit(values, by_magnitude=False)
    scaled = naive.asinh_scale(values.tolist(), density.center, density.spread)
    quarter, three_quarters = np.quantile(scaled, [0.25, 0.75])
    width = (three_quarters - quarter) / 1.34
    assert width < 0.8 * np.std(scaled)
    assert density.grid[2] == pytest.approx(1.06 * width * 101**-0.2, rel=1e-9)


@pytest.mark.parametrize(("decades", "on_log_scale"), [(2.4, False), (2.6, True)])
def test_log_scale_where_the_middle_90_percent_span_more_than_two_and_a_half_decades(
    decades: float, on_log_scale: bool
) -> None:
    values = 10 ** np.concatenate([[0.0] * 5, np.linspace(0, decades, 91), [decades] * 5])
    density = Density.fit(values)
    assert (density.center == 0.0) is on_log_scale
    if on_log_scale:
        assert density.spread == pytest.approx(1.0)


def test_binning_is_exact_to_a_hundredth_of_a_bit(sizes) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(50, 7, sizes(400, 60))
    density = Density.fit(values)
    asked = np.linspace(20, 80, 40)
    exact = [
        naive.unbinned_value_bits(x, values.tolist(), structure_of(density)) for x in asked.tolist()
    ]
    assert np.abs(density.bits(asked, own=False) - exact).max() < 0.01


def test_usual_decimals_leave_at_most_half_a_percent_of_the_values() -> None:
    rng = np.random.default_rng(3)
    assert fit_coder(numbers(rng.normal(size=200), [2] * 199 + [9])).usual_decimals == 2
    assert fit_coder(numbers(rng.normal(size=200), [2] * 198 + [9] * 2)).usual_decimals == 9


def test_hours_beside_a_usual_hour_are_less_strange_and_midnight_is_no_border() -> None:
    coder = fit_coder(times([23] * 40, [0] * 40))
    _, hour, _ = parts_of(coder, times(range(24), [0] * 24), own=False)
    assert hour[23] < hour[0] == hour[22] < hour[12]


# --- extremes -------------------------------------------------------------------------------------

LARGEST = float(np.finfo(float).max)
EXTREMES = {
    "huge, even count": [1e308] * 20,
    "huge, odd count": [1e308] * 21,
    "largest": [LARGEST] * 20,
    "both ends": [LARGEST, -LARGEST] * 10,
    "ends and one": [LARGEST, -LARGEST] * 10 + [1.0],
    "more at one end": [-LARGEST] * 11 + [LARGEST] * 9,
    "different huge ones": np.linspace(1.6e308, 1.7e308, 20).tolist(),
    "huge or small": [1.0] * 11 + [1e308] * 9,
    "one huge among ordinary": [*np.linspace(-3, 3, 40), 1e308],
    "one huge among equal": [5.0] * 40 + [1e308],
    "denormal": [5e-324] * 20,
    "denormals": [5e-324, 1e-323, 5e-322, -5e-324] * 5,
    "denormal and huge": [5e-324, 1e308] * 10,
    "equal": [5.0] * 20,
    "neighbouring floats": [1.0] * 15 + [np.nextafter(1.0, 2)] * 5,
    "one value": [3.0],
    "two values": [3.0, 4.0],
    "zeros but one": [0.0] * 19 + [1e-300],
}


@pytest.mark.parametrize("name", EXTREMES)
def test_bits_of_extreme_numbers_are_finite(name: str) -> None:
    column = numbers(EXTREMES[name])
    asked = numbers([1.0, -1.0, 3.14, 5e-324, -5e-324, 1e308, -1e308, LARGEST, -LARGEST])
    coder = fit_coder(column)
    for bits in (*parts_of(coder, column, own=True), *parts_of(coder, asked, own=False)):
        assert np.isfinite(bits).all()
        assert np.abs(bits).max() < 100


def test_no_density_at_all_says_nothing_of_a_value() -> None:
    coder = fit_coder(numbers([NAN] * 20))
    of_class, value, precision = parts_of(coder, numbers([7.0, NAN], [3, 0]), own=False)
    assert of_class[0] > of_class[1]
    assert value.tolist() == precision.tolist() == [0.0, 0.0]

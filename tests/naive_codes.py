"""Each code by its formula, and the structure of a number: center, spread and bandwidth.

`others` are the baseline values that a value is coded by; with ``thinned=False`` each of them
counts fully, as when the value itself was taken out of the baseline; with ``thinned=True`` they
count (n - 1) / n, as for a new row.
"""

from __future__ import annotations

import math
import statistics

from naive import asinh_scale, bin_masses, density_bits, density_sums, kernel_height

N_CLASSES, NEGATIVE, POSITIVE = 7, 2, 3
HOURS_A_DAY, DAYS_A_WEEK = 24, 7


def thinning(others, thinned):
    return (len(others) - 1) / len(others) if thinned and others else 1.0


def category_bits(symbol, others, alphabet, *, thinned):
    """Seen: its share of what novelty leaves; new: the Good-Turing probability of novelty."""
    counts = {}
    for other in others:
        counts[other] = counts.get(other, 0) + 1
    once = sum(1 for c in counts.values() if c == 1)
    twice = sum(1 for c in counts.values() if c == 2)
    n = len(others)
    count = counts.get(symbol, 0)
    if thinned:
        r = (n - 1) / n
        p_new = (r * once + 2 * twice / n + 0.5) / n
        rows, count = n - 1, r * count
    else:
        p_new = (once + 0.5) / (n + 1)
        rows = n
    if count > 0:
        return -math.log2((1 - p_new) * count / rows)
    return -math.log2(p_new / max(alphabet, 2))


def kt_bits(symbol, others, alphabet, *, thinned):
    r = thinning(others, thinned)
    count = sum(1 for other in others if other == symbol)
    return -math.log2((r * count + 0.5) / (r * len(others) + alphabet / 2))


def value_bits(value, others, structure, *, thinned):
    """Exact sum of the kernels of the others, each at the two cells beside it."""
    center, spread, grid, n_cells = structure
    (g,) = asinh_scale([value], center, spread)
    masses = bin_masses(asinh_scale(others, center, spread), grid[0], grid[1], n_cells)
    sums = density_sums([g], masses, grid, own=False)
    r = thinning(others, thinned)
    return density_bits([g], sums, r, len(others), 0.0)[0]


def unbinned_value_bits(value, others, structure):
    """The same density without a grid: a kernel at each of the others, thinned."""
    center, spread, grid, _ = structure
    (g,) = asinh_scale([value], center, spread)
    total = sum(kernel_height(g - h, grid[2]) for h in asinh_scale(others, center, spread))
    return density_bits([g], [total], thinning(others, True), len(others), 0.0)[0]


def number_bits(row, others, structure, usual_decimals, *, thinned):
    """Class, value and precision of a row (class, value, decimals) given other such rows."""
    of_class = kt_bits(row[0], [other[0] for other in others], N_CLASSES, thinned=thinned)
    dense = [other for other in others if other[0] in (NEGATIVE, POSITIVE)]
    if row[0] not in (NEGATIVE, POSITIVE) or structure is None:
        return [of_class, 0.0, 0.0]
    value = value_bits(row[1], [other[1] for other in dense], structure, thinned=thinned)
    longer = [other[2] > usual_decimals for other in dense]
    precision = kt_bits(row[2] > usual_decimals, longer, 2, thinned=thinned)
    return [of_class, value, precision]


def hour_bits(hour, others, *, thinned):
    """Half of the hour's own count and a quarter of each neighbour's, midnight between 23 and 0."""
    r = thinning(others, thinned)
    near = 0.0
    for other in others:
        apart = abs(hour - other)
        apart = min(apart, HOURS_A_DAY - apart)
        near += {0: 1 / 2, 1: 1 / 4}.get(apart, 0.0)
    return -math.log2((r * near + 1 / 20) / (r * len(others) + 24 / 20))


def time_bits(row, others, cycles, *, thinned):
    """Class, hour and weekday of a row (hour, weekday); hour 24 is missing, 25 unreadable."""
    classes = [max(other[0], HOURS_A_DAY - 1) for other in others]
    of_class = kt_bits(max(row[0], HOURS_A_DAY - 1), classes, 3, thinned=thinned)
    if row[0] >= HOURS_A_DAY:
        return [of_class, 0.0, 0.0]
    there = [other for other in others if other[0] < HOURS_A_DAY]
    hours, weekdays = [other[0] for other in there], [other[1] for other in there]
    hour = hour_bits(row[0], hours, thinned=thinned) if "hour" in cycles else 0.0
    weekday = 0.0
    if "weekday" in cycles:
        weekday = kt_bits(row[1], weekdays, DAYS_A_WEEK, thinned=thinned)
    return [of_class, hour, weekday]


def context_bits_of(bits, child, parents, others, alphabet, *, thinned):
    """Bits of a child symbol once its parents are known; others are (child, parents)."""
    r = thinning(others, thinned)
    q = 2.0 ** -kt_bits(child, [other[0] for other in others], alphabet, thinned=thinned)
    ratios = []
    for p, parent in enumerate(parents):
        alike = [other[0] for other in others if other[1][p] == parent]
        pairs = sum(1 for other in alike if other == child)
        ratios.append((r * pairs + q) / (r * len(alike) + 1) / q)
    return bits - math.log2(sum(ratios) / len(ratios))


def group_residual(value, group, others, mean, kappa):
    """A value less the mean of its group, which has kappa rows more that are the overall mean."""
    alike = [round(other[0] * 2**10) / 2**10 for other in others if other[1] == group]
    return value - (sum(alike) + kappa * mean) / (len(alike) + kappa)


# --- structure of a number ------------------------------------------------------------------------


def quantile(values, q):
    """Linear between the order statistics."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def scale(values):
    """Center and spread where the values differ enough to have a median absolute deviation."""
    sizes = [abs(x) for x in values]
    small, large = quantile(sizes, 0.05), quantile(sizes, 0.95)
    if math.log10(large / small) > 2.5:
        return 0.0, small
    center = statistics.median(values)
    return center, 1.4826 * statistics.median([abs(x - center) for x in values])


def bandwidth(scaled):
    iqr = quantile(scaled, 0.75) - quantile(scaled, 0.25)
    width = min(statistics.pstdev(scaled), iqr / 1.34)
    return max(0.01, 1.06 * width * len(scaled) ** -0.2)

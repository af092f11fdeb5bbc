"""Slow, plain twins: each kernel under its own name, each code and each p-value by its formula.

Plain Python on lists and floats. Nothing of the package is imported, so that nothing is shared but
the definition. `others` are the baseline values that a value is coded by; with ``thinned=False``
each of them counts fully, as when the value itself was taken out of the baseline; with
``thinned=True`` they count (n - 1) / n, as for a new row.
"""

from __future__ import annotations

import math
import statistics
from decimal import Decimal

UNIT = 2**20
LIMIT = 800.0
N_CLASSES, NEGATIVE, POSITIVE = 7, 2, 3
HOURS_A_DAY, DAYS_A_WEEK = 24, 7


# --- kernels --------------------------------------------------------------------------------------


def asinh_scale(values, center, spread):
    scaled = []
    for x in values:
        ratio = (x / 2 - center / 2) / (spread / 2)
        scaled.append(max(-LIMIT, min(LIMIT, math.asinh(ratio))))
    return scaled


def cell_weights(g, low, step, n_cells):
    """The two cells beside g and the share of each, in whole units of 2**-20."""
    position = (g - low) / step
    cell = min(max(math.floor(position), 0), n_cells - 2)
    upper = round(min(max(position - cell, 0.0), 1.0) * UNIT)
    return [(cell, UNIT - upper), (cell + 1, upper)]


def bin_masses(scaled, low, step, n_cells):
    masses = [0] * n_cells
    for g in scaled:
        for cell, weight in cell_weights(g, low, step, n_cells):
            masses[cell] += weight
    return masses


def kernel_height(distance, bandwidth):
    t = distance / bandwidth
    normal = math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
    cauchy = 1 / (math.pi * (1 + t**2))
    return (0.9 * normal + 0.1 * cauchy) / bandwidth


def smooth(masses, step, bandwidth):
    smoothed = []
    for cell in range(len(masses)):
        height = 0.0
        for source, mass in enumerate(masses):
            if mass:
                height += mass / UNIT * kernel_height((cell - source) * step, bandwidth)
        smoothed.append(height)
    return smoothed


def density_sums(scaled, masses, grid, own):
    """From the masses alone: the own value is taken out of them before anything is summed."""
    low, step, bandwidth = grid
    sums = []
    for g in scaled:
        left = {cell: mass for cell, mass in enumerate(masses) if mass}
        if own:
            for cell, weight in cell_weights(g, low, step, len(masses)):
                left[cell] = left.get(cell, 0) - weight
        if 0 <= (g - low) / step <= len(masses) - 1:
            places = [
                (low + cell * step, weight / UNIT)
                for cell, weight in cell_weights(g, low, step, len(masses))
            ]
        else:
            places = [(g, 1.0)]
        total = 0.0
        for place, share in places:
            for source, mass in left.items():
                distance = place - (low + source * step)
                total += share * mass / UNIT * kernel_height(distance, bandwidth)
        sums.append(total)
    return sums


def density_bits(scaled, sums, thinning, size, removed):
    bits = []
    for g, total in zip(scaled, sums):
        wide_cauchy = 1 / (math.pi * 2 * (1 + (g / 2) ** 2))
        density = (thinning * total + wide_cauchy / 2) / (thinning * size - removed + 0.5)
        bits.append(-math.log2(0.05 * density))
    return bits


def written_decimals(values):
    """By the text itself; 17 where its digits are a whole number that no float holds exactly."""
    decimals = []
    for x in values:
        _, digits, exponent = Decimal(repr(float(x))).normalize().as_tuple()
        whole = int("".join(map(str, digits))) * 10 ** max(exponent, 0)
        k = max(-exponent, 0)
        fits = whole < 2**53 and k <= 16
        decimals.append(k if fits else 0 if k == 0 else 17)
    return decimals


def evidence(lengths, table, low, tail):
    threshold, at_threshold, slope = tail
    result = []
    for v in lengths:
        if v > threshold:
            result.append(round(at_threshold + (v - threshold) * slope))
        elif v < low:
            result.append(table[0])
        else:
            result.append(table[v - low])
    return result


def count_at_least(null, scores):
    return [sum(1 for v in null if v >= score) for score in scores]


def round_millibits(bits):
    return [math.floor(min(b, 2_000_000) * 1000 + 0.5) for b in bits]


def pair_counts(left, right, n_left, n_right):
    pairs = list(zip(left, right))
    return [[pairs.count((x, y)) for y in range(n_right)] for x in range(n_left)]


def information(codes, sizes):
    """n * (H(a) + H(b) - H(a, b)) less the penalty, for every two different fields."""

    def entropy(values):
        shares = [values.count(v) / len(values) for v in set(values)]
        return -sum(share * math.log2(share) for share in shares)

    n = len(codes[0])
    gains = [[0.0] * len(sizes) for _ in sizes]
    for a, left in enumerate(codes):
        for b, right in enumerate(codes):
            if a != b:
                shared = entropy(left) + entropy(right) - entropy(list(zip(left, right)))
                penalty = (len(set(left)) - 1) * (len(set(right)) - 1) * math.log2(n) / 2
                gains[a][b] = n * shared - penalty
    return gains


def context_bits(bits, child, parents, tables):
    """tables[p][child][parent] is the likelihood ratio of parent p."""
    result = []
    for i, b in enumerate(bits):
        ratios = [table[child[i]][parent[i]] for table, parent in zip(tables, parents)]
        result.append(b - math.log2(sum(ratios) / len(ratios)))
    return result


def group_sums(codes, fixed, n_groups):
    groups = [[x for c, x in zip(codes, fixed) if c == group] for group in range(n_groups)]
    return [
        [sum(group) for group in groups],
        [sum(x * x for x in group) for group in groups],
        [len(group) for group in groups],
    ]


def inverse(matrix):
    """By Gauss and Jordan, with the largest pivot."""
    size = len(matrix)
    rows = [[*row, *(float(i == j) for j in range(size))] for i, row in enumerate(matrix)]
    for c in range(size):
        best = max(range(c, size), key=lambda r: abs(rows[r][c]))
        rows[c], rows[best] = rows[best], rows[c]
        rows[c] = [x / rows[c][c] for x in rows[c]]
        for r in range(size):
            if r != c:
                rows[r] = [x - rows[r][c] * y for x, y in zip(rows[r], rows[c])]
    return [row[size:] for row in rows]


def regress(rows, baseline, ridge, own):
    """Error of each number given the others; with `own` row i is taken out of the sums for it."""
    n, m = len(baseline), len(baseline[0])
    errors = []
    for i, row in enumerate(rows):
        others = baseline[:i] + baseline[i + 1 :] if own else baseline
        sums = [[sum(z[j] * z[k] for z in others) / n for k in range(m)] for j in range(m)]
        for j in range(m):
            sums[j][j] += ridge
        p = inverse(sums)
        errors.append([sum(p[c][k] * row[k] for k in range(m)) / p[c][c] for c in range(m)])
    return errors


def squared_distances(numbers, symbols, exemplars):
    """In units of 1/128 squared; two different symbols are 2 apart."""
    return [
        sum((x - y) ** 2 for x, y in zip(numbers, others))
        + sum(2 * 128**2 for a, b in zip(symbols, labels) if a != b)
        for others, labels in exemplars
    ]


def keep_nearest(distances, size):
    """(distance, whose) of the smallest, the first of equal ones first."""
    return sorted((distance, e) for e, distance in enumerate(distances))[:size]


def nearest(rows, exemplars, places, own_means):
    """Exemplars are (numbers, symbols) as rows are; a row that is one is not its own neighbour."""
    means = [[], []]
    for (numbers, symbols), place in zip(rows, places):
        squares = squared_distances(numbers, symbols, exemplars)
        if place >= 0:
            squares[place] = math.inf
        closest = keep_nearest(squares, min(5, len(exemplars) - 1))
        means[0].append(sum(math.sqrt(square) / 128 for square, _ in closest) / len(closest))
        means[1].append(sum(own_means[e] for _, e in closest) / len(closest))
    return means


def content_hashes(numbers, symbols, salts):
    hashes = []
    for row in zip(numbers, symbols):
        total = 0
        for x, salt in zip((*row[0], *row[1]), salts):
            word = (x + salt) * 0xBF58476D1CE4E5B9 % 2**64
            word = (word ^ (word >> 31)) * 0x94D049BB133111EB % 2**64
            total += word ^ (word >> 29)
        hashes.append(total % 2**64)
    return hashes


# --- codes ----------------------------------------------------------------------------------------


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


# --- calibration ----------------------------------------------------------------------------------


def calibrated(v, lengths, *, own, narrowest=1.0):
    """Evidence in millibits of a length v, given the baseline's lengths."""
    n = len(lengths)
    d = 1 if own else 0
    threshold = sorted(lengths)[math.ceil(n * 9 / 10) - 1]
    if v <= threshold:
        at_least = sum(1 for length in lengths if length >= v)
        return round(-1000 * math.log2((at_least + 1 - d) / (n + 1 - d)))
    excesses = [length - threshold for length in lengths if length > threshold]
    mean = sum(excesses) / len(excesses) if excesses else 0.0
    if d:
        excesses.remove(v - threshold)
        mean = sum(excesses) / len(excesses) if excesses else 0.0
    width = max(mean, 1000.0 * narrowest)
    start = -1000 * math.log2((len(excesses) + 0.5) / (n + 1 - d))
    return round(start + 1000 * math.log2(math.e) * (v - threshold) / width)


def largest_of(parts, baseline_parts, *, own, narrowest):
    """Of each row the largest evidence among the figures of one block."""
    found = [
        [calibrated(v, learned, own=own, narrowest=narrowest) for v in asked]
        for asked, learned in zip(parts, baseline_parts)
    ]
    return [max(row) for row in zip(*found)]


def score(asked, baseline, *, own):
    """Score of each row in millibits; asked and baseline hold the figures of each block.

    The largest evidence within a block, calibrated again and added over the blocks of a level,
    calibrated once more and added over the levels: what is told field by field, and of the row.
    The sums of lengths count twice.
    """
    sums = ("lengths", "lengths in context")
    totals = []
    for names, narrowest in (
        (("alone", "context", "entity", "regression", *sums), math.log2(math.e)),
        (("distance", "ratio"), 1.0),
    ):
        own_found, all_found = [], []
        for name in names:
            if name in baseline:
                learned = largest_of(baseline[name], baseline[name], own=True, narrowest=narrowest)
                found = largest_of(asked[name], baseline[name], own=own, narrowest=narrowest)
                times = 2 if name in sums else 1
                own_found.append([times * calibrated(v, learned, own=True) for v in learned])
                all_found.append([times * calibrated(v, learned, own=own) for v in found])
        if all_found:
            learned = [sum(row) for row in zip(*own_found)]
            totals.append([calibrated(sum(row), learned, own=own) for row in zip(*all_found)])
    return [sum(row) for row in zip(*totals)]


# --- p-values and decisions -----------------------------------------------------------------------


def rank_p(null, scores):
    return [(1 + count) / (len(null) + 1) for count in count_at_least(null, scores)]


def is_smooth(excesses):
    ties = [excesses.count(x) for x in set(excesses)]
    return len(excesses) >= 10 and len(ties) >= 8 and max(ties) <= len(excesses) / 3


def tail_p(null, scores):
    n = len(null)
    if n < 60:
        return None
    ordered = sorted(null, reverse=True)
    p = [0.0] * len(scores)
    for share in (0.10, 0.05):
        u = ordered[max(20, int(share * n))]
        excesses = [v - u for v in null if v > u]
        if not is_smooth(excesses):
            return None
        r, total = len(excesses), sum(excesses)
        for i, s in enumerate(scores):
            p[i] = max(p[i], (r + 1) / (n + 1) * (1 + (s - u) / total) ** -r)
    return [min(x, 1 / (n + 1)) for x in p]


def censored_p(null, scores, *, tail, censored):
    n, c = len(null), int(censored * len(null))
    ordered = sorted(null, reverse=True)
    u, v = ordered[int(tail * n)], ordered[c]
    excesses = [x - u for x in ordered[c:] if x > u]
    if not is_smooth(excesses):
        return [1.0] * len(scores)
    r, total = len(excesses), sum(excesses) + c * (v - u)
    return [
        min((r + c + 1) / (n + 1) * (1 + (s - u) / total) ** -r, 1.0) if s > u else 1.0
        for s in scores
    ]


def step_up(p, factor):
    """Smallest level at which each row is among the k smallest with p_(k) <= k * level / factor."""
    ordered = sorted(p)
    levels = [factor * x / k for k, x in enumerate(ordered, start=1)]
    return [min(1.0, *levels[ordered.index(x) :]) for x in p]


def benjamini_hochberg(p):
    return step_up(p, len(p))


def benjamini_yekutieli(p):
    return step_up(p, len(p) * sum(1 / k for k in range(1, len(p) + 1)))


def storey(p):
    null_rows = (1 + sum(1 for x in p if x > 0.5)) / 0.5
    return step_up(p, min(null_rows, len(p)))


def holm(p):
    ordered = sorted(p)
    m = len(p)
    return [min(1.0, max((m - j) * ordered[j] for j in range(m) if ordered[j] <= x)) for x in p]


def step_up_rejects(p, alpha):
    """Benjamini and Hochberg's procedure as they state it: which rows are rejected at alpha."""
    ordered = sorted(p)
    last = max((k for k in range(1, len(p) + 1) if ordered[k - 1] <= k * alpha / len(p)), default=0)
    return [last > 0 and x <= ordered[last - 1] for x in p]


def holm_rejects(p, alpha):
    """Holm's procedure as he states it: down the sorted p-values to the first that is too large."""
    limit = -1.0
    for j, x in enumerate(sorted(p)):
        if x > alpha / (len(p) - j):
            break
        limit = x
    return [x <= limit for x in p]

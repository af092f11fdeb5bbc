"""Slow, plain twins of the kernels, each under its own name.

Plain Python on lists and floats. Nothing of the package is imported, so that nothing is shared but
the definition. What is built of them stands beside: the codes of values in `naive_codes`, scores
and p-values in `naive_scores`.
"""

from __future__ import annotations

import math
from decimal import Decimal

UNIT = 2**20
LIMIT = 800.0


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

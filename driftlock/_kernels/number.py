"""Kernel density of one number field: binned, with the own value taken out exactly.

n = values, c = cells. Masses are integers in units of 2**-20, so that the order of rows cannot
change a bit of the result.
"""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit

UNIT = 1 << 20
LIMIT = 800.0  # asinh of the largest float is 710
SMALL, LARGE = 1e-4, 1e8


@jit
def asinh_scale(values, center, spread):  # type: ignore[no-untyped-def]
    """asinh((x - center) / spread), kept within +-LIMIT. O(n)."""
    scaled = np.empty(values.size, np.float64)
    for i in range(values.size):
        # halves first: the difference of two huge values may not fit a float
        x = (values[i] * 0.5 - center * 0.5) / (spread * 0.5)
        size = abs(x)
        if size > LARGE:
            size = min(math.log(size) + math.log(2.0), LIMIT)
        elif size < SMALL:
            size -= size * size * size / 6.0
        else:
            size = math.log(size + math.sqrt(size * size + 1.0))
        scaled[i] = math.copysign(size, x)
    return scaled


@jit
def bin_masses(scaled, low, step, n_cells):  # type: ignore[no-untyped-def]
    """Mass of each of c cells, every value split linearly between its two neighbours. O(n)."""
    masses = np.zeros(n_cells, np.int64)
    for i in range(scaled.size):
        position = (scaled[i] - low) / step
        cell = min(max(int(position), 0), n_cells - 2)
        upper = int(round(min(max(position - cell, 0.0), 1.0) * UNIT))
        masses[cell] += UNIT - upper
        masses[cell + 1] += upper
    return masses


@jit
def kernel_height(distance, bandwidth):  # type: ignore[no-untyped-def]
    """0.9 Normal + 0.1 Cauchy at a distance, per unit of the scaled value."""
    t = distance / bandwidth
    normal = math.exp(-0.5 * t * t) / math.sqrt(2.0 * math.pi)
    return (0.9 * normal + 0.1 / (math.pi * (1.0 + t * t))) / bandwidth


@jit
def smooth(masses, step, bandwidth):  # type: ignore[no-untyped-def]
    """Sum of the kernels of all masses, at each cell. O(c * cells with mass)."""
    heights = np.empty(masses.size, np.float64)
    for cell in range(masses.size):
        heights[cell] = kernel_height(cell * step, bandwidth)
    smoothed = np.zeros(masses.size, np.float64)
    for source in range(masses.size):
        if masses[source] == 0:
            continue
        mass = masses[source] / UNIT
        above = smoothed[source:]
        for away in range(above.size):
            above[away] += mass * heights[away]
        for away in range(1, source + 1):
            smoothed[source - away] += mass * heights[away]
    return smoothed


@jit
def density_sums(scaled, masses, smoothed, grid, own):  # type: ignore[no-untyped-def]
    """Sum of kernels at each value; its own kernel taken out if `own`. O(n), O(c) outside the grid.

    grid = (low, step, bandwidth). Inside the grid the sum is interpolated linearly between cells;
    outside, it is taken over the cells, exactly.
    """
    low, step, bandwidth = grid[0], grid[1], grid[2]
    at_zero = kernel_height(0.0, bandwidth)
    at_step = kernel_height(step, bandwidth)
    sums = np.empty(scaled.size, np.float64)
    for i in range(scaled.size):
        position = (scaled[i] - low) / step
        if 0.0 <= position <= masses.size - 1:
            cell = min(int(position), masses.size - 2)
            upper = int(round((position - cell) * UNIT)) / UNIT
            lower = 1.0 - upper
            total = lower * smoothed[cell] + upper * smoothed[cell + 1]
            if own:
                total -= (lower * lower + upper * upper) * at_zero + 2.0 * lower * upper * at_step
        else:
            total = 0.0
            for source in range(masses.size):
                if masses[source] != 0:
                    distance = scaled[i] - (low + source * step)
                    total += masses[source] / UNIT * kernel_height(distance, bandwidth)
        sums[i] = max(total, 0.0)
    return sums


@jit
def density_bits(scaled, sums, thinning, size, removed):  # type: ignore[no-untyped-def]
    """-log2 of 0.05 times the density: kernels, plus half a value of a Cauchy of scale 2. O(n)."""
    bits = np.empty(scaled.size, np.float64)
    for i in range(scaled.size):
        prior = 0.5 / (2.0 * math.pi * (1.0 + scaled[i] * scaled[i] / 4.0))
        density = (thinning * sums[i] + prior) / (thinning * size - removed + 0.5)
        bits[i] = -math.log2(0.05 * density)
    return bits


@jit
def written_decimals(values):  # type: ignore[no-untyped-def]
    """Decimals in the shortest text that reads back as each float; 17 stands for more than 16.

    k decimals suffice where a whole number next to x * 10**k, divided by 10**k, is x again: that
    division is rounded correctly as long as the whole number is below 2**53. O(17 n).
    """
    decimals = np.empty(values.size, np.int8)
    for i in range(values.size):
        power = 1.0
        decimals[i] = 17
        for k in range(17):
            whole = np.rint(values[i] * power)
            if abs(whole) >= 9007199254740992.0:
                decimals[i] = 0 if k == 0 else 17
                break
            if (
                whole / power == values[i]
                or (whole - 1.0) / power == values[i]
                or (whole + 1.0) / power == values[i]
            ):
                decimals[i] = k
                break
            power *= 10.0
    return decimals

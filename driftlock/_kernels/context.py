"""Contexts of a field: counts of pairs of symbols, and the likelihood ratio that parents give."""

from __future__ import annotations

import math

import numpy as np

from driftlock._kernels.jit import jit


@jit
def pair_counts(left, right, n_left, n_right):  # type: ignore[no-untyped-def]
    """How often each pair of symbols occurs together. O(n)."""
    counts = np.zeros((n_left, n_right), np.int64)
    for i in range(left.size):
        counts[left[i], right[i]] += 1
    return counts


@jit
def information(codes, sizes):  # type: ignore[no-untyped-def]
    """Mutual information of every two fields in bits times n, less the BIC penalty. O(n F**2).

    codes : int16, shape (F, n), each below its field's size.
    """
    n_fields, n = codes.shape
    gains = np.zeros((n_fields, n_fields), np.float64)
    for a in range(n_fields):
        for b in range(a):
            counts = pair_counts(codes[a], codes[b], sizes[a], sizes[b])
            of_a, of_b = np.zeros(sizes[a], np.int64), np.zeros(sizes[b], np.int64)
            for x in range(sizes[a]):
                for y in range(sizes[b]):
                    of_a[x] += counts[x, y]
                    of_b[y] += counts[x, y]
            gain = 0.0
            for x in range(sizes[a]):
                for y in range(sizes[b]):
                    if counts[x, y] > 0:
                        gain += counts[x, y] * math.log2(counts[x, y] * n / (of_a[x] * of_b[y]))
            used_a, used_b = 0, 0
            for x in range(sizes[a]):
                used_a += of_a[x] > 0
            for y in range(sizes[b]):
                used_b += of_b[y] > 0
            gain -= 0.5 * math.log2(n) * (used_a - 1) * (used_b - 1)
            gains[a, b] = gain
            gains[b, a] = gain
    return gains


@jit
def context_bits(bits, child, parents, ratios, starts):  # type: ignore[no-untyped-def]
    """Bits less log2 of the mean likelihood ratio over the parents. O(n P).

    parents : int16, shape (P, n); ratios holds a table of (child size, parent size) for each
    parent, flat, from starts[p] on; starts[P + p] is that parent's size.
    """
    n_parents = parents.shape[0]
    result = np.empty(bits.size, np.float64)
    for i in range(bits.size):
        total = 0.0
        for p in range(n_parents):
            total += ratios[starts[p] + child[i] * starts[n_parents + p] + parents[p, i]]
        result[i] = bits[i] - math.log2(total / n_parents)
    return result


@jit
def group_sums(codes, fixed, n_groups):  # type: ignore[no-untyped-def]
    """Sums, sums of squares and sizes of whole numbers by group; codes below 0 are left out."""
    sums = np.zeros((3, n_groups), np.int64)
    for i in range(codes.size):
        if codes[i] >= 0:
            sums[0, codes[i]] += fixed[i]
            sums[1, codes[i]] += fixed[i] * fixed[i]
            sums[2, codes[i]] += 1
    return sums


@jit
def regress(rows, precision, own, n):  # type: ignore[no-untyped-def]
    """What each number is beyond its regression on all others; shape (n, m). O(n m**2).

    precision = (Z'Z / n + ridge)**-1. With v = P z and q = z'v the error is v / P_cc for a new row
    and n v / (P_cc (n - q) + v**2) for one that is in Z (Sherman-Morrison).
    """
    m = precision.shape[0]
    errors = np.empty(rows.shape, np.float64)
    for i in range(rows.shape[0]):
        q = 0.0
        for c in range(m):
            v = 0.0
            for k in range(m):
                v += precision[c, k] * rows[i, k]
            errors[i, c] = v
            q += rows[i, c] * v
        for c in range(m):
            v = errors[i, c]
            if own:
                errors[i, c] = n * v / (precision[c, c] * (n - q) + v * v)
            else:
                errors[i, c] = v / precision[c, c]
    return errors

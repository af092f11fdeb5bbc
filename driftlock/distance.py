"""Distances by compression and entropies, from byte sizes or from counts; numpy only.

A code length of counts is that of the Krichevsky-Trofimov (Dirichlet-multinomial) code: a function
of the counts alone, whatever the order of the symbols.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from driftlock._kernels.permute import UNIT
from driftlock.arrays import Floats, Ints
from driftlock.coders.codec import Codec
from driftlock.errors import InputError, warn

UNEQUAL = 10.0  # times the size of the other side


def ncd_of(x: float, y: float, both: float) -> float:
    """Normalised compression distance of two lengths and that of both together.

    (C(xy) - min(C(x), C(y))) / max(C(x), C(y)); 0 where neither side costs anything. Never clamped:
    a codec that needs more for both than for each gives more than 1.

    References
    ----------
    Cilibrasi and Vitanyi, "Clustering by compression", IEEE Transactions on Information Theory
    51(4), 2005.

    Examples
    --------
    >>> ncd_of(100, 80, 170)
    0.9
    """
    longest = max(x, y)
    return (both - min(x, y)) / longest if longest > 0 else 0.0


def cdm_of(x: float, y: float, both: float) -> float:
    """Compression-based dissimilarity C(xy) / (C(x) + C(y)): 1/2 for the same, 1 for unrelated.

    References
    ----------
    Keogh, Lonardi and Ratanamahatana, "Towards parameter-free data mining", KDD 2004.
    """
    return both / (x + y) if x + y > 0 else 0.5


def joint_sizes(x: bytes, y: bytes, codec: Codec, *, both_orders: bool = False) -> list[float]:
    """C(x), C(y) and C(xy) in bytes; the mean of C(xy) and C(yx) with `both_orders`."""
    both: float = codec.size(x + y)
    if both_orders:
        both = (both + codec.size(y + x)) / 2
    return [codec.size(x), codec.size(y), both]


def check_pair(x: bytes, y: bytes, codec: Codec, *, stacklevel: int = 3) -> None:
    """Raise if a side is empty; warn where the distance of two sides means little.

    Raises
    ------
    InputError
        If either side has no bytes.
    """
    for name, side in (("x", x), ("y", y)):
        if not side:
            raise InputError(f"{name} is empty; a distance needs at least one byte on each side")
    smaller, larger = sorted((len(x), len(y)))
    check_reach(smaller + larger, codec, stacklevel=stacklevel + 1)
    check_balance(smaller, larger, stacklevel=stacklevel + 1)


def check_reach(both: int, codec: Codec, *, stacklevel: int = 3) -> None:
    """Warn where two sides of so many bytes are more than a codec looks back."""
    if both > codec.window:
        warn(
            f"{codec.name} looks back {codec.window:,} bytes, but both sides have "
            f"{both:,}: even the distance of a text to itself would be large; take "
            'coder="zstd" at a higher level, coder="fields" for tables, or shorter windows',
            stacklevel=stacklevel,
        )


def check_balance(smaller: int, larger: int, *, stacklevel: int = 3) -> None:
    """Warn where two sides of so many bytes are too unequal for a distance."""
    if larger > UNEQUAL * smaller:
        warn(
            f"one side has {larger:,} bytes, the other {smaller:,}: the distance of sides so "
            "unequal is near 1 for everything; compare windows of like size, or take "
            "code_length(x, given=y)",
            stacklevel=stacklevel,
        )


@lru_cache(maxsize=4)
def count_tables(size: int) -> Ints:
    """Code length and entropy terms of every count up to `size`, in units of 2**-24 bit.

    Parameters
    ----------
    size : int
        Largest count.

    Returns
    -------
    ndarray of int64, shape (size + 1, 2)
        log2 gamma(c + 1/2) / gamma(1/2), and c * log2 c.
    """
    counts = np.arange(size + 1, dtype=np.float64)
    grown = np.concatenate([[0.0], np.cumsum(np.log2(counts[:-1] + 0.5))])
    used = counts * np.log2(np.maximum(counts, 1.0))
    table: Ints = np.rint(np.column_stack([grown, used]) * UNIT).astype(np.int64)
    return table


def counts_length(counts: Ints, alphabet: int | None = None) -> float:
    """Bits of a set of symbols given by counts, the alphabet being known.

    Parameters
    ----------
    counts : ndarray of int, shape (K,)
        How often each symbol occurs.
    alphabet : int, optional
        Size of the alphabet; by default K.

    Returns
    -------
    float
        log2 of gamma(n + K/2) / gamma(K/2) less the sum of log2 of gamma(c + 1/2) / gamma(1/2). The
        2**-length of all sequences of one size sum to 1: it is a code.

    References
    ----------
    Krichevsky and Trofimov, "The performance of universal encoding", IEEE Transactions on
    Information Theory 27(2), 1981.

    Examples
    --------
    >>> import numpy as np
    >>> round(counts_length(np.array([1, 1])), 9)
    3.0
    """
    half = (counts.size if alphabet is None else alphabet) / 2
    used = [int(c) for c in counts if c]
    total = sum(used)
    nats = math.lgamma(total + half) - math.lgamma(half)
    nats -= math.fsum(math.lgamma(c + 0.5) - math.lgamma(0.5) for c in used)
    return nats / math.log(2)


def counts_entropy(counts: Ints | Floats) -> float:
    """Entropy in bits per symbol of a distribution given by counts; 0 for none.

    Examples
    --------
    >>> import numpy as np
    >>> counts_entropy(np.array([2, 2, 0]))
    1.0
    """
    used: NDArray[np.float64] = np.asarray(counts, np.float64).ravel()
    used = used[used > 0]
    if used.size < 2:
        return 0.0
    shares = used / used.sum()
    return float(-(shares * np.log2(shares)).sum())


def conditional_entropy(codes: Ints, given: Ints) -> float:
    """Entropy of one column of codes given another, in bits per symbol: H(both) - H(given).

    Parameters
    ----------
    codes, given : ndarray of int, shape (n,)
        Codes from 0 on, row by row.

    Examples
    --------
    >>> import numpy as np
    >>> conditional_entropy(np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1]))
    0.0
    """
    pairs = given.astype(np.int64) * (int(codes.max()) + 1) + codes
    joint = counts_entropy(np.unique(pairs, return_counts=True)[1])
    return max(joint - counts_entropy(np.bincount(given)), 0.0)

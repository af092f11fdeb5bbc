"""The Krichevsky-Trofimov estimate: half a count for every symbol of a known alphabet."""

from __future__ import annotations

import numpy as np

from driftlock.arrays import Floats, Ints


def kt_bits(counts: Ints, *, own: bool) -> Floats:
    """Code length in bits of each symbol of a known alphabet.

    Parameters
    ----------
    counts : ndarray of int, shape (K,)
        How often the baseline has each symbol; their sum is n.
    own : bool
        True for a baseline row (its own count out), False for a new row (counts thinned).

    Returns
    -------
    ndarray of float64, shape (K,)
        -log2 of (r * count - d + 1/2) / (n - 1 + K/2); a symbol that the baseline lacks gets,
        with ``own=True``, a value that no row will ask for.

    References
    ----------
    Krichevsky and Trofimov, "The performance of universal encoding", IEEE Transactions on
    Information Theory 27(2), 1981.
    """
    n = int(counts.sum())
    left = np.maximum(counts - 1, 0) if own else counts * ((n - 1) / n) if n else counts
    return -np.log2((left + 0.5) / (max(n - 1, 0) + 0.5 * counts.size))

"""One call of every kernel, on arrays of the dtypes that the library uses."""

from __future__ import annotations

import numpy as np

from driftlock._kernels import evidence, number
from driftlock._kernels.compile_windows import compile_windows


def compile_all() -> None:
    """Compile every kernel, or load it from the cache."""
    values = np.array([1.0, 2.5, -3.0])
    scaled = number.asinh_scale(values, 1.0, 1.0)
    masses = number.bin_masses(scaled, -2.0, 0.5, 9)
    smoothed = number.smooth(masses, 0.5, 1.0)
    sums = number.density_sums(scaled, masses, smoothed, (-2.0, 0.5, 1.0), True)
    lengths = evidence.round_millibits(number.density_bits(scaled, sums, 1.0, 3.0, 1.0))
    number.written_decimals(values)
    table = np.zeros(1, np.int32)
    evidence.evidence(lengths, table, int(lengths.max()), (float(lengths.max()), 0.0, 1.0))
    evidence.count_at_least(np.zeros(2, np.int64), 0, lengths)
    compile_windows()

"""What a coder says of a column: the bits of each value, and the figures that are evidence."""

from __future__ import annotations

from dataclasses import dataclass

from driftlock.arrays import Floats


@dataclass(frozen=True, eq=False)
class Measure:
    """Bits and evidence of n values.

    Attributes
    ----------
    bits : ndarray of float64, shape (n,)
        Code length of each value.
    parts : list of ndarray of float64, shape (n,) each
        Figures that are the larger the stranger a value is; for most coders the code lengths that
        sum to `bits`. Each is calibrated on its own.
    """

    bits: Floats
    parts: list[Floats]


def summed(parts: list[Floats]) -> Measure:
    """The measure of a coder whose evidence is its code lengths."""
    bits = parts[0].copy()
    for part in parts[1:]:
        bits += part
    return Measure(bits, parts)

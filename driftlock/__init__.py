"""Anomaly detection by compression, proved by permutation.

What is strange costs more bits to write down, given what is normal. `detect` takes a raw table and
returns a code length, a p-value, a decision and an explanation for every row.
"""

from driftlock import accessor as _accessor  # noqa: F401  (registers DataFrame.driftlock)
from driftlock import datasets
from driftlock.detector import Detector
from driftlock.errors import (
    DriftlockError,
    DriftlockWarning,
    FileError,
    InputError,
    NotFittedError,
    OptionError,
)
from driftlock.explanation import Explanation
from driftlock.one_call import detect
from driftlock.plan import Plan
from driftlock.results import Detection
from driftlock.warm import warmup

__version__ = "0.1.0"

__all__ = [
    "Detection",
    "Detector",
    "DriftlockError",
    "DriftlockWarning",
    "Explanation",
    "FileError",
    "InputError",
    "NotFittedError",
    "OptionError",
    "Plan",
    "datasets",
    "detect",
    "warmup",
]

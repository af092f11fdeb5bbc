"""Anomaly detection by compression, proved by permutation.

What is strange costs more bits to write down, given what is normal. `detect` takes a raw table and
returns a code length, a p-value, a decision and an explanation for every row.
"""

from driftlock import accessor as _accessor  # noqa: F401  (registers DataFrame.driftlock)
from driftlock import datasets
from driftlock.compression import cdm, code_length, compression_ratio, ncd, ncd_matrix
from driftlock.detector import Detector
from driftlock.entropies import entropy, entropy_delta
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
from driftlock.threads import set_threads
from driftlock.version import __version__ as __version__
from driftlock.warm import warmup
from driftlock.windows import (
    Comparison,
    PermutationResult,
    Scan,
    ScanPlan,
    compare,
    permutation_test,
    scan,
)

__all__ = [
    "Comparison",
    "Detection",
    "Detector",
    "DriftlockError",
    "DriftlockWarning",
    "Explanation",
    "FileError",
    "InputError",
    "NotFittedError",
    "OptionError",
    "PermutationResult",
    "Plan",
    "Scan",
    "ScanPlan",
    "cdm",
    "code_length",
    "compare",
    "compression_ratio",
    "datasets",
    "detect",
    "entropy",
    "entropy_delta",
    "ncd",
    "ncd_matrix",
    "permutation_test",
    "scan",
    "set_threads",
    "warmup",
]

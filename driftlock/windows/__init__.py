"""Windows of rows against a baseline: whether an hour, a batch or a customer is different."""

from driftlock.windows.compare import compare
from driftlock.windows.permuted import permutation_test
from driftlock.windows.results import Comparison, PermutationResult
from driftlock.windows.scan import scan
from driftlock.windows.scan_results import Scan, ScanPlan

__all__ = [
    "Comparison",
    "PermutationResult",
    "Scan",
    "ScanPlan",
    "compare",
    "permutation_test",
    "scan",
]

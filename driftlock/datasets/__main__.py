"""Write the fixed data sets and their labels: ``python -m driftlock.datasets DIRECTORY``."""

from __future__ import annotations

import sys

from driftlock.datasets import write_testdata

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m driftlock.datasets DIRECTORY")
    write_testdata(sys.argv[1])

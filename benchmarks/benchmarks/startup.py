"""What a new process pays before its first result, kernels cached on disk by an earlier one."""

from __future__ import annotations

import subprocess
import sys

import driftlock as dl

# Each prints the seconds that driftlock adds to importing pandas and numba.
IMPORT = """
import time, numba, pandas
begin = time.perf_counter()
import driftlock
print(time.perf_counter() - begin)
"""
FIRST_RESULT = """
import sys, time, numba, pandas
events = pandas.read_pickle(sys.argv[1])
begin = time.perf_counter()
import driftlock
driftlock.detect(events, baseline=400)
print(time.perf_counter() - begin)
"""


def seconds_in_new_process(code, *arguments):
    """Shortest of three."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return min(
        float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(3)
    )


class Startup:
    unit = "s"
    timeout = 300

    def setup_cache(self):
        """Fill the kernels' cache, and leave a table in the working directory of the benchmark."""
        events = dl.datasets.make_transactions(1_400, seed=0).events
        dl.detect(events, baseline=400)
        events.to_pickle("events.pickle")

    def track_import(self):
        return seconds_in_new_process(IMPORT)

    def track_first_result(self):
        return seconds_in_new_process(FIRST_RESULT, "events.pickle")

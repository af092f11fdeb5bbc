"""What Prometheus reads: requests, durations, rows, flags, queue and process.

With several processes each writes to a folder, named by ``PROMETHEUS_MULTIPROC_DIR`` before this
module is imported, and any of them answers for all.
"""

from __future__ import annotations

import contextlib
import os
import struct
import time
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
    multiprocess,
)

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
ATTEMPTS, PAUSE = 20, 0.01  # seconds
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

REQUESTS = Counter(
    "driftlock_requests", "Requests answered.", ("method", "route", "status"), registry=REGISTRY
)
DURATION = Histogram(
    "driftlock_request_seconds",
    "From the first byte of a request to the last of its answer.",
    ("method", "route", "status"),
    buckets=SECONDS,
    registry=REGISTRY,
)
WAITED = Histogram(
    "driftlock_queue_seconds",
    "How long requests waited for a place.",
    buckets=SECONDS,
    registry=REGISTRY,
)
IN_FLIGHT = Gauge(
    "driftlock_requests_in_flight",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
QUEUE = Gauge(
    "driftlock_queue",
    "Requests that wait for a place.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
ROWS = Counter("driftlock_rows_scored", "Events judged.", registry=REGISTRY)
ANOMALIES = Counter("driftlock_anomalies", "Rows and windows flagged.", registry=REGISTRY)
VANISHED = Counter(
    "driftlock_clients_vanished", "Clients that went before their answer.", registry=REGISTRY
)


def exposition() -> tuple[bytes, str]:
    """All numbers in the text format, and its content type."""
    if FOLDER not in os.environ:
        return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
    _forget_the_dead(Path(os.environ[FOLDER]))
    for _ in range(ATTEMPTS):
        with contextlib.suppress(struct.error):  # the file of a process that begins to write it
            return _of_all_processes(), CONTENT_TYPE_LATEST
        time.sleep(PAUSE)
    return _of_all_processes(), CONTENT_TYPE_LATEST


def _of_all_processes() -> bytes:
    everyone = CollectorRegistry()
    multiprocess.MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
    ProcessCollector(registry=everyone)  # of the process that answers; the others have their own
    return generate_latest(everyone)


def _forget_the_dead(folder: Path) -> None:
    """Take the gauges of processes that were killed out of the sums; their counters stay."""
    for file in folder.glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            with contextlib.suppress(FileNotFoundError):  # another who answers was faster
                multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        except OSError:  # somebody else's by now
            continue

"""Compiling every kernel before it is needed, with a note when a first call has to wait for it."""

from __future__ import annotations

import sys
import threading
import time

from driftlock._kernels.compile_all import compile_all

PATIENCE = 1.0  # seconds before the note; loading from the cache takes less
NOTE = "driftlock: compiling its kernels for this machine, once; this takes some seconds ...\n"

_lock = threading.Lock()
_seconds: float | None = None


def warmup() -> float:
    """Compile every kernel now, or load it from the cache.

    Returns
    -------
    float
        Seconds that it took; what it took the first time, if it was done before in this process.

    Examples
    --------
    >>> import driftlock as dl
    >>> dl.warmup() >= 0
    True
    """
    global _seconds  # noqa: PLW0603  (done once in a process)
    with _lock:
        if _seconds is None:
            start = time.perf_counter()
            note = threading.Timer(PATIENCE, sys.stderr.write, [NOTE])
            note.daemon = True
            note.start()
            try:
                compile_all()
            finally:
                note.cancel()
            _seconds = time.perf_counter() - start
        return _seconds

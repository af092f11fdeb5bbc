"""Compiling kernels before they are needed, with a note when a first call has to wait for it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np

from driftlock import arrays
from driftlock._kernels.compile_windows import compile_texts, compile_windows
from driftlock._kernels.jit import on_compilation, was_compiled
from driftlock._kernels.number import written_decimals
from driftlock.arrays import Encoded
from driftlock.patterns import find_patterns
from driftlock.scoring import Model
from driftlock.significance import rank_p

PATIENCE = 1.0  # seconds of compiling before the note
NOTE = "driftlock: compiling its kernels for this machine, once; this takes some seconds ...\n"
ROWS = 64
HELPER = "from driftlock._kernels.compile_windows import compile_windows; compile_windows()"
HELPER_SECONDS = 120

_lock = threading.Lock()
_seconds: dict[str, float] = {}
_helpers: list[subprocess.Popen[bytes]] = []


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
    return sum(ensure(job) for job in JOBS)


def ensure(job: str) -> float:
    """Compile the kernels of one job, once in a process; the seconds that it took.

    A note on standard error says so once compiling has taken its time; loading from the cache,
    however slow the machine, is no reason for one.
    """
    with _lock:
        if job not in _seconds:
            start = time.perf_counter()
            note = threading.Timer(PATIENCE, sys.stderr.write, [NOTE])
            note.daemon = True

            def announce(note: threading.Timer = note) -> None:
                if note.ident is None:
                    note.start()

            try:
                with on_compilation(announce):
                    JOBS[job]()
            finally:
                note.cancel()
            _seconds[job] = time.perf_counter() - start
        return _seconds[job]


def _share_the_work() -> None:
    """Let another process compile half of the kernels for the cache, if the cache is cold.

    Numba compiles one kernel at a time in a process, whatever the threads.
    """
    written_decimals(np.ones(1))
    if was_compiled(written_decimals) and (os.cpu_count() or 1) > 1:
        package = str(Path(__file__).parents[1])
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
        try:
            helper = subprocess.Popen(  # noqa: S603  (this Python, with words of our own)
                [sys.executable, "-c", HELPER],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": paths},
            )
        except OSError:  # no Python of its own to start: this process does it all
            return
        atexit.register(helper.kill)
        _helpers.append(helper)


def _windows() -> None:
    """Compile what the helper does not, then take over what it has."""
    compile_texts()
    for helper in _helpers:
        try:
            helper.wait(HELPER_SECONDS)
        except subprocess.TimeoutExpired:
            helper.kill()
    compile_windows()


def _detect() -> None:
    """Fit and score a few rows of every kind."""
    written_decimals(np.ones(1))
    columns = _columns()
    model = Model.fit(columns)
    rank_p(model.baseline.total, model.score(columns).total)
    find_patterns(model.codes, columns, columns, "fdr")


def _columns() -> list[Encoded]:
    """A column of every kind, and entities."""
    steps = np.arange(ROWS)
    codes = (steps % 4).astype(np.int32)
    symbols = arrays.Symbols(codes, 4, codes)
    numbers = [
        arrays.Numbers(np.full(ROWS, arrays.POSITIVE, np.uint8), values, np.ones(ROWS, np.int8))
        for values in (np.sqrt(steps + 2.0), 1.0 + steps % 7 + steps / 100)
    ]
    times = arrays.Times(
        (steps % 24).astype(np.int8), (steps % 7).astype(np.int8), ("hour", "weekday")
    )
    letters = (np.arange(ROWS * ROWS) ** 2 % 97).astype(np.uint8)  # various enough to grow a table
    texts = arrays.Texts(letters, np.arange(ROWS + 1) * ROWS, np.zeros(ROWS, np.uint8))
    entities = arrays.Entities(symbols)
    return [symbols, symbols, *numbers, times, texts, entities]


JOBS = {"sharing": _share_the_work, "detect": _detect, "windows": _windows}

"""Compiling kernels before they are needed, with a note when a first call has to wait for it."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np

from driftlock import arrays
from driftlock._kernels import permute
from driftlock._kernels.compile_windows import compile_sums, compile_texts, compile_windows
from driftlock._kernels.jit import few_collections, on_compilation, was_compiled
from driftlock._kernels.number import written_decimals
from driftlock.arrays import Encoded
from driftlock.coders.nearest import NearestCoder
from driftlock.coders.text import TextCoder
from driftlock.patterns import find_patterns
from driftlock.scoring import Model
from driftlock.significance import rank_p

PATIENCE = 1.0  # seconds of compiling before the note
NOTE = "driftlock: compiling its kernels for this machine, once; this takes some seconds ...\n"
ROWS = 64
HELPER = """
import sys, types
package = types.ModuleType("driftlock")  # without its own imports: kernels need no tables
package.__path__ = [sys.argv[1]]
sys.modules["driftlock"] = package
from driftlock.warm import compile_parts
compile_parts(*sys.argv[2:])
"""
HELPER_SECONDS = 120

_lock = threading.Lock()
_seconds: dict[str, float] = {}
_done: set[str] = set()
_helpers: list[subprocess.Popen[bytes]] = []
_begun: dict[tuple[str, ...], subprocess.Popen[bytes] | None] = {}


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
    return ensure("everything")


def ensure(job: str) -> float:
    """Compile the kernels of one job, once in a process; the seconds that it took.

    A note on standard error says so once compiling has taken its time; loading from the cache,
    however slow the machine, is no reason for one.
    """
    if job in _seconds:  # also while others are compiled
        return _seconds[job]
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
            seconds = time.perf_counter() - start
            _seconds.update(dict.fromkeys((job, *COVERED.get(job, ())), seconds))
        return _seconds[job]


def begin(job: str) -> None:
    """Let a helper begin with its share of a job, if the cache is cold, before `ensure` is called.

    What comes between, such as imports, then takes no time of its.
    """
    own, others = SHARES[job]
    with _lock:
        if job not in _seconds and others not in _begun:
            _begun[others] = _helper_if_cold(own, others)


def compile_parts(*parts: str) -> None:
    """Compile some parts of the kernels, or load them from the cache."""
    with few_collections():
        for part in parts:
            if part not in _done:
                PARTS[part]()
                _done.add(part)


def _shared(own: tuple[str, ...], others: tuple[str, ...]) -> None:
    """Compile some parts while a helper, if the cache is cold, compiles others for the cache.

    Numba compiles one kernel at a time in a process, whatever the threads.
    """
    helper = _begun.pop(others) if others in _begun else _helper_if_cold(own, others)
    compile_parts(*own)
    if helper is not None:
        try:
            helper.wait(HELPER_SECONDS)
        except subprocess.TimeoutExpired:
            helper.kill()
    compile_parts(*others)


def _helper_if_cold(
    own: tuple[str, ...], others: tuple[str, ...]
) -> subprocess.Popen[bytes] | None:
    is_shared = (os.cpu_count() or 1) > 1 and not _done.issuperset(others) and _is_cold(own[0])
    return _helper(others) if is_shared else None


def _is_cold(part: str) -> bool:
    """Whether the first, small kernel of a part had to be compiled for the cache."""
    if part == "fields":
        written_decimals(np.ones(1))
        return was_compiled(written_decimals)
    permute.mix(np.uint64(1))
    return was_compiled(permute.mix)


def _helper(parts: tuple[str, ...]) -> subprocess.Popen[bytes] | None:
    """Another process that compiles some parts; None where no Python can be started.

    With -P, as its script is no file: modules of the current folder are none of its business.
    """
    try:
        helper = subprocess.Popen(  # noqa: S603  (this Python, with words of our own)
            [sys.executable, "-P", "-c", HELPER, str(Path(__file__).parent), *parts],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        return None
    atexit.register(helper.kill)
    _helpers.append(helper)
    return helper


def _fields() -> None:
    """Fit and score a few rows of every kind but text."""
    written_decimals(np.ones(1))
    columns = [column for column in _columns() if not isinstance(column, arrays.Texts)]
    model = Model.fit(columns)
    rank_p(model.baseline.total, model.score(columns).total)
    find_patterns(model.codes, columns, columns, "fdr")


def _texts() -> None:
    """Learn and code a few texts."""
    for column in _columns():
        if isinstance(column, arrays.Texts):
            TextCoder.fit(column).measure(column, own=False)


def _nearest() -> None:
    """Find the rows most like each of a few."""
    columns = [column for column in _columns() if isinstance(column, arrays.Symbols)]
    scaled = {0: np.linspace(0.0, 1.0, ROWS)}
    coder = NearestCoder.fit(columns, scaled)
    assert coder is not None  # there are fields with a distance
    coder.parts(columns, scaled, own=False)


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


# How a cold start is shared by two processes, so that both take about as long: windows of fields
# and of texts have kernels in common, and so have fields and texts. A service is ready without
# windows of texts; what fields need of the nearest rows is there when the helper comes to it.
PARTS = {
    "fields": _fields,
    "nearest": _nearest,
    "texts": _texts,
    "windows of fields": compile_windows,
    "windows of texts": compile_texts,
    "mean bits of windows": compile_sums,
}
COVERED = {"service": ("detect",), "everything": ("detect", "windows", "service")}
SHARES = {
    "detect": (("fields",), ("texts",)),
    "windows": (("windows of fields",), ("windows of texts", "mean bits of windows")),
    "service": (("nearest", "windows of fields"), ("texts", "fields")),
    "everything": (
        ("windows of fields", "windows of texts", "mean bits of windows"),
        ("fields", "texts"),
    ),
}
JOBS = {job: partial(_shared, *shares) for job, shares in SHARES.items()}

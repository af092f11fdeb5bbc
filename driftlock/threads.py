"""How many threads compiled loops and codecs may use; ranges of work handed to them.

Kernels release the GIL and work on ranges, so plain threads suffice. Nothing depends on how the
work is cut: every draw has its own counter, every result its own place.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from numbers import Integral
from typing import Any

from driftlock.cancellation import checkpoint
from driftlock.errors import OptionError

VARIABLE = "DRIFTLOCK_THREADS"
CHUNKS_PER_THREAD = 4

_chosen: int | None = None


def set_threads(n: int | None) -> None:
    """Choose how many threads driftlock uses; results are the same for any number.

    Parameters
    ----------
    n : int or None
        From 1 on. None goes back to the environment variable ``DRIFTLOCK_THREADS``, or, without
        it, to the processors that this process may use.

    Raises
    ------
    OptionError
        If `n` is no such number.

    Examples
    --------
    >>> import driftlock as dl
    >>> dl.set_threads(2)
    >>> dl.set_threads(None)
    """
    global _chosen  # noqa: PLW0603  (one choice per process, as users expect of it)
    _chosen = None if n is None else _checked(n, "n")


def thread_count() -> int:
    """Threads in force."""
    if _chosen is not None:
        return _chosen
    text = os.environ.get(VARIABLE)
    if text:
        return _checked(int(text) if text.strip().isdigit() else text, VARIABLE)
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def in_ranges(
    work: Callable[[int, int], Any],
    first: int,
    stop: int,
    *,
    least: int = 1,
    most: int | None = None,
) -> None:
    """Call ``work(a, b)`` on ranges that cover first ... stop - 1, of `least` items or more.

    `most` bounds their size where items take long, so that work can be given up soon.

    Raises
    ------
    CancelledError
        If the work is cancelled; ranges that run already are finished first.
    """
    threads = thread_count()
    size = max(least, -(-(stop - first) // (threads * CHUNKS_PER_THREAD)), 1)
    size = min(size, most or size)

    def step(start: int) -> None:
        checkpoint()
        work(start, min(start + size, stop))

    starts = range(first, stop, size)
    if threads == 1 or len(starts) == 1:
        for start in starts:
            step(start)
        return
    with ThreadPoolExecutor(threads) as pool:
        # each in the caller's context, which holds what NumPy does on overflow
        running = [pool.submit(copy_context().run, step, start) for start in starts]
        try:
            for done in running:
                done.result()
        except BaseException:  # an error, or Ctrl-C: what has not begun is not begun any more
            for waiting in running:
                waiting.cancel()
            raise


def _checked(n: Any, name: str) -> int:
    if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
        raise OptionError(
            f"{name}={n!r} is no number of threads; expected a whole number from 1 on"
        )
    return int(n)

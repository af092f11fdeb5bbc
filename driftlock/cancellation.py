"""Giving up work that nobody waits for any more.

Compiled loops cannot be interrupted, but they run in ranges and stages; between these the work
looks whether it has been cancelled. Nothing that was computed before is used then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from driftlock.errors import CancelledError

_cancelled: ContextVar[threading.Event | None] = ContextVar("cancelled", default=None)


@contextmanager
def cancelled_by(event: threading.Event) -> Iterator[None]:
    """Let the work inside end with a `CancelledError` soon after `event` is set.

    Parameters
    ----------
    event : threading.Event
        Set by another thread, when the work is no longer wanted.
    """
    token = _cancelled.set(event)
    try:
        yield
    finally:
        _cancelled.reset(token)


def checkpoint() -> None:
    """Raise a `CancelledError` if the work in this context has been cancelled."""
    event = _cancelled.get()
    if event is not None and event.is_set():
        raise CancelledError("cancelled")

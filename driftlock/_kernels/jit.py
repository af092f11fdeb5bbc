"""The one door to Numba: options of every kernel are decided here.

The compiled code is cached beside the package, or in the user's cache folder where the package is
read-only; ``DRIFTLOCK_NUMBA_CACHE=0`` turns the cache off. A cached kernel that calls one in
another file goes stale when only that file changes: clear ``__pycache__`` after editing kernels.
fastmath stays off: reassociation changes results. Divisors are not looked at (error_model), or no
loop that divides could run over several values at once; no kernel divides by zero.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numba
from numba.core import event

F = TypeVar("F", bound=Callable[..., object])

_SWITCH = os.environ.get("DRIFTLOCK_NUMBA_CACHE", "1")
if _SWITCH not in ("0", "1"):
    raise ValueError(f"DRIFTLOCK_NUMBA_CACHE={_SWITCH!r} is not known; set it to 0 or 1")


def jit(function: F) -> F:
    """Compile `function` on first use, without the GIL, cached on disk where that is possible."""
    options: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
    if _SWITCH == "1":
        try:
            return numba.njit(cache=True, **options)(function)  # type: ignore[no-any-return]
        except RuntimeError:  # no folder that can be written: compile in every process
            pass
    return numba.njit(**options)(function)  # type: ignore[no-any-return]


@contextmanager
def on_compilation(tell: Callable[[], object]) -> Iterator[None]:
    """Call `tell` whenever a kernel is compiled, and not merely loaded from the cache."""

    class Listener(event.Listener):
        def on_start(self, event: object) -> None:  # noqa: ARG002
            tell()

        def on_end(self, event: object) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield

"""The one door to Numba: options of every kernel are decided here.

The compiled code is cached in ``NUMBA_CACHE_DIR`` where that is set, else beside the package, or in
the user's cache folder where the package is read-only; ``DRIFTLOCK_NUMBA_CACHE=0`` turns the cache
off. A folder named by ``NUMBA_CACHE_DIR`` that cannot be written, as in a container, is copied:
Numba itself takes no code from it. A cached kernel that calls one in another file goes stale when
only that file changes: clear ``__pycache__`` after editing kernels. fastmath stays off:
reassociation changes results. Divisors are not looked at (error_model), or no loop that divides
could run over several values at once; no kernel divides by zero.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event

YOUNG = 10_000  # objects before a collection, while kernels are compiled

F = TypeVar("F", bound=Callable[..., object])

_SWITCH = os.environ.get("DRIFTLOCK_NUMBA_CACHE", "1")
if _SWITCH not in ("0", "1"):
    raise ValueError(f"DRIFTLOCK_NUMBA_CACHE={_SWITCH!r} is not known; set it to 0 or 1")


def _copied(folder: str) -> tempfile.TemporaryDirectory[str] | None:
    """A copy of a cache that cannot be written, for this process and those that it starts.

    None where that is not needed, or where there is no place for a copy.
    """
    if not folder or not Path(folder).is_dir() or os.access(folder, os.W_OK):
        return None
    try:
        copy = tempfile.TemporaryDirectory(prefix="driftlock-kernels-")
        shutil.copytree(folder, copy.name, dirs_exist_ok=True, copy_function=shutil.copyfile)
        for path in (Path(copy.name), *Path(copy.name).rglob("*")):
            path.chmod(0o700)  # the original's folders may not be written
    except OSError:
        return None
    os.environ["NUMBA_CACHE_DIR"] = numba.config.CACHE_DIR = copy.name  # type: ignore[attr-defined]
    return copy


# Removed when Python ends.
_copy = _copied(os.environ.get("NUMBA_CACHE_DIR", "")) if _SWITCH == "1" else None


def jit(function: F) -> F:
    """Compile `function` on first use, without the GIL, cached on disk where that is possible."""
    options: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
    options["no_cfunc_wrapper"] = True  # nobody calls it, and it takes a twelfth of the time
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


@contextmanager
def few_collections() -> Iterator[None]:
    """Collect garbage less often meanwhile.

    What Numba makes while it compiles lives long and is looked through again and again, for a tenth
    of all the time. As it is once a process, it takes 4 % more memory.
    """
    usual = gc.get_threshold()
    few = (usual[0] and max(usual[0], YOUNG), *usual[1:])
    gc.set_threshold(*few)
    try:
        yield
    finally:
        if gc.get_threshold() == few:  # what another thread has chosen meanwhile stays
            gc.set_threshold(*usual)


def was_compiled(kernel: Callable[..., object]) -> bool:
    """Whether this process has compiled a kernel for a cache that did not have it."""
    stats = getattr(kernel, "stats", None)  # plain Python, where the JIT is off, has none
    return stats is not None and stats.cache_path is not None and bool(stats.cache_misses)

"""What driftlock raises and warns.

An error means that the call makes no sense: no rows, no usable field, an unknown option, a broken
file. A value that does not fit its field is no error: it is evidence, and is scored as such.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_hearing: ContextVar[Callable[[str], object] | None] = ContextVar("hearing", default=None)


class DriftlockError(ValueError):
    """Root of every error that driftlock raises on purpose."""


class InputError(DriftlockError):
    """A table that makes the call meaningless: no rows, a missing column, names that collide."""


class OptionError(DriftlockError):
    """An option with a value that is not known or not possible."""


class FileError(DriftlockError):
    """A file, or a line of it, that cannot be read as what it claims to be.

    Parameters
    ----------
    message : str
        What is wrong, with the file's name and the line.
    line : int, optional
        The line, counted from 1, for those who show errors in their own way.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class NotFittedError(DriftlockError, AttributeError):
    """A detector was asked for results before it was fitted."""


class CancelledError(DriftlockError):
    """Work was given up because nobody waits for it any more."""


class DriftlockWarning(UserWarning):
    """Something that runs, but probably not as its author meant it."""


def warn(message: str, *, stacklevel: int = 1) -> None:
    """Warn with a `DriftlockWarning`, or tell who hears them in this context.

    `stacklevel` counts as that of `warnings.warn` does: 1 is the line that calls this function.
    """
    tell = _hearing.get()
    if tell is None:
        warnings.warn(message, DriftlockWarning, stacklevel=stacklevel + 1)
    else:
        tell(message)


@contextmanager
def warnings_told_to(tell: Callable[[str], object]) -> Iterator[None]:
    """Let `tell` hear what driftlock warns of inside, in this context alone.

    `warnings.catch_warnings` swaps the state of all threads: of two that use it at a time, one
    hears what the other should have heard, and compilers and table libraries use it too.
    """
    token = _hearing.set(tell)
    try:
        yield
    finally:
        _hearing.reset(token)


@contextmanager
def collected_warnings() -> Iterator[list[str]]:
    """What driftlock warns of inside, in this context alone."""
    heard: list[str] = []
    with warnings_told_to(heard.append):
        yield heard


def check_choice(name: str, value: Any, known: Iterable[Any]) -> None:
    """Raise an `OptionError` that lists the known values unless `value` is one of them."""
    known = tuple(known)
    if not any(type(value) is type(choice) and value == choice for choice in known):
        listed = ", ".join(repr(choice) for choice in known)
        raise OptionError(f"{name}={value!r} is not known; choose one of {listed}")


def listed(names: Iterable[Any], limit: int = 8) -> str:
    """Names for a message: the first few, quoted, and how many more there are."""
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown + (f" and {len(names) - limit} more" if len(names) > limit else "")

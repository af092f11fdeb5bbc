"""Hold the docstring of every public name and public method to [tool.numpydoc_validation]."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

from numpydoc.validate import get_validation_checks, validate

import driftlock

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def public(path: str, thing: object) -> Iterator[tuple[str, set[str]]]:
    """Import paths of a public thing and of what users reach in it, each with its exemptions."""
    if inspect.ismodule(thing):
        for name in thing.__all__:
            yield from public(f"{path}.{name}", getattr(thing, name))
    elif inspect.isclass(thing):
        # Users read results, they do not make them: Attributes instead of Parameters.
        yield path, {"PR01"} if is_dataclass(thing) else set()
        for name, member in inherited(thing).items():
            if not name.startswith("_") and (
                callable(member) or isinstance(member, (property, classmethod))
            ):
                yield f"{path}.{name}", set()
    elif callable(thing):
        yield path, set()


def inherited(kind: type) -> dict[str, object]:
    """Members of a class and of its ancestors here, the nearest of each name."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("driftlock")]
    return {name: member for base in reversed(ours) for name, member in vars(base).items()}


checks = get_validation_checks(
    set(tomllib.loads(PROJECT.read_text())["tool"]["numpydoc_validation"]["checks"])
)
paths = list(public("driftlock", driftlock))
problems = [
    f"{path}: {code} {message}"
    for path, exempt in paths
    for code, message in validate(path)["errors"]
    if code in checks - exempt
]
print(*problems, f"{len(paths)} public docstrings, {len(problems)} problems", sep="\n")
raise SystemExit(bool(problems))

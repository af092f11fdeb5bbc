"""Fitted detectors as files: an .npz archive of plain arrays and one text that puts them together.

`archive` knows the bytes of a file, `nodes` turns frozen objects into JSON and arrays and back,
`labels` does so for time zones and row labels; here stands which classes may be in a file. Nothing
in a file is ever run or imported. `docs/saving.md` has the format.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from numbers import Integral
from typing import Any

import pandas as pd

from driftlock import arrays, baseline, calibration, evidence, scoring
from driftlock.coders import (
    category,
    context,
    entity,
    grams,
    measure,
    nearest,
    number,
    residual,
    row,
)
from driftlock.coders import text as text_coder
from driftlock.coders import time as time_coder
from driftlock.errors import FileError, warn
from driftlock.fields import entity as entity_field
from driftlock.fields import kinds, schema, typed, written
from driftlock.fields import text as text_field
from driftlock.files import write_bytes
from driftlock.fitted import Fitted
from driftlock.store.archive import AGAIN, is_saved, pack, unpack
from driftlock.store.labels import UnstorableError
from driftlock.store.nodes import Reader, Writer

__all__ = ["REGISTRY", "is_saved", "read_detector", "write_detector"]

# What making objects of a text that does not fit may raise.
UNFIT = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
# A file names a class by its bare name, and only these can be meant. A change of their fields is a
# change of the format: `archive.VERSION`.
_CLASSES = (
    arrays.Entities,
    arrays.Numbers,
    arrays.Symbols,
    arrays.Texts,
    arrays.Times,
    baseline.Overlap,
    calibration.Calibrated,
    category.CategoryCoder,
    context.ContextBlock,
    context.ContextCoder,
    context.Reduction,
    entity.EntityBlock,
    entity.HabitCoder,
    entity_field.EntityField,
    evidence.Calibration,
    Fitted,
    kinds.Decision,
    measure.Measure,
    nearest.NearestCoder,
    number.Density,
    number.NumberCoder,
    residual.GroupBlock,
    residual.GroupCoder,
    residual.RegressionCoder,
    row.RowCoder,
    schema.Schema,
    scoring.Level,
    scoring.Model,
    scoring.Scores,
    grams.Grams,
    text_coder.TextCoder,
    text_coder.View,
    text_field.TextField,
    time_coder.TimeCoder,
    typed.CategoryField,
    typed.NumberField,
    typed.TimeField,
    written.Written,
)
REGISTRY: Mapping[str, type[Any]] = {cls.__name__: cls for cls in _CLASSES}


def write_detector(
    path: str | os.PathLike[str], options: Mapping[str, Any], fitted: Fitted
) -> None:
    """Write the options and the state of a detector to a file, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written, or something of the detector has no place in it.
    """
    name = os.fspath(path)
    writer = Writer(REGISTRY)
    try:
        body = {
            "options": {
                option: writer.node(value) for option, value in _plain(options, fitted.seed).items()
            },
            "fitted": writer.node(_storable(fitted, name)),
        }
    except (UnstorableError, RecursionError) as error:
        raise FileError(f"{name}: the detector cannot be saved: {error}") from None
    write_bytes(path, pack(body, writer.arrays))


def read_detector(
    path: str | os.PathLike[str], known: Collection[str]
) -> tuple[dict[str, Any], Fitted]:
    """Read the options and the state of a detector; `known` are the options there may be.

    Raises
    ------
    FileError
        If the file cannot be read, is no saved detector, is damaged or of a newer format.
    """
    name = os.fspath(path)
    body, members = unpack(path, name)
    reader = Reader(REGISTRY, members)
    try:
        options = {option: reader.value(node) for option, node in body["options"].items()}
        fitted = reader.value(body["fitted"])
    except UnstorableError as error:
        raise FileError(f"{name}: makes no detector: {error}; {AGAIN}") from None
    except UNFIT as error:
        raise FileError(f"{name}: makes no detector ({error!r}); {AGAIN}") from None
    if not isinstance(fitted, Fitted) or not options.keys() <= set(known):
        raise FileError(f"{name}: holds something else than a detector; {AGAIN}")
    return options, fitted


def _plain(options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Options that a file can hold; a generator becomes the seed that it gave."""
    plain = dict(options)
    if isinstance(plain["fields"], Mapping):
        plain["fields"] = dict(plain["fields"])
    if not isinstance(plain["rng"], (Integral, type(None))):
        plain["rng"] = seed
    return plain


def _storable(fitted: Fitted, name: str) -> Fitted:
    """The same, without the rows to be recognised where their labels have no place in a file."""
    overlap = fitted.overlap
    try:
        Writer(REGISTRY).node(overlap)
    except UnstorableError as error:
        warn(
            f"{name}: {error}; the detector, once loaded, cannot tell whether tested rows also "
            "stand in its baseline",
            stacklevel=4,
        )
        nothing = baseline.Overlap(pd.RangeIndex(0), overlap.hashes[:0])
        return replace(fitted, overlap=nothing)
    return fitted

"""Frozen objects to JSON and arrays, and back: a walk that knows its classes beforehand.

null, true, false, whole numbers, finite floats (written with a point or an exponent), texts and
lists stand for themselves; everything else is ``{"is": what, "of": content}``.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from driftlock.store.labels import UnstorableError, labels_of, plain_labels, plain_zone, zone_of

AnyArray = NDArray[Any]
Classes = Mapping[str, type[Any]]
KINDS = "biuf"
LONGEST = 4096  # bits of a whole number; Python reads no text of many more
NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Writer:
    """Makes nodes of objects, and keeps each different array once.

    Parameters
    ----------
    classes : mapping of str to type
        The dataclasses that there may be.

    Attributes
    ----------
    arrays : list of ndarray
        Array "a0", "a1", "a2" ... of the nodes.
    """

    def __init__(self, classes: Classes) -> None:
        self.arrays: list[AnyArray] = []
        self._classes = classes
        self._places: dict[tuple[object, ...], int] = {}

    def node(self, value: Any) -> Any:
        """JSON of a value.

        Raises
        ------
        UnstorableError
            If it is of no kind that a file may hold.
        """
        plain = value is None or isinstance(value, bool)
        if plain or (type(value) is int and value.bit_length() <= LONGEST):
            return value
        if isinstance(value, list):
            return self.items(value)
        for cls, make in _NODES:
            if isinstance(value, cls):
                return make(self, value)
        name = type(value).__name__
        if is_dataclass(value) and self._classes.get(name) is type(value):
            return _tagged(name, {f.name: self.node(getattr(value, f.name)) for f in fields(value)})
        raise UnstorableError(f"{value!r} is a {name}, which has no place in a file")

    def items(self, values: Iterable[Any]) -> list[Any]:
        """Nodes of values in their order."""
        return [self.node(value) for value in values]

    def numpy(self, value: Any) -> Any:
        """The node of an array, or of a number with a dtype."""
        dtype = value.dtype
        if dtype.kind not in KINDS or dtype.itemsize > np.dtype(np.float64).itemsize:
            raise UnstorableError(f"an array of {dtype} has no place in a file")
        if isinstance(value, np.generic):
            return _tagged("scalar", [dtype.name, self.node(value.item())])
        data = np.ascontiguousarray(value).tobytes()
        key = dtype.name, value.shape, hashlib.sha256(data).digest()
        if key not in self._places:
            self._places[key] = len(self.arrays)
            self.arrays.append(value)
        return _tagged("array", f"a{self._places[key]}")


class Reader:
    """Makes objects of nodes.

    Parameters
    ----------
    classes : mapping of str to type
        The dataclasses that there may be.
    arrays : mapping of str to ndarray
        The arrays that nodes speak of.
    """

    def __init__(self, classes: Classes, arrays: Mapping[str, AnyArray]) -> None:
        self._classes = classes
        self._arrays = arrays

    def value(self, node: Any) -> Any:
        """The value of a node.

        Raises
        ------
        UnstorableError
            If there is no such value.
        """
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.keys() != {"is", "of"}:
            raise UnstorableError(f"an object with the keys {list(node)[:4]}, not is and of")
        kind, content = node["is"], node["of"]
        if kind == "array":
            return self._arrays[content]
        if kind in _VALUES:
            return _VALUES[kind](self.value(content))
        if kind not in self._classes:
            raise UnstorableError(f"{kind!r} is nothing that may be in a file")
        return self._made(self._classes[kind], content)

    def _made(self, cls: type[Any], content: Any) -> Any:
        """An object, if the file has the fields of its class, no more and no fewer."""
        names = {f.name for f in fields(cls)}
        if not isinstance(content, dict) or content.keys() != names:
            raise UnstorableError(f"{cls.__name__} has other fields")
        return cls(**{name: self.value(node) for name, node in content.items()})


def _tagged(kind: str, content: Any) -> dict[str, Any]:
    return {"is": kind, "of": content}


def _text(value: str) -> Any:
    """A text; one with surrogates as bytes, since JSON would join a pair of them to one letter."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return _tagged("surrogates", value.encode("utf-8", "surrogatepass").hex())
    return value


def _dict_of(pairs: list[list[Any]]) -> dict[Any, Any]:
    made = {key: value for key, value in pairs}  # noqa: C416  (a pair of three is an error)
    if len(made) < len(pairs):
        raise UnstorableError("a key stands twice")
    return made


def _scalar(parts: list[Any]) -> np.generic:
    dtype = np.dtype(str(parts[0]))
    if dtype.kind not in KINDS:
        raise UnstorableError(f"a number of {dtype}")
    return dtype.type(parts[1])  # type: ignore[no-any-return]


# Classes and what makes nodes of their values; the first that fits counts (numpy's float64 is a
# float, and its str_ a str).
_NODES: tuple[tuple[type[Any] | tuple[type[Any], ...], Callable[[Writer, Any], Any]], ...] = (
    (str, lambda _, value: _text(str.__str__(value))),
    ((np.ndarray, np.generic), Writer.numpy),
    (float, lambda _, v: v if math.isfinite(v) else _tagged("float", str(v))),
    (tuple, lambda writer, value: _tagged("tuple", writer.items(value))),
    (frozenset, lambda writer, value: _tagged("set", writer.items(sorted(value)))),
    (dict, lambda writer, value: _tagged("dict", writer.items(map(list, value.items())))),
    (bytes, lambda _, value: _tagged("bytes", value.hex())),
    (tzinfo, lambda writer, value: _tagged("zone", writer.node(plain_zone(value)))),
    (pd.Index, lambda writer, value: _tagged("labels", writer.node(plain_labels(value)))),
)
_VALUES: dict[str, Callable[[Any], Any]] = {
    "tuple": tuple,
    "set": frozenset,
    "dict": _dict_of,
    "bytes": bytes.fromhex,
    "surrogates": lambda digits: bytes.fromhex(digits).decode("utf-8", "surrogatepass"),
    "float": NOT_FINITE.__getitem__,
    "scalar": _scalar,
    "zone": zone_of,
    "labels": labels_of,
}

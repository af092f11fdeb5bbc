"""Time zones and row labels as plain values and arrays, and back."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from driftlock.errors import DriftlockError

ZONE_NAME = re.compile(r"[\w+-]+(?:/[\w+-]+)*", re.ASCII)
MICROSECOND = timedelta(microseconds=1)


class UnstorableError(DriftlockError):
    """Something has no place in a file, or what a file says has no meaning."""


def plain_zone(zone: tzinfo) -> dict[str, Any]:
    """The name of a time zone and whose zone it is, or its offset from UTC in microseconds."""
    names = {
        "zoneinfo": getattr(zone, "key", None),
        "pytz": getattr(zone, "zone", None),
        "dateutil": _dateutil_name(zone),
    }
    for library, name in names.items():
        if isinstance(name, str) and ZONE_NAME.fullmatch(name):
            return {"library": library, "name": name}
    offset = zone.utcoffset(None)
    if offset is None:
        raise UnstorableError(
            f"the time zone {zone!r} has no name that another machine would know; convert the "
            "column with .dt.tz_convert to a named one"
        )
    return {"microseconds": offset // MICROSECOND}


def zone_of(plain: dict[str, Any]) -> tzinfo:
    """The time zone; zoneinfo's of the same name where its library is not installed."""
    if "microseconds" in plain:
        return timezone(plain["microseconds"] * MICROSECOND)
    library, name = plain["library"], plain["name"]
    if library not in ("zoneinfo", "pytz", "dateutil") or not ZONE_NAME.fullmatch(name):
        raise UnstorableError(f"no time zone is called {library!r} {name!r}")
    zone = _named_zone(library, name)
    if zone is None:
        raise UnstorableError(
            f"this machine knows no time zone {name!r}; installing tzdata may help"
        )
    return zone


def _named_zone(library: str, name: str) -> tzinfo | None:
    try:
        if library == "pytz":
            return importlib.import_module("pytz").timezone(name)  # type: ignore[no-any-return]
        if library == "dateutil":
            return importlib.import_module("dateutil.tz").gettz(name)  # type: ignore[no-any-return]
    except ImportError:
        pass
    except LookupError:  # pytz's own error
        return None
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None


def _dateutil_name(zone: tzinfo) -> str | None:
    """The name under which dateutil finds this very zone."""
    file = getattr(zone, "_filename", None)
    if not isinstance(file, str):
        return None
    name = file.rpartition("zoneinfo/")[2]
    found = (
        importlib.import_module("dateutil.tz").gettz(name) if ZONE_NAME.fullmatch(name) else None
    )
    return name if found == zone else None


def plain_labels(labels: pd.Index[Any]) -> dict[str, Any]:
    """Row labels as plain values and arrays.

    Raises
    ------
    UnstorableError
        If they would not come back exactly.
    """
    plain = _plain_labels(labels)
    if not same_labels(labels_of(plain), labels):
        raise UnstorableError(f"labels of dtype {labels.dtype} have no place in a file")
    return plain


def same_labels(one: pd.Index[Any], other: pd.Index[Any]) -> bool:
    """Whether labels are equal and of the same dtype."""
    return bool(one.equals(other)) and str(one.dtype) == str(other.dtype)


def _plain_labels(labels: pd.Index[Any]) -> dict[str, Any]:
    if isinstance(labels, pd.MultiIndex):
        levels = [plain_labels(labels.get_level_values(i)) for i in range(labels.nlevels)]
        return {"kind": "levels", "levels": levels}
    if isinstance(labels, pd.DatetimeIndex):
        zone = None if labels.tz is None else plain_zone(labels.tz)
        return {"kind": "times", "values": labels.asi8, "unit": labels.unit, "zone": zone}
    if isinstance(labels, pd.TimedeltaIndex):
        return {"kind": "spans", "values": labels.asi8, "unit": labels.unit}
    if isinstance(labels.dtype, np.dtype) and labels.dtype.kind in "biuf":
        return {"kind": "numbers", "values": labels.to_numpy()}
    if isinstance(labels.dtype, pd.StringDtype):
        values = [None if pd.isna(label) else label for label in labels.tolist()]
        return {"kind": "texts", "values": values, "dtype": str(labels.dtype)}
    if labels.dtype == object:
        return {"kind": "objects", "values": labels.tolist()}
    raise UnstorableError(f"labels of dtype {labels.dtype} have no place in a file")


def labels_of(plain: dict[str, Any]) -> pd.Index[Any]:
    """The row labels."""
    kind = plain["kind"]
    values: Any = plain.get("values")
    made: Any
    if kind == "levels":
        made = pd.MultiIndex.from_arrays([labels_of(level) for level in plain["levels"]])
    elif kind in ("times", "spans"):
        letter = "M" if kind == "times" else "m"
        made = pd.Index(np.asarray(values).view(f"{letter}8[{plain['unit']}]"))
        if plain.get("zone") is not None:
            made = made.tz_localize("UTC").tz_convert(zone_of(plain["zone"]))
    elif kind == "numbers":
        made = pd.Index(values)
    elif kind == "texts" and plain["dtype"] in ("str", "string"):
        made = pd.Index(values, dtype=plain["dtype"])
    elif kind == "objects":
        made = pd.Index(values, dtype=object, tupleize_cols=False)
    else:
        raise UnstorableError(f"no labels are of kind {kind!r}")
    return made  # type: ignore[no-any-return]

"""Rows from the bytes of a body: what is no event is refused, with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

import pandas as pd

from driftlock.cancellation import checkpoint
from driftlock.errors import FileError
from driftlock.files import content, parse
from driftlock.service.problems import Problem
from driftlock.service.settings import Settings

Form = Literal["auto", "ndjson", "json", "lines"]
NAME = "body"
LINE = "line"  # column of a log's lines
AS_TEXT = "event"  # column of events that are coded as text
NESTED = frozenset({dict, list})

_written = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, eq=False)
class Events:
    """What was sent: every event as it stands, and all of them as a table."""

    rows: list[dict[str, Any]]
    table: pd.DataFrame

    def __len__(self) -> int:
        return len(self.rows)

    def as_text(self) -> pd.DataFrame:
        """One column with each event as a line of compact JSON; of a log, the line itself."""
        encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
        if all(row.keys() == {LINE} for row in self.rows):
            texts = [str(row[LINE]) for row in self.rows]
        else:
            texts = [encode(row) for row in self.rows]
        return pd.DataFrame({AS_TEXT: pd.Series(texts, dtype=object)})


def read_events(data: bytes, form: Form, settings: Settings) -> Events:
    """The events of a body, told by its first character where the form is "auto".

    Raises
    ------
    Problem
        If it is not what it should be, or beyond a limit.
    """
    if not data or data.isspace():
        raise Problem(400, "invalid_events", "the body is empty; send events, one JSON object each")
    if form == "lines":
        if data.count(b"\n") >= settings.max_events:
            _check_count(re.finditer(rb"[^\s][^\n]*", data), settings)
        rows: list[dict[str, Any]] = [{LINE: line} for line in parse.lines(data)["line"]]
    else:
        try:
            text = content.as_text(data, NAME)
            array = text.lstrip()[:1] == "[" and form in ("auto", "json")
            # counted first, without being kept: many small ones take much room once they are
            if array and text.count("{") + text.count("[") > settings.max_events:
                _check_count(parse.array_items(text), settings)
            elif not array and text.count("\n") >= settings.max_events:
                _check_count(re.finditer(r"[^\s][^\n]*", text), settings)
            checkpoint()
            rows = parse.json_rows(text, "json" if array else "jsonl", NAME, strict=True)
        except FileError as error:
            where = {"line": error.line} if error.line is not None else None
            raise Problem(400, "invalid_json", str(error), where=where) from None
    checkpoint()
    _check_rows(rows, len(data), settings)
    checkpoint()
    table = parse.as_table(rows)
    checkpoint()
    if not len(table.columns):
        raise Problem(400, "invalid_events", "the events have no fields")
    return Events(rows, table)


def _check_count(events: Iterable[object], settings: Settings) -> None:
    """Count events as far as the limit goes."""
    most = settings.max_events
    if sum(1 for _ in islice(events, most + 1)) > most:
        raise Problem(
            413,
            "too_many_events",
            f"more than {most:,} events; so many are taken in one request",
        )


def _check_rows(rows: list[dict[str, Any]], n_bytes: int, settings: Settings) -> None:
    """Hold the events to the limits of number, size, depth and columns."""
    if not rows:
        raise Problem(400, "invalid_events", "the body holds no event")
    columns: set[str] = set()
    last: dict[str, tuple[str, ...]] = {}  # keys of the record that was seen last in a column
    may_be_large, most = n_bytes > settings.max_event_chars, settings.max_columns
    for number, row in enumerate(rows):
        if may_be_large:
            _check_size(row, number, settings)
        columns.update(row)
        for name, value in row.items():
            if type(value) not in NESTED:
                continue
            if type(value) is dict and NESTED.isdisjoint(map(type, value.values())):
                if last.get(name) != (keys := tuple(value)):
                    last[name] = keys
                    columns.update(f"{name}.{key}" for key in keys)
            else:
                columns.update(_laid_out(name, value, number, settings))
        if len(columns) > most:
            raise Problem(
                413,
                "too_many_columns",
                f"the events have more than {most:,} columns, nested ones laid out",
                where={"event": number},
            )
    if len(rows) * len(columns) > settings.max_cells:
        raise Problem(
            413,
            "too_many_cells",
            f"{len(rows):,} events of {len(columns):,} columns make {len(rows) * len(columns):,} "
            f"cells; at most {settings.max_cells:,} are taken in one request",
        )


def _check_size(row: dict[str, Any], number: int, settings: Settings) -> None:
    size = len(_written(row))
    if size > settings.max_event_chars:
        raise Problem(
            413,
            "event_too_large",
            f"event {number} has {size:,} characters as JSON; at most "
            f"{settings.max_event_chars:,} are taken",
            where={"event": number},
        )


def _laid_out(name: str, value: Any, number: int, settings: Settings) -> set[str]:
    """Dotted names of all that stands in a nested value, which has only so many levels."""
    found: set[str] = set()
    waiting = [(name, value, 1)]
    while waiting:
        path, item, depth = waiting.pop()
        if depth > settings.max_depth:
            raise Problem(
                400,
                "too_deep",
                f"event {number} is nested beyond {settings.max_depth} levels, at {path[:80]!r}",
                where={"event": number},
            )
        entries = item.items() if isinstance(item, dict) else (("*", part) for part in item)
        for key, part in entries:
            found.add(f"{path}.{key}")
            if type(part) in (dict, list):
                waiting.append((f"{path}.{key}", part, depth + 1))
    return found

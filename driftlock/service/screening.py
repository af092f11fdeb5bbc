"""From events to an answer: the library is called here, and nowhere else in the service."""

from __future__ import annotations

import warnings
from collections.abc import Set
from typing import Any

import pandas as pd

import driftlock as dl
from driftlock.coders.codec import CODECS
from driftlock.errors import collected_warnings, warn
from driftlock.service import findings, logs
from driftlock.service.events import AS_TEXT, Events
from driftlock.service.problems import Problem
from driftlock.service.query import DetectQuery, KeepQuery
from driftlock.service.settings import Settings

FIRST_ROWS = 400
KEPT_OPTIONS = {"algo", "alpha", "control", "hop", "permutations", "seed"}


def screen(
    events: Events,
    query: DetectQuery,
    settings: Settings,
    detector: dl.Detector | None,
    given: Set[str] = frozenset(),
) -> dict[str, Any]:
    """Judge events, by a kept detector or by the first of them; the answer but for its frame."""
    _check(query, settings, detector)
    with collected_warnings() as said:
        if query.window == 1:
            found = _rows(events, query, settings, detector, given)
        else:
            found = _windows(events, query, settings)
    return {"total_events": len(events)} | found | {"warnings": _lines(said)}


def fit(events: Events, query: KeepQuery) -> tuple[dl.Detector, list[str]]:
    """A detector of normal events, and what was warned of."""
    with collected_warnings() as said:
        detector = dl.Detector(
            alpha=query.alpha,
            control=query.control,
            calibration=query.calibration,
            clean=query.clean,
            rng=query.seed,
            **_as_read(query.algo),
        )
        detector.fit(_table(events, query.algo))
    return detector, _lines(said)


def _check(query: DetectQuery, settings: Settings, detector: dl.Detector | None) -> None:
    if query.permutations > settings.max_permutations:
        raise Problem(
            400,
            "invalid_parameter",
            f"permutations={query.permutations}: at most {settings.max_permutations:,} are drawn",
            where={"parameter": "permutations"},
        )
    if detector is None:
        return
    if query.baseline is not None:
        raise Problem(
            400,
            "invalid_parameter",
            "baseline and baseline_name exclude each other: rows are judged by one baseline",
            where={"parameter": "baseline"},
        )
    if query.window > 1:
        raise Problem(
            400,
            "invalid_parameter",
            "a kept baseline judges rows (window=1); windows are held against rows that the body "
            "begins with (baseline=)",
            where={"parameter": "window"},
        )


def _rows(
    events: Events,
    query: DetectQuery,
    settings: Settings,
    detector: dl.Detector | None,
    given: Set[str],
) -> dict[str, Any]:
    """Each row by itself; a codec, which cannot tell single rows apart, gives way to fields."""
    is_codec = query.algo in CODECS
    algo = "fields" if is_codec else query.algo
    if detector is not None:
        algo = "text" if findings.is_of_text(detector.feature_names_in_.tolist()) else "fields"
        first, found = 0, detector.detect(_table(events, algo))
        if unused := sorted(given & KEPT_OPTIONS):
            warn(f"{', '.join(unused)}: those that the baseline was kept with hold")
    else:
        first = query.baseline or FIRST_ROWS
        found = dl.detect(
            _table(events, algo),
            baseline=first,
            alpha=query.alpha,
            control=query.control,
            rng=query.seed,
            **_as_read(algo),
        )
    if is_codec:
        warn(f"algo={query.algo} compares windows of rows; single rows are judged by fields")
    told = findings.of_rows(found, events, first, settings.max_listed)
    count = int(found.is_anomaly.sum())
    return {
        "anomaly_count": count,
        "compression_algo": algo,
        "fallback_from_algo": query.algo if algo != query.algo and is_codec else None,
        "plan": findings.plan_of(found.plan),
        "anomalies": told,
        "anomalies_left_out": count - len(told),
    }


def _windows(events: Events, query: DetectQuery, settings: Settings) -> dict[str, Any]:
    """Windows of rows by a scan."""
    first = query.baseline or FIRST_ROWS
    table = _table(events, query.algo)
    found = dl.scan(
        table,
        baseline=first,
        window=query.window,
        hop=query.hop,
        coder=query.algo,
        n_permutations=query.permutations,
        max_permutations=settings.max_permutations,
        alpha=query.alpha,
        control=query.control,
        rng=query.seed,
    )
    used = "zstd" if found.fallback_from else query.algo
    changes = _ratio_changes(found, table, first, used, settings.max_listed)
    told = findings.of_windows(found, changes, settings.max_listed)
    count = int(found.table["is_anomaly"].sum())
    return {
        "anomaly_count": count,
        "compression_algo": used,
        "fallback_from_algo": found.fallback_from,
        "plan": findings.plan_of(found.plan),
        "anomalies": told,
        "anomalies_left_out": count - len(told),
    }


def _ratio_changes(
    found: dl.Scan, table: pd.DataFrame, first: int, algo: str, most: int
) -> list[float | None]:
    """How the compression ratio of each flagged window differs from the baseline's, in percent."""
    flagged = found.anomalies.head(most)
    if algo not in CODECS or not len(flagged):
        return [None] * len(flagged)
    before = dl.compression_ratio(table[:first], coder=algo)
    spans = zip(flagged["start"], flagged["end"], strict=True)
    ratios = [dl.compression_ratio(table.loc[start:end], coder=algo) for start, end in spans]
    return [100 * (ratio - before) / before for ratio in ratios]


def _table(events: Events, algo: str) -> pd.DataFrame:
    return events.as_text() if algo == "text" else events.table


def _as_read(algo: str) -> dict[str, Any]:
    """Options of a detector that reads events as text."""
    return {"fields": {AS_TEXT: "text"}} if algo == "text" else {}


def _lines(messages: list[str]) -> list[str]:
    return [" ".join(message.split()) for message in messages]


def log_other_warnings() -> None:
    """Let warnings of other libraries go to the log, without their text: it may quote an event."""

    def show(_: Warning | str, category: type[Warning], file: str, line: int, *__: Any) -> None:
        logs.get().warning("warned", kind=category.__name__, at=f"{file}:{line}")

    warnings.showwarning = show  # type: ignore[assignment]

"""What the service answers: the shapes of the API document, and results of the library in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

import driftlock as dl
from driftlock.reasons import Reason, brief, notable, reasons_of
from driftlock.service.events import AS_TEXT, Events

FIELDS_TOLD = 10


class Answer(BaseModel):
    """Of every request that succeeded."""

    success: bool = True
    request_id: str = Field(description="The same as in the header X-Request-ID and in the log.")


class ErrorDetail(BaseModel):
    """What is wrong."""

    code: str = Field(description="For programs; stays the same between versions.")
    message: str = Field(description="For people: what is wrong and what would be accepted.")
    where: dict[str, Any] | None = Field(
        description="The line, event, parameter or header that it is about."
    )


class Failure(BaseModel):
    """Of every request that did not succeed."""

    success: bool = False
    error: ErrorDetail
    request_id: str


class Metrics(BaseModel):
    """Numbers behind a flag; null where they do not belong to what was judged."""

    score: float | None = Field(None, description="Fused evidence of a row, in bits.")
    bits: float | None = Field(
        None, description="Code length of a row; of a window the mean of its rows."
    )
    p_value: float
    p_kind: str | None = Field(None, description="rank, tail or pattern; of a row.")
    q_value: float = Field(description="The p-value adjusted by the control in force.")
    ncd: float | None = Field(
        None, description="Normalised compression distance of a window to the baseline."
    )
    compression_ratio_change: float | None = Field(
        None, description="Of a window by a codec, in percent of the baseline's ratio."
    )
    entropy_change: float | None = Field(
        None, description="Entropy of a window less that of the baseline, in bits a row."
    )
    top_bits: float | None = Field(
        None, description="Mean code length of the tenth of a window's rows with the most, in bits."
    )
    max_field: float | None = Field(
        None, description="Largest gain of a single field of a window, in standard deviations."
    )
    permutations: int | None = Field(None, description="Draws that the p-value rests on.")


class FieldReason(BaseModel):
    """What one field says."""

    field: str
    value: Any = Field(None, description="As it stands in the event; null for a window.")
    usual: str | None = Field(None, description="What is usual in the baseline.")
    bits: float | None = Field(None, description="Code length, in bits.")
    expected_bits: float | None = Field(None, description="Its mean over the baseline.")
    evidence: float = Field(
        description="Calibrated evidence in bits; of a window robust standard deviations."
    )


class Window(BaseModel):
    """Rows of a window, counted from 0 in the body, the last one included."""

    first: int
    last: int
    rows: int


class Anomaly(BaseModel):
    """One flagged row or window."""

    index: int = Field(description="Row in the body, from 0; of a window its first row.")
    event: dict[str, Any] | None = Field(description="As it was sent; null for a window.")
    window: Window | None = None
    detected: bool = True
    why: str = Field(description="In a sentence.")
    metrics: Metrics
    fields: list[FieldReason] = Field(description="The fields that say most, first.")


class Detected(Answer):
    """Answer of /v1/detect."""

    total_events: int = Field(description="Rows in the body, those of the baseline included.")
    anomaly_count: int = Field(description="Flagged rows or windows.")
    processing_time: float = Field(description="Seconds from the whole body to this answer.")
    compression_algo: str = Field(description="What measured.")
    fallback_from_algo: str | None = Field(description="What was asked for, where it could not.")
    plan: dict[str, Any] = Field(description="What the sizes of this request made possible.")
    warnings: list[str] = Field(description="What runs, but perhaps not as it was meant.")
    anomalies: list[Anomaly] = Field(description="The strangest first.")
    anomalies_left_out: int = Field(0, description="Flagged, but beyond the number told in full.")


class Baseline(BaseModel):
    """One kept baseline."""

    name: str
    rows: int = Field(description="That calibrate.")
    columns: list[str]
    algo: str
    bytes: int = Field(description="On disk.")
    created: str = Field(description="ISO 8601, UTC.")


class BaselineKept(Answer):
    """Answer to keeping one."""

    baseline: Baseline
    fields: list[dict[str, Any]] = Field(description="Every field: kind, coded or not, reason.")
    processing_time: float = Field(description="Seconds from the whole body to this answer.")
    warnings: list[str]


class BaselineList(Answer):
    """Answer to listing them."""

    baselines: list[Baseline]


class BaselineGone(Answer):
    """Answer to deleting one."""

    name: str


class Version(Answer):
    """Answer of /v1/version."""

    version: str
    algos: list[str] = Field(description="What `algo` may be.")
    codecs: list[str] = Field(description="Codecs that are installed.")


class State(BaseModel):
    """Answer of the probes."""

    status: str


def of_rows(found: dl.Detection, events: Events, first: int, most: int) -> list[dict[str, Any]]:
    """Flagged rows of a detection as anomalies, the strangest first; row 0 is event `first`."""
    places = found.strangest_places()
    places = places[found.is_anomaly[places]][:most]
    table = found.table.iloc[places]
    rows = zip(places.tolist(), table.to_dict("records"), reasons_of(found, places), strict=True)
    return [
        {
            "index": first + place,
            "event": events.rows[first + place],
            "window": None,
            "detected": True,
            "why": _why(reasons, row["p_kind"]),
            "metrics": dict.fromkeys(Metrics.model_fields)
            | {
                "score": row["score"],
                "bits": row["bits"],
                "p_value": row["p_value"],
                "p_kind": row["p_kind"],
                "q_value": row["q_value"],
            },
            "fields": [
                {
                    "field": reason.field,
                    "value": plain(reason.value),
                    "usual": reason.usual,
                    "bits": reason.bits,
                    "expected_bits": reason.expected_bits,
                    "evidence": reason.evidence,
                }
                for reason in reasons[:FIELDS_TOLD]
            ],
        }
        for place, row, reasons in rows
    ]


def _why(reasons: Sequence[Reason], p_kind: str) -> str:
    said = "; ".join(map(str, notable(reasons)))
    if p_kind == "pattern":
        return f"one of a kind of rows that is many here and rare in the baseline; {said}"
    return said


def of_windows(
    found: dl.Scan, ratio_changes: Sequence[float | None], most: int
) -> list[dict[str, Any]]:
    """Flagged windows of a scan as anomalies, the smallest p-value first."""
    anomalies = []
    flagged = found.anomalies.head(most)
    for label, change in zip(flagged.index, ratio_changes, strict=True):
        row = flagged.loc[label]
        first, last, rows = (int(row[name]) for name in ("start", "end", "rows"))
        heat = found.fields.loc[label].sort_values(ascending=False, kind="stable")
        anomalies.append(
            {
                "index": first,
                "event": None,
                "window": {"first": first, "last": last, "rows": rows},
                "detected": True,
                "why": (
                    f"rows {first} to {last} differ from the baseline as a whole, "
                    f"most of all in {brief(row['top_field'])}"
                ),
                "metrics": _metrics_of(row, change),
                "fields": [
                    {
                        "field": str(name),
                        "value": None,
                        "usual": None,
                        "bits": None,
                        "expected_bits": None,
                        "evidence": plain(sigmas),
                    }
                    for name, sigmas in heat.head(FIELDS_TOLD).items()
                ],
            }
        )
    return anomalies


def _metrics_of(row: pd.Series[Any], ratio_change: float | None) -> dict[str, Any]:
    ncd = next((row[name] for name in row.index if str(name).startswith("ncd")), None)
    return dict.fromkeys(Metrics.model_fields) | {
        "bits": plain(row.get("mean_bits")),
        "p_value": plain(row["p_value"]),
        "q_value": plain(row["q_value"]),
        "ncd": plain(ncd),
        "compression_ratio_change": plain(ratio_change),
        "entropy_change": plain(row.get("entropy")),
        "top_bits": plain(row.get("top_bits")),
        "max_field": plain(row.get("max_field")),
        "permutations": int(row["draws"]),
    }


def plain(value: Any) -> Any:
    """A value as JSON has it: missing and infinite numbers are null."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    return value if isinstance(value, (str, int, float)) else str(value)


def plan_of(plan: dl.Plan | dl.ScanPlan) -> dict[str, Any]:
    """A plan's numbers, and the plan in words."""
    if isinstance(plan, dl.Plan):
        return {
            "n_baseline": plan.n_baseline,
            "n_tested": plan.n_rows,
            "alpha": plan.alpha,
            "control": plan.control,
            "smallest_p": plan.smallest_rank_p,
            "anomalies_needed": plan.anomalies_needed,
            "baseline_for_one": plan.baseline_for_one,
            "text": repr(plan),
        }
    return {
        "n_windows": plan.n_windows,
        "alpha": plan.alpha,
        "control": plan.control,
        "smallest_p": plan.smallest_p,
        "windows_needed": plan.windows_needed,
        "one_suffices": plan.one_suffices,
        "null": plan.null.name,
        "text": repr(plan),
    }


def is_of_text(columns: Sequence[str]) -> bool:
    """Whether a detector was fitted on events as text."""
    return list(columns) == [AS_TEXT]

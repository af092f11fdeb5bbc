"""Results of the library in the shapes of answers: flagged rows, flagged windows, plans."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

import driftlock as dl
from driftlock.reasons import Reason, brief, notable, reasons_of
from driftlock.service.answers import Metrics
from driftlock.service.events import AS_TEXT, Events

FIELDS_TOLD = 10


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

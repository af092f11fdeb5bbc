"""What the service answers: the shapes of the API document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


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
        description="Calibrated evidence in bits; of a window standard deviations."
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

"""Parameters of the requests, each with its limits; an unknown one is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
Algo = Literal["fields", "text", "zstd", "lz4", "gzip", "openzl"]
Control = Literal["fdr", "fpr", "fwer", "by", "storey"]
Calibration = Literal["auto", "loo", "split", "cross"]
Form = Literal["auto", "ndjson", "json", "lines"]

Level = Annotated[float, Field(ge=1e-9, lt=1)]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Form = Field(
        "auto",
        description="Form of the body: JSON objects a line each, one JSON array of objects, or "
        "lines of a log. auto tells the first two apart by the first character.",
    )


class DetectQuery(_Query):
    """Parameters of /v1/detect."""

    baseline: int | None = Field(
        None, ge=1, description="So many events at the start of the body are normal; 400."
    )
    baseline_name: Name | None = Field(
        None, description="Or a baseline that was kept before; all events are tested then."
    )
    window: int = Field(1, ge=1, description="1 judges rows; more, windows of so many rows.")
    hop: int | None = Field(
        None, ge=1, description="Rows from window to window; a window, if not given."
    )
    algo: Algo = Field(
        "fields",
        description="What measures: typed fields, each event as text, or, for windows, a codec.",
    )
    alpha: Level = Field(0.05, description="Level of the control.")
    control: Control = Field("fdr", description="What is controlled at that level.")
    permutations: int = Field(999, ge=19, description="Draws of each window.")
    seed: int = Field(0, ge=0, le=2**53, description="Of the draws, and of splits of a baseline.")


class KeepQuery(_Query):
    """Parameters of keeping a baseline."""

    name: Name = Field(description="Letters, digits, - and _; 64 at most.")
    replace: bool = Field(False, description="Whether one of that name may be replaced.")
    algo: Literal["fields", "text"] = Field("fields", description="What measures.")
    alpha: Level = Field(0.05, description="Level of the control.")
    control: Control = Field("fdr", description="What is controlled at that level.")
    calibration: Calibration = Field("auto", description="How its own scores are made.")
    clean: bool = Field(False, description="Whether anomalies in it are left out first.")
    seed: int = Field(0, ge=0, le=2**53, description="Of splits of the baseline.")


class ListQuery(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

"""The API under /v1: detect, baselines, version."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Annotated, Any

from asgi_correlation_id import correlation_id
from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

import driftlock as dl
from driftlock.coders.codec import CODECS
from driftlock.coders.codec import is_installed as is_codec_installed
from driftlock.service import answers, metrics
from driftlock.service.body import read_body, unpacked
from driftlock.service.events import Events, Form, read_events
from driftlock.service.guard import Checked
from driftlock.service.pieces import InPieces
from driftlock.service.problems import not_ready
from driftlock.service.query import DetectQuery, KeepQuery, ListQuery, Name
from driftlock.service.screening import fit, screen

ALGOS = ("fields", "text", *CODECS)
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": answers.Failure, "description": description}
    for status, description in {
        400: "The events or a parameter are not possible.",
        401: "An API key is needed.",
        408: "The body did not arrive in time.",
        413: "The body, an event or their number is too large.",
        415: "The Content-Encoding is not known.",
        429: "Too many requests of this client; Retry-After says when to come back.",
        500: "Something unexpected.",
        503: "Too many requests at once, or not ready; Retry-After says when to come back.",
        504: "The work took too long and was given up.",
    }.items()
}
GUARDED: dict[int | str, dict[str, Any]] = {
    status: REFUSALS[status] for status in (400, 401, 429, 500, 503)
}
EVENTS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "Events: a JSON object a line, or a JSON array of objects; also with "
        "Content-Encoding gzip or zstd. With format=lines, lines of a log.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "application/json": {
                "schema": {"type": "array", "items": {"type": "object"}},
            },
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}

router = APIRouter(prefix="/v1", dependencies=[Checked])


@router.post(
    "/detect",
    response_model=answers.Detected,
    responses=REFUSALS | {404: {"model": answers.Failure, "description": "No such baseline."}},
    openapi_extra=EVENTS_BODY,
    summary="Judge events",
)
async def detect(request: Request, query: Annotated[DetectQuery, Query()]) -> Response:
    """Tell which events, or windows of events, are strange, and why.

    The first `baseline` events are taken as normal and are not judged themselves; or all events are
    judged by a baseline that was kept before. The numbers are those of the Python library, bit for
    bit: `driftlock.detect` for window=1, `driftlock.scan` for larger windows.
    """
    app = request.app.state

    def work(events: Events) -> dict[str, Any]:
        name = query.baseline_name
        detector = None if name is None else app.baselines.get(name)
        return screen(events, query, app.settings, detector, request.query_params.keys())

    found, answered = await _worked_on(request, query.format, work)
    metrics.ROWS.inc(found["total_events"])
    metrics.ANOMALIES.inc(found["anomaly_count"])
    request.state.rows = found["total_events"]
    request.state.anomalies = found["anomaly_count"]
    return answered


@router.post(
    "/baselines",
    status_code=201,
    response_model=answers.BaselineKept,
    responses=REFUSALS
    | {
        409: {"model": answers.Failure, "description": "The name is taken, or there are too many."},
        507: {"model": answers.Failure, "description": "The disk does not take it."},
    },
    openapi_extra=EVENTS_BODY,
    summary="Keep a baseline",
)
async def keep_baseline(request: Request, query: Annotated[KeepQuery, Query()]) -> Response:
    """Learn from normal events, and keep what was learned under a name, on disk.

    Later requests pass `baseline_name`; the options given here hold for them.
    """
    baselines = request.app.state.baselines
    await run_in_threadpool(baselines.check_free, query.name, replace=query.replace)

    def work(events: Events) -> dict[str, Any]:
        detector, said = fit(events, query)
        kept = baselines.keep(query.name, detector, replace=query.replace)
        fields = detector.schema_.reset_index().to_dict("records")
        return {"baseline": kept.model_dump(), "fields": fields, "warnings": said}

    found, answered = await _worked_on(request, query.format, work, 201)
    request.state.rows = found["baseline"]["rows"]
    return answered


@router.get(
    "/baselines",
    response_model=answers.BaselineList,
    responses=GUARDED,
    summary="List the kept baselines",
)
async def list_baselines(request: Request, _: Annotated[ListQuery, Query()]) -> Response:
    """Every kept baseline, by name."""
    found = await run_in_threadpool(request.app.state.baselines.listed)
    return answer({"baselines": [baseline.model_dump() for baseline in found]})


@router.delete(
    "/baselines/{name}",
    response_model=answers.BaselineGone,
    responses=GUARDED
    | {
        404: {"model": answers.Failure, "description": "No such baseline."},
        507: {"model": answers.Failure, "description": "The disk does not let it go."},
    },
    summary="Delete a kept baseline",
)
async def delete_baseline(
    request: Request, name: Annotated[Name, Path()], _: Annotated[ListQuery, Query()]
) -> Response:
    """Forget a baseline; requests that judge by it at this moment still do."""
    await run_in_threadpool(request.app.state.baselines.delete, name)
    return answer({"name": name})


@router.get(
    "/version", response_model=answers.Version, responses=GUARDED, summary="What this service is"
)
async def version(_: Annotated[ListQuery, Query()]) -> Response:
    """The library's version, and what it can measure with."""
    codecs = [name for name in CODECS if is_codec_installed(name)]
    return answer({"version": dl.__version__, "algos": list(ALGOS), "codecs": codecs})


async def _worked_on(
    request: Request, form: Form, work: Callable[[Events], dict[str, Any]], status: int = 200
) -> tuple[dict[str, Any], Response]:
    """Read a body, wait for a place, and do the work; its result, also as an answer."""
    app = request.app.state
    if not app.readiness.is_ready:
        raise not_ready()
    async with app.admission.entered():
        data = await read_body(request, app.settings)
        began = time.perf_counter()

        def whole() -> tuple[dict[str, Any], Response]:
            plain = unpacked(data, request, app.settings)
            found = work(read_events(plain, form, app.settings))
            found["processing_time"] = time.perf_counter() - began
            return found, answer(found, status)

        result: tuple[dict[str, Any], Response] = await app.admission.run(request, whole)
        return result


def answer(content: dict[str, Any], status: int = 200) -> Response:
    """JSON as it stands: every number to its last digit, and no NaN."""
    whole = {"success": True, "request_id": correlation_id.get() or ""} | content
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return InPieces(text.encode(), status, media_type="application/json")

"""What those who run the service ask it: is it alive, is it ready, how is it doing."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from driftlock.service import answers, metrics

router = APIRouter(tags=["operation"])


@router.get("/healthz", response_model=answers.State, summary="Is the process alive")
async def healthz() -> Response:
    """Say so as long as the process answers at all."""
    return JSONResponse({"status": "alive"})


@router.get(
    "/readyz",
    response_model=answers.State,
    responses={503: {"model": answers.State, "description": "Not yet, or not any more."}},
    summary="May requests come",
)
async def readyz(request: Request) -> Response:
    """Say yes once every kernel is compiled, until the service is told to stop."""
    readiness = request.app.state.readiness
    status = 200 if readiness.is_ready else 503
    headers = {} if readiness.is_ready else {"Retry-After": "1"}
    return JSONResponse({"status": readiness.words}, status, headers)


@router.get("/metrics", summary="Numbers for Prometheus", response_class=Response)
async def numbers() -> Response:
    """Requests, durations, queue, rows, flags and process, in the text format of Prometheus."""
    content, media_type = await run_in_threadpool(metrics.exposition)
    return Response(content, headers={"Content-Type": media_type})

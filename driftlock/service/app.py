"""The application: what is mounted, and in which order a request passes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from asgi_correlation_id import CorrelationIdMiddleware, correlation_id
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

import driftlock as dl
from driftlock.errors import CancelledError, DriftlockError
from driftlock.service import logs, probes, routes
from driftlock.service.admission import Admission
from driftlock.service.baselines import Baselines
from driftlock.service.body import Vanished
from driftlock.service.guard import Guard
from driftlock.service.middleware import CLIENT_GONE, REQUEST_ID, REQUEST_IDS, Observed, Protected
from driftlock.service.problems import Problem, internal, of_library
from driftlock.service.protocol import Http
from driftlock.service.screening import log_other_warnings
from driftlock.service.settings import Settings
from driftlock.warm import ensure

PAGE = Path(__file__).parent / "page"
DESCRIPTION = """Finds strange events by compression and proves them by permutation: code lengths in
bits, p-values that are valid and never 0, controlled false discoveries, and the fields behind them.
"""


class Readiness:
    """Whether requests may come: once everything is compiled, until the service stops."""

    def __init__(self) -> None:
        self._words = "compiling kernels"
        self._is_stopping = False

    @property
    def words(self) -> str:
        """How it is, for people."""
        return "stopping" if self._is_stopping else self._words

    @property
    def is_ready(self) -> bool:
        """Whether they may."""
        return self.words == "ready"

    def become(self, words: str) -> None:
        """Say what kernels have come to, which is no matter to one that stops."""
        self._words = words

    def stop(self) -> None:
        """Let none come any more."""
        self._is_stopping = True


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application.

    Parameters
    ----------
    settings : Settings, optional
        Those of the environment by default.

    Returns
    -------
    FastAPI
        Ready as soon as its kernels are compiled, which its start begins.
    """
    settings = settings or Settings.from_environment()
    logs.configure(settings)
    log_other_warnings()
    Http.patience = settings.upload_seconds
    app = FastAPI(
        title="driftlock",
        description=DESCRIPTION,
        version=dl.__version__,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,  # it would send people where the header Host says
    )
    app.state.settings = settings
    app.state.guard = Guard(settings)
    app.state.baselines = Baselines(settings)
    app.state.admission = Admission(settings)
    app.state.readiness = Readiness()
    app.include_router(routes.router)
    app.include_router(probes.router)
    _add_pages(app)
    for refused in (Problem, DriftlockError, RequestValidationError, HTTPException):
        app.add_exception_handler(refused, _refuse)
    app.add_exception_handler(Vanished, _let_go)
    _add_layers(app, settings)
    return app


def _add_layers(app: FastAPI, settings: Settings) -> None:
    """What every request passes; the last one added is the first one passed."""
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Encoding", "X-API-Key", REQUEST_ID],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )
    app.add_middleware(Observed)
    app.add_middleware(Protected)
    app.add_middleware(CorrelationIdMiddleware, **REQUEST_IDS)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Compile kernels meanwhile; at the end let what runs come to its end.

    Yields
    ------
    None
        Once, while the service runs.
    """
    readiness: Readiness = app.state.readiness

    def prepare() -> None:
        try:
            seconds = ensure("service")
            if not app.state.baselines.is_writable():
                logs.get().warning("baselines cannot be kept: their folder is not writable")
            readiness.become("ready")
            if not readiness.is_ready:
                return
            logs.get().info("ready", seconds=round(seconds, 3), version=dl.__version__)
            dl.warmup()  # of what is asked for least
            # Numba catches warnings while it compiles; of what overlapped with it, one may have put
            # its catching back, for ever.
            log_other_warnings()
        except Exception as error:  # noqa: BLE001  (a thread's error would go unseen)
            readiness.become("kernels cannot be compiled")
            logs.get().error("not ready", error=type(error).__name__, at=logs.places_of(error))

    asyncio.get_running_loop().set_exception_handler(logs.of_loop)
    threading.Thread(target=prepare, name="warmup", daemon=True).start()
    yield
    readiness.stop()
    await asyncio.shield(app.state.admission.close())
    logs.get().info("stopped")


class _Files(StaticFiles):
    """Files of a folder; a path that no system knows is none of them."""

    def lookup_path(self, path: str) -> tuple[str, Any]:
        return ("", None) if "\x00" in path else super().lookup_path(path)


def _add_pages(app: FastAPI) -> None:
    """The page for people, and the API document laid out, both without a network."""

    def page(name: str) -> Any:
        async def send() -> FileResponse:
            return FileResponse(PAGE / name)

        return send

    app.get("/", include_in_schema=False)(page("index.html"))
    app.get("/docs", include_in_schema=False)(page("docs.html"))
    app.mount("/page", _Files(directory=PAGE), name="page")
    swagger = find_spec("fastapi_offline")
    assert swagger is not None
    assert swagger.origin is not None
    app.mount("/docs/assets", _Files(directory=Path(swagger.origin).parent / "static"), name="docs")


async def _refuse(request: Request, error: Exception) -> Response:
    """Answer a refusal, in the one shape that all have."""
    problem = _problem(error)
    request.state.category = problem.code
    body = problem.body(correlation_id.get() or "")
    return JSONResponse(body, problem.status, problem.headers)


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, CancelledError):  # the answer went out before, or nobody waits for it
        return internal()
    if isinstance(error, DriftlockError):
        return of_library(error)
    if isinstance(error, RequestValidationError):
        return _of_parameter(error)
    assert isinstance(error, HTTPException)
    code, message = {
        404: ("not_found", "there is no such path; /openapi.json has those there are"),
        405: ("method_not_allowed", "this path has no such method"),
    }.get(error.status_code, ("refused", "the request was refused"))
    return Problem(error.status_code, code, message, headers=error.headers)


def _of_parameter(error: RequestValidationError) -> Problem:
    """The first parameter that is not possible."""
    first = error.errors()[0]
    name = str(first["loc"][-1])[:80]
    if first["type"] == "extra_forbidden":
        message = f"{name!r} is no parameter of this request; /openapi.json has those there are"
        return Problem(400, "unknown_parameter", message, where={"parameter": name})
    given = "" if first["type"] == "missing" else f"={str(first['input'])[:80]!r}"
    return Problem(
        400, "invalid_parameter", f"{name}{given}: {first['msg']}", where={"parameter": name}
    )


async def _let_go(request: Request, _: Exception) -> Response:
    """Nobody waits for an answer any more; there is only a line in the log."""
    request.state.category = "client_vanished"
    return Response(status_code=CLIENT_GONE)

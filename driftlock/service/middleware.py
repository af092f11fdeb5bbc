"""What every request passes on its way in and out: a log line, numbers, headers that protect."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from typing import Any

from asgi_correlation_id import correlation_id
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from driftlock.service import logs, metrics
from driftlock.service.problems import Problem, internal, stopping

REQUEST_ID = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
UNMATCHED = "(none)"
CLIENT_GONE = 499  # logged, never sent
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
QUIET = ("/healthz", "/readyz", "/metrics")  # asked for every few seconds

PROTECTING = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}
FOR_SWAGGER = {  # which writes styles into its elements
    "Content-Security-Policy": PROTECTING["Content-Security-Policy"].replace(
        "style-src 'self'", "style-src 'self' 'unsafe-inline'"
    )
}
HSTS = "max-age=31536000; includeSubDomains"


REQUEST_IDS: dict[str, Any] = {  # options of the middleware that gives every request its id
    "header_name": REQUEST_ID,
    "generator": lambda: uuid.uuid4().hex,
    "validator": lambda text: WELL_FORMED.fullmatch(text) is not None,
}


class Protected:
    """Headers that tell browsers to keep to the rules."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to whatever is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        chosen = PROTECTING | FOR_SWAGGER if scope["path"] == "/docs" else PROTECTING

        async def protecting(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in chosen.items():
                    headers[name] = value
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        await self.app(scope, receive, protecting)


class Observed:
    """A log line and numbers for each request; what nobody caught becomes an answer here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and write down how it went."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        whole = False
        scope["state"] = state = scope.get("state", {})

        async def observing(message: Message) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            whole = message["type"] == "http.response.body" and not message.get("more_body")

        async def refuse(problem: Problem) -> None:
            state["category"] = problem.code
            if not status:
                body = problem.body(correlation_id.get() or "")
                await JSONResponse(body, problem.status, problem.headers)(scope, receive, observing)

        metrics.IN_FLIGHT.inc()
        try:
            await self.app(scope, receive, observing)
        except asyncio.CancelledError:  # of the server, when it stops: the task ends here
            await refuse(stopping())
        except Exception as error:  # noqa: BLE001  (whatever it is, it is answered and logged)
            logs.get().error("request failed", error=type(error).__name__, at=logs.places_of(error))
            await refuse(internal())
        finally:
            metrics.IN_FLIGHT.dec()
            _write_down(scope, status if whole else CLIENT_GONE, time.perf_counter() - began)


def _write_down(scope: Scope, status: int, seconds: float) -> None:
    """One line in the log, and the numbers; 499 for a client that did not get all of its answer."""
    state = scope["state"]
    if status == CLIENT_GONE:
        metrics.VANISHED.inc()
        state.setdefault("category", "client_vanished")
    route = getattr(scope.get("route"), "path", UNMATCHED)
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    labels = (method, route, str(status))
    metrics.REQUESTS.labels(*labels).inc()
    metrics.DURATION.labels(*labels).observe(seconds)
    log = logs.get()
    write = log.debug if route in QUIET else log.info
    write(
        "request",
        method=method,
        route=route,
        status=status,
        seconds=round(seconds, 6),
        **{name: state[name] for name in ("rows", "anomalies", "category") if name in state},
    )

"""Logs: a JSON object a line, never with what events hold."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any

import structlog
from asgi_correlation_id import correlation_id
from structlog.typing import EventDict

from driftlock.service.settings import Settings

SERVER = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "asgi_correlation_id")


def configure(settings: Settings) -> None:
    """Send all that is logged in this process to standard output, in the form that was chosen."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_request,
    ]
    renderer: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "console":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_message_of_errors,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in SERVER:
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").disabled = True  # the service has a line of its own
    logging.getLogger("asgi_correlation_id").setLevel(logging.ERROR)  # it repeats what was sent


def get() -> Any:
    """The service's own logger."""
    return structlog.get_logger("driftlock.service")


def of_loop(_: object, context: dict[str, Any]) -> None:
    """Log what went wrong outside of any request, without what it says."""
    error = context.get("exception")
    at = places_of(error) if error else []
    get().error("failed outside of a request", error=type(error).__name__, at=at)


def places_of(error: BaseException) -> list[str]:
    """Where an error came from, by file and line; its message may quote an event."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]


def _with_request(_: Any, __: str, event: EventDict) -> EventDict:
    identity = correlation_id.get()
    if identity and "request_id" not in event:
        event["request_id"] = identity
    return event


def _without_message_of_errors(_: Any, __: str, event: EventDict) -> EventDict:
    """Say of an error what it is and where it was, not what it says."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = places_of(error)
    return event

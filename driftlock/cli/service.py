"""``driftlock serve``: the HTTP service, where its extra is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from driftlock.cli.options import Debug
from driftlock.cli.show import settings_table
from driftlock.errors import OptionError

SERVE_HELP = """Serve the API, a page to try it and its documentation, until SIGTERM or Ctrl-C.

Every setting is an environment variable, DRIFTLOCK_HTTP_...; --show-config lists them with what \
is in force. Needs driftlock-toolkit[service].

Examples:

\b
  driftlock serve
  DRIFTLOCK_HTTP_RATE_LIMIT=60/minute driftlock serve --port 9000
  curl --data-binary @events.jsonl 'http://127.0.0.1:8080/v1/detect?baseline=400'
"""
NEEDED = ("fastapi", "uvicorn", "pydantic_settings", "prometheus_client", "structlog")


def serve_command(
    *,
    host: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 8080.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; 1.")] = None,
    show_config: Annotated[
        bool, typer.Option("--show-config", help="List every setting in force, and do no more.")
    ] = False,
    _debug: Debug = False,
) -> int:
    """Check the settings, then listen or list them."""
    check_extra()
    from driftlock.service.settings import Settings

    settings = Settings.from_environment(host=host, port=port, workers=workers)
    if show_config:
        typer.echo(settings_table(settings.shown()))
        return 0
    from driftlock.service.run import serve

    serve(settings)
    return 0


def check_extra() -> None:
    """Raise an `OptionError` where the packages of the service are not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise OptionError(
            f"the service needs {', '.join(missing)}: pip install 'driftlock-toolkit[service]'"
        )

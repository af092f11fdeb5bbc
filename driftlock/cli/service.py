"""``driftlock serve``, ``demo`` and ``check-service``, where the extra is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from driftlock.cli.options import Debug
from driftlock.cli.show import checks_table, flags_table, progress, settings_table
from driftlock.errors import OptionError
from driftlock.warm import begin

SERVE_HELP = """Serve the API, a page to try it and its documentation, until SIGTERM or Ctrl-C.

Every setting is an environment variable, DRIFTLOCK_HTTP_...; --show-config lists them with what \
is in force. Needs driftlock-toolkit[service].

Examples:

\b
  driftlock serve
  DRIFTLOCK_HTTP_RATE_LIMIT=60/minute driftlock serve --port 9000
  curl --data-binary @events.jsonl 'http://127.0.0.1:8080/v1/detect?baseline=400'
"""
DEMO_HELP = """Start the service on a free port, send it 1,000 events, show what it flags, stop it.

The events are simulated transactions, 50 of them anomalies. Needs driftlock-toolkit[service].

Exit code: 0 the flags are what the library finds, 1 they are not, 2 the service cannot be \
started, 3 anything unexpected.
"""
CHECK_HELP = """Check a running service: health, headers, detection, errors, metrics, request ids.

About 25 small requests, one of them with 500 events; nothing is left behind. Needs \
driftlock-toolkit[service].

Exit code: 0 every check passed, 1 some failed, 2 no address or nobody answers there, 3 anything \
unexpected.

Examples:

\b
  driftlock check-service http://127.0.0.1:8080
  DRIFTLOCK_API_KEY=... driftlock check-service https://screening.example.org
"""
NEEDED = (
    "asgi_correlation_id",
    "fastapi",
    "fastapi_offline",
    "httpx",
    "limits",
    "prometheus_client",
    "pydantic_settings",
    "structlog",
    "uvicorn",
)


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
    if settings.workers == 1:  # others warm up in processes of their own
        begin("service")
    from driftlock.service.run import serve

    serve(settings)
    return 0


def demo_command(*, _debug: Debug = False) -> int:
    """Show the flags, and what is wrong with them."""
    check_extra()
    from driftlock.service.demo import run_demo

    with progress("starting the service, and sending it 1,000 events"):
        answer, wrong = run_demo()
    if answer.get("success"):
        known = set(answer["known"])
        typer.echo(flags_table(answer["anomalies"], known) + "\n")
        found = sum(anomaly["index"] in known for anomaly in answer["anomalies"])
        typer.echo(
            f"{answer['anomaly_count']} of {answer['total_events']:,} events flagged in "
            f"{answer['processing_time']:.3f} s, {found} of the {len(known)} anomalies among them"
        )
    for text in wrong:
        typer.echo(f"driftlock: {text}", err=True)
    return 1 if wrong else 0


def check_command(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the service is.")],
    *,
    key: Annotated[
        str | None,
        typer.Option(envvar="DRIFTLOCK_API_KEY", help="API key; better by the variable."),
    ] = None,
    _debug: Debug = False,
) -> int:
    """Show every check."""
    check_extra()
    from driftlock.service.check import check_service

    with progress(f"checking {url}"):
        outcomes = check_service(url, key)
    failed = sum(not outcome.passed for outcome in outcomes)
    typer.echo(checks_table([(o.name, o.passed, o.said) for o in outcomes]) + "\n")
    typer.echo(f"{len(outcomes) - failed} of {len(outcomes)} checks passed")
    return 1 if failed else 0


def check_extra() -> None:
    """Raise an `OptionError` where the packages of the service are not installed."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise OptionError(
            f"the service needs {', '.join(missing)}: pip install 'driftlock-toolkit[service]'"
        )

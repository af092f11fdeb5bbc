"""``driftlock serve``: the application behind uvicorn, in one process or several."""

from __future__ import annotations

import os
import tempfile

import uvicorn

from driftlock.service.settings import Settings

FACTORY = "driftlock.service.app:create_app"
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT; then finish what runs, and return.

    Parameters
    ----------
    settings : Settings
        In force for all processes.
    """
    os.environ.update(settings.as_environment())  # from which every process takes them
    with tempfile.TemporaryDirectory(prefix="driftlock-metrics-") as folder:
        if settings.workers > 1:
            os.environ.setdefault(METRICS_FOLDER, folder)
        uvicorn.run(
            FACTORY,
            factory=True,
            host=settings.host,
            port=settings.port,
            workers=settings.workers,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=list(settings.trusted_proxies),
            timeout_graceful_shutdown=settings.shutdown_seconds,
        )

"""``driftlock serve``: the application behind uvicorn, in one process or several."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
from contextlib import ExitStack, closing
from inspect import signature
from typing import Any

import uvicorn
from uvicorn.supervisors import Multiprocess

from driftlock.errors import OptionError, warnings_told_to
from driftlock.service import logs
from driftlock.service.settings import Settings

FACTORY = "driftlock.service.app:create_app"
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
BACKLOG = 2048


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or SIGINT; then finish what runs, and return.

    Parameters
    ----------
    settings : Settings
        In force for all processes.

    Raises
    ------
    OptionError
        If nobody can listen on that address.
    """
    os.environ.update(settings.as_environment())  # from which every process takes them
    logs.configure(settings)
    # uvicorn raises the signal that ended it once more: an exit like others, so that all is tidied
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        # requests collect their own; of others only that there was one, as they may quote an event
        stack.enter_context(warnings_told_to(lambda _: logs.get().warning("warned")))
        listener = stack.enter_context(closing(_listening(settings)))
        config = _config(settings)
        if settings.workers > 1:
            folder = tempfile.TemporaryDirectory(prefix="driftlock-metrics-")
            os.environ.setdefault(METRICS_FOLDER, stack.enter_context(folder))
            supervised: dict[str, Any] = {"sockets": [listener]}
            if "target" in signature(Multiprocess).parameters:  # of older versions
                supervised["target"] = uvicorn.Server(config).run
            Multiprocess(config, **supervised).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


def _config(settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        FACTORY,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http="driftlock.service.protocol:Http",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=settings.shutdown_seconds,
        backlog=BACKLOG,
    )


def _listening(settings: Settings) -> socket.socket:
    """A socket on the address that was asked for, or a refusal in a line."""
    host, port = settings.host, settings.port
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        why = (
            error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        )
        raise OptionError(f"cannot listen on {host}:{port}: {why}") from None
    listener.set_inheritable(True)
    # asyncio does so for sockets of its own; else each answer's last part waits for 40 ms
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # answers that nobody takes are given up
        seconds = max(settings.upload_seconds, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * seconds))
    logs.get().info("listening", host=host, port=listener.getsockname()[1])
    return listener

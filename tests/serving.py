"""A real server for tests: a process of its own on a free port, stopped at the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-c", "from driftlock.cli import main; raise SystemExit(main())"]
PATIENCE = 300  # seconds; kernels may have to be compiled first
TESTDATA = Path(__file__).parents[1] / "testdata"


@dataclass
class Served:
    """A running server."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log_file: Path
    data_dir: Path

    def client(self, **options: Any) -> httpx.Client:
        """A client of it; other proxies of the environment take no part."""
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, **options)

    def logged(self) -> list[dict[str, Any]]:
        """What it has logged so far: every line is a JSON object, but those of warm-up."""
        lines = self.log_file.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if not line.startswith("driftlock: compiling")]

    def stop(self, patience: float = 60) -> int:
        """End it as a supervisor does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, *, wait: bool = True, **settings: object) -> Iterator[Served]:
    """A server with settings by name, ready unless `wait` is off; `folder` takes its files.

    Rates are not limited unless the settings say so.
    """
    port = free_port()
    chosen = {"port": port, "data_dir": folder / "baselines", "rate_limit": "off"} | settings
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DRIFTLOCK_HTTP_")}
    environment |= {f"DRIFTLOCK_HTTP_{name.upper()}": str(v) for name, v in chosen.items()}
    log_file = folder / f"server-{port}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve"], stdout=log, stderr=subprocess.STDOUT, env=environment
        )
    server = Served(
        f"http://127.0.0.1:{port}", port, process, log_file, Path(str(chosen["data_dir"]))
    )
    try:
        if wait:
            _wait_until_ready(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(server: Served) -> None:
    deadline = time.monotonic() + PATIENCE
    with server.client() as client:
        while time.monotonic() < deadline:
            assert server.process.poll() is None, server.log_file.read_text(encoding="utf-8")
            try:
                if client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    raise AssertionError("not ready in time:\n" + server.log_file.read_text(encoding="utf-8"))

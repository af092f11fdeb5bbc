"""A service in a process of its own on this machine: started, waited for, and stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from driftlock.errors import OptionError
from driftlock.service.settings import PREFIX

CODE = "from driftlock.cli import main; raise SystemExit(main())"
START_SECONDS = 300  # kernels may have to be compiled first
STOP_SECONDS = 60
POLL_SECONDS = 0.1  # each question takes time from those who compile


@dataclass
class Child:
    """A process, where it listens, and the file that takes what it prints."""

    url: str
    port: int
    process: subprocess.Popen[bytes]
    log_file: Path

    def wait_until_ready(self) -> None:
        """Return once it judges; raise `OptionError` if it ends before or takes too long."""
        wait_until_ready(self.url, self.process)

    def stop(self, patience: float = STOP_SECONDS) -> int:
        """End it as a supervisor does, and return its exit code.

        Raises
        ------
        subprocess.TimeoutExpired
            If it does not end within `patience` seconds.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)


@contextmanager
def started(folder: Path, settings: dict[str, object] | None = None) -> Iterator[Child]:
    """A service on a free port, not ready yet, and stopped at the end whatever happens.

    Parameters
    ----------
    folder : Path
        Takes its log, and its baselines unless a setting says otherwise.
    settings : dict, optional
        Settings by name in lower case; those of the environment take no part.
    """
    with reserved_port() as port, _running(folder, port, settings or {}) as child:
        yield child


@contextmanager
def _running(folder: Path, port: int, settings: dict[str, object]) -> Iterator[Child]:
    chosen = {"host": "127.0.0.1", "port": port, "data_dir": folder / "baselines"} | settings
    environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
    environment |= {PREFIX + name.upper(): str(value) for name, value in chosen.items()}
    log_file = folder / f"server-{port}.log"
    with log_file.open("wb") as log:
        process = _run([sys.executable, "-c", CODE, "serve"], environment, log.fileno())
    child = Child(f"http://127.0.0.1:{port}", port, process, log_file)
    try:
        yield child
    finally:
        try:
            child.stop()
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _run(
    command: Sequence[str], environment: dict[str, str], output: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  (this Python, with words of our own)
        command, env=environment, stdout=output, stderr=subprocess.STDOUT
    )


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of this machine that nobody listens on, and that nobody else is given meanwhile.

    On Linux a socket that is bound and does not listen keeps it from all but those who ask for
    this very port and say SO_REUSEADDR, as servers do. Elsewhere it is only free at this moment.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        port = int(keeper.getsockname()[1])
        if sys.platform != "linux":
            keeper.close()
        yield port


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Ask a service until it is ready.

    Raises
    ------
    OptionError
        If its process ends before, or it takes longer than `START_SECONDS`.
    """
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(POLL_SECONDS)
    raise OptionError("the service does not get ready; `driftlock serve` says why")

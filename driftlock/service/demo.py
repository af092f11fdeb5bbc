"""``driftlock demo``: a service of its own, one request with known anomalies, and its answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from driftlock.datasets import load
from driftlock.errors import OptionError
from driftlock.files import to_json_lines
from driftlock.one_call import detect
from driftlock.service.settings import PREFIX

COMMAND = "from driftlock.cli import main; raise SystemExit(main(['serve']))"
START_SECONDS, STOP_SECONDS, REQUEST_SECONDS = 300, 60, 60
NORMAL = 400  # events of "mixed" before its first anomaly


def run_demo() -> tuple[dict[str, Any], list[str]]:
    """Start a service, send it the mixed data, and stop it.

    Returns
    -------
    tuple of dict and list of str
        The answer, and what about it is not as it should be: nothing, if all is well.
    """
    data = load("mixed")
    with running() as url, httpx.Client(base_url=url, trust_env=False) as client:
        answer = client.post(
            "/v1/detect",
            params={"baseline": NORMAL},
            content=to_json_lines(data.events).encode(),
            timeout=REQUEST_SECONDS,
        ).json()
    if not answer.get("success"):
        return answer, [f"the request failed: {answer.get('error')}"]
    told = [anomaly["index"] for anomaly in answer["anomalies"]]
    found = detect(data.events, baseline=NORMAL).anomalies.index.tolist()
    known = set(data.labels.index[data.labels["is_anomaly"]])
    wrong = []
    if told != found:
        wrong.append(f"the library flags {len(found)} rows, the service {len(told)} others")
    if len(known & set(told)) < len(known) / 2:
        wrong.append(f"only {len(known & set(told))} of {len(known)} known anomalies are flagged")
    answer["known"] = sorted(known)
    return answer, wrong


@contextmanager
def running() -> Iterator[str]:
    """A service of this installation on a free port of this machine; its address, once ready.

    Settings of the environment take no part.

    Raises
    ------
    OptionError
        If it does not get ready.
    """
    with tempfile.TemporaryDirectory(prefix="driftlock-demo-") as folder:
        port = _free_port()
        own = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(Path(folder, "baselines"))}
        environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        environment |= {PREFIX + name: value for name, value in own.items()}
        with Path(folder, "log").open("w+b") as log:
            process = subprocess.Popen(  # noqa: S603  (this Python, with words of our own)
                [sys.executable, "-c", COMMAND],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                _wait_until_ready(f"http://127.0.0.1:{port}", process)
                yield f"http://127.0.0.1:{port}"
            finally:
                _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(0.05)
    raise OptionError("the service does not get ready; `driftlock serve` says why")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

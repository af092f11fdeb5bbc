"""A running service and clients of it, for benchmarks of the service."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pandas as pd

import driftlock as dl
from driftlock.service.child import started


def body_of(n_events, seed=0):
    """Simulated transactions as JSON lines."""
    events = dl.datasets.make_transactions(n_events, seed=seed).events
    return events.to_json(orient="records", lines=True).encode()


@contextmanager
def running(**settings):
    """A service in a process of its own, ready; its address and process id."""
    chosen = {"rate_limit": "off", "log_level": "warning"} | settings
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), chosen) as service:
        service.wait_until_ready()
        yield service.url, service.process.pid


def library_seconds(body, repeats=20):
    """Median of the same work by the library: from parsed events to flags."""
    rows = [json.loads(line) for line in body.splitlines()]
    times = []
    for _ in range(repeats + 2):
        begin = time.perf_counter()
        _ = dl.detect(pd.DataFrame(rows), baseline=400).anomalies
        times.append(time.perf_counter() - begin)
    return float(np.median(times[2:]))


class Load:
    """So many clients that ask again and again; what they were answered, and after how long.

    Parameters
    ----------
    url : str
    body : bytes
    clients : int
    pause : float
        Seconds that each client leaves from the start of one request to the next, if it can.
    """

    def __init__(self, url, body, clients, pause=0.0):
        self.url, self.body, self.clients, self.pause = url, body, clients, pause
        self.answers = []  # status, seconds
        self._lock = threading.Lock()

    def run(self, seconds):
        """Ask for so long."""
        until = time.perf_counter() + seconds
        threads = [threading.Thread(target=self._ask, args=(until, i)) for i in range(self.clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self

    def _ask(self, until, number):
        time.sleep(self.pause * number / self.clients)
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            while (begin := time.perf_counter()) < until:
                try:
                    status = client.post("/v1/detect?baseline=400", content=self.body).status_code
                except httpx.TransportError:
                    status = 0
                took = time.perf_counter() - begin
                with self._lock:
                    self.answers.append((status, took))
                if self.pause > took:
                    time.sleep(self.pause - took)

    def statuses(self):
        """How many answers of each status; 0 for none."""
        return dict(Counter(status for status, _ in self.answers))

    def quantile(self, q, wanted=lambda status: status == 200):
        """Seconds within which a share of some answers came."""
        return float(np.quantile([took for status, took in self.answers if wanted(status)], q))


def memory_mb(pid, what="VmRSS"):
    """Resident memory of a process now, or (VmHWM) the most it ever had; MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) * 1024 / 1e6
    raise ValueError(what)

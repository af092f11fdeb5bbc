"""A real server for tests: a process of its own on a free port, stopped at the end."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from driftlock.errors import OptionError
from driftlock.service.answers import Failure
from driftlock.service.child import Child, started
from driftlock.service.middleware import PROTECTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TESTDATA = Path(__file__).parents[1] / "testdata"
PATIENCE = 60  # seconds with what comes at once on an idle machine

# Work of more than a minute of processor time, in events without an order.
_drawn = np.random.default_rng(7).integers(0, 9, (2000, 12)).tolist()
SLOW = b"\n".join(json.dumps({f"c{k}": v for k, v in enumerate(r)}).encode() for r in _drawn)
# What is left of it once it is given up takes few seconds of processor time.
SOON = 15
LONG = {"baseline": 500, "window": 50, "hop": 1, "permutations": 100_000, "control": "fpr"}


@dataclass
class Served(Child):
    """A running server, and what a test asks of it."""

    data_dir: Path

    def client(self, **options: Any) -> httpx.Client:
        """A client of it; other proxies of the environment take no part."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE, trust_env=False, **options)

    def connection(self) -> socket.socket:
        """A bare connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def worked(self) -> float:
        """Processor time that it has used; where that is not told, the time that has passed."""
        on_linux = Path("/proc/self/stat").exists()
        return cpu_seconds(self.process.pid) if on_linux else time.monotonic()

    def logged(self) -> list[dict[str, Any]]:
        """What it has logged so far: every line is a JSON object, but those of warm-up."""
        lines = self.log_file.read_text(encoding="utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]  # the last may be on its way
        return [json.loads(line) for line in whole if not line.startswith("driftlock: compiling")]

    def logged_of(self, request_id: str) -> dict[str, Any]:
        """The line about a request, which is written after its answer has gone."""
        found: list[dict[str, Any]] = []

        def is_there() -> bool:
            found[:] = [
                line
                for line in self.logged()
                if line["event"] == "request" and line.get("request_id") == request_id
            ]
            return bool(found)

        until(is_there)
        assert len(found) == 1
        return found[0]


def refusal(answer: httpx.Response) -> tuple[int, str, dict[str, Any] | None]:
    """Status, code and place of a refusal, which has the one shape that all have."""
    told = Failure.model_validate_json(answer.content, strict=True)
    assert set(answer.json()) == {"success", "error", "request_id"}
    assert not told.success
    assert told.error.message
    assert told.request_id == answer.headers["x-request-id"]
    assert_protected(answer)
    return answer.status_code, told.error.code, told.error.where


def assert_protected(answer: httpx.Response) -> None:
    """Every answer has the headers that keep browsers to the rules."""
    for name, value in PROTECTING.items():
        assert answer.headers[name] == value
    assert "server" not in answer.headers


def received(connection: socket.socket) -> bytes:
    """One whole answer, as it comes."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65_536)
        assert piece, got
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def numbers(client: httpx.Client) -> dict[str, float]:
    """What /metrics says now, by name and labels as they are written."""
    lines = client.get("/metrics").text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something holds; what did not hold in time fails."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "did not come to hold in time"
        time.sleep(0.02)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and of the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(folder: Path, *, wait: bool = True, **settings: object) -> Iterator[Served]:
    """A server with settings by name, ready unless `wait` is off; `folder` takes its files.

    Rates are not limited unless the settings say so.
    """
    chosen = {"rate_limit": "off", "data_dir": folder / "baselines"} | settings
    with started(folder, chosen) as child:
        server = Served(**vars(child), data_dir=Path(str(chosen["data_dir"])))
        if wait:
            try:
                server.wait_until_ready()
            except OptionError:
                raise AssertionError(server.log_file.read_text(encoding="utf-8")) from None
        yield server

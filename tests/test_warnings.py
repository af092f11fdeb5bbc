"""Warnings point at the line that called, and reach those who asked for them."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pandas as pd
import pytest

import driftlock as dl
from driftlock.cli import main
from driftlock.errors import collected_warnings, warn
from driftlock.service.events import read_events
from driftlock.service.query import DetectQuery
from driftlock.service.screening import screen
from driftlock.service.settings import Settings

ROWS = pd.DataFrame({"amount": range(60), "shop": list("ab") * 30})
FEW = {"window": 10, "n_permutations": 99}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: dl.ncd(b"a" * 10, b"b" * 10_000), "near 1 for everything"),
        (lambda: dl.Detector(alpha=0.001).fit(ROWS).predict(ROWS.tail(2)), "no row can be flagged"),
        (lambda: dl.detect(ROWS.tail(20), baseline=ROWS), "also stand in the baseline"),
        (lambda: dl.scan(ROWS, baseline=40, **FEW), "smallest window has 10 rows"),
        (lambda: warn("as it is"), "as it is"),
    ],
)
def test_a_warning_points_at_the_line_that_called(call: Callable[[], Any], told: str) -> None:
    with pytest.warns(dl.DriftlockWarning, match=told) as caught:
        call()
    told_here = [str(one.message) for one in caught if one.filename == __file__]
    assert any(told in message for message in told_here)


def test_collected_warnings_are_of_one_context() -> None:
    """Threads at work at the same time hear what they warn of themselves, and all of it."""
    together = threading.Barrier(4)

    def work(number: int) -> list[str]:
        with collected_warnings() as heard:
            for step in range(200):
                if step % 50 == 0:
                    together.wait()
                warn(f"{number}:{step}")
            return heard

    with ThreadPoolExecutor(4) as pool:
        for number, heard in enumerate(pool.map(work, range(4))):
            assert heard == [f"{number}:{step}" for step in range(200)]


def test_what_others_do_to_warnings_takes_none_from_an_answer() -> None:
    """Compilers and table libraries swap what catches warnings, for all threads at once."""
    body = ROWS.to_json(orient="records", lines=True).encode()
    settings = Settings()
    events = read_events(body, "ndjson", settings)
    query = DetectQuery(baseline=40, algo="zstd")
    for action in ("always", "error", "ignore"):
        with warnings.catch_warnings(record=True) as elsewhere:
            warnings.simplefilter(action)
            with ThreadPoolExecutor(1) as pool:
                # as the service does, in the context of the caller; also what NumPy warns of
                run = copy_context().run
                told = pool.submit(run, screen, events, query, settings, None).result()["warnings"]
        assert told == ["algo=zstd compares windows of rows; single rows are judged by fields"]
        assert not [one for one in elsewhere if issubclass(one.category, dl.DriftlockWarning)]


def test_what_others_do_to_warnings_takes_none_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another thread begins to catch warnings after the command has, and before it warns."""

    def warmup() -> float:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(others.__enter__).result()
            warn("as it is,\non one line")
            pool.submit(others.__exit__, None, None, None).result()
        return 0.0

    monkeypatch.setattr("driftlock.cli.app.warmup", warmup)
    for record in (True, False):
        others = warnings.catch_warnings(record=record, action="ignore")
        assert main(["warmup"]) == 0
        assert capsys.readouterr().err == "driftlock: warning: as it is, on one line\n"

"""`driftlock demo` and `driftlock check-service`: what they show, and what they end with."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from serving import Served, served

import driftlock as dl
from driftlock.cli import main
from driftlock.service import check, child, demo

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

KEY = "a key for tests"


@pytest.fixture(autouse=True)
def _compiled(_wrapping_uint64: None) -> None:
    """Compile first, so that no test sees the note about compiling."""
    dl.warmup()


def failed(outcomes: list[check.Outcome]) -> set[str]:
    return {outcome.name for outcome in outcomes if not outcome.passed}


@contextmanager
def answering(answers: dict[str, tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """A server that answers by path, and everything else with 200 and nothing."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = answers.get(self.path.partition("?")[0], (200, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815  (names of the base class)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_every_check_of_a_good_service_passes(service: Served, capsys) -> None:
    assert main(["check-service", service.url]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "FAILED" not in out
    assert "409" not in out
    for refusal in check.REFUSALS:
        assert re.search(rf"{refusal.what} +passed +{refusal.status} {refusal.code}", out)
    count = 8 + len(check.REFUSALS)
    assert out.splitlines()[-1] == f"{count} of {count} checks passed"


def test_it_needs_few_requests_and_leaves_nothing(service: Served) -> None:
    with service.client() as client:
        kept = client.get("/v1/baselines").json()["baselines"]  # by other tests
        before = len(service.logged())
        check.check_service(service.url)
        assert client.get("/v1/baselines").json()["baselines"] == kept
    assert len(service.logged()) - before < 30


def test_a_service_with_keys(tmp_path: Path, capsys, monkeypatch) -> None:
    with served(tmp_path, api_keys_sha256=hashlib.sha256(KEY.encode()).hexdigest()) as server:
        assert main(["check-service", server.url, "--key", KEY]) == 0
        assert "refused without, and with a wrong one" in capsys.readouterr().out
        assert main(["check-service", server.url]) == 1
        assert "401 unauthorized" in capsys.readouterr().out
        monkeypatch.setenv("DRIFTLOCK_API_KEY", KEY)
        assert main(["check-service", server.url]) == 0
        log = server.log_file.read_text(encoding="utf-8")
    assert KEY not in log


def test_a_key_that_opens_nothing_is_told(service: Served) -> None:
    # The service asks for no key, so a wrong one is let in.
    assert failed(check.check_service(service.url, "anything")) == {"key"}


def test_every_check_of_a_server_of_another_kind_fails(capsys) -> None:
    with answering({}) as url:
        assert failed(outcomes := check.check_service(url)) == {o.name for o in outcomes}
        assert main(["check-service", url]) == 1
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == f"0 of {len(outcomes)} checks passed"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"flags": [0, 1]}, "flags [0, 1]; this library flags"),
        ({"total_events": 3}, "3 events"),
        ({"anomaly_count": 99}, "99 anomalies"),
    ],
)
def test_wrong_flags_are_seen(changed: dict[str, Any], expected: str) -> None:
    data = dl.datasets.load("mixed").events[: check.EVENTS]
    flags = dl.detect(data, baseline=check.NORMAL).anomalies.index.tolist()
    flags = changed.pop("flags", flags)
    answer = {"total_events": check.EVENTS, "anomaly_count": len(flags)} | changed
    answer["anomalies"] = [{"index": index} for index in flags]
    version = json.dumps({"version": dl.__version__, "codecs": []}).encode()
    pages = {
        "/v1/version": (200, {}, version),
        "/v1/detect": (200, {}, json.dumps(answer).encode()),
        "/metrics": (200, {}, b"driftlock_rows_scored_total 7.0\n"),
    }
    with (
        answering(pages) as url,
        httpx.Client(base_url=url) as client,
        pytest.raises(check.Wrong, match=re.escape(expected)),
    ):
        check.Checks(client).detection()


def test_counters_that_stand_still_are_seen() -> None:
    data = dl.datasets.load("mixed").events[: check.EVENTS]
    flags = dl.detect(data, baseline=check.NORMAL).anomalies.index.tolist()
    answer = {"total_events": check.EVENTS, "anomaly_count": len(flags)}
    answer["anomalies"] = [{"index": index} for index in flags]
    pages = {
        "/v1/version": (200, {}, json.dumps({"version": dl.__version__}).encode()),
        "/v1/detect": (200, {}, json.dumps(answer).encode()),
        "/metrics": (200, {}, b"driftlock_rows_scored_total 7.0\n"),
    }
    with (
        answering(pages) as url,
        httpx.Client(base_url=url) as client,
        pytest.raises(check.Wrong, match="has not moved"),
    ):
        check.Checks(client).detection()


def test_a_missing_header_is_named() -> None:
    with_one = (200, {"X-Content-Type-Options": "nosniff"}, b"")
    with (
        answering({"/healthz": with_one}) as url,
        httpx.Client(base_url=url) as client,
        pytest.raises(check.Wrong, match="/healthz: X-Frame-Options is None"),
    ):
        check.Checks(client).headers()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("screening.example.org", "is no address"),
        ("ftp://127.0.0.1", "is no address"),
        ("http://127.0.0.1:99999999", "cannot be reached"),
    ],
)
def test_an_address_that_is_none(url: str, expected: str, capsys) -> None:
    assert main(["check-service", url]) == 2
    assert expected in capsys.readouterr().err


def test_nobody_there(capsys) -> None:
    with child.reserved_port() as port:
        assert main(["check-service", f"http://127.0.0.1:{port}"]) == 2
    assert "cannot be reached" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="ports are kept on Linux alone")
def test_a_port_is_kept_for_the_service_that_is_started_on_it() -> None:
    with child.reserved_port() as port:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        socket.create_server(("127.0.0.1", port)).close()


def test_demo(capsys) -> None:
    assert main(["demo"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    found = dl.detect(dl.datasets.load("mixed").events, baseline=400).anomalies
    lines = out.splitlines()
    rows = [line.split() for line in lines[1:] if re.match(r"\d+ +\d+\.\d\d ", line)]
    assert [int(row[0]) for row in rows] == found.index.tolist()
    assert [row[1] for row in rows] == [f"{score:.2f}" for score in found["score"]]
    assert lines[-1].startswith(f"{len(found)} of 1,000 events flagged")


def test_a_demo_whose_flags_are_others_ends_with_1(monkeypatch, capsys) -> None:
    monkeypatch.setattr(
        demo, "detect", lambda events, baseline: dl.detect(events[:700], baseline=baseline)
    )
    assert main(["demo"]) == 1
    assert "the library flags" in capsys.readouterr().err


def test_a_demo_that_cannot_start(monkeypatch, capsys) -> None:
    monkeypatch.setattr(child, "CODE", "raise SystemExit(3)")
    assert main(["demo"]) == 2
    assert "does not get ready" in capsys.readouterr().err

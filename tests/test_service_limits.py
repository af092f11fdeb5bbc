"""Limits of the service, each with the exact answer to what goes beyond it."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest
import zstandard
from serving import (
    LONG,
    SLOW,
    SOON,
    Served,
    assert_protected,
    numbers,
    received,
    refusal,
    served,
    until,
)

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

KEYS = ["a key for one", "and one for another", "and a third"]
ORIGIN = "https://shop.example"
STILL_4 = 25  # seconds that are no more than 4 on a busy machine, and less than the usual 30


def rows(n: int, width: int = 2) -> bytes:
    return b"\n".join(
        json.dumps({f"c{k}": (i * (k + 3)) % 7 for k in range(width)}).encode() for i in range(n)
    )


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with small limits."""
    with served(
        tmp_path_factory.mktemp("narrow"),
        max_body_bytes=20_000,
        max_events=200,
        max_event_chars=1000,
        max_depth=4,
        max_columns=30,
        max_cells=1500,
        max_permutations=999,
        max_listed=3,
        upload_seconds=4,
        cors_origins=ORIGIN,
        trusted_proxies="127.0.0.0/8",
    ) as server:
        yield server


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with one place to work and one to wait, and little time."""
    with served(
        tmp_path_factory.mktemp("busy"),
        concurrency=1,
        queue=1,
        queue_seconds=4,
        request_seconds=8,
        upload_seconds=10,
    ) as server:
        yield server


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for keys and limits rates; it trusts no proxy."""
    hashes = [hashlib.sha256(key.encode()).hexdigest() for key in KEYS]
    with served(
        tmp_path_factory.mktemp("locked"),
        api_keys_sha256=",".join(hashes),
        rate_limit="6/minute",
        trusted_proxies="",
    ) as server:
        yield server


def post(server: Served, body: bytes, *, headers: dict[str, str] | None = None) -> httpx.Response:
    with server.client() as client:
        return client.post("/v1/detect?baseline=40", content=body, headers=headers)


def test_the_body_has_a_limit_before_and_after_decompression(narrow: Served) -> None:
    fits = rows(60)
    fits += b"\n" * (20_000 - len(fits))
    assert post(narrow, fits).status_code == 200
    assert post(narrow, gzip.compress(fits), headers={"Content-Encoding": "gzip"}).is_success
    too_large = (413, "body_too_large", None)
    assert refusal(post(narrow, fits + b"\n")) == too_large
    for name, pack in (("gzip", gzip.compress), ("zstd", zstandard.compress)):
        packed = pack(fits + b"\n")
        assert len(packed) < 5000
        assert refusal(post(narrow, packed, headers={"Content-Encoding": name})) == too_large


def test_a_chunked_body_is_counted_as_it_comes(narrow: Served) -> None:
    def pieces(n: int) -> Iterator[bytes]:
        yield rows(60)
        for _ in range(n):
            yield b"\n" * 1000

    with narrow.client() as client:
        assert client.post("/v1/detect?baseline=40", content=pieces(3)).status_code == 200
        answer = client.post("/v1/detect?baseline=40", content=pieces(40))
    assert refusal(answer) == (413, "body_too_large", None)


def raw(server: Served, sent: bytes) -> bytes:
    """What comes back of some bytes on a connection of their own, until it is closed."""
    with server.connection() as connection:
        connection.sendall(sent)
        got = b""
        while piece := connection.recv(65_536):
            got += piece
        return got


def head(length: object, *more: str) -> bytes:
    lines = ["POST /v1/detect?baseline=40 HTTP/1.1", "Host: x", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_length_that_is_too_large_is_refused_before_the_body_comes(service: Served) -> None:
    began = time.monotonic()
    with service.connection() as connection:
        connection.sendall(head(10**12))
        answer = received(connection)
    assert status_of(answer) == 413
    assert b'"body_too_large"' in answer
    assert time.monotonic() - began < 25  # bodies have 30 s to arrive


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 30 + "x", "+5", "5, 6"])
def test_a_length_that_is_none_is_refused(narrow: Served, length: str) -> None:
    assert status_of(raw(narrow, head(length) + rows(60))) == 400


def test_more_bytes_than_the_length_are_not_part_of_the_body(narrow: Served) -> None:
    body = rows(60)
    answer = raw(narrow, head(len(body), "Connection: close") + body + b'\n{"c0": "smuggled"}')
    assert status_of(answer) == 200
    assert b'"total_events":60' in answer


def is_closed_however_much_comes(connection: socket.socket, more: bytes) -> bool:
    """Whether the other side closes without a word while more and more is sent."""
    deadline = time.monotonic() + STILL_4
    connection.settimeout(0.5)
    while time.monotonic() < deadline:
        try:
            connection.sendall(more)
            return connection.recv(65_536) == b""
        except TimeoutError:
            continue
        except ConnectionError:  # closed while more was on its way
            return True
    return False


def test_fewer_bytes_than_the_length_end_after_the_time_for_uploads(narrow: Served) -> None:
    began = time.monotonic()
    with narrow.connection() as connection:
        connection.sendall(head(19_000) + rows(60))
        answer = received(connection)
        assert status_of(answer) == 408
        assert b'"upload_timed_out"' in answer
        assert 3.5 < time.monotonic() - began < STILL_4
        assert is_closed_however_much_comes(connection, b" ")
    assert time.monotonic() - began < 2 * STILL_4


def test_a_head_that_never_ends_is_given_up(narrow: Served) -> None:
    began = time.monotonic()
    with narrow.connection() as connection:
        connection.sendall(b"POST /v1/detect HTTP/1.1\r\n")
        assert is_closed_however_much_comes(connection, b"X-More: and more\r\n")
    assert 3.5 < time.monotonic() - began < STILL_4


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        (rows(201), 413, "too_many_events", None),
        (b"{}\n" * 6000, 413, "too_many_events", None),
        (b"[" + b"{}," * 6000 + b"{}]", 413, "too_many_events", None),
        (b"[" + b"[]," * 6000 + b"[]]", 413, "too_many_events", None),
        (
            rows(60) + b'\n{"c0": "' + b"x" * 1000 + b'"}' + rows(100),
            413,
            "event_too_large",
            {"event": 60},
        ),
        (rows(50) + b'\n{"a": {"b": {"c": {"d": 1}}}}', 200, None, None),
        (
            rows(50) + b'\n{"a": {"b": {"c": {"d": {"e": {}}}}}}',
            400,
            "too_deep",
            {"event": 50},
        ),
        (rows(50) + b'\n{"a": [[[[[]]]]]}', 400, "too_deep", {"event": 50}),
        (rows(45, 30), 200, None, None),
        (rows(45, 31), 413, "too_many_columns", {"event": 0}),
        (
            rows(45, 2) + b"\n" + json.dumps({"a": {f"k{i}": i for i in range(30)}}).encode(),
            413,
            "too_many_columns",
            {"event": 45},
        ),
        (rows(75, 20), 200, None, None),
        (rows(76, 20), 413, "too_many_cells", None),
    ],
)
def test_events_have_limits(
    narrow: Served, body: bytes, status: int, code: str | None, where: dict[str, int] | None
) -> None:
    if status == 413 and code == "event_too_large":
        body = body.replace(b"}{", b"}\n{")
    answer = post(narrow, body)
    if code is None:
        assert answer.status_code == status, answer.text
    else:
        assert refusal(answer) == (status, code, where)


def test_lines_are_counted_too(narrow: Served) -> None:
    with narrow.client() as client:
        answer = client.post("/v1/detect?format=lines", content=b"a\n" * 9000)
    assert refusal(answer) == (413, "too_many_events", None)


def test_permutations_are_limited_by_the_setting(narrow: Served) -> None:
    with narrow.client() as client:
        answer = client.post("/v1/detect?permutations=1000", content=rows(60))
    assert refusal(answer) == (400, "invalid_parameter", {"parameter": "permutations"})


def test_anomalies_beyond_the_listed_ones_are_counted(narrow: Served) -> None:
    with narrow.client() as client:
        url = "/v1/detect?baseline=40&control=fpr&alpha=0.9"
        told = client.post(url, content=rows(190)).json()
    assert len(told["anomalies"]) == 3
    assert told["anomaly_count"] == 3 + told["anomalies_left_out"] > 3


@pytest.mark.jit
def test_work_that_takes_too_long_is_given_up_and_its_place_is_free(busy: Served) -> None:
    with busy.client() as client:
        began = time.monotonic()
        answer = client.post("/v1/detect", params=LONG, content=SLOW)
        assert refusal(answer) == (504, "timed_out", None)
        assert 7.5 < time.monotonic() - began < 40
        before = busy.worked()
        until(lambda: works(client))
        assert busy.worked() - before < SOON


def works(client: httpx.Client) -> bool:
    """Whether a little work is done, now that much was given up."""
    return client.post("/v1/detect?baseline=40", content=rows(60)).status_code == 200


def ask(client: httpx.Client) -> tuple[httpx.Response, float]:
    """Ask for much work; the answer, and the seconds to it."""
    began = time.monotonic()
    answer = client.post("/v1/detect", params=LONG, content=SLOW)
    return answer, time.monotonic() - began


@pytest.mark.jit
def test_many_at_once_are_told_to_come_back(busy: Served) -> None:
    waited = "driftlock_queue_seconds_count"
    with ExitStack() as stack, ThreadPoolExecutor(10) as pool:
        clients = [stack.enter_context(busy.client()) for _ in range(10)]
        before = [numbers(client) for client in clients][-1]  # all are connected
        answers = list(pool.map(ask, clients))
        after = numbers(clients[0])
        told = sorted(refusal(answer)[:2] for answer, _ in answers)
        # one works until it is given up, one waits for its turn too long, the others go at once
        assert told == [(503, "overloaded")] * 9 + [(504, "timed_out")]
        assert after[waited] - before[waited] == 2
        assert after["driftlock_queue_seconds_sum"] - before["driftlock_queue_seconds_sum"] > 3.9
        refused = sorted(seconds for answer, seconds in answers if answer.status_code == 503)
        worked = next(seconds for answer, seconds in answers if answer.status_code == 504)
        assert 3.9 < refused[8] < worked
        assert all(a.headers["retry-after"] == "1" for a, _ in answers if a.status_code == 503)
        assert after["driftlock_queue"] == 0
        began = busy.worked()
        until(lambda: works(clients[0]))
        assert busy.worked() - began < SOON


def test_keys_open_and_nothing_else_does(locked: Served) -> None:
    with locked.client() as client:
        for headers in ({"X-API-Key": KEYS[0]}, {"Authorization": f"Bearer {KEYS[1]}"}):
            assert client.get("/v1/version", headers=headers).status_code == 200
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            assert client.get(path).status_code == 200
        hashed = hashlib.sha256(KEYS[0].encode()).hexdigest()
        for headers in (
            {},
            {"X-API-Key": ""},
            {"X-API-Key": hashed},
            {"X-API-Key": KEYS[0] + " x"},
            {"Authorization": f"Basic {KEYS[1]}"},
            {"Authorization": "Bearer " + "x" * 5000},
        ):
            answer = client.get("/v1/version", headers=headers)
            assert refusal(answer) == (401, "unauthorized", {"header": "Authorization"})
            assert answer.headers["www-authenticate"] == "Bearer"
        # who guesses keys is slowed down, and does not slow down others of the same address
        guessed = client.post("/v1/detect", headers={"X-API-Key": "guess"}, content=b"x")
        assert refusal(guessed) == (429, "rate_limited", None)
        assert client.get("/v1/version", headers={"X-API-Key": KEYS[0]}).status_code == 200
    log = locked.log_file.read_text()
    assert not any(key in log for key in KEYS)


def test_a_client_that_asks_too_often_is_told_when_to_come_back(locked: Served) -> None:
    headers = {"X-API-Key": KEYS[2]}
    with locked.client() as client:
        answers = [
            client.get("/v1/version", headers=headers | {"X-Forwarded-For": f"203.0.113.{i}"})
            for i in range(8)
        ]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert refusal(answers[-1]) == (429, "rate_limited", None)
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


def test_a_proxy_is_believed_where_it_is_trusted(narrow: Served, locked: Served) -> None:
    https = {"X-Forwarded-Proto": "https"}
    with narrow.client() as client:
        assert "strict-transport-security" not in client.get("/healthz").headers
        secure = client.get("/healthz", headers=https)
        assert secure.headers["strict-transport-security"].startswith("max-age=31536000")
        refused = client.get("/nothing", headers=https)
        assert "strict-transport-security" in refused.headers
    with locked.client() as client:
        assert "strict-transport-security" not in client.get("/healthz", headers=https).headers


@pytest.mark.slow
def test_rates_are_counted_for_each_address_behind_a_trusted_proxy(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("rates")
    with served(folder, rate_limit="2/minute") as server, server.client() as client:

        def ask(address: str) -> int:
            headers = {"X-Forwarded-For": address}
            return client.get("/v1/version", headers=headers).status_code

        assert [ask("203.0.113.1") for _ in range(3)] == [200, 200, 429]
        assert [ask("203.0.113.2") for _ in range(3)] == [200, 200, 429]
        # what a client writes itself stands before what the proxy adds, and does not count
        assert ask("198.51.100.9, 203.0.113.1") == 429


def test_browsers_may_call_from_listed_origins_only(narrow: Served, service: Served) -> None:
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-api-key",
    }
    with narrow.client() as client:
        allowed = client.options("/v1/detect", headers=asked | {"Origin": ORIGIN})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in allowed.headers
        assert_protected(allowed)
        forbidden = client.options("/v1/detect", headers=asked | {"Origin": ORIGIN + ".evil"})
        assert forbidden.status_code == 400
        assert "access-control-allow-origin" not in forbidden.headers
        assert_protected(forbidden)
        answer = client.get("/v1/version", headers={"Origin": ORIGIN})
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "Origin" in answer.headers["vary"]
        answer = client.get("/v1/version", headers={"Origin": "null"})
        assert "access-control-allow-origin" not in answer.headers
    with service.client() as client:  # none is listed by default
        answer = client.options("/v1/detect", headers=asked | {"Origin": ORIGIN})
        assert refusal(answer) == (405, "method_not_allowed", None)
        assert "access-control-allow-origin" not in answer.headers

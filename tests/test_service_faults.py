"""Faults that clients, proxies and disks bring about: the exact answer, and health afterwards."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from serving import (
    LONG,
    PATIENCE,
    SLOW,
    SOON,
    TESTDATA,
    Served,
    cpu_seconds,
    numbers,
    refusal,
    served,
    until,
)

import driftlock as dl

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

MIXED = (TESTDATA / "mixed.jsonl").read_bytes()
LINES = MIXED.splitlines()
MB = 1_000_000


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    dl.warmup()  # for the cache: what the server compiles is none of the work that is measured
    folder = tmp_path_factory.mktemp("faulty")
    with served(folder, concurrency=1, queue=2, queue_seconds=3 * PATIENCE) as server:
        yield server


def post(
    server: Served, body: bytes, encoding: str | None = None, query: str = ""
) -> httpx.Response:
    headers = {"Content-Encoding": encoding} if encoding else {}
    with server.client() as client:
        return client.post(f"/v1/detect?{query}", content=body, headers=headers)


def lines(*events: str) -> bytes:
    return "\n".join([*['{"a": 1, "b": 2}'] * 30, *events]).encode()


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        (b"", "invalid_events", None),
        (b" \r\n\t ", "invalid_events", None),
        (b"[]", "invalid_events", None),
        (b"{}", "invalid_events", None),
        (b"[{}, {}]", "invalid_events", None),
        (b"5", "invalid_json", 1),
        (b"null", "invalid_json", 1),
        (b'"text"', "invalid_json", 1),
        (b'[{"a": 1},\n{"a": 2},\n7]', "invalid_json", 3),
        (b'[{"a": 1},\n[{"a": 2}]]', "invalid_json", 2),
        (b'[{"a": 1}', "invalid_json", 1),
        (b'[{"a": 1}] []', "invalid_json", 1),
        (lines('{"a": NaN}'), "invalid_json", 31),
        (lines('{"a": -Infinity}'), "invalid_json", 31),
        (lines('{"a": 1e999}'), "invalid_json", 31),
        (lines('{"a": ' + "9" * 4301 + "}"), "invalid_json", 31),
        (lines('{"a": 1, "a": 2}'), "invalid_json", 31),
        (lines('{"a": {"k": 1, "k": 1}}'), "invalid_json", 31),
        (lines('{"a": "\\ud83d"}'), "invalid_json", 31),
        (lines('{"a": "\\u0000"}', "{'a': 1}"), "invalid_json", 32),
        (lines() + b'\n{"a": "\xff\xfe"}', "invalid_json", 31),
        (lines() + b'\n{"a": "\x00"}', "invalid_json", 31),
        (b"\xff\xfe" + '{"a": 1}'.encode("utf-16-le"), "invalid_json", 1),
        (lines('{"a": ' + "[" * 50_000 + "]" * 50_000 + "}"), "invalid_json", 31),
        (b"[" * 50_000 + b"]" * 50_000, "invalid_json", 1),
        (b"[" + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]", "invalid_json", 1),
    ],
)
def test_a_body_that_is_broken_is_refused_with_its_line(
    service: Served, body: bytes, code: str, line: int | None
) -> None:
    answer = post(service, body)
    assert refusal(answer) == (400, code, None if line is None else {"line": line})
    message = answer.json()["error"]["message"]
    assert "Exceeds the limit" not in message
    assert "Traceback" not in message
    assert "/" not in message.partition(": '")[0]


@pytest.mark.parametrize("form", ["ndjson", "auto"])
def test_a_broken_line_among_a_thousand_is_named(service: Served, form: str) -> None:
    broken = [*LINES[:427], LINES[427][:-1], *LINES[428:]]
    assert len(broken) == 1000
    answer = post(service, b"\n".join(broken), query=f"format={form}")
    assert refusal(answer) == (400, "invalid_json", {"line": 428})
    array = (
        b"[" + b",\n".join([*LINES[:427], LINES[427].replace(b":", b"", 1), *LINES[428:]]) + b"]"
    )
    assert refusal(post(service, array)) == (400, "invalid_json", {"line": 428})


@pytest.mark.parametrize(
    "event",
    [
        '{"a": ' + "9" * 400 + "}",
        '{"a": ' + "9" * 4300 + "}",
        '{"a": 1.7976931348623157e308, "b": 5e-324}',
        '{"a": -0.0, "b": null}',
        '{"a": [1, {"x": []}], "b": {"": {}}}',
        '{"": "", "c": true, "a.b": "\\u202e\\u0000\\ud83d\\ude00"}',
        '{"a": "99999-12-31T25:61:61Z", "b": "' + "x" * 100_000 + '"}',
        "{}",
    ],
)
@pytest.mark.parametrize("algo", ["fields", "text"])
def test_values_that_are_odd_are_evidence_and_come_back_as_they_were(
    service: Served, event: str, algo: str
) -> None:
    answer = post(service, lines(event), query=f"baseline=25&control=fpr&alpha=0.5&algo={algo}")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    for anomaly in told["anomalies"]:
        assert anomaly["event"] == json.loads(lines(event).split(b"\n")[anomaly["index"]])
    if event != "{}" and algo == "text":
        assert [a["index"] for a in told["anomalies"]] == [30]


def test_events_of_a_log_and_others_may_be_mixed(service: Served) -> None:
    body = b'{"line": "GET /"}\n' * 40 + b'{}\n{"line": 5}\n{"other": "x"}'
    assert post(service, body, query="baseline=30&algo=text").status_code == 200


def test_a_mark_of_byte_order_and_ends_of_lines_of_others_do_not_matter(service: Served) -> None:
    plain = post(service, MIXED).json()
    other = post(service, b"\xef\xbb\xbf\r\n" + MIXED.replace(b"\n", b"\r\n\r\n")).json()
    assert plain["anomalies"] == other["anomalies"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_packed_bodies_that_are_damaged_are_refused(service: Served, encoding: str) -> None:
    whole = (gzip.compress if encoding == "gzip" else zstandard.compress)(MIXED)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for body in (whole[:-9], whole[:5], MIXED, whole + b"junk", bytes(flipped)):
        answer = post(service, body, encoding)
        status, code, where = refusal(answer)
        assert status == 400
        if body != bytes(flipped) or code == "invalid_encoding":
            assert (code, where) == ("invalid_encoding", {"header": "Content-Encoding"})
    assert refusal(post(service, b"", encoding))[1] == "invalid_encoding"


def test_an_encoding_that_is_not_known_is_refused(service: Served) -> None:
    for name in ("br", "gzip, gzip", "x" * 5000):
        answer = post(service, MIXED, name)
        assert refusal(answer) == (415, "unsupported_encoding", {"header": "Content-Encoding"})
        assert len(answer.content) < 500


def memory(server: Served) -> int:
    """The most memory that the server has held so far, in bytes."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise AssertionError("no VmHWM")


def bombs() -> dict[str, tuple[bytes, str | None, int, str]]:
    """Bodies of 10 MB at most that would take far more, with the refusal of each."""
    return {
        "gzip": (gzip.compress(b" " * 2_000 * MB, 1)[: 9 * MB], "gzip", 413, "body_too_large"),
        "zstd": (zstandard.compress(b"0" * 2_000 * MB), "zstd", 413, "body_too_large"),
        "empty members": (gzip.compress(b"") * 100_000, "gzip", 400, "invalid_events"),
        "objects a line": (b"{}\n" * 3_300_000, None, 413, "too_many_events"),
        "objects": (b"[" + b"{}," * 3_300_000 + b"{}]", None, 413, "too_many_events"),
        "lists": (b"[" + b"[]," * 3_300_000 + b"[]]", None, 413, "too_many_events"),
        "sparse": (
            b"\n".join(b'{"c%d":1}' % (i % 400) for i in range(99_000)),
            None,
            413,
            "too_many_cells",
        ),
    }


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_bombs_take_little_memory_and_time(faulty: Served) -> None:
    post(faulty, MIXED)
    before = memory(faulty)
    for name, (body, encoding, status, code) in bombs().items():
        assert len(body) <= 10 * MB, name
        began = cpu_seconds(faulty.process.pid)
        assert refusal(post(faulty, body, encoding))[:2] == (status, code), name
        assert cpu_seconds(faulty.process.pid) - began < 6, name
        assert memory(faulty) - before < 200 * MB, name


@pytest.mark.parametrize(
    "identity",
    [
        "short",
        "x" * 65,
        "x" * 5000,
        "with space in it",
        "semi;colon;colon",
        "../../etc/passwd",
        '{"a":"json inside"}',
        "caf\u00e9-caf\u00e9-caf\u00e9",
        "%0d%0aSet-Cookie:x",
        "-leading-dash",
    ],
)
def test_an_id_that_is_not_well_formed_is_replaced(service: Served, identity: str) -> None:
    with service.client() as client:
        headers = {"X-Request-ID": identity.encode()}
        answer = client.post("/v1/detect", content=b"", headers=headers)
        refusal(answer)
        assert answer.headers["x-request-id"] != identity
        assert len(answer.json()["request_id"]) == 32
        good = client.get("/v1/version", headers={"X-Request-ID": "order-17.check_2"})
    assert good.headers["x-request-id"] == good.json()["request_id"] == "order-17.check_2"
    assert identity not in service.log_file.read_text()


def test_line_ends_in_a_header_split_nothing(service: Served) -> None:
    for end in (b"\r\n", b"\n", b"\r"):
        sent = (
            b"GET /v1/version HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-ID: aaaaaaaaa"
        )
        sent += end + b"Set-Cookie: injected=1\r\n\r\n"
        with service.connection() as connection:
            connection.sendall(sent)
            got = b""
            while piece := connection.recv(65_536):
                got += piece
        assert b"injected" not in got
        assert got.split(b" ")[1] in (b"200", b"400")


def connected(server: Served, query: str, length: int) -> socket.socket:
    connection = server.connection()
    head = f"POST /v1/detect?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def vanish(connection: socket.socket) -> None:
    """Go without a word, as a machine that is switched off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def vanished(client: httpx.Client) -> float:
    return numbers(client)["driftlock_clients_vanished_total"]


def vanished_line(server: Served, client: httpx.Client, count: float) -> dict[str, Any]:
    """The line about a client that went, the last of so many; it is counted first."""

    def lines() -> list[dict[str, Any]]:
        return [entry for entry in server.logged() if entry.get("status") == 499]

    until(lambda: vanished(client) == count)
    until(lambda: len(lines()) == count)
    return lines()[-1]


def is_healthy(server: Served) -> bool:
    return post(server, MIXED).status_code == 200


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_client_that_goes_while_it_sends_is_counted(faulty: Served, share: float) -> None:
    with faulty.client() as client:
        before = vanished(client)
        connection = connected(faulty, "", len(MIXED))
        connection.sendall(MIXED[: int(share * len(MIXED))])
        until(lambda: numbers(client)["driftlock_requests_in_flight"] == 2)
        vanish(connection)
        line = vanished_line(faulty, client, before + 1)
    assert (line["route"], line["category"]) == ("/v1/detect", "client_vanished")
    assert is_healthy(faulty)


def at_work(server: Served, client: httpx.Client) -> socket.socket:
    """A connection whose long work is under way."""
    query = "&".join(f"{name}={value}" for name, value in LONG.items())
    begun, used = numbers(client)["driftlock_queue_seconds_count"], server.worked()
    connection = connected(server, query, len(SLOW))
    connection.sendall(SLOW)
    until(lambda: numbers(client)["driftlock_queue_seconds_count"] == begun + 1)  # it has a place
    until(lambda: server.worked() > used + 1)
    return connection


@pytest.mark.jit
def test_the_work_for_a_client_that_goes_is_given_up(faulty: Served) -> None:
    with faulty.client() as client:
        before = vanished(client)
        vanish(at_work(faulty, client))
        used = faulty.worked()
        until(lambda: vanished(client) == before + 1)
    assert is_healthy(faulty)  # there is one place, and it is free again
    assert faulty.worked() - used < SOON


@pytest.mark.jit
def test_a_client_that_goes_while_it_waits_leaves_the_queue(faulty: Served) -> None:
    with faulty.client() as client:
        before = vanished(client)
        working = at_work(faulty, client)
        waiting = connected(faulty, "baseline=40", len(MIXED))
        waiting.sendall(MIXED)
        until(lambda: numbers(client)["driftlock_queue"] == 1)
        used = faulty.worked()
        vanish(waiting)
        until(lambda: numbers(client)["driftlock_queue"] == 0)  # it might have waited for longer
        until(lambda: vanished(client) == before + 1)
        assert faulty.worked() - used < SOON  # and the other has not come to its end
        vanish(working)
        until(lambda: vanished(client) == before + 2)
    assert is_healthy(faulty)


def test_a_client_that_goes_while_it_is_answered_is_counted(faulty: Served) -> None:
    body = b"\n".join(
        json.dumps({"a": i * 7919 % 1009 / 8, "t": "x" * 9000}).encode() for i in range(900)
    )
    with faulty.client() as client:
        before = vanished(client)
        connection = connected(faulty, "baseline=30&control=fpr&alpha=0.99", len(body))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(body)
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        vanish(connection)
        line = vanished_line(faulty, client, before + 1)
    assert (line["rows"], line["category"]) == (900, "client_vanished")
    assert is_healthy(faulty)


def test_half_of_a_request_and_other_protocols_do_no_harm(faulty: Served) -> None:
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n" * 3,
        b"GET " + b"/x" * 60_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"\x00" * 1000,
    ):
        connection = faulty.connection()
        with suppress(ConnectionError):  # refused before its end
            connection.sendall(sent)
        time.sleep(0.05)
        vanish(connection)
    assert is_healthy(faulty)

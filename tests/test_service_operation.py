"""Running the service: start, logs, numbers, several processes, and how it stops."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
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

from driftlock.errors import OptionError
from driftlock.service import child
from driftlock.service.settings import Settings

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

MIXED = (TESTDATA / "mixed.jsonl").read_bytes()
MARKER = "zebra4711"
KEY = "key-zebra4711"
REQUEST = {"method", "route", "status", "seconds", "event", "level", "timestamp", "request_id"}

# A stand-in for a defect: an error that quotes what it was given.
BROKEN = """
import driftlock.service.routes as routes
def screen(events, *rest):
    raise KeyError(f"nobody expected {events.rows[0]}")
routes.screen = screen
from driftlock.cli import main
raise SystemExit(main())
"""

# A function of the service that takes as long as a test wants: until there is a file.
HELD = """
import os, pathlib, time
import driftlock.service.{module} as module
whole = module.{name}
def held(*arguments):
    while not pathlib.Path(os.environ["FLAG"]).exists():
        time.sleep(0.02)
    return whole(*arguments)
module.{name} = held
from driftlock.cli import main
raise SystemExit(main())
"""


def held_back(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, name: str) -> Path:
    """Let services wait before a function of theirs until the file that is returned is there."""
    flag = folder / "flag"
    monkeypatch.setenv("FLAG", str(flag))
    monkeypatch.setattr(child, "CODE", HELD.format(module=module, name=name))
    return flag


def serve(*arguments: str, code: str | None = None, **settings: object) -> tuple[int, str, str]:
    """Run ``driftlock serve`` to its end: exit code, standard output and error."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DRIFTLOCK_HTTP_")}
    environment |= {f"DRIFTLOCK_HTTP_{name.upper()}": str(v) for name, v in settings.items()}
    command = [sys.executable, "-c", code or child.CODE]
    done = subprocess.run(
        [*command, "serve", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"port": "x"}, "DRIFTLOCK_HTTP_PORT='x'"),
        ({"port": 65_536}, "DRIFTLOCK_HTTP_PORT='65536'"),
        ({"workers": 0}, "DRIFTLOCK_HTTP_WORKERS='0'"),
        ({"max_body_bytes": "10MB"}, "DRIFTLOCK_HTTP_MAX_BODY_BYTES='10MB'"),
        ({"max_depth": 33}, "DRIFTLOCK_HTTP_MAX_DEPTH='33'"),
        ({"request_seconds": 0}, "DRIFTLOCK_HTTP_REQUEST_SECONDS='0'"),
        ({"upload_seconds": "nan"}, "DRIFTLOCK_HTTP_UPLOAD_SECONDS='nan'"),
        ({"concurrency": -1}, "DRIFTLOCK_HTTP_CONCURRENCY='-1'"),
        ({"rate_limit": "often"}, "DRIFTLOCK_HTTP_RATE_LIMIT='often'"),
        ({"cors_origins": "*"}, "DRIFTLOCK_HTTP_CORS_ORIGINS"),
        ({"cors_origins": "https://a.example/path"}, "DRIFTLOCK_HTTP_CORS_ORIGINS"),
        ({"trusted_proxies": "localhost"}, "DRIFTLOCK_HTTP_TRUSTED_PROXIES"),
        ({"log_level": "loud"}, "DRIFTLOCK_HTTP_LOG_LEVEL='loud'"),
        ({"log_format": "xml"}, "DRIFTLOCK_HTTP_LOG_FORMAT='xml'"),
        ({"max_event": 5}, "DRIFTLOCK_HTTP_MAX_EVENT is no setting"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_setting_that_is_not_possible_is_named(
    settings: dict[str, object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"DRIFTLOCK_HTTP_{name.upper()}", str(value))
    with pytest.raises(OptionError, match=f"^{re.escape(said)}") as refused:
        Settings.from_environment()
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_event": 5}, "DRIFTLOCK_HTTP_MAX_EVENT is no setting"),
        ({"host": "no.such.host.invalid"}, "cannot listen on no.such.host.invalid"),
        ({"host": "203.0.113.1"}, "cannot listen on 203.0.113.1"),
    ],
    ids=["name", "host", "address"],
)
def test_a_start_that_is_not_possible_is_one_line(settings: dict[str, object], said: str) -> None:
    code, out, err = serve(**settings)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert said in err


def test_a_key_in_place_of_its_hash_is_refused_without_being_repeated() -> None:
    code, out, err = serve(api_keys_sha256=KEY)
    assert code == 2
    assert "DRIFTLOCK_HTTP_API_KEYS_SHA256: entry 1 is no SHA-256 in hex" in err
    assert KEY not in out + err


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_taken_is_one_line(workers: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, out, err = serve(port=port, workers=workers)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf".*cannot listen on 127\.0\.0\.1:{port}: .*in use\n", err), err


def test_a_missing_extra_is_one_line() -> None:
    code, out, err = serve(
        code="import driftlock.cli.service as s; s.NEEDED += ('no_such_package',)\n"
        "from driftlock.cli import main; raise SystemExit(main())"
    )
    assert (code, out) == (2, "")
    assert "the service needs no_such_package: pip install 'driftlock-toolkit[service]'" in err
    assert len(err.splitlines()) == 1


def test_the_settings_in_force_are_listed_and_keys_are_not() -> None:
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    code, out, err = serve("--show-config", "--port", "9001", api_keys_sha256=hashed, queue=3)
    assert (code, err) == (0, "")
    assert hashed not in out
    assert re.search(r"DRIFTLOCK_HTTP_API_KEYS_SHA256\W+1 key", out)
    assert re.search(r"DRIFTLOCK_HTTP_PORT\W+9001", out)
    assert re.search(r"DRIFTLOCK_HTTP_QUEUE\W+3", out)
    assert re.search(r"DRIFTLOCK_HTTP_MAX_CELLS\W+2000000", out)


def test_nothing_is_judged_before_the_kernels_are_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = held_back(tmp_path, monkeypatch, "app", "ensure")
    with served(tmp_path, wait=False) as server, server.client() as client:

        def says(status: int) -> bool:
            try:
                return client.get("/readyz").status_code == status
            except httpx.TransportError:  # it does not listen yet
                return False

        until(lambda: says(503))
        answer = client.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json() == {"status": "compiling kernels"}
        assert client.get("/healthz").status_code == 200
        assert refusal(client.post("/v1/detect", content=MIXED)) == (503, "not_ready", None)
        flag.touch()
        until(lambda: says(200), child.START_SECONDS)
        assert client.post("/v1/detect", content=MIXED).status_code == 200


@pytest.fixture(scope="module")
def spied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    hashed = hashlib.sha256(KEY.encode()).hexdigest()
    with served(
        tmp_path_factory.mktemp("spied"),
        api_keys_sha256=hashed,
        log_level="debug",
        max_event_chars=300,
    ) as server:
        yield server


def test_the_log_never_says_what_events_hold(spied: Served) -> None:
    key = {"X-API-Key": KEY}
    ordinary = '{"a": 1}\n' * 40
    bodies = [
        f'{{"{MARKER}": "{MARKER}"}}\n' * 40,
        ordinary + f'{{"a": "{MARKER}"',
        ordinary + f'{{"{MARKER}": 1, "{MARKER}": 2}}',
        ordinary + f'"{MARKER}"',
        ordinary + f'{{"a": "{MARKER * 100}"}}',
        ordinary + f'{{"{MARKER}.b": 1, "{MARKER}": {{"b": 2}}}}',
        f'[{{"a": "{MARKER}"}}, "{MARKER}"]',
        f"{MARKER}\n" * 50,
    ]
    with spied.client(headers=key) as client:
        for body in bodies:
            for query in ("", "?baseline=30&algo=text", "?baseline=30&window=5", "?format=lines"):
                assert client.post(f"/v1/detect{query}", content=body).status_code < 500
            client.post("/v1/baselines?name=one&replace=true", content=body)
        client.post(f"/v1/detect?{MARKER}={MARKER}", content=MIXED)
        client.post(f"/v1/detect?algo={MARKER}", content=MIXED)
        client.post("/v1/detect", content=MIXED, headers={"Content-Encoding": MARKER})
        client.get(f"/{MARKER}", headers={"X-Request-ID": f"{MARKER} {MARKER}"})
        client.request(MARKER.upper(), "/v1/detect")
        last = client.get("/v1/version", headers={"X-API-Key": f"{KEY} wrong"})
    spied.logged_of(last.headers["x-request-id"])
    log = spied.log_file.read_text()
    assert MARKER not in log.lower()
    assert KEY not in log
    for line in spied.logged():
        assert {"event", "level", "timestamp"} <= set(line)


def test_every_request_is_a_line(spied: Served) -> None:
    with spied.client(headers={"X-API-Key": KEY}) as client:
        answer = client.post("/v1/detect?baseline=400", content=MIXED)
        client.post("/v1/detect", content=b"{", headers={"X-Request-ID": "broken-17"})
        client.get("/nowhere", headers={"X-Request-ID": "nowhere-17"})
    line = spied.logged_of(answer.json()["request_id"])
    assert set(line) == REQUEST | {"rows", "anomalies"}
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/detect", 200)
    assert (line["rows"], line["anomalies"]) == (1000, answer.json()["anomaly_count"])
    assert 0 < line["seconds"] < 60
    broken, nowhere = spied.logged_of("broken-17"), spied.logged_of("nowhere-17")
    assert (broken["category"], broken["status"]) == ("invalid_json", 400)
    assert (nowhere["route"], nowhere["status"]) == ("(none)", 404)


def test_a_defect_is_answered_and_logged_without_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "CODE", BROKEN)
    with served(tmp_path) as server:
        with server.client() as client:
            answer = client.post("/v1/detect", content=f'{{"a": "{MARKER}"}}\n' * 50)
            assert refusal(answer) == (500, "internal_error", None)
            assert not {"KeyError", MARKER, "site-packages", "driftlock/"} & set(
                re.findall(r"[\w/-]+", answer.text)
            )
            assert client.get("/healthz").status_code == 200
            counted = numbers(client)
        server.logged_of(answer.json()["request_id"])
        assert MARKER not in server.log_file.read_text()
        failed = [line for line in server.logged() if line["event"] == "request failed"]
    assert [line["error"] for line in failed] == ["KeyError"]
    assert failed[0]["request_id"] == answer.json()["request_id"]
    assert any("screen" in place for place in failed[0]["at"])
    label = 'driftlock_requests_total{method="POST",route="/v1/detect",status="500"}'
    assert counted[label] == 1


def test_numbers_move_as_they_should(service: Served) -> None:
    with service.client() as client:
        before = numbers(client)
        found = client.post("/v1/detect?baseline=400", content=MIXED).json()["anomaly_count"]
        client.post("/v1/detect?baseline=400", content=b"{")
        for i in range(5):
            client.get(f"/unknown/{i}")
            client.delete(f"/v1/baselines/unknown-{i}")
            client.request(f"ODD{i}", "/v1/detect")
        after = numbers(client)

    def moved(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert moved("driftlock_rows_scored_total") == 1000
    assert moved("driftlock_anomalies_total") == found
    for labels, count in (
        ('method="POST",route="/v1/detect",status="200"', 1),
        ('method="POST",route="/v1/detect",status="400"', 1),
        ('method="GET",route="(none)",status="404"', 5),
        ('method="DELETE",route="/v1/baselines/{name}",status="404"', 5),
        ('method="OTHER",route="/v1/detect",status="405"', 5),
    ):
        assert moved(f"driftlock_requests_total{{{labels}}}") == count
        assert moved(f"driftlock_request_seconds_count{{{labels}}}") == count
    assert moved("driftlock_queue_seconds_count") == 2
    assert after["driftlock_requests_in_flight"] == 1  # the one that asks
    assert after["driftlock_queue"] == 0
    assert after["process_resident_memory_bytes"] > 0
    assert not any("unknown" in name for name in after)


@pytest.mark.jit
def test_several_processes_count_as_one_and_one_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with served(tmp_path, workers=2, concurrency=1) as server:
        until(lambda: times_ready(server) == 2, child.START_SECONDS)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: once(server), range(12)))
        assert [answer.status_code for answer in answers] == [200] * 12
        for answer in answers:
            server.logged_of(answer.json()["request_id"])  # counted by then
        seen = [asked(server) for _ in range(6)]
        assert {counted["driftlock_rows_scored_total"] for counted in seen} == {12_000}
        label = 'driftlock_requests_total{method="POST",route="/v1/detect",status="200"}'
        assert {counted[label] for counted in seen} == {12}
        until(lambda: asked(server)["driftlock_requests_in_flight"] == 1)  # the one that asks

        used = {pid: cpu_seconds(pid) for pid in children(server)}
        worker = threading.Thread(target=work_that_is_cut, args=(server,))
        worker.start()
        until(lambda: hardest(used))
        os.kill(hardest(used), signal.SIGKILL)
        worker.join()
        until(lambda: asked(server)["driftlock_requests_in_flight"] == 1)
        assert asked(server)["driftlock_rows_scored_total"] == 12_000
        until(lambda: times_ready(server) >= 3, child.START_SECONDS)
        assert once(server).status_code == 200
        assert server.stop() == 0
        assert all(isinstance(line, dict) for line in server.logged())


def times_ready(server: Served) -> int:
    return sum(line["event"] == "ready" for line in server.logged())


def once(server: Served) -> httpx.Response:
    with server.client() as client:
        return client.post("/v1/detect", content=MIXED)


def asked(server: Served) -> dict[str, float]:
    with server.client() as client:
        return numbers(client)


def is_closed(server: Served) -> bool:
    try:
        asked(server)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:  # accepted, and closed before it was read
        return False
    return False


def work_that_is_cut(server: Served) -> None:
    with server.client() as client, pytest.raises(httpx.TransportError):
        client.post("/v1/detect", params=LONG, content=SLOW)


def children(server: Served) -> list[int]:
    pid = server.process.pid
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def of_children() -> float:
    """Processor time of the processes that have been waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def hardest(used: dict[int, float]) -> int:
    """The process that has worked for seconds more than the others since; 0 if none has."""
    (second, _), (most, pid) = sorted((cpu_seconds(pid) - used[pid], pid) for pid in used)[-2:]
    return pid if most > second + 4 else 0


@pytest.mark.jit
def test_what_runs_is_finished_before_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = held_back(tmp_path, monkeypatch, "routes", "screen")
    with served(tmp_path, shutdown_seconds=600) as server, ThreadPoolExecutor(1) as pool:
        with server.client() as client:
            running = pool.submit(client.post, "/v1/detect", content=MIXED)
            until(lambda: asked(server)["driftlock_requests_in_flight"] == 2)
            server.process.send_signal(signal.SIGTERM)
            until(lambda: is_closed(server))
            assert not running.done()
            flag.touch()
            answer = running.result()
        assert answer.status_code == 200
        assert server.stop() == 0
        assert [line["event"] for line in server.logged()].count("stopped") == 1


@pytest.mark.jit
def test_what_takes_too_long_is_given_up_when_it_stops(tmp_path: Path) -> None:
    with served(tmp_path, shutdown_seconds=1) as server, ThreadPoolExecutor(1) as pool:
        with server.client() as client:
            running = pool.submit(client.post, "/v1/detect", params=LONG, content=SLOW)
            until(lambda: asked(server)["driftlock_requests_in_flight"] == 2)
            used = of_children() + server.worked()
            assert server.stop() == 0
            assert of_children() - used < SOON
            assert refusal(running.result()) == (503, "stopping", None)
        entry = next(line for line in server.logged() if line.get("category") == "stopping")
        assert entry["status"] == 503


def test_it_stops_at_once_while_it_compiles_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with served(tmp_path, wait=False, host="127.0.0.1") as server:
        until(lambda: "listening" in server.log_file.read_text())
        assert server.stop() == 0
    assert not list(tmp_path.glob("driftlock-metrics-*"))
    socket.create_server(("127.0.0.1", server.port)).close()


def test_the_port_that_was_taken_free_is_told(tmp_path: Path) -> None:
    with served(tmp_path, wait=False, port=0) as server:
        until(lambda: any(line["event"] == "listening" for line in server.logged()))
        port = next(line["port"] for line in server.logged() if line["event"] == "listening")
        until(lambda: httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success)
        assert json.loads(server.log_file.read_text().splitlines()[0])["host"] == "127.0.0.1"

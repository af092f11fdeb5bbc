"""Kept baselines over a real socket: whole or not at all, whatever happens to disk and process."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pandas as pd
import pytest
from serving import TESTDATA, Served, numbers, refusal, served, until

import driftlock as dl
from driftlock.service import child
from driftlock.service.answers import BaselineKept, BaselineList

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

LINES = (TESTDATA / "mixed.jsonl").read_bytes().splitlines()
NORMAL = b"\n".join(LINES[:120])
OTHER = b"\n".join(LINES[120:320])
TESTED = b"\n".join(LINES[400:460])
WHERE = {"parameter": "name"}

# A server that dies, or meets a full disk, in the middle of writing a baseline.
DYING = """
import os, pathlib
import driftlock.files.writing as writing
sync = os.fsync
def fsync(handle):
    if pathlib.Path(os.environ["FLAG"]).exists():
        {fault}
    sync(handle)
os.fsync = fsync
from driftlock.cli import main
raise SystemExit(main())
"""


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("keeping"), max_baselines=3) as server:
        yield server


@pytest.fixture(autouse=True)
def _emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "keeping" in request.fixturenames:
        server = request.getfixturevalue("keeping")
        for name in names(server):
            with server.client() as client:
                assert client.delete(f"/v1/baselines/{name}").status_code == 200


def keep(server: Served, name: str, body: bytes = NORMAL, **params: object) -> httpx.Response:
    with server.client() as client:
        return client.post("/v1/baselines", params={"name": name} | params, content=body)


def judge(server: Served, name: str, **params: object) -> httpx.Response:
    with server.client() as client:
        return client.post("/v1/detect", params={"baseline_name": name} | params, content=TESTED)


def names(server: Served) -> list[str]:
    with server.client() as client:
        told = BaselineList.model_validate(client.get("/v1/baselines").json())
    return [baseline.name for baseline in told.baselines]


def files(server: Served) -> list[str]:
    return sorted(path.name for path in server.data_dir.iterdir())


def test_a_baseline_is_kept_used_listed_and_deleted(keeping: Served) -> None:
    answer = keep(keeping, "shop-1", control="fpr", alpha=0.1)
    assert answer.status_code == 201
    told = BaselineKept.model_validate(answer.json())
    assert (told.baseline.name, told.baseline.algo) == ("shop-1", "fields")
    assert told.baseline.bytes == (keeping.data_dir / "shop-1.npz").stat().st_size
    events = [
        pd.DataFrame([json.loads(line) for line in body.splitlines()]) for body in (NORMAL, TESTED)
    ]
    detector = dl.Detector(control="fpr", alpha=0.1, rng=0).fit(events[0])
    found = detector.detect(events[1])
    judged = judge(keeping, "shop-1").json()
    assert [a["index"] for a in judged["anomalies"]] == found.anomalies.index.tolist()
    assert [a["metrics"]["score"] for a in judged["anomalies"]] == found.anomalies["score"].tolist()
    with keeping.client() as client:
        listed = client.get("/v1/baselines").json()["baselines"]
        assert listed == [told.baseline.model_dump()]
        assert client.delete("/v1/baselines/shop-1").json()["name"] == "shop-1"
        again = client.delete("/v1/baselines/shop-1")
    assert refusal(again) == (404, "unknown_baseline", {"parameter": "baseline_name"})
    unknown = (404, "unknown_baseline", {"parameter": "baseline_name"})
    assert refusal(judge(keeping, "shop-1")) == unknown


def test_options_that_a_kept_baseline_has_itself_are_told(keeping: Served) -> None:
    keep(keeping, "a")
    plain, given = judge(keeping, "a").json(), judge(keeping, "a", alpha=0.5, seed=3).json()
    assert plain["anomalies"] == given["anomalies"]
    told = "alpha, seed: those that the baseline was kept with hold"
    assert told in given["warnings"]
    assert told not in plain["warnings"]
    assert refusal(judge(keeping, "a", baseline=30))[1:] == (
        "invalid_parameter",
        {"parameter": "baseline"},
    )
    assert refusal(judge(keeping, "a", window=20))[1:] == (
        "invalid_parameter",
        {"parameter": "window"},
    )


def test_a_name_is_taken_once_unless_it_is_replaced(keeping: Served) -> None:
    assert keep(keeping, "a").json()["baseline"]["rows"] == 120
    assert refusal(keep(keeping, "a", OTHER)) == (409, "baseline_exists", WHERE)
    before = judge(keeping, "a").json()["plan"]["n_baseline"]
    assert keep(keeping, "a", OTHER, replace=True).json()["baseline"]["rows"] == 200
    assert (before, judge(keeping, "a").json()["plan"]["n_baseline"]) == (120, 200)


def test_there_are_only_so_many(keeping: Served) -> None:
    for name in "abc":
        assert keep(keeping, name).status_code == 201
    assert refusal(keep(keeping, "d")) == (409, "too_many_baselines", None)
    assert keep(keeping, "a", replace=True).status_code == 201
    assert names(keeping) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "name", ["../x", "%2e%2e%2fx", "/etc/x", "x\0", "x" * 65, "", ".x", "x.npz", "-x", "x\n", "é"]
)
def test_a_name_stays_in_the_folder(keeping: Served, name: str) -> None:
    assert refusal(keep(keeping, name)) == (400, "invalid_parameter", WHERE)
    with keeping.client() as client:
        path = "".join(f"%{byte:02x}" for byte in name.encode()) or "%20"
        answer = client.delete(f"/v1/baselines/{path}")
    assert refusal(answer)[0] in (400, 404)
    assert not list(keeping.data_dir.parent.rglob("x*.npz"))


def test_a_baseline_that_cannot_be_learned_is_refused(keeping: Served) -> None:
    assert refusal(keep(keeping, "a", b'{"a": 1}\n' * 5))[:2] == (400, "invalid_events")
    assert refusal(keep(keeping, "a", NORMAL + b"\n{")) == (400, "invalid_json", {"line": 121})
    assert names(keeping) == []


def test_a_damaged_file_is_told_and_can_be_deleted(keeping: Served) -> None:
    keep(keeping, "whole")
    for name, change in (("cut", slice(0, 500)), ("empty", slice(0, 0))):
        keep(keeping, name)
        path = keeping.data_dir / f"{name}.npz"
        path.write_bytes(path.read_bytes()[change])
        told = refusal(judge(keeping, name))
        assert told == (500, "baseline_damaged", {"parameter": "baseline_name"})
        assert str(keeping.data_dir) not in judge(keeping, name).text
        assert names(keeping) == ["whole"]
        with keeping.client() as client:
            assert client.delete(f"/v1/baselines/{name}").status_code == 200


def test_of_many_that_write_one_name_one_wins(tmp_path: Path) -> None:
    bodies = [b"\n".join(LINES[:n]) for n in (100, 110, 120, 130)]
    with served(tmp_path, workers=2, concurrency=2, max_baselines=5) as server:
        until(lambda: sum(line["event"] == "ready" for line in server.logged()) == 2, 60)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda body: keep(server, "one", body), bodies))
            codes = sorted(answer.status_code for answer in answers)
            assert codes == [201, 409, 409, 409]
            rows = next(a.json()["baseline"]["rows"] for a in answers if a.status_code == 201)
            assert {judge(server, "one").json()["plan"]["n_baseline"] for _ in range(6)} == {rows}
            written = list(pool.map(lambda body: keep(server, "one", body, replace=True), bodies))
        assert {answer.status_code for answer in written} == {201}
        after = {judge(server, "one").json()["plan"]["n_baseline"] for _ in range(6)}
        assert len(after) == 1
        assert after <= {100, 110, 120, 130}
        assert files(server) == ["one.npz"]
    with served(tmp_path) as server:
        assert names(server) == ["one"]
        assert {judge(server, "one").json()["plan"]["n_baseline"]} == after


@pytest.mark.parametrize("replace", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_process_that_is_killed_while_it_writes_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    flag = tmp_path / "flag"
    monkeypatch.setenv("FLAG", str(flag))
    code = DYING.format(fault="os.kill(os.getpid(), 9)")
    monkeypatch.setattr(child, "CODE", code)
    with served(tmp_path) as server:
        assert keep(server, "one").status_code == 201
        before = (server.data_dir / "one.npz").read_bytes()
        flag.touch()
        with pytest.raises(httpx.TransportError):
            keep(server, "one" if replace else "two", OTHER, replace=replace)
        assert server.process.wait(20) == -signal.SIGKILL
    flag.unlink()
    parts = [name for name in files(server) if name.endswith(".part")]
    assert len(parts) == 1
    os.utime(server.data_dir / parts[0], (time.time() - 7200,) * 2)
    with served(tmp_path) as server:
        assert (server.data_dir / "one.npz").read_bytes() == before
        assert names(server) == ["one"]
        assert judge(server, "one").status_code == 200
        assert files(server) == ["one.npz"]


def test_a_full_disk_is_told_and_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = tmp_path / "flag"
    monkeypatch.setenv("FLAG", str(flag))
    code = DYING.format(fault="raise OSError(28, 'No space left on device')")
    monkeypatch.setattr(child, "CODE", code)
    with served(tmp_path) as server:
        assert keep(server, "one").status_code == 201
        before = (server.data_dir / "one.npz").read_bytes()
        flag.touch()
        for name, replace in (("one", True), ("two", False)):
            answer = keep(server, name, OTHER, replace=replace)
            assert refusal(answer) == (507, "storage_failed", None)
            assert "space" not in answer.text
            assert str(tmp_path) not in answer.text
        assert files(server) == ["one.npz"]
        assert (server.data_dir / "one.npz").read_bytes() == before
        assert judge(server, "one").status_code == 200
        flag.unlink()
        assert keep(server, "two", OTHER).status_code == 201


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with served(tmp_path, data_dir=tmp_path / "file" / "baselines") as server:
        assert refusal(keep(server, "one")) == (507, "storage_failed", None)
        assert names(server) == []
        logged = [line for line in server.logged() if line["level"] == "warning"]
        said = [line["event"] for line in logged if line["event"] != "warned"]  # NumPy, without JIT
        assert said == ["baselines cannot be kept: their folder is not writable"]
        with server.client() as client:
            assert client.post("/v1/detect?baseline=30", content=TESTED).status_code == 200
            assert numbers(client)["driftlock_rows_scored_total"] == 60

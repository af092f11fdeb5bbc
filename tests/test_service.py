"""The service over a real socket: what it answers is what the library finds, bit for bit."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest
import zstandard
from serving import TESTDATA, Served

import driftlock as dl
from driftlock.service.answers import Detected

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

MIXED = (TESTDATA / "mixed.jsonl").read_bytes()
EVENTS = [json.loads(line) for line in MIXED.splitlines()]
FORMS = {
    "ndjson": (MIXED, {}),
    "json": (json.dumps(EVENTS).encode(), {}),
    "gzip": (gzip.compress(MIXED), {"Content-Encoding": "gzip"}),
    "zstd": (zstandard.compress(MIXED), {"Content-Encoding": "zstd"}),
    "two gzip members": (
        gzip.compress(MIXED[:5000]) + gzip.compress(MIXED[5000:]),
        {"Content-Encoding": "gzip"},
    ),
}


@pytest.fixture(scope="module")
def found() -> dl.Detection:
    return dl.detect(pd.DataFrame(EVENTS), baseline=400)


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_judged_as_by_the_library(service: Served, found: dl.Detection, form: str) -> None:
    body, headers = FORMS[form]
    with service.client() as client:
        answer = client.post("/v1/detect", content=body, headers=headers)
    assert answer.status_code == 200
    told = Detected.model_validate(answer.json())
    assert told.success
    assert told.request_id == answer.headers["x-request-id"]
    assert told.total_events == 1000
    assert told.anomaly_count == len(told.anomalies) == found.is_anomaly.sum()
    assert [a.index for a in told.anomalies] == found.anomalies.index.tolist()
    for anomaly in told.anomalies:
        row = found.table.loc[anomaly.index]
        for name in ("score", "bits", "p_value", "q_value", "p_kind"):
            assert getattr(anomaly.metrics, name) == row[name]
        assert anomaly.event == EVENTS[anomaly.index]
        explained = found.explain(anomaly.index).table
        assert [f.field for f in anomaly.fields] == explained.index[: len(anomaly.fields)].tolist()
        assert [f.bits for f in anomaly.fields] == explained["bits"].tolist()[:10]
        assert anomaly.fields[0].field == row["top_field"]
        assert anomaly.fields[0].field in anomaly.why


@pytest.mark.parametrize("algo", ["fields", "text"])
def test_a_kept_baseline_judges_as_the_detector_in_memory(service: Served, algo: str) -> None:
    normal, tested = EVENTS[:400], EVENTS[400:]
    with service.client() as client:
        kept = client.post(
            "/v1/baselines", params={"name": f"kept-{algo}", "algo": algo}, json=normal
        )
        assert kept.status_code == 201
        assert kept.json()["baseline"]["rows"] == 400
        answer = client.post("/v1/detect", params={"baseline_name": f"kept-{algo}"}, json=tested)
        listed = client.get("/v1/baselines").json()["baselines"]
        assert f"kept-{algo}" in [baseline["name"] for baseline in listed]
        assert client.delete(f"/v1/baselines/kept-{algo}").status_code == 200
        gone = client.post("/v1/detect", params={"baseline_name": f"kept-{algo}"}, json=tested)
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "unknown_baseline")
    at_once = service_answer(service, {"algo": algo})
    told = [Detected.model_validate(a).anomalies for a in (answer.json(), at_once)]
    assert [a.metrics for a in told[0]] == [a.metrics for a in told[1]]
    assert [a.index + 400 for a in told[0]] == [a.index for a in told[1]]


def service_answer(service: Served, params: dict[str, str]) -> dict[str, object]:
    with service.client() as client:
        answer = client.post("/v1/detect", params=params, content=MIXED)
    assert answer.status_code == 200
    return answer.json()

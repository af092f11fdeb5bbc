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

"""The contract of the service: what the API document says is what is answered, and no more."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import httpx
import pandas as pd
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from serving import PATIENCE, TESTDATA, Served, assert_protected, refusal

import driftlock as dl
from driftlock.coders.codec import is_installed
from driftlock.service import answers
from driftlock.service.middleware import PROTECTING

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

MIXED = (TESTDATA / "mixed.jsonl").read_bytes()
EVENTS = [json.loads(line) for line in MIXED.splitlines()]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def api(service: Served) -> Any:
    return schemathesis.openapi.from_url(f"{service.url}/openapi.json")


OPERATIONS = [
    ("POST", "/v1/detect"),
    ("POST", "/v1/baselines"),
    ("GET", "/v1/baselines"),
    ("DELETE", "/v1/baselines/{name}"),
    ("GET", "/v1/version"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
]
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


def test_the_document_has_these_operations(api: Any) -> None:
    known = [result.ok() for result in api.get_all_operations()]
    assert sorted((one.method.upper(), one.path) for one in known) == sorted(OPERATIONS)


def attack(operation: Any, mode: GenerationMode, examples: int) -> int:
    """Send requests of an operation, right or wrong ones; how many were sent."""
    sent = []

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def each(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(checks=CHECKS, timeout=PATIENCE)
        sent.append(answer.status_code)
        assert all(answer.headers[name.lower()] == [value] for name, value in PROTECTING.items())

    try:
        each()
    except Unsatisfiable:  # without a parameter there is nothing to get wrong
        assert operation.method == "get"
    return len(sent)


@pytest.mark.parametrize("mode", MODES, ids=["right", "wrong"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_breaks_the_document(
    api: Any, method: str, path: str, mode: GenerationMode
) -> None:
    sent = attack(api[path][method], mode, 8)
    assert sent or mode is GenerationMode.NEGATIVE


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES, ids=["right", "wrong"])
@pytest.mark.parametrize(("method", "path"), OPERATIONS[:4])
def test_no_request_breaks_the_document_however_many(
    api: Any, method: str, path: str, mode: GenerationMode
) -> None:
    assert attack(api[path][method], mode, 400)


@pytest.mark.parametrize(
    ("method", "path", "model"),
    [
        ("GET", "/v1/version", answers.Version),
        ("GET", "/v1/baselines", answers.BaselineList),
        ("GET", "/healthz", answers.State),
        ("GET", "/readyz", answers.State),
    ],
)
def test_every_answer_is_its_model_and_no_more(
    service: Served, api: Any, method: str, path: str, model: Any
) -> None:
    with service.client() as client:
        answer = client.request(method, path)
    assert answer.status_code == 200
    told = model.model_validate_json(answer.content, strict=True)
    assert told.model_dump() == answer.json()
    api[path][method].validate_response(answer)
    assert_protected(answer)


def test_the_version_names_what_can_measure(service: Served) -> None:
    with service.client() as client:
        told = client.get("/v1/version").json()
    assert told["version"] == dl.__version__
    assert told["algos"] == ["fields", "text", "zstd", "lz4", "gzip", "openzl"]
    assert told["codecs"] == [name for name in told["algos"][2:] if is_installed(name)]


@pytest.fixture(scope="module")
def small(sizes: Callable[[int, int], int]) -> dict[str, int]:
    return {
        "rows": sizes(600, 120),
        "baseline": sizes(400, 60),
        "window": sizes(50, 20),
        "hop": sizes(50, 20),
        "permutations": sizes(99, 19),
    }


def screened(service: Served, body: bytes, **params: object) -> answers.Detected:
    with service.client() as client:
        answer = client.post("/v1/detect", content=body, params=params)
    assert answer.status_code == 200, answer.text
    told = answers.Detected.model_validate_json(answer.content, strict=True)
    assert told.model_dump() == answer.json()
    return told


@pytest.mark.parametrize("algo", ["fields", "text", "zstd", "lz4", "gzip", "openzl"])
def test_windows_are_judged_as_by_a_scan(service: Served, small: dict[str, int], algo: str) -> None:
    events = EVENTS[: small["rows"]]
    sizes = {name: small[name] for name in ("baseline", "window", "hop")}
    told = screened(
        service,
        json.dumps(events).encode(),
        algo=algo,
        permutations=small["permutations"],
        seed=7,
        control="fpr",
        alpha=0.2,
        **sizes,
    )
    used = algo if algo in ("fields", "text") or is_installed(algo) else "zstd"
    table = pd.DataFrame(events)
    if algo == "text":
        lines = [json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in events]
        table = pd.DataFrame({"event": lines})
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = dl.scan(
            table,
            coder=algo,
            n_permutations=small["permutations"],
            max_permutations=100_000,
            rng=7,
            control="fpr",
            alpha=0.2,
            **sizes,
        )
    assert told.warnings == [" ".join(str(warning.message).split()) for warning in said]
    assert told.compression_algo == used
    assert told.fallback_from_algo == (None if used == algo else algo)
    assert told.total_events == len(events)
    assert told.anomaly_count == len(told.anomalies) == found.table["is_anomaly"].sum()
    for anomaly, (_, row) in zip(told.anomalies, found.anomalies.iterrows(), strict=True):
        assert anomaly.event is None
        assert anomaly.window is not None
        spans = (anomaly.window.first, anomaly.window.last, anomaly.window.rows)
        assert spans == (row["start"], row["end"], row["rows"])
        assert anomaly.index == row["start"]
        metrics = anomaly.metrics
        assert (metrics.p_value, metrics.q_value) == (row["p_value"], row["q_value"])
        assert metrics.permutations == row["draws"]
        assert (metrics.compression_ratio_change is None) == (used in ("fields", "text"))
        assert anomaly.fields[0].field == row["top_field"]


def test_the_same_seed_gives_the_same_numbers(service: Served, small: dict[str, int]) -> None:
    body = json.dumps(EVENTS[: small["rows"]]).encode()
    params = {name: small[name] for name in ("baseline", "window", "hop", "permutations")}
    one, two, other = (
        screened(service, body, seed=seed, control="fpr", alpha=0.9, **params).anomalies
        for seed in (3, 3, 4)
    )
    assert one == two
    assert [a.metrics.p_value for a in one] != [a.metrics.p_value for a in other]


def test_a_codec_gives_single_rows_to_the_fields(service: Served, small: dict[str, int]) -> None:
    body = json.dumps(EVENTS[: small["rows"]]).encode()
    by_codec = screened(service, body, algo="gzip", baseline=small["baseline"])
    by_fields = screened(service, body, algo="fields", baseline=small["baseline"])
    assert by_codec.compression_algo == by_fields.compression_algo == "fields"
    assert (by_codec.fallback_from_algo, by_fields.fallback_from_algo) == ("gzip", None)
    assert by_codec.anomalies == by_fields.anomalies
    assert by_codec.warnings == [
        "algo=gzip compares windows of rows; single rows are judged by fields",
        *by_fields.warnings,
    ]


def test_lines_of_a_log_are_judged_as_the_library_does(service: Served) -> None:
    lines = [f"INFO worker {i % 7} took {i % 5} ms for /items/{i % 11}" for i in range(90)]
    lines[80] = "PANIC at 0x7f: stack of goroutine 17 [running], dumped core, restarting"
    told = screened(service, "\r\n".join(lines).encode(), format="lines", baseline=60)
    found = dl.detect(pd.DataFrame({"line": lines}), baseline=60)
    assert [a.index for a in told.anomalies] == found.anomalies.index.tolist()
    assert all(a.event == {"line": lines[a.index]} for a in told.anomalies)
    as_text = screened(service, "\n".join(lines).encode(), format="lines", algo="text", baseline=60)
    same = dl.detect(pd.DataFrame({"event": lines}), baseline=60, fields={"event": "text"})
    assert [a.metrics.score for a in as_text.anomalies] == same.anomalies["score"].tolist()
    assert 80 in [a.index for a in as_text.anomalies]


def test_warnings_go_to_the_request_that_they_are_about_each_time(service: Served) -> None:
    body = json.dumps([{"a": i % 5, "b": i % 3} for i in range(60)]).encode()
    first = screened(service, body, baseline=40, algo="zstd").warnings
    assert first
    assert first == screened(service, body, baseline=40, algo="zstd").warnings
    assert not set(first) & set(screened(service, body, baseline=40).warnings)


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/v2/detect", 404, "not_found", None),
        ("GET", "/v1/detect/", 404, "not_found", None),
        ("GET", "/page/../../settings.py", 404, "not_found", None),
        ("GET", "/page/%2e%2e/settings.py", 404, "not_found", None),
        ("GET", "/page/..%2f..%2fsettings.py", 404, "not_found", None),
        ("GET", "/page/%00", 404, "not_found", None),
        ("GET", "/page/" + "x" * 5000, 404, "not_found", None),
        ("GET", "/docs/assets/%2e%2e/%2e%2e/__init__.py", 404, "not_found", None),
        ("GET", "/v1/detect", 405, "method_not_allowed", "POST"),
        ("PUT", "/v1/version", 405, "method_not_allowed", "GET"),
        ("OPTIONS", "/v1/detect", 405, "method_not_allowed", "POST"),
        ("POST", "/healthz", 405, "method_not_allowed", "GET"),
    ],
)
def test_what_is_not_there_is_refused_in_the_one_shape(
    service: Served, method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    with service.client() as client:
        url = httpx.URL(service.url).copy_with(raw_path=path.encode())
        answer = client.send(httpx.Request(method, url))
    assert refusal(answer) == (status, code, None)
    assert answer.headers.get("allow") == allow


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [
        ("baselines=400", "unknown_parameter", "baselines"),
        ("baseline=0", "invalid_parameter", "baseline"),
        ("baseline=1e3", "invalid_parameter", "baseline"),
        ("baseline=" + "9" * 5000, "invalid_parameter", "baseline"),
        ("window=0", "invalid_parameter", "window"),
        ("hop=-1", "invalid_parameter", "hop"),
        ("algo=brotli", "invalid_parameter", "algo"),
        ("alpha=0", "invalid_parameter", "alpha"),
        ("alpha=1", "invalid_parameter", "alpha"),
        ("alpha=nan", "invalid_parameter", "alpha"),
        ("alpha=1e-320", "invalid_parameter", "alpha"),
        ("control=none", "invalid_parameter", "control"),
        ("permutations=18", "invalid_parameter", "permutations"),
        ("permutations=100001", "invalid_parameter", "permutations"),
        ("seed=-1", "invalid_parameter", "seed"),
        ("seed=" + "9" * 30, "invalid_parameter", "seed"),
        ("format=csv", "invalid_parameter", "format"),
        ("baseline_name=../x", "invalid_parameter", "baseline_name"),
        ("baseline_name=x%00", "invalid_parameter", "baseline_name"),
        ("baseline_name=x%0a", "invalid_parameter", "baseline_name"),
        ("baseline_name=" + "x" * 65, "invalid_parameter", "baseline_name"),
    ],
)
def test_a_parameter_that_is_not_possible_is_named(
    service: Served, query: str, code: str, name: str
) -> None:
    with service.client() as client:
        answer = client.post(f"/v1/detect?{query}", content=MIXED)
    assert refusal(answer) == (400, code, {"parameter": name})
    assert name in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "query", ["window=" + "9" * 30, "baseline=" + "9" * 30, "baseline=5", "baseline=1000"]
)
def test_sizes_that_the_events_do_not_fit_are_refused(service: Served, query: str) -> None:
    with service.client() as client:
        answer = client.post(f"/v1/detect?{query}", content=MIXED)
    assert refusal(answer)[:2] == (400, "invalid_events")

"""``driftlock check-service``: some twenty small requests that tell whether a deployment is well.

Nothing is left behind: no baseline is kept, and 500 events are judged once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

import driftlock as dl
from driftlock.datasets import load
from driftlock.errors import OptionError
from driftlock.files import to_json_lines
from driftlock.service.middleware import HSTS, PROTECTING, REQUEST_ID

EVENTS, NORMAL = 500, 400
OWN_ID = "driftlock-check-0001"
EVENT = b'{"a":1}\n'


@dataclass(frozen=True)
class Refusal:
    """A request that must be refused, and how."""

    what: str
    status: int
    code: str
    method: str = "POST"
    path: str = "/v1/detect"
    params: dict[str, str | int] = field(default_factory=dict)
    body: bytes = EVENT * 30
    headers: dict[str, str] = field(default_factory=dict)
    where: dict[str, Any] | None = None


REFUSALS = (
    Refusal("an empty body", 400, "invalid_events", body=b""),
    Refusal("a broken line", 400, "invalid_json", body=EVENT + b'{"a":\n', where={"line": 2}),
    Refusal("an unknown parameter", 400, "unknown_parameter", params={"bseline": 1}),
    Refusal("an impossible parameter", 400, "invalid_parameter", params={"alpha": 2}),
    Refusal("broken gzip", 400, "invalid_encoding", headers={"Content-Encoding": "gzip"}),
    Refusal("unknown coding", 415, "unsupported_encoding", headers={"Content-Encoding": "x-no"}),
    Refusal("an unknown baseline", 404, "unknown_baseline", params={"baseline_name": "no-such-1"}),
    Refusal("an unknown path", 404, "not_found", method="GET", path="/v1/no-such-path"),
    Refusal("a wrong method", 405, "method_not_allowed", method="PUT"),
)


class Wrong(Exception):  # noqa: N818  (a finding, not an error)
    """What is not as it should be."""


@dataclass(frozen=True)
class Outcome:
    """One check and how it went."""

    name: str
    passed: bool
    said: str


class Checks:
    """All checks of one service.

    Parameters
    ----------
    client : httpx.Client
        Connected to it, with the key in its headers where one is needed.
    """

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def run(self) -> Iterator[Outcome]:
        """Every check in turn; one that fails keeps none from being made."""
        made: list[tuple[str, Callable[[], str]]] = [
            ("alive", self.alive),
            ("ready", self.ready),
            ("security headers", self.headers),
            ("version", self.version),
            ("API document", self.document),
            ("request id", self.request_id),
            ("key", self.key),
            ("detection", self.detection),
        ]
        made.extend((refusal.what, partial(self.refusal, refusal)) for refusal in REFUSALS)
        for name, check in made:
            try:
                yield Outcome(name, True, check())
            except Wrong as wrong:
                yield Outcome(name, False, str(wrong))
            except httpx.HTTPError as error:
                yield Outcome(name, False, f"no answer: {type(error).__name__}")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                yield Outcome(name, False, f"the answer has another shape: {error!r}")

    def alive(self) -> str:
        """It answers at all."""
        return _is(self.client.get("/healthz"), {"status": "alive"})

    def ready(self) -> str:
        """Its kernels are compiled."""
        return _is(self.client.get("/readyz"), {"status": "ready"})

    def headers(self) -> str:
        """Those that tell browsers to keep to the rules, on answers and on refusals."""
        expected = dict(PROTECTING)
        if self.client.base_url.scheme == "https":
            expected["Strict-Transport-Security"] = HSTS
        for path in ("/healthz", "/v1/no-such-path"):
            got = self.client.get(path).headers
            for name, value in expected.items():
                if got.get(name) != value:
                    raise Wrong(f"{path}: {name} is {got.get(name)!r}, expected {value!r}")
        return f"{len(expected)} as they should be"

    def version(self) -> str:
        """It says what it is."""
        answer = self._json(self.client.get("/v1/version"))
        if not {"zstd", "lz4", "gzip"} <= set(answer["codecs"]):
            raise Wrong(f"codecs are missing: {answer['codecs']}")
        return f"driftlock {answer['version']}; {', '.join(answer['codecs'])}"

    def document(self) -> str:
        """It describes itself."""
        paths = self._json(self.client.get("/openapi.json"))["paths"]
        if "/v1/detect" not in paths:
            raise Wrong("the API document has no /v1/detect")
        return f"{len(paths)} paths"

    def request_id(self) -> str:
        """A well-formed id comes back, another is replaced."""
        kept = self.client.get("/healthz", headers={REQUEST_ID: OWN_ID}).headers.get(REQUEST_ID)
        if kept != OWN_ID:
            raise Wrong(f"{OWN_ID!r} came back as {kept!r}")
        made = self.client.get("/healthz", headers={REQUEST_ID: "<no id>"}).headers.get(REQUEST_ID)
        if not made or "<" in made:
            raise Wrong(f"a malformed id came back as {made!r}")
        return "kept if well-formed, else made"

    def key(self) -> str:
        """Where keys are asked for, none and a wrong one are refused."""
        if "authorization" not in self.client.headers:
            self._json(self.client.get("/v1/version"))
            return "none is asked for"
        for wrong in ("", "Bearer no-such-key"):
            answer = self.client.get("/v1/version", headers={"Authorization": wrong})
            _refused(answer, 401, "unauthorized")
        return "refused without, and with a wrong one"

    def detection(self) -> str:
        """It flags what the library flags, and counts what it does."""
        data = load("mixed")
        events = data.events[:EVENTS]
        before = self._rows_scored()
        version = self._json(self.client.get("/v1/version"))["version"]
        answer = self._json(
            self.client.post(
                "/v1/detect", params={"baseline": NORMAL}, content=to_json_lines(events).encode()
            )
        )
        told = [anomaly["index"] for anomaly in answer["anomalies"]]
        if answer["total_events"] != EVENTS or answer["anomaly_count"] != len(told):
            raise Wrong(f"{answer['total_events']} events, {answer['anomaly_count']} anomalies")
        marked = set(data.labels.index[data.labels["is_anomaly"]]) & set(range(EVENTS))
        found = dl.detect(events, baseline=NORMAL).anomalies.index.tolist()
        if version == dl.__version__ and told != found:
            raise Wrong(f"flags {told}; this library flags {found}")
        if len(marked & set(told)) < len(marked) / 2:
            raise Wrong(f"flags {told}; the anomalies are {sorted(marked)}")
        if self._rows_scored() < before + EVENTS:
            raise Wrong("driftlock_rows_scored_total of /metrics has not moved")
        return f"{len(told)} of {EVENTS - NORMAL} events flagged; the counters have moved"

    def refusal(self, refusal: Refusal) -> str:
        """A request that must be refused is, and how."""
        answer = self.client.request(
            refusal.method,
            refusal.path,
            params=refusal.params,
            content=refusal.body if refusal.method == "POST" else None,
            headers=refusal.headers,
        )
        error = _refused(answer, refusal.status, refusal.code)
        if refusal.where is not None and error["where"] != refusal.where:
            raise Wrong(f"says {error['where']}, expected {refusal.where}")
        return f"{refusal.status} {refusal.code}"

    def _rows_scored(self) -> float:
        answer = self.client.get("/metrics")
        for line in answer.text.splitlines():
            if line.startswith("driftlock_rows_scored_total "):
                return float(line.split()[1])
        raise Wrong(f"/metrics answers {answer.status_code}, without driftlock_rows_scored_total")

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code != 200:
            raise Wrong(f"answers {answer.status_code} {_code(answer)}")
        return dict(answer.json())


def check_service(url: str, key: str | None = None) -> list[Outcome]:
    """Make every check of a service.

    Parameters
    ----------
    url : str
        Where it is.
    key : str, optional
        An API key, where it asks for one.

    Returns
    -------
    list of Outcome
        One for each check.

    Raises
    ------
    OptionError
        If this is no address, or nobody answers there.
    """
    if not url.startswith(("http://", "https://")):
        raise OptionError(f"{url!r} is no address; expected such as http://127.0.0.1:8080")
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            client.get("/healthz")
            return list(Checks(client).run())
    except (httpx.TransportError, httpx.InvalidURL, UnicodeError) as error:
        raise OptionError(f"{url}: cannot be reached: {error}") from None


def _is(answer: httpx.Response, expected: dict[str, Any]) -> str:
    if answer.status_code != 200 or answer.json() != expected:
        raise Wrong(f"answers {answer.status_code} {answer.text[:80]!r}")
    return str(expected["status"])


def _refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    if (answer.status_code, _code(answer)) != (status, code):
        raise Wrong(f"answers {answer.status_code} {_code(answer)}, expected {status} {code}")
    body = answer.json()
    if body["success"] is not False or body["request_id"] != answer.headers.get(REQUEST_ID):
        raise Wrong("the error has not the shape that all have")
    return dict(body["error"])


def _code(answer: httpx.Response) -> str:
    """Code of an error, or that it has none."""
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return "without an error code"

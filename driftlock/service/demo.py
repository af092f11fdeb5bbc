"""``driftlock demo``: a service of its own, one request with known anomalies, and its answer."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import httpx

from driftlock.datasets import load
from driftlock.files import to_json_lines
from driftlock.one_call import detect
from driftlock.service.child import started

REQUEST_SECONDS = 60
NORMAL = 400  # events of "mixed" before its first anomaly


def run_demo() -> tuple[dict[str, Any], list[str]]:
    """Start a service, send it the mixed data, and stop it.

    Returns
    -------
    tuple of dict and list of str
        The answer, and what about it is not as it should be: nothing, if all is well.

    Raises
    ------
    OptionError
        If the service does not get ready.
    """
    data = load("mixed")
    with tempfile.TemporaryDirectory(prefix="driftlock-") as place, started(Path(place)) as it:
        it.wait_until_ready()
        answer = httpx.post(
            f"{it.url}/v1/detect",
            params={"baseline": NORMAL},
            content=to_json_lines(data.events).encode(),
            timeout=REQUEST_SECONDS,
            trust_env=False,
        ).json()
    if not answer.get("success"):
        return answer, [f"the request failed: {answer.get('error')}"]
    told = [anomaly["index"] for anomaly in answer["anomalies"]]
    found = detect(data.events, baseline=NORMAL).anomalies.index.tolist()
    known = set(data.labels.index[data.labels["is_anomaly"]])
    wrong = []
    if told != found:
        wrong.append(f"the library flags {len(found)} rows, the service {len(told)} others")
    if len(known & set(told)) < len(known) / 2:
        wrong.append(f"only {len(known & set(told))} of {len(known)} known anomalies are flagged")
    answer["known"] = sorted(known)
    return answer, wrong

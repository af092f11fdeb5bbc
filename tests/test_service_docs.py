"""docs/service.md says what the code does: every refusal with its status, every deployment file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

import driftlock
from driftlock.service.check import REFUSALS
from driftlock.service.routes import REFUSALS as ANSWERS
from driftlock.service.settings import PREFIX, Settings

pytestmark = pytest.mark.jit  # servers run in processes of their own, and are slow without

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "service.md").read_text(encoding="utf-8")
SERVICE = Path(driftlock.__file__).parent / "service"
DEPLOY = DOCS / "deploy"


def documented() -> set[tuple[int, str]]:
    """Status and code of each refusal in the table of the page."""
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", PAGE, flags=re.MULTILINE)
    return {(int(status), code) for status, cell in rows for code in re.findall(r"`(\w+)`", cell)}


def refusals_of(source: str) -> set[tuple[int, str]]:
    """Status and code wherever a `Problem` is made of constants."""
    return {
        (call.args[0].value, call.args[1].value)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "Problem"
        and len(call.args) > 1
        and all(isinstance(argument, ast.Constant) for argument in call.args[:2])
    }


def test_every_refusal_is_documented() -> None:
    found = {r for path in SERVICE.glob("*.py") for r in refusals_of(path.read_text("utf-8"))}
    assert {(400, "invalid_json"), (413, "body_too_large"), (504, "timed_out")} <= found
    assert found - documented() == set()
    assert {(refusal.status, refusal.code) for refusal in REFUSALS} <= documented()
    assert {status for status in ANSWERS if status != 404} <= {status for status, _ in documented()}


def test_the_check_of_refusals_can_fail() -> None:
    assert refusals_of('raise Problem(418, "teapot", f"{x}")') - documented() == {(418, "teapot")}


def test_settings_that_the_page_names_are_settings() -> None:
    names = set(re.findall(r"`([A-Z][A-Z0-9]*_[A-Z0-9_]+|WORKERS)`", PAGE))
    known = {name.upper() for name in Settings.model_fields}
    assert {"MAX_DEPTH", "RATE_LIMIT", "SHUTDOWN_SECONDS"} <= names
    assert names - known == {"DRIFTLOCK_API_KEY", "NUMBA_CACHE_DIR"}


def test_settings_of_the_deployment_files_are_settings() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for path in DEPLOY.iterdir():
        named = set(re.findall(rf"{PREFIX}[A-Z0-9_]+", path.read_text(encoding="utf-8")))
        assert named <= known, path.name


def test_supervisors_wait_for_longer_than_the_service_takes() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["driftlock"]
    given = int(service["environment"][PREFIX + "SHUTDOWN_SECONDS"])
    assert int(service["stop_grace_period"].removesuffix("s")) > given
    unit = dict(
        line.split("=", 1)
        for line in (DEPLOY / "driftlock.service").read_text(encoding="utf-8").splitlines()
        if "=" in line and not line.startswith(("#", "Environment="))
    )
    text = (DEPLOY / "driftlock.service").read_text(encoding="utf-8")
    given = int(re.findall(rf"{PREFIX}SHUTDOWN_SECONDS=(\d+)", text)[0])
    assert int(unit["TimeoutStopSec"]) > given
    assert "MemoryDenyWriteExecute" not in unit


def test_the_container_runs_as_another_user_and_gets_signals_itself() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert "USER 10001:10001" in lines
    assert lines[-1] == 'CMD ["driftlock", "serve"]'
    bases = [line.split()[1] for line in lines if line.startswith("FROM")]
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert len(set(bases)) == 1

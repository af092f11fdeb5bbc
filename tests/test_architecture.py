"""What a reviewer would otherwise have to remember about the house: names, doors, signatures."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import driftlock

PACKAGE = Path(driftlock.__file__).parent
SERVICE_NEEDS = (
    "asgi_correlation_id",
    "fastapi",
    "fastapi_offline",
    "httpx",
    "limits",
    "prometheus_client",
    "pydantic",
    "pydantic_settings",
    "starlette",
    "structlog",
    "uvicorn",
)
WITHOUT_EXTRA = tuple(name for name in SERVICE_NEEDS if name != "pydantic")  # typer may bring it
LOADED_WHEN_USED = (
    *("matplotlib", "scipy.stats", "typer", "rich", "sklearn", "polars"),
    *SERVICE_NEEDS,
)


def imported_modules(path: Path) -> set[str]:
    """Top-level packages that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
    return names


def in_new_process(code: str, **environment: str) -> str:
    """Standard output of a Python program."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_public_names_are_frozen() -> None:
    assert driftlock.__all__ == [
        "Comparison",
        "Detection",
        "Detector",
        "DriftlockError",
        "DriftlockWarning",
        "Explanation",
        "FileError",
        "InputError",
        "NotFittedError",
        "OptionError",
        "PermutationResult",
        "Plan",
        "Scan",
        "ScanPlan",
        "cdm",
        "code_length",
        "compare",
        "compression_ratio",
        "datasets",
        "detect",
        "entropy",
        "entropy_delta",
        "ncd",
        "ncd_matrix",
        "permutation_test",
        "scan",
        "set_threads",
        "warmup",
    ]
    assert all(hasattr(driftlock, name) for name in driftlock.__all__)


def test_import_loads_only_what_it_needs() -> None:
    code = f"import sys, driftlock; print([n for n in {LOADED_WHEN_USED} if n in sys.modules])"
    assert in_new_process(code).strip() == "[]"


@pytest.mark.parametrize(
    "command", [["serve"], ["demo"], ["check-service", "http://127.0.0.1:1"]], ids=lambda c: c[0]
)
def test_without_the_extra_the_service_says_what_it_needs(command: list[str]) -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys({WITHOUT_EXTRA}))  # none of them can be imported
sys.stderr = sys.stdout
from driftlock.cli import main
print(main({command}))
"""
    said, exit_code = in_new_process(code).splitlines()
    assert said.endswith("pip install 'driftlock-toolkit[service]'")
    assert "fastapi" in said
    assert exit_code == "2"


def test_the_core_works_without_the_extra() -> None:
    code = f"""
import sys
sys.modules.update(dict.fromkeys({WITHOUT_EXTRA}))
from driftlock.cli import main
import driftlock as dl
rows = dl.datasets.load("normal").events[:60]
print(len(dl.detect(rows, baseline=40)), main(["--version"]))
"""
    assert in_new_process(code).split()[-2:] == ["20", "0"]


def test_numba_has_one_door() -> None:
    users = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "numba" in imported_modules(path)
    }
    assert users == {str(Path("_kernels") / "jit.py")}


def test_the_check_for_doors_can_fail(tmp_path: Path) -> None:
    sneaky = tmp_path / "sneaky.py"
    sneaky.write_text("def f():\n    from numba.core import config\n    return config\n")
    assert "numba" in imported_modules(sneaky)


# Every way into the library that brings other dtypes, layouts or read-only buffers along.
REPRESENTATIVE_RUN = """
import importlib, json, pkgutil, tempfile
import polars, pyarrow
import driftlock as dl
from driftlock import _kernels

events = dl.datasets.make_transactions(600, seed=0).events.drop(columns="metadata")
events["amount"] = [x if isinstance(x, float) else 0.0 for x in events["amount"]]
events["rank"] = range(len(events))
events["level"] = events["amount"].astype("float32")
events["note"] = [f"{who} pays {x} at {to}" for who, x, to in
                  zip(events["customer"], events["amount"], events["merchant"])]
events["steps"] = [" ".join(str(i * j % 7) for j in range(9)) for i in range(len(events))]
events["batch"] = [f"batch {i // 50}" for i in range(len(events))]
normal, window = events[:400], events[400:]
for table in (events, events.convert_dtypes(), events[::-1], polars.from_pandas(events),
              pyarrow.Table.from_pandas(events)):
    dl.detect(table, baseline=400).explain(position=0)
for options in ({"clean": True}, {"calibration": "split", "rng": 0}, {"calibration": "cross"}):
    dl.detect(events, baseline=400, **options)
dl.detect(events)
detector = dl.Detector(entity="customer").fit(normal)
detector.predict(window)
with tempfile.TemporaryDirectory() as folder:
    detector.save(f"{folder}/detector.npz")
    dl.Detector.load(f"{folder}/detector.npz").detect(window)
for null in ("rows", "shift", "groups"):
    dl.compare(normal, window, null=null, n_permutations=99, rng=0,
            **({"groups": "batch"} if null == "groups" else {}))
for statistic in ("ncd", "entropy", "mean_bits", "top_bits", "max_field"):
    dl.permutation_test(normal, window, statistic, n_permutations=99, rng=0)
dl.scan(events, baseline=400, window=50, n_permutations=99, rng=0)
dl.compare(normal["note"], window["note"], coder="text", n_permutations=99, rng=0)
dl.scan(events["note"], baseline=400, window=50, coder="text", null="shift", n_permutations=99)
signatures = {}
for module in pkgutil.iter_modules(_kernels.__path__):
    for name, thing in vars(importlib.import_module(f"driftlock._kernels.{module.name}")).items():
        if hasattr(thing, "signatures"):
            signatures[f"{module.name}.{name}"] = [str(types) for types in thing.signatures]
print(json.dumps(signatures))
"""


@pytest.mark.jit
@pytest.mark.slow
def test_every_kernel_has_one_signature() -> None:
    # Without the cache, so that kernels which only kernels call are compiled here too.
    found = json.loads(in_new_process(REPRESENTATIVE_RUN, DRIFTLOCK_NUMBA_CACHE="0"))
    assert len(found) > 10
    # A constant that one kernel hands to another has a type of its own, the same in machine code.
    plain = {
        name: {
            re.sub(r"Literal\[(\w+)\]\([-\w]+\)", r"\1", types).replace("int64", "int")
            for types in signatures
        }
        for name, signatures in found.items()
    }
    assert {name: signatures for name, signatures in plain.items() if len(signatures) != 1} == {}

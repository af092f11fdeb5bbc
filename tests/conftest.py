"""What tests of several files share, and what is left out when the kernels run as plain Python."""

from __future__ import annotations

import os

os.environ.setdefault("MPLBACKEND", "Agg")

from typing import TYPE_CHECKING

import numba
import numpy as np
import pandas as pd
import pytest
from commanding import write_tables
from hypothesis import settings
from saving import NORMAL, OPTIONS
from serving import Served, served
from windowing import shifted, table

import driftlock as dl
from driftlock import threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JIT_OFF = bool(numba.config.DISABLE_JIT)

# The first example may compile a kernel, so no example has a deadline. CI draws the same ones
# each time; elsewhere they vary.
settings.register_profile("driftlock", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("driftlock")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = set()
    if JIT_OFF:
        left_out = {"jit", "slow"}
    elif not config.getoption("--slow"):
        left_out = {"slow"}
    deselected = [item for item in items if left_out & {mark.name for mark in item.iter_markers()}]
    if deselected:
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if item not in deselected]


@pytest.fixture(scope="session")
def sizes() -> Callable[[int, int], int]:
    """`sizes(full, small)`: the size to use, `small` where kernels run as plain Python."""
    return lambda full, small: small if JIT_OFF else full


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running HTTP service with its default settings, but for rates, which are not limited."""
    with served(tmp_path_factory.mktemp("service")) as server:
        yield server


@pytest.fixture
def _compiled(_wrapping_uint64: None) -> None:
    """Compile first, so that no test sees the note about compiling."""
    dl.warmup()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to work in, with a table without and one with anomalies."""
    monkeypatch.chdir(tmp_path)
    write_tables()
    return tmp_path


@pytest.fixture(scope="session")
def fitted() -> dict[str, dl.Detector]:
    with np.errstate(over="ignore"):  # as everywhere where kernels run as plain Python
        return {name: dl.Detector(**options).fit(NORMAL) for name, options in OPTIONS.items()}


@pytest.fixture(scope="session")
def saved(fitted, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("saved") / "detector.npz"
    fitted["default"].save(path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def stream() -> pd.DataFrame:
    """Rows 800 to 899 are another world."""
    return pd.concat([table(800), shifted(100), table(300, 3)], ignore_index=True)


@pytest.fixture
def _usual_threads() -> Iterator[None]:
    """Go back to the usual number of threads after the test."""
    yield
    threads.set_threads(None)


@pytest.fixture(autouse=True)
def _wrapping_uint64() -> Iterator[None]:
    """Let uint64 scalars wrap around silently, as they do in compiled kernels."""
    with np.errstate(over="ignore" if JIT_OFF else "warn"):
        yield

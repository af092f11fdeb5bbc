"""A cold cache is filled by two processes, a warm one is used, and neither changes a result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from driftlock._kernels import jit

WARM_UP = """
import json, os, pkgutil, sys
from importlib import import_module
from driftlock import _kernels, warm
assert warm.ensure(sys.argv[1]) > 0
missed = {
    f"{module.name}.{name}"
    for module in pkgutil.iter_modules(_kernels.__path__)
    for name, kernel in vars(import_module(f"driftlock._kernels.{module.name}")).items()
    if hasattr(kernel, "stats") and kernel.stats.cache_misses
}
print(json.dumps([sorted(missed), len(warm._helpers), os.environ["NUMBA_CACHE_DIR"]]))
"""


def warmed_up(cache: Path, job: str) -> tuple[list[str], int, str]:
    """In a new process: kernels that it compiled, helpers that it had, the cache it used."""
    done = subprocess.run(
        [sys.executable, "-c", WARM_UP, job],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    missed, helpers, used = json.loads(done.stdout)
    return missed, helpers, used


@pytest.mark.jit
@pytest.mark.slow
@pytest.mark.parametrize(
    ("job", "own", "others"),
    [
        ("detect", {"number.written_decimals", "nearest.nearest"}, {"text.learn"}),
        ("windows", {"permute.mix", "scan.scan_range"}, {"text_counts.measure_texts"}),
        (
            "service",
            {"nearest.nearest", "scan.scan_range"},
            {"text.learn", "text_codes.code_new_rows", "number.density_bits"},
        ),
        (
            "everything",
            {"permute.mix", "scan.scan_range", "text_counts.measure_texts"},
            {"text.learn", "text_codes.code_new_rows", "nearest.nearest"},
        ),
    ],
)
def test_a_helper_compiles_half_and_the_next_process_nothing(
    tmp_path: Path, job: str, own: set[str], others: set[str]
) -> None:
    missed, helpers, _ = warmed_up(tmp_path, job)
    assert own <= {*missed}
    if (os.cpu_count() or 1) > 1:
        assert helpers == 1
        assert not others & {*missed}
    assert warmed_up(tmp_path, job) == ([], 0, str(tmp_path))


def test_a_folder_that_can_be_written_is_not_copied(tmp_path: Path) -> None:
    assert jit._copied(str(tmp_path)) is None
    assert jit._copied(str(tmp_path / "none")) is None
    assert jit._copied("") is None


def test_one_that_cannot_is_copied_whole(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "one.nbi").write_bytes(b"code")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write anywhere
    monkeypatch.setattr(jit.numba.config, "CACHE_DIR", "")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    with jit._copied(str(tmp_path)) as copy:
        assert os.environ["NUMBA_CACHE_DIR"] == jit.numba.config.CACHE_DIR == copy
        path = Path(copy, "kernels", "one.nbi")
        assert path.read_bytes() == b"code"
        path.write_bytes(b"other code")
    assert not Path(copy).exists()
    assert (tmp_path / "kernels" / "one.nbi").read_bytes() == b"code"

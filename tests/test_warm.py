"""The note about compiling: where something is compiled, after some patience, and only there."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from numba.core import event
from serving import until

from driftlock import warm
from driftlock._kernels.jit import YOUNG, few_collections


@pytest.fixture
def run(monkeypatch, capsys):
    """Do a job as `ensure` does it, and return what it wrote on standard error."""
    monkeypatch.setattr(warm, "PATIENCE", 0.05)
    monkeypatch.setattr(warm, "_seconds", {})

    def note_of(job) -> str:
        monkeypatch.setitem(warm.JOBS, "job", job)
        warm.ensure("job")
        return capsys.readouterr().err

    return note_of


def compiling(seconds: float) -> None:
    with event.trigger_event("numba:compile"):
        time.sleep(seconds)


def compiling_until_told() -> None:
    """Compile until patience has come to its end, however late that is noticed."""
    with event.trigger_event("numba:compile"):
        until(lambda: not any(isinstance(one, threading.Timer) for one in threading.enumerate()))


def test_a_long_compilation_says_what_it_is_doing(run) -> None:
    assert run(compiling_until_told) == warm.NOTE


def test_several_compilations_say_it_once(run) -> None:
    assert run(lambda: (compiling_until_told(), compiling(0.2), compiling(0.2))) == warm.NOTE


def test_a_slow_load_from_the_cache_is_no_compilation(run) -> None:
    assert not run(lambda: time.sleep(0.3))


def test_a_short_compilation_is_not_worth_a_word(run, monkeypatch) -> None:
    monkeypatch.setattr(warm, "PATIENCE", 30.0)
    assert not run(lambda: compiling(0.01))


def test_compilations_elsewhere_are_no_concern(run, capsys) -> None:
    run(lambda: None)
    compiling(0.2)
    assert not capsys.readouterr().err


def test_what_is_there_waits_for_nobody(monkeypatch) -> None:
    monkeypatch.setattr(warm, "_seconds", {"job": 0.5})
    with ThreadPoolExecutor(1) as pool, warm._lock:  # others are compiled meanwhile
        assert pool.submit(warm.ensure, "job").result(timeout=30) == 0.5


def test_a_service_that_is_ready_needs_no_more_for_rows(monkeypatch) -> None:
    monkeypatch.setattr(warm, "_seconds", {})
    monkeypatch.setitem(warm.JOBS, "service", lambda: None)
    monkeypatch.setitem(warm.JOBS, "detect", lambda: pytest.fail("compiled once more"))
    warm.ensure("service")
    assert warm.ensure("detect") == warm.ensure("service")


def test_a_share_that_has_begun_is_not_begun_again(monkeypatch) -> None:
    begun, waited = [], []

    class Helper:
        def wait(self, _: float) -> None:
            waited.append(True)

    monkeypatch.setattr(warm, "_seconds", {})
    monkeypatch.setattr(warm, "_begun", {})
    monkeypatch.setattr(warm, "_done", set())
    monkeypatch.setattr(warm, "PARTS", dict.fromkeys(warm.PARTS, lambda: None))
    monkeypatch.setattr(warm, "_helper_if_cold", lambda _, others: begun.append(others) or Helper())
    warm.begin("service")
    warm.begin("service")
    assert begun == [warm.SHARES["service"][1]]
    assert not waited
    warm.ensure("service")
    warm.begin("service")
    assert len(begun) == len(waited) == 1
    assert not warm._begun


def test_a_helper_imports_nothing_from_the_current_folder(tmp_path, monkeypatch) -> None:
    (tmp_path / "numpy.py").write_text("open('imported', 'w').close()")
    monkeypatch.chdir(tmp_path)
    helper = warm._helper(())
    assert helper is not None
    assert helper.wait(warm.HELPER_SECONDS) == 0
    assert not (tmp_path / "imported").exists()


def test_a_job_is_done_once(run, monkeypatch) -> None:
    calls = []
    run(lambda: calls.append(1))
    assert warm.ensure("job") < 1.0
    assert calls == [1]


@pytest.mark.parametrize("chosen", [(50_000, 20, 20), (700, 10, 10)])
def test_garbage_is_collected_as_it_was_or_as_another_thread_has_chosen(chosen) -> None:
    usual = gc.get_threshold()
    try:
        gc.set_threshold(700, 10, 10)
        with few_collections():
            assert gc.get_threshold() == (YOUNG, 10, 10)
        assert gc.get_threshold() == (700, 10, 10)
        with few_collections():
            gc.set_threshold(*chosen)
        assert gc.get_threshold() == chosen
    finally:
        gc.set_threshold(*usual)


@pytest.mark.slow
def test_with_nothing_cached_the_first_result_comes_with_the_note() -> None:
    rows = "[{'a': i % 7} for i in range(60)]"
    code = f"import driftlock as dl; print(dl.detect({rows}, baseline=40))"
    environment = os.environ | {"DRIFTLOCK_NUMBA_CACHE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stderr == warm.NOTE
    assert done.stdout.startswith("Detection: ")

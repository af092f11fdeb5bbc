"""What other threads and processes do in between: to kept baselines, numbers, and readiness."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from serving import until

import driftlock as dl
from driftlock.service import app, metrics
from driftlock.service.baselines import ABANDONED, Baselines
from driftlock.service.problems import Problem
from driftlock.service.settings import Settings


@pytest.fixture
def detector(_wrapping_uint64: None) -> dl.Detector:
    return dl.Detector().fit([{"a": i % 7, "b": i % 3} for i in range(60)])


@pytest.fixture
def baselines(tmp_path: Path) -> Baselines:
    return Baselines(Settings(data_dir=tmp_path))


def test_a_part_that_goes_while_the_folder_is_tidied_is_no_fault(
    baselines: Baselines, tmp_path: Path
) -> None:
    (tmp_path / ".gone.1.part").symlink_to("nowhere")  # listed, and not there
    (tmp_path / ".new.1.part").touch()
    (tmp_path / ".old.1.part").touch()
    os.utime(tmp_path / ".old.1.part", (time.time() - 2 * ABANDONED,) * 2)
    assert baselines.is_writable()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gone.1.part", ".new.1.part"]


def test_one_that_is_deleted_as_soon_as_it_is_kept_was_kept(
    baselines: Baselines, detector: dl.Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link, sizes = os.link, []

    def link_and_delete(part: Path, path: Path) -> None:
        link(part, path)
        sizes.append(path.stat().st_size)
        path.unlink()

    monkeypatch.setattr(os, "link", link_and_delete)
    kept = baselines.keep("one", detector, replace=False)
    assert (kept.name, kept.rows, [kept.bytes]) == ("one", 60, sizes)
    assert list(tmp_path.iterdir()) == []


def test_one_that_is_deleted_as_soon_as_it_is_replaced_is_written_once_more(
    baselines: Baselines, detector: dl.Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, saved = dl.Detector.save, []

    def save_and_delete(self: dl.Detector, path: Path) -> None:
        save(self, path)
        if not saved:
            path.unlink()
        saved.append(path)

    monkeypatch.setattr(dl.Detector, "save", save_and_delete)
    kept = baselines.keep("one", detector, replace=True)
    assert saved == [tmp_path / "one.npz"] * 2
    assert kept.bytes == saved[0].stat().st_size
    assert baselines.listed() == [kept]


def test_one_that_is_kept_anew_while_it_is_read_is_not_damaged(
    baselines: Baselines, detector: dl.Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loaded = dl.Detector.load, []
    baselines.keep("one", detector, replace=False)

    def load_what_is_deleted_and_kept_anew(path: Path) -> dl.Detector:
        loaded.append(path)
        if len(loaded) > 1:
            return load(path)
        path.unlink()
        try:
            return load(path)
        finally:
            detector.save(path)

    monkeypatch.setattr(dl.Detector, "load", load_what_is_deleted_and_kept_anew)
    assert baselines.get("one").plan(1).n_baseline == 60
    assert loaded == [tmp_path / "one.npz"] * 2
    assert baselines.get("one") is baselines.get("one")  # in memory, under the stamp of its file
    assert len(loaded) == 2


def test_keeping_and_deleting_at_once_have_the_answers_that_they_have_in_turn(
    baselines: Baselines, detector: dl.Detector
) -> None:
    ended, codes, deletions = threading.Event(), set(), set()

    def delete() -> None:
        while not ended.is_set():
            try:
                baselines.delete("one")
            except Problem as problem:
                deletions.add(problem.code)

    deleting = threading.Thread(target=delete)
    deleting.start()
    try:
        for _ in range(40):
            assert baselines.keep("one", detector, replace=True).rows == 60
            try:
                baselines.keep("one", detector, replace=False)
            except Problem as problem:
                codes.add(problem.code)
    finally:
        ended.set()
        deleting.join()
    assert codes <= {"baseline_exists"}
    assert deletions <= {"unknown_baseline"}


def test_kernels_that_are_ready_after_the_stop_let_no_request_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = threading.Event()
    monkeypatch.setattr(app, "ensure", lambda _: compiled.wait(60) and 1.0)
    monkeypatch.setattr(app.logs, "configure", lambda _: None)
    monkeypatch.setattr(app, "log_other_warnings", lambda: None)
    monkeypatch.setattr(app.dl, "warmup", lambda: pytest.fail("nobody will ask for more"))
    service = app.create_app(Settings(data_dir=tmp_path))
    readiness = service.state.readiness

    async def run() -> None:
        async with app._lifespan(service):
            assert readiness.words == "compiling kernels"

    asyncio.run(run())
    assert readiness.words == "stopping"
    compiled.set()
    until(lambda: not any(thread.name == "warmup" for thread in threading.enumerate()))
    assert readiness.words == "stopping"
    assert not readiness.is_ready


def test_warnings_of_others_are_logged_once_everything_is_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings.simplefilter("always")  # until the end of this test
    compiler, request = warnings.catch_warnings(record=True), warnings.catch_warnings()
    logged: list[dict[str, str]] = []

    def warmup() -> None:  # both begin, then both end: the one that ends last restores the other
        compiler.__enter__()
        request.__enter__()
        compiler.__exit__()
        request.__exit__()
        warnings.warn("heard by nobody", UserWarning, stacklevel=1)

    monkeypatch.setattr(app, "ensure", lambda _: 1.0)
    monkeypatch.setattr(app.dl, "warmup", warmup)
    monkeypatch.setattr(app.logs, "configure", lambda _: None)
    service = app.create_app(Settings(data_dir=tmp_path))
    log = SimpleNamespace(info=lambda *_, **__: None, warning=lambda _, **told: logged.append(told))
    monkeypatch.setattr(app.logs, "get", lambda: log)

    async def run() -> None:
        async with app._lifespan(service):
            while any(thread.name == "warmup" for thread in threading.enumerate()):
                await asyncio.sleep(0.01)

    asyncio.run(run())
    assert logged == []
    warnings.warn("heard", UserWarning, stacklevel=1)
    assert [told["kind"] for told in logged] == ["UserWarning"]


@pytest.fixture
def several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of several processes, with the numbers of one that lives."""
    monkeypatch.setenv(metrics.FOLDER, str(tmp_path))
    written(tmp_path, os.getpid(), 3.0)
    return tmp_path


def written(folder: Path, pid: int, value: float) -> Path:
    path = folder / f"gauge_livesum_{pid}.db"
    numbers = MmapedDict(str(path))
    key = mmap_key("driftlock_queue", "driftlock_queue", [], [], "Requests that wait for a place.")
    numbers.write_value(key, value, 0.0)
    numbers.close()
    return path


def queue() -> float:
    lines = metrics.exposition()[0].decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("driftlock_queue "))


def test_two_that_forget_the_same_dead_process_do_not_mind(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    path = written(several, dead.pid, 5.0)

    def remove_twice(path: str) -> None:
        Path(path).unlink()
        Path(path).unlink()

    with monkeypatch.context() as patch:
        patch.setattr(os, "remove", remove_twice)
        assert queue() == 3.0
    assert not path.exists()


def test_numbers_of_a_process_that_just_begins_are_waited_for(
    several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    (several / f"gauge_livesum_{os.getppid()}.db").touch()  # before it has its length
    with monkeypatch.context() as patch:
        patch.setattr(
            metrics.time, "sleep", lambda _: begun.append(written(several, os.getppid(), 4.0))
        )
        assert queue() == 7.0
    assert len(begun) == 1

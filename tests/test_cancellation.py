"""Work that nobody waits for ends soon, and leaves nothing behind."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import driftlock as dl
from driftlock.cancellation import cancelled_by, checkpoint
from driftlock.errors import CancelledError
from driftlock.threads import in_ranges


def test_without_an_event_nothing_is_cancelled() -> None:
    checkpoint()


def test_an_event_counts_inside_its_context_alone() -> None:
    event = threading.Event()
    with cancelled_by(event):
        checkpoint()
        event.set()
        with pytest.raises(CancelledError):
            checkpoint()
    checkpoint()


@pytest.mark.parametrize("threads", [1, 3])
def test_ranges_stop_between_two_of_them(threads: int) -> None:
    event, done = threading.Event(), []

    def work(start: int, stop: int) -> None:
        done.append((start, stop))
        event.set()

    dl.set_threads(threads)
    try:
        with cancelled_by(event), pytest.raises(CancelledError):
            in_ranges(work, 0, 1_000)
    finally:
        dl.set_threads(None)
    assert 1 <= len(done) <= threads


@pytest.mark.parametrize("error", [KeyError, KeyboardInterrupt])
def test_ranges_that_have_not_begun_are_left_where_one_fails(error: type[BaseException]) -> None:
    done = []

    def work(start: int, _: int) -> None:
        if start == 0:
            raise error
        time.sleep(0.05)
        done.append(start)

    dl.set_threads(2)
    try:
        with pytest.raises(error):
            in_ranges(work, 0, 200, most=1)  # five seconds
    finally:
        dl.set_threads(None)
    assert len(done) < 100


@pytest.mark.parametrize("threads", [1, 2])
def test_ranges_cover_everything_once(threads: int) -> None:
    dl.set_threads(threads)
    try:
        seen: list[int] = []
        in_ranges(lambda a, b: seen.extend(range(a, b)), 3, 50, least=7)
        assert sorted(seen) == list(range(3, 50))
        in_ranges(lambda a, b: seen.extend((a, b)), 5, 5)
        assert len(seen) == 47
        sizes: list[int] = []
        in_ranges(lambda a, b: sizes.append(b - a), 0, 50, least=7, most=3)
        assert sorted(sizes) == [2] + [3] * 16
    finally:
        dl.set_threads(None)


@pytest.mark.parametrize("job", ["detect", "scan", "codec"])
def test_a_call_of_the_library_is_given_up(job: str) -> None:
    events = dl.datasets.make_transactions(300, seed=0).events
    calls = {
        "detect": lambda: dl.detect(events, baseline=100),
        "scan": lambda: dl.scan(events, baseline=100, window=50, null="rows", rng=0),
        "codec": lambda: dl.scan(events, baseline=100, window=50, coder="zstd", rng=0),
    }
    event = threading.Event()
    event.set()
    with cancelled_by(event), pytest.raises(CancelledError):
        calls[job]()


@pytest.mark.jit
def test_a_long_scan_ends_soon_after_it_is_cancelled() -> None:
    events = dl.datasets.make_transactions(700, seed=0).events.drop(columns="timestamp")
    dl.warmup()
    event = threading.Event()

    def scan() -> None:
        with cancelled_by(event):
            options = {"coder": "zstd", "n_permutations": 10**6, "null": "rows", "rng": 0}
            dl.scan(events, baseline=400, window=50, hop=1, **options)  # for ten seconds

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(scan)
        time.sleep(0.3)
        assert not running.done()
        event.set()
        with pytest.raises(CancelledError):
            running.result(timeout=120)

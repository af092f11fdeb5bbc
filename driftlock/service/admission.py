"""How many requests at once and for how long: some work, some wait, the rest come back later.

Work runs in threads. One that takes too long, or whose client has gone, is cancelled: it ends at
its next checkpoint, and only then is its place free again.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.types import Receive

from driftlock.cancellation import cancelled_by
from driftlock.service import metrics
from driftlock.service.body import Vanished
from driftlock.service.problems import overloaded, timed_out
from driftlock.service.settings import Settings

T = TypeVar("T")


class Admission:
    """Places to work and places to wait.

    Parameters
    ----------
    settings : Settings
        Their numbers.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.inside = 0
        self._places = asyncio.Semaphore(settings.concurrency)
        self._pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="screening")
        self._running: set[threading.Event] = set()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """Be one of those inside, from the first byte of the body on; refused if they are many."""
        if self.inside >= self.settings.concurrency + self.settings.queue:
            raise overloaded(self.settings.queue_seconds / 4)
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    async def run(self, request: Request, work: Callable[[], T]) -> T:
        """Wait for a place, and do the work in a thread.

        Raises
        ------
        Problem
            If it waits or works for too long.
        Vanished
            If the client goes meanwhile.
        """
        gone = asyncio.create_task(until_gone(request.receive))
        try:
            await self._take_place(gone)
            return await self._worked(work, gone)
        finally:
            gone.cancel()

    async def _worked(self, work: Callable[[], T], gone: asyncio.Task[None]) -> T:
        """Do the work in a thread, and leave the place when that thread has ended."""
        event = threading.Event()
        self._running.add(event)

        def cancellable() -> T:
            with cancelled_by(event):
                return work()

        future = asyncio.get_running_loop().run_in_executor(
            self._pool, copy_context().run, cancellable
        )
        future.add_done_callback(lambda _: self._leave_place(event))
        try:
            waited_for: set[asyncio.Future[Any]] = {future, gone}
            await asyncio.wait(
                waited_for,
                timeout=self.settings.request_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if future.done():
                return future.result()
            if gone.done():
                raise Vanished
            raise timed_out(self.settings.request_seconds)
        finally:
            if not future.done():
                event.set()
                future.add_done_callback(lambda done: done.cancelled() or done.exception())

    async def close(self) -> None:
        """Give up what still runs, and wait for it."""
        for event in self._running:
            event.set()
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def _take_place(self, gone: asyncio.Task[None]) -> None:
        """Wait for a place, as long as somebody waits for the answer."""
        began = time.monotonic()
        waiting = True

        def give_up(_: object) -> None:
            if waiting:
                deadline.reschedule(asyncio.get_running_loop().time())

        metrics.QUEUE.inc()
        try:
            async with asyncio.timeout(self.settings.queue_seconds) as deadline:
                gone.add_done_callback(give_up)
                await self._places.acquire()
                waiting = False
        except TimeoutError:
            if gone.done():
                raise Vanished from None
            raise overloaded(self.settings.queue_seconds / 4) from None
        finally:
            waiting = False
            metrics.QUEUE.dec()
            metrics.WAITED.observe(time.monotonic() - began)

    def _leave_place(self, event: threading.Event) -> None:
        self._running.discard(event)
        self._places.release()


async def until_gone(receive: Receive) -> None:
    """Return when the client has closed the connection; the whole body has been read before."""
    while (await receive())["type"] != "http.disconnect":
        pass

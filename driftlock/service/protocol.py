"""HTTP/1.1 as uvicorn speaks it, but for connections on which no request comes to be."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol


class Http(H11Protocol):
    """Closes a connection that sends no whole head of a request for some time.

    The server itself waits for ever for the rest of one, and for the rest of a body whose request
    was refused before its end.
    """

    patience: ClassVar[float] = 30  # seconds
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Wait on, or not, with what came; more bytes do not put the end off."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    @property
    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _look(self) -> None:
        if self._is_answering:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = None
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._give_up)

    def _give_up(self) -> None:
        self._deadline = None
        if not self._is_answering and not self.transport.is_closing():
            self.transport.close()

"""Long answers, piece by piece, so that it is noticed when nobody reads them any more."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from driftlock.service.admission import until_gone

PIECE = 65_536


class InPieces(Response):
    """An answer that ends early where its client has gone."""

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Send it; the server says that a piece was sent even when there is nobody."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        gone = asyncio.create_task(until_gone(receive))
        try:
            for at in range(0, len(self.body), PIECE):
                piece = bytes(self.body[at : at + PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0)  # `gone` has its turn
                if gone.done():
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()

"""Who may ask, and how often: keys in constant time, rates per client."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Annotated

import limits
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from driftlock.service.problems import Problem
from driftlock.service.settings import Settings

_bearer = HTTPBearer(auto_error=False, description="An API key, where the service asks for one.")
_header = APIKeyHeader(name="X-API-Key", auto_error=False, description="The same in a header.")


class Guard:
    """Keys and rates of one service.

    Parameters
    ----------
    settings : Settings
        Which keys open it, and how often each client may ask.
    """

    def __init__(self, settings: Settings) -> None:
        self._keys = [bytes.fromhex(text) for text in settings.api_keys_sha256]
        off = settings.rate_limit == "off"
        self._rates = [] if off else limits.parse_many(settings.rate_limit)
        self._limiter = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())

    def check_key(self, key: str | None) -> str | None:
        """Return who has the key, as the start of its hash; compare with every one that opens.

        Raises
        ------
        Problem
            If keys are asked for and this is none of them.
        """
        if not self._keys:
            return None
        given = hashlib.sha256((key or "").encode()).digest()
        matches = [hmac.compare_digest(given, known) for known in self._keys]
        if key is None or not any(matches):
            raise Problem(
                401,
                "unauthorized",
                "an API key is needed: Authorization: Bearer KEY, or X-API-Key: KEY"
                if key is None
                else "the API key is not known",
                where={"header": "Authorization"},
            )
        return given.hex()[:16]

    def check_rate(self, client: str) -> None:
        """Count a request of a client.

        Raises
        ------
        Problem
            If it has asked too often.
        """
        for rate in self._rates:
            if not self._limiter.hit(rate, client):
                until = self._limiter.get_window_stats(rate, client).reset_time
                raise Problem(
                    429,
                    "rate_limited",
                    f"too many requests: {rate} are allowed",
                    retry_after=max(until - time.time(), 1),
                )


async def checked(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
    header: Annotated[str | None, Security(_header)] = None,
) -> None:
    """Let a request through, or refuse it before its body is read."""
    guard: Guard = request.app.state.guard
    address = request.client.host if request.client else "unknown"
    try:
        owner = guard.check_key(bearer.credentials if bearer else header)
    except Problem:
        guard.check_rate(f"refused {address}")  # guessing keys is limited too
        raise
    guard.check_rate(owner or address)


Checked = Depends(checked)

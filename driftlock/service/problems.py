"""Every way to refuse a request: a status, a code for programs and a sentence for people.

No answer holds the text of an error that is not driftlock's own, nor a path of the machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from driftlock.errors import DriftlockError, FileError, InputError, OptionError


class Problem(Exception):  # noqa: N818  (an answer, more than an error)
    """A request that is refused.

    Parameters
    ----------
    status : int
        Of HTTP.
    code : str
        What programs go by; it does not change between versions.
    message : str
        What is wrong and what would be accepted.
    where : dict, optional
        The line, event, column, parameter or header it is about.
    retry_after : float, optional
        Seconds after which it may work.
    headers : mapping, optional
        More headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        where: dict[str, Any] | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.where = where
        self.retry_after = retry_after
        self._more = dict(headers or {})

    @property
    def headers(self) -> dict[str, str]:
        """Headers that go with the answer."""
        headers = dict(self._more)
        if self.retry_after is not None:
            headers["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return headers

    def body(self, request_id: str) -> dict[str, Any]:
        """The answer."""
        error = {"code": self.code, "message": self.message, "where": self.where}
        return {"success": False, "error": error, "request_id": request_id}


def of_library(error: DriftlockError) -> Problem:
    """What the library refuses: it names the caller's own values, and is shown as it is."""
    if isinstance(error, FileError):
        where = {"line": error.line} if error.line is not None else None
        return Problem(400, "invalid_events", str(error), where=where)
    if isinstance(error, OptionError):
        return Problem(400, "invalid_parameter", str(error))
    if isinstance(error, InputError):
        return Problem(400, "invalid_events", str(error))
    return internal()


def internal() -> Problem:
    """Something unexpected, of which only the log knows more."""
    return Problem(
        500, "internal_error", "something unexpected happened; the log has it under the request id"
    )


def overloaded(seconds: float) -> Problem:
    """Too many requests at once."""
    return Problem(
        503,
        "overloaded",
        f"too many requests are waiting; try again in {math.ceil(seconds)} s",
        retry_after=seconds,
    )


def timed_out(seconds: float) -> Problem:
    """The work took too long and was given up."""
    return Problem(
        504,
        "timed_out",
        f"the work took more than {seconds:g} s and was given up; send fewer events, larger hops "
        "or fewer permutations",
    )


def not_ready() -> Problem:
    """Kernels are not compiled yet, and work would wait for them."""
    return Problem(503, "not_ready", "not ready yet; /readyz says when", retry_after=1)


def stopping() -> Problem:
    """The service stops, and the work was not done in the time that was left for it."""
    return Problem(
        503,
        "stopping",
        "the service stops; ask again",
        retry_after=1,
        headers={"Connection": "close"},
    )

"""A body as it arrives: within its limits of size and time, and out of its compression."""

from __future__ import annotations

import asyncio
import zlib
from typing import Protocol

import zstandard
from starlette.requests import ClientDisconnect, Request

from driftlock.cancellation import checkpoint
from driftlock.service.problems import Problem
from driftlock.service.settings import Settings

ENCODINGS = ("identity", "gzip", "zstd")
STEP, SMALL_STEP = 65_536, 256
LARGEST_WINDOW = 1 << 23  # of zstd up to level 19


class Vanished(Exception):  # noqa: N818  (nothing is wrong here; there is nobody to tell)
    """The client has gone."""


async def read_body(request: Request, settings: Settings) -> bytes:
    """The bytes that a client sends, still packed.

    Raises
    ------
    Problem
        If they are too many, too slow, or packed in a way that is not known.
    Vanished
        If the client goes before the end.
    """
    _encoding(request)
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > settings.max_body_bytes:
        raise _too_large(settings)
    data = bytearray()
    try:
        async with asyncio.timeout(settings.upload_seconds):
            async for chunk in request.stream():
                data += chunk
                if len(data) > settings.max_body_bytes:
                    raise _too_large(settings)
    except TimeoutError:
        raise Problem(
            408,
            "upload_timed_out",
            f"the body did not arrive within {settings.upload_seconds:g} s",
        ) from None
    except ClientDisconnect:
        raise Vanished from None
    return bytes(data)


def unpacked(data: bytes, request: Request, settings: Settings) -> bytes:
    """The same bytes out of their compression, never more than the limit of them.

    Raises
    ------
    Problem
        If the stream is damaged, breaks off or holds too much.
    """
    encoding = _encoding(request)
    if encoding == "identity":
        return data
    stream = _Gzip() if encoding == "gzip" else _Zstd()
    try:
        plain = _within(stream, data, settings)
    except (zlib.error, zstandard.ZstdError):
        raise _damaged(encoding, "is damaged, or no such stream") from None
    if not stream.is_whole:
        raise _damaged(encoding, "breaks off")
    return plain


class _Stream(Protocol):
    """Packed bytes in, plain bytes out, step by step."""

    def feed(self, data: bytes, most: int) -> bytes:
        """Plain bytes that come of some more packed ones; not many more than `most`."""

    @property
    def is_whole(self) -> bool:
        """Whether the last stream has ended."""


class _Gzip:
    def __init__(self) -> None:
        self._members = zlib.decompressobj(wbits=31)

    def feed(self, data: bytes, most: int) -> bytes:
        plain = bytearray()
        while data and len(plain) <= most:
            if self._members.eof:  # another member follows
                self._members = zlib.decompressobj(wbits=31)
            plain += self._members.decompress(data, most + 1 - len(plain))
            data = self._members.unconsumed_tail or self._members.unused_data
        return bytes(plain)

    @property
    def is_whole(self) -> bool:
        return self._members.eof


class _Zstd:
    """Frames are fed in small steps, so that even a bomb unpacks to little at a time."""

    def __init__(self) -> None:
        self._frames = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        self._frame = self._frames.decompressobj()

    def feed(self, data: bytes, most: int) -> bytes:
        plain = bytearray()
        at = 0
        while at < len(data) and len(plain) <= most:
            if self._frame.eof:  # another frame follows
                self._frame = self._frames.decompressobj()
            piece = data[at : at + SMALL_STEP]
            plain += self._frame.decompress(piece)
            at += len(piece) - len(self._frame.unused_data)
        return bytes(plain)

    @property
    def is_whole(self) -> bool:
        return self._frame.eof


def _within(stream: _Stream, data: bytes, settings: Settings) -> bytes:
    plain = bytearray()
    for start in range(0, len(data), STEP):
        checkpoint()
        plain += stream.feed(data[start : start + STEP], settings.max_body_bytes - len(plain))
        if len(plain) > settings.max_body_bytes:
            raise _too_large(settings)
    return bytes(plain)


def _encoding(request: Request) -> str:
    named = request.headers.get("content-encoding", "").strip().lower() or "identity"
    if named not in ENCODINGS:
        raise Problem(
            415,
            "unsupported_encoding",
            f"Content-Encoding {named[:40]!r} is not known; send {', '.join(ENCODINGS)}",
            where={"header": "Content-Encoding"},
        )
    return named


def _too_large(settings: Settings) -> Problem:
    return Problem(
        413,
        "body_too_large",
        f"the body has more than {settings.max_body_bytes:,} bytes, before or after decompression; "
        "send fewer events at a time",
    )


def _damaged(encoding: str, what: str) -> Problem:
    return Problem(
        400,
        "invalid_encoding",
        f"the {encoding} stream {what}",
        where={"header": "Content-Encoding"},
    )

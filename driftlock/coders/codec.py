"""Real codecs: how many bytes zstd, lz4, gzip or openzl need, contexts reused, without the GIL.

Sizes are whole bytes of the compressed body with its frame; the same bytes at the same level give
the same size whatever was compressed before.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from numbers import Integral
from typing import Any

from driftlock.errors import OptionError, check_choice, warn

CODECS = ("zstd", "lz4", "gzip", "openzl")
LEVELS = {"zstd": (1, 22), "lz4": (0, 12), "gzip": (1, 9), "openzl": (1, 22)}
DEFAULT_LEVELS = {"zstd": 3, "lz4": 0, "gzip": 6, "openzl": 6}
KIB = 1024


@dataclass(frozen=True, eq=False)
class Codec:
    """One codec at one level.

    Attributes
    ----------
    name : {"zstd", "lz4", "gzip", "openzl"}
        The codec in use.
    level : int
        Higher is smaller and slower.
    window : int
        Bytes that it looks back: what repeats from further away is not seen.
    fallback_from : str or None
        The codec that was asked for, where it is not installed.
    """

    name: str
    level: int
    window: int
    fallback_from: str | None = None
    _local: threading.local = field(default_factory=threading.local, repr=False)

    def size(self, data: bytes) -> int:
        """Compressed bytes."""
        compress: Callable[[bytes], bytes] | None = getattr(self._local, "compress", None)
        if compress is None:  # contexts are no shared property of threads
            compress = self._local.compress = _COMPRESS[self.name](self.level)
        return len(compress(data))

    def size_given(self, data: bytes, given: bytes) -> int:
        """Compressed bytes of `data` for a reader who has `given`.

        With a dictionary where the codec knows them, else what `data` adds to the size of `given`.
        """
        if self.name == "zstd":
            import zstandard

            known = zstandard.ZstdCompressionDict(given, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            return len(zstandard.ZstdCompressor(self.level, dict_data=known).compress(data))
        if self.name == "lz4":
            return len(_lz4(self.level, given)(data))
        if self.name == "gzip":
            return len(_deflate(data, self.level, given))
        return max(self.size(given + data) - self.size(given), 1)


def get_codec(name: str, level: int | None = None) -> Codec:
    """The codec of a name; openzl gives way to zstd, with a warning, where it is not installed.

    Raises
    ------
    OptionError
        If the name or the level is not known; the message lists those that are.
    """
    check_choice("coder", name, CODECS)
    _check_level(name, level)
    fallback_from = None
    if not is_installed(name):
        warn(
            "openzl is not installed; zstd is used instead "
            "(pip install 'driftlock-toolkit[openzl]')",
            stacklevel=3,
        )
        name, fallback_from = "zstd", "openzl"
    level = DEFAULT_LEVELS[name] if level is None else int(level)
    return Codec(name, level, _window(name, level), fallback_from)


def is_installed(name: str) -> bool:
    """Whether a codec of `CODECS` is there; all but openzl always are."""
    return name != "openzl" or find_spec("openzl") is not None


def _check_level(name: str, level: int | None) -> None:
    if level is None:
        return
    low, high = LEVELS[name]
    if isinstance(level, bool) or not isinstance(level, Integral) or not low <= level <= high:
        raise OptionError(
            f"level={level!r} is not known to {name}; choose one from {low} to {high}"
        )


def _window(name: str, level: int) -> int:
    if name in ("zstd", "openzl"):  # openzl hands plain bytes to zstd, at the same level
        import zstandard

        return 1 << int(zstandard.ZstdCompressionParameters.from_level(level).window_log)
    return {"lz4": 64 * KIB, "gzip": 32 * KIB}[name]


def _zstd(level: int) -> Callable[[bytes], bytes]:
    import zstandard

    return zstandard.ZstdCompressor(level).compress


def _lz4(level: int, known: bytes = b"") -> Callable[[bytes], bytes]:
    import lz4.block

    how: dict[str, Any] = {"store_size": False, "dict": known}
    if level > 0:
        how |= {"mode": "high_compression", "compression": level}
    return lambda data: lz4.block.compress(data, **how)


def _gzip(level: int) -> Callable[[bytes], bytes]:
    return lambda data: _deflate(data, level, b"")


def _deflate(data: bytes, level: int, known: bytes) -> bytes:
    if known:
        packer = zlib.compressobj(level, zdict=known[-32 * KIB :])
    else:
        packer = zlib.compressobj(level, wbits=31)  # in the frame of gzip
    return packer.compress(data) + packer.flush()


def _openzl(level: int) -> Callable[[bytes], bytes]:
    from openzl import ext  # type: ignore[import-not-found,import-untyped,unused-ignore]

    compressor = ext.Compressor()
    compressor.select_starting_graph(ext.graphs.Zstd()(compressor))
    context = ext.CCtx()
    context.ref_compressor(compressor)
    context.set_parameter(ext.CParam.FormatVersion, ext.MAX_FORMAT_VERSION)
    context.set_parameter(ext.CParam.CompressionLevel, level)
    context.set_parameter(ext.CParam.StickyParameters, 1)
    return lambda data: context.compress([ext.Input(ext.Type.Serial, data)])


_COMPRESS = {"zstd": _zstd, "lz4": _lz4, "gzip": _gzip, "openzl": _openzl}

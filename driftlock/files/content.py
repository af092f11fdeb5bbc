"""What a file is: by its ending, by its first bytes, and what is inside its compression."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import os
import re
import sys
import zlib
from pathlib import Path

from driftlock.errors import FileError, OptionError

ENDINGS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".log": "lines",
    ".txt": "lines",
}
PACKINGS = {".gz": "gzip", ".zst": "zstd"}
TITLES = {
    "csv": "CSV",
    "tsv": "TSV",
    "ssv": "text with semicolons",
    "psv": "text with vertical bars",
    "json": "JSON",
    "jsonl": "JSON Lines",
    "parquet": "Parquet",
    "lines": "lines of text",
    "text": "CSV or other text",
    "array": "a JSON array",
    "bracket": "a JSON array",
    "objects": "JSON objects",
}
UTF_16, UTF_32 = "text in UTF-16", "text in UTF-32"
ENCODINGS = {UTF_16: "utf-16", UTF_32: "utf-32"}
MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x50\x2a\x4d\x18", "zstd"),  # a skippable frame, with which pzstd begins
    (b"PAR1", "parquet"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"ARROW1", "Arrow IPC (Feather)"),
    (b"\xff\xfe\x00\x00", UTF_32),
    (b"\x00\x00\xfe\xff", UTF_32),
    (b"\xff\xfe", UTF_16),
    (b"\xfe\xff", UTF_16),
)
BINARY = {kind for _, kind in MAGIC} - set(ENCODINGS)
ALIKE = {
    "csv": ("text", "bracket"),
    "tsv": ("text", "bracket"),
    "ssv": ("text", "bracket"),
    "psv": ("text", "bracket"),
    "json": ("array", "bracket", "objects"),
    "jsonl": ("objects",),
    "parquet": ("parquet",),
    "lines": ("text", "array", "bracket", "objects"),
}
BOM = b"\xef\xbb\xbf"
UTF_8 = "utf-8"
OF_HOSTS = ("idna", "punycode")  # made for names of hosts, not for texts


def split_ending(path: str | os.PathLike[str]) -> tuple[str | None, str | None]:
    """Tell format and compression by the ending of a path; None for what it does not say."""
    name = Path(os.fspath(path).lower())
    packing = PACKINGS.get(name.suffix)
    if packing is not None:
        name = name.with_suffix("")
    return ENDINGS.get(name.suffix), packing


def read_bytes(path: str | os.PathLike[str], name: str) -> bytes:
    """Read a file or standard input; one without a byte is an error."""
    try:
        data = sys.stdin.buffer.read() if os.fspath(path) == "-" else Path(path).read_bytes()
    except FileNotFoundError:
        raise FileError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise FileError(f"{name}: is a directory; give one file") from None
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {error.strerror}") from None
    if not data or data.isspace():
        raise FileError(f"{name}: is empty")
    return data


def looks_like(data: bytes) -> str:
    """Name what the first bytes say: a format, a compression, a phrase; else "text"."""
    head = data[:4096].removeprefix(BOM)
    for magic, kind in MAGIC:
        if head.startswith(magic):
            return kind
    if b"\x00" in head:
        return "binary data"
    if head.lstrip().startswith(b"{"):
        return "objects"
    if head.lstrip().startswith(b"["):
        return "array" if re.match(rb"\s*\[\s*(\{|\]|$)", head) else "bracket"
    return "text"


def separator(data: bytes) -> str:
    """Tell TSV from CSV by the separator that the first line of a text holds more often."""
    first = data.lstrip().split(b"\n", 1)[0]
    return "tsv" if first.count(b"\t") > first.count(b",") else "csv"


def check_content(data: bytes, kind: str, name: str) -> None:
    """Raise unless the bytes look like the format that they are to be read as."""
    looks = looks_like(data)
    if looks not in ALIKE[kind]:
        begins = f", beginning {quote(first_line(data))}" if looks == "text" else ""
        advice = f"; pass --encoding {ENCODINGS[looks]}" if looks in ENCODINGS else ""
        raise FileError(
            f"{name}: is not {TITLES[kind]}: it looks like {titled(looks)}{begins}{advice}"
        )


def unpack(data: bytes, packing: str, name: str) -> bytes:
    """Decompress; a stream that breaks off or is damaged is an error, never a shorter table."""
    import zstandard

    looks = looks_like(data)
    if looks != packing:
        raise FileError(f"{name}: is not compressed with {packing}: it looks like {titled(looks)}")
    try:
        plain = gzip.decompress(data) if packing == "gzip" else _unzstd(data)
    except EOFError:
        raise FileError(f"{name}: the {packing} stream breaks off: the file is truncated") from None
    except (OSError, zlib.error, zstandard.ZstdError) as error:
        raise FileError(f"{name}: the {packing} stream is damaged: {error}") from None
    if not plain or plain.isspace():
        raise FileError(f"{name}: is empty inside its {packing} compression")
    return plain


def _unzstd(data: bytes) -> bytes:
    """Decompress every frame; `stream_reader` would take a cut stream for a whole one."""
    import zstandard

    frames = []
    while data:
        frame = zstandard.ZstdDecompressor().decompressobj()
        frames.append(frame.decompress(data))
        if not frame.eof:
            raise EOFError
        data = frame.unused_data
    return b"".join(frames)


def as_text(data: bytes, name: str) -> str:
    """Decode UTF-8; the first byte that is none, or a zero byte, is named with its line."""
    at = data.find(b"\x00")
    reason = "a zero byte"
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        at, reason = error.start, f"byte 0x{data[error.start]:02x} is no UTF-8 ({error.reason})"
    if at >= 0:
        line = data.count(b"\n", 0, at) + 1
        raise FileError(f"{name}: line {line}: {reason}, at byte {at}", line=line)
    return text.removeprefix("\ufeff")


def check_encoding(encoding: str) -> str:
    """Name an encoding of text as Python does.

    Raises
    ------
    OptionError
        If Python knows none of that name.
    """
    name = None
    with contextlib.suppress(LookupError, TypeError, ValueError):
        "a".encode(encoding)
        name = codecs.lookup(encoding).name
    if name is None or name in OF_HOSTS:
        raise OptionError(
            f"encoding={encoding!r} is not known; expected one that Python knows, such as 'utf-8', "
            "'cp1252', 'latin-1' or 'utf-16'"
        )
    return name


def in_utf_8(data: bytes, encoding: str, name: str) -> bytes:
    """Bytes of a text of another encoding, as `check_encoding` names it, in UTF-8."""
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError as error:
        start = error.start + len(data) - len(error.object)  # utf-8-sig counts without its mark
        line = data[:start].decode(encoding, "replace").count("\n") + 1
        raise FileError(
            f"{name}: line {line}: byte 0x{data[start]:02x} is no {encoding} "
            f"({error.reason}), at byte {start}",
            line=line,
        ) from None
    except UnicodeEncodeError as error:  # half a character, which some encodings let pass
        line = error.object.count("\n", 0, error.start) + 1
        raise FileError(f"{name}: line {line}: half a character ({encoding})", line=line) from None


def quote(text: str, width: int = 60) -> str:
    """Show the start of a text in a message, its control characters spelt out."""
    return repr(text if len(text) <= width else text[:width] + "...")


def first_line(data: bytes) -> str:
    """Return the first line of a text that is not blank."""
    return data[:4096].decode(errors="replace").strip().partition("\n")[0].rstrip()


def titled(looks: str) -> str:
    """Name for people what `looks_like` found."""
    return TITLES.get(looks, looks)

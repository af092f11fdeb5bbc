"""The bytes of a saved detector: a zip archive of arrays and a text, hashes, a seal at its end."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from driftlock.errors import FileError
from driftlock.files import looks_like, titled
from driftlock.version import __version__

FORMAT, VERSION = "driftlock detector", 2
TEXT = "driftlock.jsonl"  # a line that says what this is, and a line that is the detector
SEAL = b"driftlock sha256 "  # and 64 hex digits: the hash of every byte of the file before them
DIGITS = 64
MOST_GROWTH, ROOM = 100, 1 << 24  # the members of a file of n bytes are 100 n + 16 MiB at most
LEVEL = 1  # of deflate; 6 takes three times as long for a tenth less
STAMP = (1980, 1, 1, 0, 0, 0)  # so that the same detector makes the same file
CHUNK = 1 << 20
KINDS = "biuf"  # bool, int, uint and float arrays
ZIP = b"PK\x03\x04"
AGAIN = "take it from a copy, or fit and save the detector again"
NOT_ONE = "it is no detector that Detector.save or `driftlock fit` wrote"
BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,  # a compression of another kind
    RecursionError,
    RuntimeError,  # a password
    TypeError,
    ValueError,
)

AnyArray: TypeAlias = NDArray[Any]


def pack(body: dict[str, Any], arrays: Sequence[AnyArray]) -> bytes:
    """The file of a JSON body and the arrays a0, a1, a2 ... that it speaks of."""
    members = {f"a{place}.npy": _to_npy(array) for place, array in enumerate(arrays)}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
    line = json.dumps(body | {"arrays": hashes}, allow_nan=False, separators=(",", ":")).encode()
    head = {"format": FORMAT, "version": VERSION, "library": __version__}
    head["sha256"] = hashlib.sha256(line).hexdigest()
    members = {TEXT: json.dumps(head).encode() + b"\n" + line + b"\n"} | members
    data = _zipped(members, zipfile.ZIP_DEFLATED)
    if sum(map(len, members.values())) > MOST_GROWTH * len(data):
        data = _zipped(members, zipfile.ZIP_STORED)
    return data + hashlib.sha256(data).hexdigest().encode()


def is_saved(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as a saved detector does, whole or not."""
    try:
        if not Path(path).is_file():  # of a pipe, what was looked at would be gone
            return False
        with Path(path).open("rb") as file:
            return _begins(file.read(30 + len(TEXT)))
    except (OSError, ValueError):
        return False


def unpack(path: str | os.PathLike[str], name: str) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """The JSON body of a file and its arrays, by name, once every hash is as it should be."""
    try:
        with Path(path).open("rb") as file:
            size = _check_seal(file, name)
            return _members(file, size, name)
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise FileError(f"{name}: is a directory; give one file") from None
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {error.strerror or error}") from None
    except BROKEN as error:
        raise FileError(f"{name}: is damaged ({error}); {AGAIN}") from None


def _begins(head: bytes) -> bool:
    return head.startswith(ZIP) and head[30 : 30 + len(TEXT)] == TEXT.encode()


def _check_seal(file: IO[bytes], name: str) -> int:
    """Raise unless the file is, byte for byte, one that was saved; its size."""
    head = file.read(4096)
    if not head:
        raise FileError(f"{name}: is empty; {NOT_ONE}")
    if not _begins(head):
        looks = "a zip archive" if head.startswith(ZIP) else titled(looks_like(head))
        raise FileError(f"{name}: looks like {looks}; {NOT_ONE}")
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - DIGITS - len(SEAL), 0))
    if file.read(len(SEAL)) != SEAL:
        raise FileError(f"{name}: breaks off, or was packed anew; {AGAIN}")
    file.seek(0)
    digest, left = hashlib.sha256(), size - DIGITS
    while left > 0 and (chunk := file.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    if file.read() != digest.hexdigest().encode():
        raise FileError(f"{name}: is damaged, its bytes are not those that were saved; {AGAIN}")
    return size


def _members(file: IO[bytes], size: int, name: str) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    with zipfile.ZipFile(file) as archive:
        infos = {info.filename: info for info in archive.infolist()}
        declared = sum(info.file_size for info in archive.infolist())
        if declared > MOST_GROWTH * size + ROOM:
            raise FileError(
                f"{name}: {size:,} bytes claim to hold {declared:,}, more than any saved "
                f"detector's do; {NOT_ONE}"
            )
        body = _body(archive.read(TEXT), name)
        hashes = body["arrays"]
        if len(archive.infolist()) != len(infos) or infos.keys() != {TEXT, *hashes}:
            raise FileError(f"{name}: lacks arrays, or holds others than its own; {AGAIN}")
        arrays = {}
        for member, expected in hashes.items():
            data = archive.read(infos[member])
            if hashlib.sha256(data).hexdigest() != expected:
                raise FileError(f"{name}: array {member} is not the one that was saved; {AGAIN}")
            arrays[member.removesuffix(".npy")] = _from_npy(data)
    return body, arrays


def _body(text: bytes, name: str) -> dict[str, Any]:
    """The second line of the text, if the first is one that this version knows."""
    first, _, rest = text.partition(b"\n")
    head = json.loads(first)
    version = head["version"]
    if head["format"] != FORMAT or type(version) is not int or version < 1:
        raise FileError(f"{name}: is of the format {head['format']!r} {version!r}; {NOT_ONE}")
    if version > VERSION:
        raise FileError(
            f"{name}: is of format version {version}, written by driftlock {head['library']}; "
            f"this one reads up to {VERSION}: update driftlock, or fit and save with this one"
        )
    line = rest.removesuffix(b"\n")
    if hashlib.sha256(line).hexdigest() != head["sha256"]:
        raise FileError(f"{name}: {TEXT} is not the one that was saved; {AGAIN}")
    body = json.loads(line, parse_constant=_no_number)
    if not isinstance(body, dict):
        raise TypeError(f"{TEXT} holds no object")
    return body


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON")


def _zipped(members: dict[str, bytes], compression: int) -> bytes:
    """A zip archive whose comment, at its very end, still lacks the digits of the hash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, STAMP)
            info.compress_type, info.create_system, info.external_attr = compression, 3, 0o644 << 16
            archive.writestr(info, data, compresslevel=LEVEL)
        archive.comment = SEAL + b" " * DIGITS
    return buffer.getvalue()[:-DIGITS]


def _to_npy(array: AnyArray) -> bytes:
    buffer = io.BytesIO()
    little = array.astype(array.dtype.newbyteorder("<"), order="C")
    npy.write_array(buffer, little, version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _from_npy(data: bytes) -> AnyArray:
    """The array of a .npy file of version 1.0, contiguous, writable and of native byte order.

    What its header says is held against how many bytes there are before anything is made of it.
    """
    buffer = io.BytesIO(data)
    if npy.read_magic(buffer) != (1, 0):
        raise ValueError("an array of another version of .npy")
    shape, is_fortran, dtype = npy.read_array_header_1_0(buffer)
    start = buffer.tell()
    if is_fortran or dtype.kind not in KINDS or dtype.hasobject or min(shape, default=0) < 0:
        raise ValueError(f"an array of {dtype} that no detector has")
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise ValueError(f"an array of shape {shape} in {len(data) - start} bytes")
    flat = np.frombuffer(data, dtype, offset=start)
    return flat.reshape(shape).astype(dtype.newbyteorder("="), order="C", copy=True)

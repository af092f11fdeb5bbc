"""A table to a file, whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import secrets
import shutil
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from pandas.api.types import is_object_dtype

from driftlock.errors import FileError, OptionError, listed, warn
from driftlock.files.content import split_ending

if TYPE_CHECKING:
    import pandas as pd

WRITABLE = {"csv": ".csv", "jsonl": ".jsonl", "parquet": ".parquet"}


def write_table(frame: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write the columns of a table to a file; its index is not written.

    A failure leaves what stood there before.

    Parameters
    ----------
    frame : DataFrame
        The table. Nested values become JSON text in CSV; a column of values of several types
        becomes text in Parquet, with a warning.
    path : str or path
        Ends in .csv, .jsonl or .parquet, or in one of these followed by .gz or .zst.

    Raises
    ------
    OptionError
        If the ending is none of these.
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from driftlock.files import write_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_table(pd.DataFrame({"user": ["ann"], "age": [41]}), f"{folder}/users.jsonl")
    ...     print(Path(folder, "users.jsonl").read_text(), end="")
    {"user": "ann", "age": 41}
    """
    kind, packing = check_writable(path)
    if kind == "parquet":
        data = _to_parquet(frame, path)
    elif kind == "csv":
        data = _nested_as_text(frame).to_csv(index=False, lineterminator="\n").encode()
    else:
        data = to_json_lines(frame).encode()
    if packing == "gzip":
        data = gzip.compress(data, mtime=0)
    elif packing == "zstd":
        import zstandard

        data = zstandard.ZstdCompressor(write_checksum=True).compress(data)
    write_bytes(path, data)


def check_writable(path: str | os.PathLike[str]) -> tuple[str, str | None]:
    """Tell format and compression to write; raise an `OptionError` for any other ending."""
    kind, packing = split_ending(path)
    if kind not in WRITABLE:
        raise OptionError(
            f"{os.fspath(path)}: cannot write a table of this ending; "
            f"known are {listed(WRITABLE.values())}, each also with .gz or .zst"
        )
    return kind, packing


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Replace a file in one step, on the disk too; a device or a pipe is written to as it is.

    Whatever fails, and even where the machine stops, the file is the old one or the new one.
    """
    try:
        target = Path(path).resolve()
        if _is_special(target):
            target.write_bytes(data)
            return
        part = target.with_name(f".driftlock-{os.getpid()}-{secrets.token_hex(4)}.part")
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):  # there is none, or not any more
                shutil.copymode(target, part)  # what was private stays private
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(target.parent)
    except OSError as error:
        why = error.strerror or error
        raise FileError(f"{os.fspath(path)}: cannot be written: {why}") from None


def _is_special(path: Path) -> bool:
    """Whether something stands there that is no file, asked in one step: it may go meanwhile."""
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    """Put the new entry of a folder on the disk, where folders can be opened for that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def to_json_lines(frame: pd.DataFrame) -> str:
    """Write an object per row; missing values are null, times ISO 8601, numbers exact."""
    names = [str(column) for column in frame.columns]
    columns = [
        column.astype(object).where(column.notna(), None).tolist() for _, column in frame.items()
    ]
    encode = json.JSONEncoder(ensure_ascii=False, default=_plain).encode
    return "".join(
        encode(dict(zip(names, row, strict=True))) + "\n" for row in zip(*columns, strict=True)
    )


def _plain(value: Any) -> Any:
    """Say in JSON's words what it has no word for."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _object_columns(frame: pd.DataFrame) -> list[Any]:
    """Name the columns that may hold anything."""
    return [column for column, dtype in frame.dtypes.items() if is_object_dtype(dtype)]


def _nested_as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn dicts and lists into JSON text, for a format whose cells are flat."""
    nested = (dict, list, np.ndarray)
    encode = json.JSONEncoder(ensure_ascii=False, default=_plain).encode
    frame = frame.copy(deep=False)
    for column in _object_columns(frame):
        frame[column] = [encode(v) if isinstance(v, nested) else v for v in frame[column]]
    return frame


def _to_parquet(frame: pd.DataFrame, path: str | os.PathLike[str]) -> bytes:
    """Parquet has one type a column: where the values have several, they are written as text."""
    texts = [column for column in _object_columns(frame) if not _has_one_type(frame[column])]
    if texts:
        warn(
            f"{os.fspath(path)}: columns of several types are written as text: {listed(texts)}",
            stacklevel=3,
        )
        frame = frame.copy(deep=False)
    for column in texts:
        frame[column] = frame[column].map(str, na_action="ignore").astype("string")
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False)
    except (pa.ArrowException, OverflowError) as error:
        raise FileError(f"{os.fspath(path)}: cannot be written as Parquet: {error}") from None
    return buffer.getvalue()


def _has_one_type(column: pd.Series[Any]) -> bool:
    """Whether Arrow finds a type for the values of a column."""
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError):
        return False
    return True

"""One small table as the bytes of a file, in every format and compression."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pandas as pd
import zstandard

from driftlock.files import read_table

if TYPE_CHECKING:
    from pathlib import Path

CSV = b"user,amount\nann,12.5\nbob,9\n"
TSV = b"user\tamount\nann\t12.5\nbob\t9\n"
LINES = b'{"user": "ann", "amount": 12.5}\n{"user": "bob", "amount": 9}\n'
ARRAY = b'[{"user": "ann", "amount": 12.5},\n {"user": "bob", "amount": 9}]\n'
EXPECTED = pd.DataFrame({"user": ["ann", "bob"], "amount": [12.5, 9.0]})


def parquet(frame: pd.DataFrame = EXPECTED, **options: object) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **options)
    return buffer.getvalue()


PACK = {"": bytes, ".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}
PLAIN = {
    ".csv": CSV,
    ".tsv": TSV,
    ".json": ARRAY,
    ".jsonl": LINES,
    ".ndjson": LINES,
    ".parquet": parquet(),
}


def read(folder: Path, name: str, data: bytes, **options: str) -> pd.DataFrame:
    path = folder / name
    path.write_bytes(data)
    return read_table(path, **options)

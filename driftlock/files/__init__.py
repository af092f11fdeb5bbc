"""Files to tables and back: CSV, TSV, JSON, JSON Lines and Parquet, plain or compressed.

`content` knows endings and bytes, `parse` turns text into a table, `reading` and `writing` are the
two public verbs.
"""

from driftlock.files.content import looks_like, split_ending, titled
from driftlock.files.reading import read_table
from driftlock.files.writing import check_writable, to_json_lines, write_bytes, write_table

__all__ = [
    "check_writable",
    "looks_like",
    "read_table",
    "split_ending",
    "titled",
    "to_json_lines",
    "write_bytes",
    "write_table",
]

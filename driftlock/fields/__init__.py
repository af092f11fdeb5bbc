"""The door in: a raw table becomes typed fields, and fields become arrays for the coders."""

from driftlock.fields.schema import Schema
from driftlock.fields.table import column_names, to_frame

__all__ = ["Schema", "column_names", "to_frame"]

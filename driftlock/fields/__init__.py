"""The door in: a raw table becomes typed fields, and fields become arrays for the coders."""

from driftlock.fields.schema import Schema
from driftlock.fields.table import column_names, to_frame
from driftlock.fields.typed import shortened

__all__ = ["Schema", "column_names", "shortened", "to_frame"]

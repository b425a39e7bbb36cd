"""Files: written atomically; CSV tables, and the columns of those that steps share."""

from porefail.files.atomic import (
    StoreError,
    never_write,
    new_file,
    reason,
    replacing,
    require,
    require_regular,
    require_writable,
    same,
    write_bytes,
    write_text,
    writing,
)
from porefail.files.csv_tables import convert, read_lines, read_table, write_table
from porefail.files.pictures import png, write_figures

__all__ = [
    "StoreError",
    "convert",
    "never_write",
    "new_file",
    "png",
    "read_lines",
    "read_table",
    "reason",
    "replacing",
    "require",
    "require_regular",
    "require_writable",
    "same",
    "write_bytes",
    "write_figures",
    "write_table",
    "write_text",
    "writing",
]

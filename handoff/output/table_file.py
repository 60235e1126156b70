"""Reading of one table of results from its Parquet file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.regular_file import open_regular
from handoff.output.printable import printable


def read_table_file(path: Path) -> pa.Table:
    """Return the table in a file.

    Raises
    ------
    ValueError
        If the file cannot be read, is damaged, or was written by an older version with times in picoseconds.
    """
    try:
        with open_regular(path) as file:
            table = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{printable(str(path))}: damaged: {' '.join(str(error).split())}") from None
    if any(name.endswith("_ps") for name in table.column_names):
        raise ValueError(f"{printable(str(path))}: of an older version, with times in picoseconds: run the study again")
    return table

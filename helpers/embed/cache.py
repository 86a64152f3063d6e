"""A content-addressed cache on disk: what the API answered is kept, and never asked for twice.

A key is the sha256 of everything that decides the answer (content, model, options, segmentation), so there
is nothing to expire: another question has another key.
"""

import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from helpers.errors import VideoSearchWarning
from helpers.files import write_file


class Cache:
    """Tables by key, one Parquet file each, in `folder`. A damaged file counts as missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.parquet"

    def get(self, key: str) -> pd.DataFrame | None:
        """The table under `key`, or None if there is none that can be read."""
        try:
            table: pd.DataFrame = parquet.read_table(self._path(key)).to_pandas()
            return table
        except (OSError, pa.ArrowException):
            return None

    def put(self, key: str, table: pd.DataFrame) -> None:
        """Keep `table` under `key`, whole or not at all.

        Where the disk is full or may not be written, an answer is not thrown away for that: a warning says so.
        """
        data = table.to_parquet(index=False)
        try:
            write_file(self._path(key), data, durable=False)
        except OSError as error:
            warnings.warn(
                f"An answer could not be kept in {self.folder} ({error.strerror}): it will be asked for again.",
                VideoSearchWarning,
                stacklevel=2,
            )

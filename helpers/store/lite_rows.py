"""The rows that match a filter, looked up in the memory of this process, where Milvus Lite keeps them all.

To count rows, to read a field of them and to score them exactly, Milvus Lite builds each one that matches, vectors
and all: 0.1 to 0.4 ms a row. Here its own filter says which rows match, and only what is asked for is read. This
reads what Milvus Lite documents nowhere, so whatever is not as expected, such as rows that are not flushed yet, gives
None, and Milvus is asked instead.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from milvus_lite.search.indexed_filter import evaluate_segment_filter
from milvus_lite.server_manager import server_manager_instance

BATCH = 10_000  # rows
log = logging.getLogger("video_search.store")


@dataclass(frozen=True)
class Matching:
    """Rows that match a filter: of each file of Milvus Lite, their places."""

    files: list[tuple[Any, list[int]]]

    def __len__(self) -> int:
        return sum(len(rows) for _, rows in self.files)

    def ids(self) -> list[str]:
        return [file.pks[row] for file, rows in self.files for row in rows]

    def rows(self, fields: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
        """The named fields of the rows, in batches of at most BATCH; vectors as arrays of float32."""
        for file, places in self.files:
            for first in range(0, len(places), BATCH):
                some = places[first : first + BATCH]
                columns = [_cells(file, field, some) for field in fields]
                yield [dict(zip(fields, cells, strict=True)) for cells in zip(*columns, strict=True)]

    def vectors(self, field: str) -> npt.NDArray[np.float32]:
        """The vectors of a field, one row for each of `ids`."""
        parts = [file.vector_data(field)[0][rows] for file, rows in self.files]
        return np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)


def _cells(file: Any, field: str, places: list[int]) -> list[Any]:
    column = file.table.column(field)
    if pa.types.is_fixed_size_list(column.type):
        return list(file.vector_data(field)[0][places])
    return list(column.take(places).to_pylist())


def find_rows(folder: Path, name: str, expression: str) -> Matching | None:
    """The rows of a collection that match; None where Milvus has to be asked."""
    try:
        _, database, _ = server_manager_instance._servers[str(folder)]
        collection = database.get_collection(name)
        recent = collection._memtable
        if collection.load_state != "loaded" or recent.size():
            return None
        # A flush is on its way in another thread.
        if collection._manifest.current_seq != collection._next_seq - 1:
            return None
        files, deleted = collection._read_snapshot()
        if expression:
            matches = collection._compile_filter(expression)
            found = [(file, np.flatnonzero(evaluate_segment_filter(file, matches, None))) for file in files]
        else:
            found = [(file, np.arange(file.num_rows)) for file in files]
        current = [
            (file, [int(row) for row in rows if _is_current(file, row, files, deleted)])
            for file, rows in found
        ]
        return Matching([(file, rows) for file, rows in current if rows])
    except Exception as error:  # another Milvus Lite, a filter that it cannot read: it has the last word
        log.debug("Milvus Lite is asked for its rows, as they were not found: %s.", type(error).__name__)
        return None


def _is_current(file: Any, row: Any, files: Any, deleted: Any) -> bool:
    """Whether a row is not deleted, and its key stands in no file with a later number."""
    key, number = file.pks[row], file.seqs[row]
    if deleted.is_deleted(key, number):
        return False
    places = ((other, other.find_row(key)) for other in files)
    return all(place is None or other.seqs[place] <= number for other, place in places)

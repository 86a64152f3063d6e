"""A collection out to a Parquet file and back, row by row as it is stored: from Milvus Lite to a server, too."""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet
from pymilvus import MilvusClient

from helpers.arguments import checked_path
from helpers.errors import StoreError
from helpers.files import file_in_place
from helpers.segments import COLUMNS, vector_field
from helpers.store.client import check_client, lite_folder
from helpers.store.collection import create_collection, index_of
from helpers.store.errors import milvus_errors, timed_call
from helpers.store.opened import Rows, open_collection, rows_bar
from helpers.store.rows import TEXT, milvus_rows

KEY = b"video_search"  # in the file's metadata: what the collection is
GROUP = 5_000  # rows that are in memory at once, as they are written
BATCH = 500  # rows that go back in one call


@dataclass(frozen=True)
class About:
    """What is kept of a collection beside its rows."""

    model: str
    options: dict[str, int]  # option → dimension
    index_type: str
    index_params: dict[str, int]


def export_collection(milvus: MilvusClient, name: str, path: str | Path) -> int:
    """Write all rows of a collection to a Parquet file, with its model and index, and return how many there are.

    Every field is in it: vectors, `has_<option>`, `cluster`. A file that was there is replaced at the end, whole.
    Raises StoreError for a collection that cannot be read, and a file that cannot be written.
    """
    file = checked_path(path, StoreError, what="path of the backup")
    collection = open_collection(milvus, name, strong=True)
    with milvus_errors(f"The rows of {name!r} cannot be read"):
        kind, params = next(
            filter(None, (index_of(collection, option) for option in collection.dims)), ("FLAT", {})
        )
        about = About(collection.model, collection.dims, kind, params)
        schema = _schema(about)
        rows, count = collection.iterate("", schema.names, doing="exporting"), 0
        try:
            with (
                file_in_place(file) as target,
                parquet.ParquetWriter(target, schema, write_page_checksum=True) as writer,
            ):
                while group := list(islice(rows, GROUP)):
                    writer.write_batch(_record_batch(group, schema))
                    count += len(group)
        except OSError as error:
            raise StoreError(
                f"The backup {file} cannot be written ({error.strerror or error}): choose another path, or make room."
            ) from error
    return count


def import_collection(
    milvus: MilvusClient, name: str, path: str | Path, *, index_type: str | None = None
) -> int:
    """Write the rows of a backup into a collection, which is made if there is none, and return how many they are.

    A row that is there is replaced by that of the backup, and others stay, so a second run changes nothing. The
    index is that of the backup, unless `index_type` names another, or the collection has one.
    Raises StoreError for a file that is no backup or is damaged, and for a collection of another model, of other
    options or dimensions.
    """
    check_client(milvus, name)
    file = checked_path(path, StoreError, what="path of the backup")
    try:
        with parquet.ParquetFile(file, page_checksum_verification=True) as backup:
            about = _about(file, backup.schema_arrow)
            _make(milvus, name, about, index_type)
            total = backup.metadata.num_rows
            batches = (_table(batch, about) for batch in backup.iter_batches(BATCH))
            with timed_call("milvus.import", collection=name, rows=total):
                _write(milvus, name, batches, total)
    except (OSError, ValueError, pa.ArrowException) as error:
        missing = isinstance(error, FileNotFoundError)
        what = "is not there: check its path" if missing else "is damaged, or none: take another copy"
        raise StoreError(f"The backup {file} {what}, and import it again.") from error
    return int(total)


def _schema(about: About) -> pa.Schema:
    kinds = {"cluster": pa.int64(), **dict.fromkeys(TEXT, pa.string())}
    fields = [pa.field(column, kinds.get(column, pa.float64())) for column in COLUMNS]
    for option, dim in about.options.items():
        fields.append(pa.field(f"has_{option}", pa.bool_()))
        fields.append(pa.field(vector_field(option), pa.list_(pa.float32(), dim)))
    return pa.schema(fields, metadata={KEY: json.dumps(vars(about))})


def _record_batch(rows: Rows, schema: pa.Schema) -> pa.RecordBatch:
    arrays = []
    for field in schema:
        cells = [row[field.name] for row in rows]
        if isinstance(field.type, pa.FixedSizeListType):
            numbers = pa.array(np.asarray(cells, dtype=np.float32).ravel())
            arrays.append(pa.FixedSizeListArray.from_arrays(numbers, field.type.list_size))
        else:
            arrays.append(pa.array(cells, field.type))
    return pa.record_batch(arrays, schema=schema)


def _about(file: Path, schema: pa.Schema) -> About:
    """What the file says of its collection; StoreError if it is no backup."""
    with suppress(ValueError, TypeError, AttributeError):
        about = About(**json.loads((schema.metadata or {}).get(KEY, "")))
        if schema.equals(_schema(about)):
            return about
    raise StoreError(f"{file} is no backup of a collection: give a file that export_collection wrote.")


def _make(milvus: MilvusClient, name: str, about: About, index_type: str | None) -> None:
    """Make the collection, or check that the one that is there takes these rows."""
    zeros = {vector_field(option): [np.zeros(dim, np.float32)] for option, dim in about.options.items()}
    like = pd.DataFrame({"model": [about.model], **zeros})
    with milvus_errors(f"The collection {name!r} cannot be made"):
        there = milvus.has_collection(name)
    kind = index_type or ("AUTOINDEX" if there else about.index_type)
    params: Mapping[str, int] = about.index_params if kind == about.index_type else {}
    made = create_collection(
        milvus, name, like, options=list(about.options), index_type=kind, index_params=params
    )
    if more := [option for option in made.dims if option not in about.options]:
        raise StoreError(
            f"The collection {name!r} has the option {more[0]!r}, which the backup lacks: import it under another name."
        )


def _write(milvus: MilvusClient, name: str, tables: Iterable[pd.DataFrame], total: int) -> None:
    """Write tables of rows as they are: what they replaced was settled when they were first inserted."""
    collection = open_collection(milvus, name, strong=True)
    write = milvus.insert if lite_folder(milvus) else milvus.upsert  # as insert_segments does
    again = f"Not all rows of the backup were written to {name!r}, so import it again"
    with (
        milvus_errors(again, if_late="wait until Milvus is less busy"),
        rows_bar("importing", name, total) as bar,
    ):
        for table in tables:
            write(name, milvus_rows(table, collection))
            bar.update(len(table))
        milvus.flush(name)


def _table(batch: pa.RecordBatch, about: About) -> pd.DataFrame:
    """Rows of a backup as a table of segments."""
    table: dict[str, Any] = {column: batch[column].to_pylist() for column in COLUMNS}
    for option, dim in about.options.items():
        vectors = batch[vector_field(option)].flatten().to_numpy().reshape(-1, dim)
        has = batch[f"has_{option}"].to_pylist()
        cells = [vector if there else None for vector, there in zip(vectors, has, strict=True)]
        table[vector_field(option)] = pd.Series(cells, dtype=object)
    return pd.DataFrame(table)

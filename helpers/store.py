"""Milvus: connect, create a collection, insert segments, count, read, relink, delete and drop.

The rules of this module, each forced by a measurement: an exact index (FLAT) unless asked; vector columns
that are never null (a segment without an option gets a placeholder, and `has_<option>` is False); a flush
after each write; a load before each read; the vectors' model kept with the collection; filters built by
`build_filter`, which escapes every value.
"""

import json
import logging
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
from milvus_lite.exceptions import DataDirLockedError
from milvus_lite.server_manager import server_manager_instance
from pymilvus import DataType, MilvusClient, MilvusException

from helpers.embedding import COLUMNS, declared_options, vector_field
from helpers.errors import SearchError, StoreError, VideoSearchError
from helpers.filters import CONTROL, NUMBERS
from helpers.filters import Where as Where
from helpers.filters import build_filter as build_filter
from helpers.settings import Settings
from helpers.videos import SUFFIXES, file_sha256, relative_url

LIMITS = {"title": 1024, "video_url": 4096, "description": 65_535}  # other text fields: 512
# Text columns, and how many bytes of UTF-8 fit: a server counts bytes, Milvus Lite characters.
TEXT = {column: LIMITS.get(column, 512) for column in COLUMNS if column not in NUMBERS}
QUOTES = re.compile(r"""['"\\]""")  # pymilvus pastes ids into filters as they are
SCOPES = ("clip", "asset")
LITE_INDEXES = ("FLAT", "HNSW", "HNSW_SQ", "IVF_FLAT", "IVF_SQ8", "AUTOINDEX")


@dataclass(frozen=True)
class Collection:
    """What a collection holds: the model of its vectors, and the dimension of each embedding option."""

    name: str
    model: str
    dims: dict[str, int]


class _Cause(logging.Handler):
    """Keeps what Milvus Lite only logs, with a traceback: why a folder could not be opened."""

    error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        self.error = record.exc_info[1] if record.exc_info else None


_CAUSE = _Cause()


@contextmanager
def milvus_errors(what: str, kind: type[VideoSearchError] = StoreError) -> Iterator[None]:
    """Turn an error of Milvus inside the block into `kind`: "<what>: <the first line of its reason>."."""
    try:
        yield
    except MilvusException as error:
        reason = (str(error.message) or "no reason given").strip().splitlines()[0].rstrip(".")
        raise kind(f"{what}: {reason}.") from error


def connect_milvus(settings: Settings) -> MilvusClient:
    """Open the Milvus that the settings name: a Milvus Lite folder (`….db`) or a server (http or https).

    Raises StoreError for a server that does not answer, and for a folder that cannot be used.
    """
    for name in ("pymilvus", "pymilvus.milvus_client"):  # they print a page for each error, even a caught one
        logging.getLogger(name).setLevel(logging.CRITICAL)
    lite = logging.getLogger("milvus_lite")
    lite.addHandler(_CAUSE)
    lite.propagate, _CAUSE.error = False, None
    uri = settings.milvus_uri
    if "://" in uri:
        address = urlsplit(uri).netloc.rpartition("@")[2]
        with milvus_errors(
            f"Check MILVUS_URI and MILVUS_TOKEN, or start Milvus at {address}, as it did not answer"
        ):
            return MilvusClient(uri=uri, token=settings.milvus_token, timeout=10)
    path = _lite_path(settings)
    if path.suffix != ".db":
        raise StoreError(
            f"{uri} is no Milvus: set MILVUS_URI to an http address, or to a path ending in .db."
        )
    if os.path.isfile(path):
        raise StoreError(f"{path} is a file of an old Milvus Lite, which is not read any more: move it away.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path if os.path.isdir(path) else path.parent):
            pass
    except OSError as error:
        raise StoreError(
            f"The folder {path} cannot be written ({error.strerror}): "
            "set VIDEO_SEARCH_HOME to a folder of your own."
        ) from error
    try:
        return MilvusClient(str(path))
    except MilvusException as error:
        if isinstance(_CAUSE.error, DataDirLockedError):
            raise StoreError(
                f"The Milvus folder {path} is in use by another notebook: close or restart that notebook's "
                "kernel, or give this one a folder of its own with load_settings(notebook=…)."
            ) from error
        raise StoreError(
            f"The Milvus folder {path} cannot be opened ({_CAUSE.error or error.message}): "
            "move it away and insert the segments again."
        ) from error


def disconnect_milvus(milvus: MilvusClient, settings: Settings) -> None:
    """Close the client, and free a Milvus Lite folder: only then may others open it, or you delete it."""
    milvus.close()
    if "://" not in settings.milvus_uri:
        server_manager_instance.release_server(str(_lite_path(settings)))


def _lite_path(settings: Settings) -> Path:
    return Path(os.path.abspath(settings.root / Path(settings.milvus_uri).expanduser()))


def collection_name(settings: Settings, name: str) -> str:
    """The name of your own collection: with your prefix in front, where there is one (on a shared server)."""
    return name if name.startswith(settings.prefix) else settings.prefix + name


def drop_collection(milvus: MilvusClient, name: str, *, settings: Settings) -> None:
    """Drop your own collection `name` and all its rows; one with another prefix cannot be named this way."""
    with milvus_errors(f"The collection {name!r} was not dropped"):
        milvus.drop_collection(collection_name(settings, name))


def create_collection(
    milvus: MilvusClient,
    name: str,
    segments: pd.DataFrame,
    *,
    options: Sequence[str] | None = None,
    index_type: str = "FLAT",
    index_params: Mapping[str, int] | None = None,
) -> Collection:
    """Create a collection that fits `segments`, and load it; one that exists and fits is loaded as it is.

    `options` defaults to those for which the table has a column; dimensions come from its vectors. FLAT is
    exact; an approximate index (HNSW, IVF_FLAT, …) takes `index_params`, for instance {"M": 16}. No row is
    inserted. Raises StoreError if the collection cannot be made, or exists with another model, dimension,
    option or index.
    """
    if not re.fullmatch(r"[A-Za-z_]\w{0,254}", name, flags=re.ASCII):
        raise StoreError(f"{name!r} cannot name a collection: use letters, digits and underscores.")
    wanted = Collection(
        name, _one_model(segments), _dimensions(segments, options or declared_options(segments))
    )
    with milvus_errors(f"The collection {name!r} cannot be made"):
        lite = milvus.get_server_version().startswith("milvus_lite")
        if lite and index_type not in LITE_INDEXES:  # it takes any name, and cannot load the rows later
            raise StoreError(f"Milvus Lite has no {index_type} index: choose from {', '.join(LITE_INDEXES)}.")
        if milvus.has_collection(name):
            return _same(milvus, wanted, index_type, index_params)
        about = json.dumps({"model": wanted.model})  # Lite keeps the properties only, some servers this only
        schema = MilvusClient.create_schema(enable_dynamic_field=False, description=about)
        for field in COLUMNS:
            if field in TEXT:
                limits: dict[str, Any] = {"max_length": TEXT[field], "is_primary": field == "segment_id"}
                schema.add_field(field, DataType.VARCHAR, **limits)
            else:
                schema.add_field(field, DataType.INT64 if field == "cluster" else DataType.DOUBLE)
        for option, dim in wanted.dims.items():
            schema.add_field(f"has_{option}", DataType.BOOL)
            schema.add_field(vector_field(option), DataType.FLOAT_VECTOR, dim=dim)
        properties = {"model": wanted.model}
        milvus.create_collection(name, schema=schema, properties=properties, consistency_level="Strong")
        try:
            _index_and_load(milvus, name, list(wanted.dims), index_type, index_params)
        except BaseException:  # Ctrl-C as well
            with suppress(MilvusException):
                milvus.drop_collection(name)
            raise
    return wanted


def _index_and_load(
    milvus: MilvusClient,
    name: str,
    options: Sequence[str],
    index_type: str,
    index_params: Mapping[str, int] | None,
) -> None:
    index = milvus.prepare_index_params()
    # Lite reads index parameters from a level of their own only, and drops others without a word.
    nested = {"params": dict(index_params)} if index_params else {}
    for option in options:
        index.add_index(vector_field(option), index_type=index_type, metric_type="COSINE", params=nested)
    if options:
        milvus.create_index(name, index, sync=False)  # sync polls 0.5 s per field; the load waits as well
    milvus.load_collection(name)


def _same(
    milvus: MilvusClient, wanted: Collection, index_type: str, index_params: Mapping[str, int] | None
) -> Collection:
    found, name = _describe(milvus, wanted.name), wanted.name
    cure = "drop it with drop_collection, or use another name."
    if found.model != wanted.model:
        raise StoreError(
            f"The collection {name!r} holds vectors of {found.model!r}, not of {wanted.model!r}: {cure}"
        )
    for option, dim in wanted.dims.items():
        if option not in found.dims:
            raise StoreError(f"The collection {name!r} has no option {option!r}, nor can it get one: {cure}")
        if found.dims[option] != dim:
            sizes = f"{found.dims[option]} numbers for {option!r}, not {dim}"
            raise StoreError(f"The collection {name!r} has vectors of {sizes}: {cure}")
        kept = _index_type(milvus, name, option)
        if kept and index_type not in ("AUTOINDEX", kept):
            raise StoreError(f"The collection {name!r} has a {kept} index, not {index_type}: {cure}")
    # A kill -9 while it was made leaves a collection without its indexes, which a server cannot load.
    bare = [option for option in found.dims if not _index_type(milvus, name, option)]
    _index_and_load(milvus, name, bare, index_type, index_params)
    return found


def _index_type(milvus: MilvusClient, name: str, option: str) -> str | None:
    about = milvus.describe_index(name, vector_field(option))
    # Where this field has no index, Lite tells of that of another field.
    return str(about["index_type"]) if about and about["field_name"] == vector_field(option) else None


def open_collection(milvus: MilvusClient, name: str) -> Collection:
    """What the collection holds; it is loaded if need be (after a reopen it is not).

    Raises StoreError if there is none of this name, or if it does not say which model its vectors come from.
    """
    with milvus_errors(f"The collection {name!r} cannot be opened"):
        if not milvus.has_collection(name):
            raise StoreError(f"There is no collection {name!r}: make it with create_collection, then insert.")
        found = _describe(milvus, name)
        if milvus.get_load_state(name)["state"].name != "Loaded":
            milvus.load_collection(name)
    return found


def _describe(milvus: MilvusClient, name: str) -> Collection:
    about = milvus.describe_collection(name)
    model = about.get("properties", {}).get("model") or _described_model(about.get("description", ""))
    if not model:
        raise StoreError(
            f"The collection {name!r} does not say which model its vectors come from: "
            "make it with create_collection, under another name."
        )
    vectors = [field for field in about["fields"] if field["type"] == DataType.FLOAT_VECTOR]
    dims = {field["name"].removeprefix("embedding_"): int(field["params"]["dim"]) for field in vectors}
    return Collection(name, model, dims)


def _described_model(description: str) -> str:
    try:
        return str(json.loads(description)["model"])
    except (ValueError, KeyError, TypeError):
        return ""


def insert_segments(milvus: MilvusClient, name: str, segments: pd.DataFrame, *, batch_size: int = 500) -> int:
    """Write segments, and return how many; nothing is written unless every row is good.

    Rows go in by `segment_id`, so inserting the same again changes nothing (a `cluster` found by an analysis
    stays). An option without a column keeps the vectors that are stored; None in a column says that this
    segment has none. Then rows of the same video and scope are removed that came from another segmentation,
    or from other cuts of the same: those that share an option, and half the time of the shorter of the two.
    Raises StoreError for rows that do not fit the collection, naming the segment.
    """
    if batch_size < 1:
        raise StoreError(f"batch_size is {batch_size}: it must be 1 or more.")
    collection = open_collection(milvus, name)
    rows = _rows(segments, collection)
    fresh = count_segments(milvus, name) == 0
    absent = [option for option in collection.dims if vector_field(option) not in segments]
    kept = [f(option) for option in absent for f in (vector_field, "has_{}".format)]
    with milvus_errors(f"Not all rows were written to {name!r}, so insert them again"):
        for first in range(0, len(rows), batch_size):
            batch = {row["segment_id"]: row for row in rows[first : first + batch_size]}
            known = [] if fresh else milvus.get(name, ids=list(batch), output_fields=["cluster", *kept])
            for old in known:
                row = batch[old["segment_id"]]
                row.update({field: old[field] for field in kept})
                row["cluster"] = old["cluster"] if row["cluster"] == -1 else row["cluster"]
            milvus.upsert(name, list(batch.values()))
        if not fresh:
            _remove_replaced(milvus, name, rows, [f"has_{option}" for option in collection.dims])
        if rows:
            milvus.flush(name)  # rows in memory only are 10 to 50 times slower to search
    return len(rows)


def _remove_replaced(milvus: MilvusClient, name: str, rows: list[dict[str, Any]], has: list[str]) -> None:
    ids, films = {row["segment_id"] for row in rows}, dict[tuple[str, str], list[dict[str, Any]]]()
    for row in rows:
        films.setdefault((row["embedding_scope"], row["video_id"]), []).append(row)
    fields = ["segment_id", "segmentation", "start_offset_sec", "end_offset_sec", *has]
    for (scope, video), new in films.items():
        where = build_filter({"embedding_scope": scope, "video_id": video})
        stored = milvus.query(name, filter=where, output_fields=fields)
        others = [old for old in stored if old["segment_id"] not in ids]
        if gone := [old["segment_id"] for old in others if any(_replaces(row, old, has) for row in new)]:
            milvus.delete(name, ids=gone)


def _replaces(row: Mapping[str, Any], old: Mapping[str, Any], has: list[str]) -> bool:
    """Half of the shorter, as cuts differ by a hair, and a table may come in parts, none of which is to go."""
    (a, b), (c, d) = ((r["start_offset_sec"], r["end_offset_sec"]) for r in (row, old))
    shared = min(b, d) - max(a, c)
    again = shared > 0 and shared >= min(b - a, d - c) / 2 and any(row[h] and old[h] for h in has)
    return again or bool(row["segmentation"] != old["segmentation"])


def _one_model(segments: pd.DataFrame) -> str:
    models: list[Any] = list(segments["model"].unique()) if "model" in segments else []
    if len(models) != 1 or not isinstance(models[0], str) or not models[0]:
        raise StoreError(
            f"The segments come from {len(models)} models: a collection takes those of just one."
        )
    return str(models[0])


def _missing(cell: object) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell))


def _dimensions(segments: pd.DataFrame, options: Sequence[str]) -> dict[str, int]:
    """Option → dimension, read from the vectors; an option without any vector takes that of the others."""
    dims: dict[str, int] = {}
    for option in options:
        cells: list[Any] = list(segments.get(vector_field(option), []))
        sizes = {np.size(cell) for cell in cells if not _missing(cell)}
        if len(sizes) > 1:
            raise StoreError(
                f"The vectors of {option!r} differ in length, {sorted(sizes)}: embed them again."
            )
        dims[option] = sizes.pop() if sizes else 0
    known = [dim for dim in dims.values() if dim]
    if not known:
        raise StoreError("The segments hold no vector, so no collection fits them: embed videos first.")
    return {option: dim or known[0] for option, dim in dims.items()}


def _rows(segments: pd.DataFrame, collection: Collection) -> list[dict[str, Any]]:
    """The rows as Milvus takes them; StoreError at the first one that does not fit."""
    absent = [field for field in COLUMNS if field not in segments]
    if absent:
        raise StoreError(f"The segments lack the column {absent[0]!r}: use the table of embed_videos.")
    if not len(segments):
        return []
    if (model := _one_model(segments)) != collection.model:
        raise StoreError(
            f"The segments come from {model!r}, but the collection {collection.name!r} holds vectors of "
            f"{collection.model!r}: two models never share a collection, so make another one."
        )
    for option in declared_options(segments):
        if option not in collection.dims and not segments[vector_field(option)].map(_missing).all():
            raise StoreError(
                f"The collection {collection.name!r} has no place for the option {option!r}: "
                f"drop the column {vector_field(option)!r} first, or make a collection that has it."
            )
    if (twice := segments["segment_id"].duplicated()).any():
        again = segments.loc[twice, "segment_id"].iloc[0]
        raise StoreError(f"The segment {again} is in the table twice: drop the duplicates first.")
    scopes = segments.drop_duplicates(["video_id", "embedding_scope", "segmentation"])
    if (both := scopes.duplicated(["video_id", "embedding_scope"])).any():
        video = scopes.loc[both, "video_id"].iloc[0]
        raise StoreError(
            f"The video {video} comes in two segmentations, which replace each other: insert one."
        )
    return [_row(record, collection.dims) for record in segments.to_dict("records")]


def _row(record: Mapping[Any, Any], dims: Mapping[str, int]) -> dict[str, Any]:
    def refuse(problem: str) -> StoreError:
        return StoreError(f"Nothing was written: in segment {record['segment_id']!r}, {problem}.")

    row: dict[str, Any] = {}
    for field in COLUMNS:
        value = record[field]
        if field in TEXT:
            if not isinstance(value, str) or CONTROL.search(value):
                raise refuse(f"{field} is {value!r}, which is no text or holds control characters")
            if (size := len(value.encode(errors="replace"))) > TEXT[field]:
                raise refuse(f"{field} has {size} bytes, and {TEXT[field]} fit")
            row[field] = value
        elif isinstance(value, int | float | np.number) and math.isfinite(value):
            row[field] = int(value) if field == "cluster" else float(value)
        else:
            raise refuse(f"{field} is {value!r}, which is no number")
    if not row["segment_id"] or not row["video_id"]:
        raise refuse("segment_id or video_id is empty")
    if QUOTES.search(row["segment_id"]):
        raise refuse("segment_id holds a quotation mark or a backslash, with which Milvus cannot list rows")
    if row["embedding_scope"] not in SCOPES:
        raise refuse(f"embedding_scope is {row['embedding_scope']!r}, not one of {', '.join(SCOPES)}")
    for option, dim in dims.items():
        cell = record.get(vector_field(option))
        row[f"has_{option}"] = not _missing(cell)
        # A null would come back as zeros and score 0.0, above real rows, so it is a unit vector and a flag.
        vector = np.eye(1, dim, dtype=np.float32)[0] if _missing(cell) else np.asarray(cell, dtype=np.float32)
        if vector.shape != (dim,):
            raise refuse(f"the {option} vector has the shape {vector.shape}, and ({dim},) fits")
        if not np.isfinite(vector).all() or not vector.any():
            raise refuse(f"the {option} vector is all zeros, or holds what is not a finite number")
        row[vector_field(option)] = vector
    return row


def iterate(
    milvus: MilvusClient, name: str, expression: str, fields: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The named fields of all rows that match a filter expression, however many there are."""
    batches = milvus.query_iterator(name, filter=expression, output_fields=list(fields), batch_size=1000)
    try:
        while batch := batches.next():
            yield from batch
    finally:
        batches.close()


def read_segments(milvus: MilvusClient, name: str, *, where: Where = None) -> pd.DataFrame:
    """The segments that are stored, in the columns in which they were inserted, by video, scope and time."""
    collection = open_collection(milvus, name)
    fields = [*COLUMNS, *(f(o) for o in collection.dims for f in (vector_field, "has_{}".format))]
    with milvus_errors(f"The rows of {name!r} cannot be read", SearchError):
        rows = list(iterate(milvus, name, build_filter(where, tuple(collection.dims)), fields))
    rows.sort(key=lambda r: (r["video_id"], r["embedding_scope"], r["start_offset_sec"], r["segment_id"]))
    table = pd.DataFrame(rows, columns=COLUMNS)
    for option in collection.dims:
        field = vector_field(option)
        cells = [np.asarray(r[field], dtype=np.float32) if r[f"has_{option}"] else None for r in rows]
        table[field] = pd.Series(cells, dtype=object)
    return table


def count_segments(milvus: MilvusClient, name: str, *, where: Where = None) -> int:
    """How many segments are stored, or how many of them match `where` (see `build_filter`)."""
    expression = build_filter(where, tuple(open_collection(milvus, name).dims))
    with milvus_errors(f"The rows of {name!r} cannot be counted", SearchError):
        return int(milvus.query(name, filter=expression, output_fields=["count(*)"])[0]["count(*)"])


def delete_video(milvus: MilvusClient, name: str, video_id: str) -> int:
    """Delete every segment of one video, and return how many there were; other videos stay untouched."""
    where = {"video_id": video_id}
    if count := count_segments(milvus, name, where=where):
        with milvus_errors(f"The video {video_id!r} was not deleted"):
            milvus.delete(name, filter=build_filter(where))  # naming a partition would be ignored by Lite
            milvus.flush(name)
    return count


def relink(milvus: MilvusClient, name: str, folder: str | Path) -> int:
    """Repair `video_url` after video files moved to `folder` (or below); return how many rows changed.

    Files are known by content, the digest at the end of `video_id`, so a renamed file is found as well.
    Raises StoreError if none of the collection's videos lies there.
    """
    files = sorted(f for f in Path(folder).expanduser().rglob("*") if f.suffix.lower() in SUFFIXES)
    paths = {file_sha256(file)[:10]: relative_url(file) for file in files}
    segments = read_segments(milvus, name)
    moved = segments["video_id"].str.rpartition("-")[2].map(paths)
    if not moved.notna().any():
        raise StoreError(f"No video of {name!r} lies in {folder}: name the folder that holds the files now.")
    changed = moved.notna() & (moved != segments["video_url"])
    return insert_segments(milvus, name, segments[changed].assign(video_url=moved[changed]))

"""The store: insert segments, update clusters, count, read, relink and delete.

The rules of this module, each forced by a measurement: rows go in by `segment_id`; a segment without an option
gets a placeholder vector, and `has_<option>` is False; a flush after each write; filters built by
`build_filter`, which escapes every value.
"""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd
from pymilvus import MilvusClient

from helpers.arguments import check_names, is_whole
from helpers.errors import SearchError, StoreError
from helpers.files import file_sha256
from helpers.segments import COLUMNS, vector_field
from helpers.store.client import is_before, lite_folder
from helpers.store.errors import milvus_errors, timed_call
from helpers.store.filters import Where, build_filter
from helpers.store.opened import OpenCollection, Rows, open_collection, rows_bar
from helpers.store.rows import milvus_rows, url_rows
from helpers.videos.samples import SUFFIXES, relative_url

ORDER = ("video_id", "embedding_scope", "start_offset_sec", "segment_id")  # of the rows of a table
LOOKUP = 10_000  # new rows, the videos of which are looked up at once


def insert_segments(milvus: MilvusClient, name: str, segments: pd.DataFrame, *, batch_size: int = 500) -> int:
    """Write segments, and return how many; nothing is written unless every row is good.

    Rows go in by `segment_id`, so inserting the same again changes nothing (a `cluster` found by an analysis
    stays). An option without a column keeps the vectors that are stored; None in a column says that this
    segment has none. Then rows of the same video and scope are removed that came from another segmentation,
    or from other cuts of the same: those that share an option, and half the time of the shorter of the two.
    Raises StoreError for rows that do not fit the collection, naming the segment.
    """
    _check_batch_size(batch_size)
    collection = open_collection(milvus, name, strong=True)
    rows = milvus_rows(segments, collection)
    absent = [option for option in collection.dims if vector_field(option) not in segments]
    kept = [field for option in absent for field in (vector_field(option), f"has_{option}")]
    again = milvus_errors(
        f"Not all rows were written to {name!r}, so insert them again",
        if_late="wait until Milvus is less busy, or take a smaller batch_size",
    )
    # Lite replaces by key when it inserts, too; its upsert reads each stored row first, to merge.
    write = milvus.insert if lite_folder(milvus) else milvus.upsert
    with (
        again,
        timed_call("milvus.write", collection=name, rows=len(rows)),
        rows_bar("inserting into", name, len(rows)) as bar,
    ):
        stored = {row["segment_id"]: row for row in _stored(collection, rows, batch_size)}
        for first in range(0, len(rows), batch_size):
            batch = {row["segment_id"]: row for row in rows[first : first + batch_size]}
            known = [key for key in batch if key in stored]
            for key in known:
                if batch[key]["cluster"] == -1:
                    batch[key]["cluster"] = stored[key]["cluster"]
            for old in collection.get(known, kept) if kept else []:
                batch[old["segment_id"]].update({field: old[field] for field in kept})
            write(name, list(batch.values()))
            bar.update(len(batch))
        if gone := _replaced(rows, list(stored.values()), collection):
            milvus.delete(name, ids=gone)
        if rows:
            collection.settle()
    return len(rows)


def _check_batch_size(batch_size: object) -> None:
    if not is_whole(batch_size, least=1):
        raise StoreError(f"batch_size is {batch_size!r}: it must be a whole number from 1.")


def _stored(collection: OpenCollection, rows: Rows, batch_size: int) -> Rows:
    """What the collection holds of the videos of these rows, without vectors.

    For each query Lite goes through all rows, whichever it finds, so one asks for the videos of many new rows, and
    for none where its memory holds none.
    """
    if not lite_folder(collection.milvus) and len(rows) > batch_size and not collection.count():
        return []
    fields = ["segment_id", "video_id", "embedding_scope", "segmentation", "cluster"]
    fields += ["start_offset_sec", "end_offset_sec", *(f"has_{option}" for option in collection.dims)]
    videos = sorted(row["video_id"] for row in rows)
    stored: Rows = []
    for first in range(0, len(videos), LOOKUP):
        some = dict.fromkeys(videos[first : first + LOOKUP])
        if first and videos[first - 1] in some:  # asked for already
            del some[videos[first - 1]]
        if not some:
            continue
        same_videos = build_filter({"video_id": list(some)})
        if (found := collection.matching(same_videos)) is None:
            stored += collection.query(same_videos, fields)
        else:
            stored += (row for batch in found.rows(fields) for row in batch)
    return stored


def _replaced(rows: Rows, stored: Rows, collection: OpenCollection) -> list[str]:
    """The ids of stored rows that the new rows replace: of the same video and scope, cut in another way."""
    ids, has = {row["segment_id"] for row in rows}, [f"has_{option}" for option in collection.dims]
    new: dict[tuple[str, str], Rows] = {}
    for row in rows:
        new.setdefault((row["embedding_scope"], row["video_id"]), []).append(row)
    return [
        old["segment_id"]
        for old in stored
        if old["segment_id"] not in ids
        and any(_replaces(row, old, has) for row in new.get((old["embedding_scope"], old["video_id"]), []))
    ]


def _replaces(row: Mapping[str, Any], old: Mapping[str, Any], has: list[str]) -> bool:
    """Half of the shorter, as cuts differ by a hair, and a table may come in parts, none of which is to go."""
    (a, b), (c, d) = ((r["start_offset_sec"], r["end_offset_sec"]) for r in (row, old))
    shared = min(b, d) - max(a, c)
    again = shared > 0 and shared >= min(b - a, d - c) / 2 and any(row[h] and old[h] for h in has)
    return again or bool(row["segmentation"] != old["segmentation"])


def update_clusters(milvus: MilvusClient, name: str, clusters: pd.Series, *, batch_size: int = 1000) -> int:
    """Write the cluster of each segment (a Series of whole numbers by segment_id); return how many were given.

    A partial upsert of the rows whose cluster is another one now: every other field stays as it is, vectors
    included. Servers before 2.6.2 have none: there the whole rows are read, changed and written.
    Nothing is written if an id is not stored. Raises StoreError for ids that are not stored, a cluster that is
    no whole number, and a server that refuses.
    """
    _check_batch_size(batch_size)
    ids = _checked_ids(clusters)
    collection = open_collection(milvus, name, strong=True)
    stored: dict[str, int] = {}
    with (
        milvus_errors(f"Nothing was written, as the rows of {name!r} cannot be read"),
        rows_bar("reading", name, len(ids)) as bar,
    ):
        for first in range(0, len(ids), batch_size):
            rows = collection.get(ids[first : first + batch_size], ["segment_id", "cluster"])
            stored |= {row["segment_id"]: row["cluster"] for row in rows}
            bar.update(len(rows))
    if absent := [key for key in ids if key not in stored]:
        raise StoreError(
            f"Nothing was written, as {len(absent)} of {len(ids)} segments are not in {name!r}, "
            f"such as {absent[0]!r}: insert them first."
        )
    rows = [{"segment_id": key, "cluster": int(n)} for key, n in clusters.items() if stored[str(key)] != n]
    again = milvus_errors(f"Not all clusters were written to {name!r}, so call update_clusters again")
    with again, timed_call("milvus.update_clusters", collection=name, rows=len(rows)):
        _change(collection, rows, batch_size)
    return len(ids)


def _change(collection: OpenCollection, changes: Rows, batch_size: int) -> None:
    """Write some fields of rows that are stored; where a server knows no partial upsert, whole rows."""
    milvus, name = collection.milvus, collection.name
    whole = is_before(milvus, 2, 6, 2)
    options = [field for option in collection.dims for field in (vector_field(option), f"has_{option}")]
    with rows_bar("changing", name, len(changes)) as bar:
        for first in range(0, len(changes), batch_size):
            batch = {row["segment_id"]: row for row in changes[first : first + batch_size]}
            if whole:
                stored = collection.get(list(batch), [*COLUMNS, *options])
                milvus.upsert(name, [{**row, **batch[row["segment_id"]]} for row in stored])
            else:
                milvus.upsert(name, list(batch.values()), partial_update=True)
            bar.update(len(batch))
    collection.settle()  # also what a run that was killed has left in memory


def _checked_ids(clusters: pd.Series) -> list[str]:
    """The ids of a Series of clusters, once both make sense."""
    if not isinstance(clusters, pd.Series):
        kind = type(clusters).__name__
        raise StoreError(f"The clusters are a {kind}: give a Series of whole numbers by segment_id.")
    whole = pd.api.types.is_integer_dtype(clusters.dtype) and not clusters.isna().any()
    if not whole or (clusters > 2**63 - 1).any():
        raise StoreError("Nothing was written, as a cluster is no whole number: give -1 for noise.")
    ids = list(clusters.index)
    if not clusters.index.is_unique or not all(isinstance(key, str) for key in ids):
        raise StoreError("Nothing was written, as a segment is named twice or by no segment_id: index by it.")
    return ids


def read_segments(
    milvus: MilvusClient, name: str, *, where: Where = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """The segments that are stored, in the columns in which they were inserted, by video, scope and time.

    `columns` picks some, in the order given: without vectors, which are the bulk, a large collection comes sooner.
    Raises SearchError for a filter or columns that cannot be.
    """
    return _read(open_collection(milvus, name), where, columns)


def _read(collection: OpenCollection, where: Where, columns: Sequence[str] | None) -> pd.DataFrame:
    expression = build_filter(where, collection.options)
    options = {vector_field(option): f"has_{option}" for option in collection.dims}
    known = [*COLUMNS, *options]
    check_names(SearchError, columns=columns)
    chosen = known if columns is None else list(dict.fromkeys(columns))
    if unknown := [column for column in chosen if column not in known]:
        raise SearchError(
            f"The collection {collection.name!r} has no column {unknown[0]!r}: choose from {', '.join(known)}."
        )
    fields = list(dict.fromkeys([*chosen, *ORDER, *(options[field] for field in chosen if field in options)]))
    with milvus_errors(
        f"The rows of {collection.name!r} cannot be read", SearchError, cure="check the filter"
    ):
        rows = list(collection.iterate(expression, fields))
    rows.sort(key=itemgetter(*ORDER))
    table: dict[str, Any] = {}
    for field in chosen:
        if (has := options.get(field)) is None:
            table[field] = [row[field] for row in rows]
        else:
            table[field] = pd.Series([row[field] if row[has] else None for row in rows], dtype=object)
    return pd.DataFrame(table, columns=chosen, index=range(len(rows)))


def count_segments(milvus: MilvusClient, name: str, *, where: Where = None) -> int:
    """How many segments are stored, or how many of them match `where` (see `build_filter`)."""
    collection = open_collection(milvus, name)
    expression = build_filter(where, collection.options)
    with milvus_errors(f"The rows of {name!r} cannot be counted", SearchError, cure="check the filter"):
        return collection.count(expression)


def delete_video(milvus: MilvusClient, name: str, video_id: str) -> int:
    """Delete every segment of one video, and return how many there were; other videos stay untouched."""
    if not isinstance(video_id, str):
        raise StoreError(f"The video is a {type(video_id).__name__}: name one at a time, by its video_id.")
    collection = open_collection(milvus, name, strong=True)
    with milvus_errors(f"The video {video_id!r} was not deleted"):
        ids = [
            row["segment_id"]
            for row in collection.query(build_filter({"video_id": video_id}), ["segment_id"])
        ]
        if ids:
            milvus.delete(name, ids=ids)  # naming a partition would be ignored by Lite
            milvus.flush(name)
    return len(ids)


def relink(milvus: MilvusClient, name: str, folder: str | Path) -> int:
    """Repair `video_url` after video files moved to `folder` (or below); return how many rows changed.

    Files are known by content, the digest at the end of `video_id`, so a renamed file is found as well.
    Raises StoreError if none of the collection's videos lies there.
    """
    if not isinstance(folder, str | Path):
        raise StoreError(f"The folder is a {type(folder).__name__}: give its path.")
    files = sorted(f for f in Path(folder).expanduser().rglob("*") if f.suffix.lower() in SUFFIXES)
    paths = {file_sha256(file)[:10]: relative_url(file) for file in files}
    collection = open_collection(milvus, name, strong=True)
    stored = _read(collection, None, ["segment_id", "video_id", "video_url"])
    moved = {
        segment: (path, url)
        for segment, video, url in stored.itertuples(index=False)
        if (path := paths.get(video.rpartition("-")[2]))
    }
    if not moved:
        raise StoreError(f"No video of {name!r} lies in {folder}: name the folder that holds the files now.")
    rows = url_rows({segment: path for segment, (path, url) in moved.items() if path != url})
    with milvus_errors(f"Not all paths were written to {name!r}, so call relink again"):
        _change(collection, rows, batch_size=1000)
    return len(rows)

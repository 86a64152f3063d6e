"""A scratch Milvus Lite with made-up segments, for the benchmarks that ask Milvus itself."""

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pymilvus import DataType, MilvusClient

from benchmarks.made_up import DIM, Vectors, made_up_segments, made_up_vectors, nearest, recall
from benchmarks.records import Row, summary
from helpers.settings import load_settings
from helpers.store.client import connect_milvus, disconnect_milvus

QUERIES, LIMIT, BATCH = 20, 10, 1000
FIELD = "embedding_visual"
COLUMNS = ("segment_id", "video_id", "category", "year", "cluster")


@contextmanager
def scratch_milvus() -> Iterator[tuple[MilvusClient, Path]]:
    """A Milvus Lite in a folder that is gone afterwards, and the folder."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch) / "benchmark.db"
        settings = dataclasses.replace(
            load_settings(notebook="bench"), milvus_uri=str(folder), prefix="", milvus_token=""
        )
        milvus = connect_milvus(settings)
        try:
            yield milvus, folder
        finally:
            disconnect_milvus(milvus, settings)


def folder_mb(folder: Path, pattern: str = "*") -> float:
    """What the files of a folder hold, in MB; "*.idx" are Milvus Lite's indexes."""
    return round(sum(f.stat().st_size for f in folder.rglob(pattern) if f.is_file()) / 2**20, 1)


def segments_with_years(rows: int) -> pd.DataFrame:
    """Made-up segments with one option, and the year in which each was recorded (26 of them)."""
    segments = made_up_segments(rows, options=1)
    return segments.assign(year=segments["recorded_at"].str[:4].astype(int))


def plain_collection(milvus: MilvusClient, name: str, *, key: str = "") -> None:
    """A collection for COLUMNS and one vector, by plain pymilvus; `key` is its partition key, if any."""
    schema = MilvusClient.create_schema(enable_dynamic_field=False)
    for column in COLUMNS:
        if column in ("year", "cluster"):
            schema.add_field(column, DataType.INT64, is_partition_key=column == key)
        else:
            own = {"is_primary": column == "segment_id", "is_partition_key": column == key}
            schema.add_field(column, DataType.VARCHAR, max_length=512, **own)
    schema.add_field(FIELD, DataType.FLOAT_VECTOR, dim=DIM)
    milvus.create_collection(name, schema=schema)


def fill(milvus: MilvusClient, name: str, segments: pd.DataFrame, *, partition_by: str = "") -> float:
    """Write all rows, and flush; the seconds. With `partition_by` each value of that column has a partition."""
    start = time.perf_counter()
    parts = segments.groupby(partition_by) if partition_by else [("", segments)]
    for value, part in parts:
        where = {"partition_name": partition_name(value)} if partition_by else {}
        if partition_by:
            milvus.create_partition(name, **where)
        for first in range(0, len(part), BATCH):
            rows = part.iloc[first : first + BATCH][[*COLUMNS, FIELD]].to_dict("records")
            milvus.insert(name, rows, **where)
    milvus.flush(name)
    return time.perf_counter() - start


def partition_name(value: object) -> str:
    return "part_" + "".join(c if c.isalnum() else "_" for c in str(value))


def build_index(
    milvus: MilvusClient, name: str, kind: str, params: Mapping[str, int], *, fields: Sequence[str] = (FIELD,)
) -> float:
    """Give the vectors of a collection this index instead of the one they have, and load it; the seconds."""
    milvus.release_collection(name)
    index = milvus.prepare_index_params()
    for field in fields:
        if milvus.list_indexes(name, field):
            milvus.drop_index(name, field)
        index.add_index(field, index_type=kind, metric_type="COSINE", params={"params": dict(params)})
    start = time.perf_counter()
    milvus.create_index(name, index, sync=False)
    milvus.load_collection(name)
    return time.perf_counter() - start


def exact_lists(vectors: Vectors, ids: npt.NDArray[np.object_], queries: Vectors) -> list[list[Any]]:
    """The exact answer to each query, as ids."""
    return [[ids[at] for at in nearest(vectors, query, LIMIT)] for query in queries]


def queries(number: int = QUERIES) -> Vectors:
    """Vectors of the same topics that are not stored."""
    return made_up_vectors(number, of=2**31)


def timed_lists(ask: Callable[[Vectors], list[Any]], asked: Vectors, exact: list[list[Any]]) -> Row:
    """Ask each query once, after one that does not count: times, recall@10, and how many hits there were."""
    ask(asked[0])
    seconds, lists = [], []
    for query in asked:
        start = time.perf_counter()
        lists.append(ask(query))
        seconds.append(time.perf_counter() - start)
    found = [recall(got, wanted) for got, wanted in zip(lists, exact, strict=True)]
    return summary(seconds) | {
        "recall@10": round(float(np.mean(found)), 4),
        "lowest_recall@10": round(min(found), 4),
        "hits": round(float(np.mean([len(got) for got in lists])), 2),
    }


def raw_search(
    milvus: MilvusClient, name: str, params: Mapping[str, int], **options: Any
) -> Callable[[Vectors], list[Any]]:
    """Plain pymilvus, ids only: a function from a vector to the ids of the nearest."""

    def ask(vector: Vectors) -> list[Any]:
        found = milvus.search(
            name,
            data=[vector],
            anns_field=FIELD,
            limit=LIMIT,
            output_fields=["segment_id"],
            search_params={"metric_type": "COSINE", "params": dict(params)},
            **options,
        )
        return [hit["entity"]["segment_id"] for hit in found[0]]

    return ask

"""Milvus Lite by itself: indexes, growth, and ways to organise rows, for notebook 08.

    python -m benchmarks.milvus_lite --rows 100000 --only index_tuning growth organising

Writes benchmarks/results/index_tuning.json, growth.json and organising.json, one row for each line of a table: times
in ms (p50, p95, the spread from a tenth to nine tenths), recall@10 against exact NumPy (mean and lowest), hits.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from pymilvus import MilvusClient
from tqdm import tqdm

from benchmarks.lite import (
    FIELD,
    LIMIT,
    build_index,
    exact_lists,
    fill,
    folder_mb,
    partition_name,
    plain_collection,
    queries,
    raw_search,
    scratch_milvus,
    segments_with_years,
    timed_lists,
)
from benchmarks.made_up import MODEL, Vectors, nearest
from benchmarks.records import Row, load_average, read, save, table
from helpers.search.similarity import search_segments
from helpers.segments import Query
from helpers.store.collection import create_collection
from helpers.store.io import insert_segments

INDEXES: dict[str, tuple[dict[str, int], list[dict[str, int]]]] = {  # how each is built, and how it is asked
    "FLAT": ({}, [{}]),
    "IVF_FLAT": ({"nlist": 128}, [{"nprobe": n} for n in (4, 16, 64)]),
    "IVF_SQ8": ({"nlist": 128}, [{"nprobe": n} for n in (4, 16, 64)]),
    "HNSW": ({"M": 16, "efConstruction": 200}, [{"ef": n} for n in (16, 64, 256)]),
    "HNSW_SQ": ({"M": 16, "efConstruction": 200}, [{"ef": n} for n in (16, 64, 256)]),
}
FILTERS = {"none": "", "1 %": "cluster >= 10 and cluster <= 19", "10 %": "cluster >= 100 and cluster <= 199"}
CLUSTERS = {"none": (0, 999), "1 %": (10, 19), "10 %": (100, 199)}


def tuning(rows: int) -> list[Row]:
    """Every index on the same rows: how long it takes to build, its disk, and searches with and without a filter.

    "milvus" is a plain search with these parameters, "helper" is search_segments, which chooses its own.
    """
    segments, asked = segments_with_years(rows), queries()
    vectors, ids = np.stack(segments[FIELD].tolist()), segments["segment_id"].to_numpy(dtype=object)
    inside = {share: segments["cluster"].between(*ends).to_numpy() for share, ends in CLUSTERS.items()}
    exact = {share: exact_lists(vectors[keep], ids[keep], asked) for share, keep in inside.items()}
    found: list[Row] = []
    with scratch_milvus() as (milvus, folder):
        create_collection(milvus, "tuning", segments.drop(columns="year"))
        insert_segments(milvus, "tuning", segments.drop(columns="year"))
        for kind, (built_with, asked_with) in tqdm(INDEXES.items(), desc="index tuning"):
            seconds = build_index(milvus, "tuning", kind, built_with)
            size = {"build_s": round(seconds, 2), "disk_mb": folder_mb(folder)}
            size["index_mb"] = folder_mb(folder, "*.idx")
            for share, where in FILTERS.items():
                base: Row = {"index": kind, "rows": rows, **size, "filter": share}
                for params in asked_with:
                    ask = raw_search(milvus, "tuning", params, filter=where)
                    row = base | {"by": "milvus", "search": params}
                    found.append(row | timed_lists(ask, asked, exact[share]))
                row = base | {"by": "helper", "search": {}}
                found.append(row | timed_lists(helper_search(milvus, share), asked, exact[share]))
    return found


def helper_search(milvus: MilvusClient, share: str) -> Callable[[Vectors], list[str]]:
    """search_segments under one of FILTERS: a function from a vector to the ids of the nearest."""
    where = None if share == "none" else {"cluster": CLUSTERS[share]}

    def ask(vector: Vectors) -> list[str]:
        hits = search_segments(milvus, "tuning", Query(vector, MODEL, "made up"), limit=LIMIT, where=where)
        return list(hits["segment_id"])

    return ask


def growth(most: int) -> list[Row]:
    """The same search among 1,000, 10,000, … rows, in Milvus Lite (FLAT, HNSW) and in a NumPy array in memory."""
    asked, found = queries(), list[Row]()
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= most]
    for rows in tqdm(sizes, desc="growth"):
        segments = segments_with_years(rows)
        vectors, ids = np.stack(segments[FIELD].tolist()), segments["segment_id"].to_numpy(dtype=object)
        exact = exact_lists(vectors, ids, asked)
        ask = partial(_in_memory, vectors, ids)
        size = {"disk_mb": round(vectors.nbytes / 2**20, 1), "build_s": 0.0, "insert_s": 0.0}
        found.append({"engine": "exact NumPy", "rows": rows, **size, **timed_lists(ask, asked, exact)})
        with scratch_milvus() as (milvus, folder):
            plain_collection(milvus, "growth")
            inserted = fill(milvus, "growth", segments)
            for kind in ("FLAT", "HNSW"):
                built = build_index(milvus, "growth", kind, INDEXES[kind][0])
                size = {
                    "disk_mb": folder_mb(folder),
                    "build_s": round(built, 2),
                    "insert_s": round(inserted, 2),
                }
                times = timed_lists(raw_search(milvus, "growth", {}), asked, exact)
                found.append({"engine": f"Milvus Lite {kind}", "rows": rows, **size, **times})
    return found


def _in_memory(vectors: Vectors, ids: npt.NDArray[np.object_], vector: Vectors) -> list[str]:
    return [str(key) for key in ids[nearest(vectors, vector, LIMIT)]]


def organising(rows: int) -> list[Row]:
    """A search inside one category, one year (a window of time) or one video: by a filter, a partition, a key."""
    segments, asked = segments_with_years(rows), queries()
    vectors, ids = np.stack(segments[FIELD].tolist()), segments["segment_id"].to_numpy(dtype=object)
    one = segments.iloc[len(segments) // 2]  # of which category, year and video the searches are
    keys = ("category", "year", "video_id")
    inside = {column: (segments[column] == one[column]).to_numpy() for column in keys}
    exact = {column: exact_lists(vectors[keep], ids[keep], asked) for column, keep in inside.items()}
    where = {column: f"{column} == {json.dumps(value)}" for column in keys if (value := _plain(one[column]))}
    found: list[Row] = []

    def measure(milvus: MilvusClient, name: str, way: str, columns: Sequence[str], inserted: float) -> None:
        for kind in ("FLAT", "HNSW"):
            built = build_index(milvus, name, kind, INDEXES[kind][0])
            for column in columns:
                only = {"partition_names": [partition_name(one[column])]} if way == "partition" else {}
                given: dict[str, Any] = only or {"filter": where[column]}
                times = timed_lists(raw_search(milvus, name, {}, **given), asked, exact[column])
                about = {"way": way, "by": column, "share": round(float(inside[column].mean()), 5)}
                size = {"insert_s": round(inserted, 2), "build_s": round(built, 2)}
                found.append({**about, "index": kind, "rows": rows, **size, **times})

    with tqdm(total=1 + 2 * len(keys), desc="organising") as bar:
        for way, column in [
            ("filter", ""),
            *((way, key) for way in ("partition", "partition key") for key in keys),
        ]:
            with scratch_milvus() as (milvus, _):
                plain_collection(milvus, "rows", key=column if way == "partition key" else "")
                seconds = fill(milvus, "rows", segments, partition_by=column if way == "partition" else "")
                measure(milvus, "rows", way, [column] if column else keys, seconds)
            bar.update()
    return found


def _plain(value: Any) -> str | int:
    return int(value) if isinstance(value, np.integer) else str(value)


PARTS = {"index_tuning": tuning, "growth": growth, "organising": organising}
MANY_COLLECTIONS = 20_000  # rows at most where each way to organise them needs a collection of its own


def run(part: str, rows: int) -> None:
    """Measure one part with this many rows, and keep what it says."""
    load = load_average()
    rows = min(rows, MANY_COLLECTIONS) if part == "organising" else rows
    save(part, PARTS[part](rows), load_before=load)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    given = parser.parse_args()
    for part in given.only:
        run(part, given.rows)
        print(f"\n{part}\n\n{table(read(part)['rows'])}")


if __name__ == "__main__":
    main()

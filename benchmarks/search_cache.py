"""A search that is asked again, with and without the search cache: for notebook 08.

    python -m benchmarks.search_cache --rows 100000

Milvus Lite, FLAT. Writes benchmarks/results/search_cache.json.
"""

import argparse
import time

import numpy as np
from tqdm import tqdm

from benchmarks.lite import queries, scratch_milvus
from benchmarks.made_up import MODEL, made_up_segments
from benchmarks.records import Row, load_average, read, save, summary, table
from helpers.search.cache import SearchCache
from helpers.segments import Query
from helpers.store.collection import create_collection
from helpers.store.io import insert_segments

TIMES = 30


def zipf_workload(searches: int, distinct: int, *, exponent: float = 1.0, seed: int = 0) -> list[int]:
    """Which of `distinct` questions each search asks: the r-th in popularity with a share of 1 / r ** exponent."""
    shares = 1 / np.arange(1, distinct + 1) ** exponent
    drawn: list[int] = (
        np.random.default_rng(seed).choice(distinct, searches, p=shares / shares.sum()).tolist()
    )
    return drawn


def measured(sizes: list[int]) -> list[Row]:
    found: list[Row] = []
    for rows in tqdm(sizes, desc="search cache"):
        with scratch_milvus() as (milvus, _):
            segments = made_up_segments(rows, options=1)
            create_collection(milvus, "rows", segments)
            insert_segments(milvus, "rows", segments, batch_size=200)  # in time on a busy machine, too
            cache = SearchCache(milvus, seconds=3600.0)
            asked = [Query(vector, MODEL, "made up") for vector in queries(TIMES)]
            cache.search("rows", Query(-asked[0].vector, MODEL, "made up"))  # opens files
            for answered_by in ("Milvus", "memory"):
                seconds = []
                for query in asked:
                    start = time.perf_counter()
                    cache.search("rows", query, limit=10)
                    seconds.append(time.perf_counter() - start)
                found.append({"rows": rows, "answered_by": answered_by} | summary(seconds))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    most, load = parser.parse_args().rows, load_average()
    save(
        "search_cache",
        measured([n for n in (1_000, 10_000, 100_000, 1_000_000) if n <= most]),
        load_before=load,
    )
    print(table(read("search_cache")["rows"]))


if __name__ == "__main__":
    main()

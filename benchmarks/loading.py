"""How fast rows go in, by size of batch, and how fast they are found before and after a flush: for notebook 08.

    python -m benchmarks.loading

Plain pymilvus with Milvus Lite. Writes benchmarks/results/loading.json.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from typing import Any

from pymilvus import MilvusClient
from tqdm import tqdm

from benchmarks.lite import COLUMNS, FIELD, build_index, plain_collection, queries, raw_search, scratch_milvus
from benchmarks.lite import segments_with_years as made_up_rows
from benchmarks.records import Row, load_average, read, save, summary, table

BATCHES = {1: 300, 10: 1_000, 100: 4_000, 1_000: 8_000}  # rows in a call → rows that are written so
ROUNDS = 2
SIZES = (1_000, 3_000, 10_000)
SEARCHES = 7


def rows_of(number: int, *, as_lists: bool = False) -> list[Row]:
    """Made-up segments as pymilvus takes them, each vector an array or a list of Python floats."""
    rows: list[Any] = made_up_rows(number)[[*COLUMNS, FIELD]].to_dict("records")
    return [row | {FIELD: row[FIELD].tolist()} for row in rows] if as_lists else rows


def insert_in_batches(milvus: MilvusClient, name: str, rows: Sequence[Row], size: int) -> float:
    """Insert all rows, `size` in a call; the seconds."""
    start = time.perf_counter()
    for first in range(0, len(rows), size):
        milvus.insert(name, list(rows[first : first + size]))
    return time.perf_counter() - start


def batches(bar: "tqdm[Any]") -> list[Row]:
    """Rows a second by size of batch, for arrays and lists, which take turns in each round."""
    most = max(BATCHES.values())
    kinds = {"array": rows_of(most), "list": rows_of(most, as_lists=True)}
    seconds: dict[tuple[int, str], list[float]] = {}
    for _ in range(ROUNDS):
        for size, number in BATCHES.items():
            for kind, rows in kinds.items():
                with scratch_milvus() as (milvus, _folder):
                    plain_collection(milvus, "rows")
                    took = insert_in_batches(milvus, "rows", rows[:number], size)
                seconds.setdefault((size, kind), []).append(took)
                bar.update()
    return [
        {
            "part": "batches",
            "batch": size,
            "vectors": kind,
            "rows": BATCHES[size],
            "rows_per_s": round(BATCHES[size] / statistics.median(took)),
        }
        for (size, kind), took in seconds.items()
    ]


def flushes(bar: "tqdm[Any]") -> list[Row]:
    """The same searches before and after `flush`, by number of rows; FLAT."""
    found = []
    for number in SIZES:
        with scratch_milvus() as (milvus, _folder):
            plain_collection(milvus, "rows")
            build_index(milvus, "rows", "FLAT", {})
            insert_in_batches(milvus, "rows", rows_of(number), 1_000)
            for flushed in (False, True):
                if flushed:
                    milvus.flush("rows")
                found.append({"part": "flush", "rows": number, "flushed": flushed} | _searches(milvus))
        bar.update()
    return found


def _searches(milvus: MilvusClient) -> Row:
    ask, seconds = raw_search(milvus, "rows", {}), []
    for vector in queries(SEARCHES + 1):
        start = time.perf_counter()
        ask(vector)
        seconds.append(time.perf_counter() - start)
    return summary(seconds[1:])  # the first opens files


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    load = load_average()
    with tqdm(total=2 * ROUNDS * len(BATCHES) + len(SIZES), desc="loading") as bar:
        save("loading", batches(bar) + flushes(bar), load_before=load)
    print(table(read("loading")["rows"]))


if __name__ == "__main__":
    main()

"""What each consistency level costs, and whether it sees one's own write, on a Milvus server: for notebook 08.

    MILVUS_URI=http://127.0.0.1:19530 python -m benchmarks.consistency

`python -m tools.milvus_server` starts a server. Plain pymilvus; writes benchmarks/results/consistency.json.
"""

import argparse
import sys
import time
import uuid
from typing import Any

from pymilvus import DataType, MilvusClient
from tqdm import tqdm

from benchmarks.lite import FIELD, LIMIT, queries
from benchmarks.made_up import DIM, made_up_vectors
from benchmarks.records import Row, load_average, read, save, summary, table
from helpers.settings import load_settings
from helpers.store.client import connect_milvus, disconnect_milvus

LEVELS = ("Strong", "Bounded", "Session", "Eventually")
ROWS, TIMES, WRITES = 5_000, 30, 20


def filled(milvus: MilvusClient, name: str) -> None:
    """A collection of made-up vectors, in memory, with an exact index."""
    schema = MilvusClient.create_schema(enable_dynamic_field=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field(FIELD, DataType.FLOAT_VECTOR, dim=DIM)
    index = milvus.prepare_index_params()
    index.add_index(FIELD, index_type="FLAT", metric_type="COSINE")
    milvus.create_collection(name, schema=schema, index_params=index)
    rows = [{"id": n, FIELD: vector} for n, vector in enumerate(made_up_vectors(ROWS))]
    for first in range(0, ROWS, 1000):
        milvus.insert(name, rows[first : first + 1000])
    milvus.flush(name)
    milvus.load_collection(name)


def level_row(milvus: MilvusClient, name: str, level: str, first_id: int) -> Row:
    """Times of a search, and how many of WRITES rows a search found that was made right after their insert."""

    def ask(vector: Any) -> list[int]:
        given: dict[str, Any] = {"search_params": {"metric_type": "COSINE"}, "consistency_level": level}
        found = milvus.search(
            name, data=[vector], anns_field=FIELD, limit=LIMIT, output_fields=["id"], **given
        )
        return [hit["id"] for hit in found[0]]

    seconds = []
    for vector in queries(TIMES):
        start = time.perf_counter()
        ask(vector)
        seconds.append(time.perf_counter() - start)
    seen = 0
    for number, vector in enumerate(made_up_vectors(WRITES, of=first_id), first_id):
        milvus.insert(name, [{"id": number, FIELD: vector}])
        seen += number in ask(vector)
    return {"level": level, "rows": ROWS} | summary(seconds) | {"writes": WRITES, "own_writes_seen": seen}


def measured() -> tuple[str, list[Row]]:
    settings = load_settings()
    if "://" not in settings.milvus_uri:
        sys.exit("Set MILVUS_URI to a server: Milvus Lite has one level only.")
    milvus, name = connect_milvus(settings), f"bench_{uuid.uuid4().hex[:8]}"
    try:
        filled(milvus, name)
        rows = [
            level_row(milvus, name, level, ROWS * (2 + n))
            for n, level in enumerate(tqdm(LEVELS, desc="consistency"))
        ]
        return str(milvus.get_server_version()), rows
    finally:
        milvus.drop_collection(name)
        disconnect_milvus(milvus, settings)


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    load = load_average()
    server, rows = measured()
    save("consistency", rows, load_before=load, server=server)
    print(table(read("consistency")["rows"]))


if __name__ == "__main__":
    main()

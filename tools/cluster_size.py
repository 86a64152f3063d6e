"""How large a Milvus cluster must be: `python -m tools.cluster_size 1e9 512 --options=2 --index=HNSW --replicas=2`.

Without arguments it prints the table of docs/servers.md. The figures are a first estimate, before you measure.
"""

import argparse
import math
from dataclasses import dataclass

GB = 1e9  # bytes
FLOAT = 4  # bytes of a number in a vector, and of a row's number in a graph
SCALARS = 400  # bytes of the text and the numbers of a segment: 377 of text on average in the samples
# Of a query node's memory, what rows and indexes may take: for 100,000 rows of 512 numbers under HNSW, 258 MB here,
# Milvus 2.3.5 used 350 MB more than empty, which is 0.74; a load needs some room as well.
FILLED = 0.65
PQ_SHARE, CACHE_SHARE, DEGREE, SECTOR = 0.125, 0.1, 56, 4096  # DISKANN: milvus.yaml, common.DiskIndex
INDEXES = ("FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "DISKANN")


@dataclass(frozen=True)
class ClusterSize:
    """What the rows need; GB are 10^9 bytes. `memory_gb` is that of all query nodes, `disk_gb` their own disks."""

    memory_gb: float
    query_nodes: int
    disk_gb: float
    storage_gb: float


def graph_bytes(m: int) -> float:
    """HNSW, per row: 2 M links on the ground floor, M on each floor above, where one in M rows stands (hnswlib)."""
    return FLOAT * (2 * m + 1) + FLOAT * (m + 1) / (m - 1)


def vector_bytes(index_type: str, dimension: int, m: int) -> tuple[float, float]:
    """Bytes per vector in memory and on the query node's own disk, with its share of the index."""
    raw = dimension * FLOAT
    if index_type == "HNSW":
        return raw + graph_bytes(m), 0.0
    if index_type == "IVF_FLAT":  # the cells' lists of ids; the cells' centres are few
        return raw + 8.0, 0.0
    if index_type == "IVF_SQ8":  # one byte a number
        return dimension + 8.0, 0.0
    if index_type == "DISKANN":  # a vector and its links lie within sectors, and none across two
        node = raw + FLOAT * (DEGREE + 1)
        per_row = SECTOR / (SECTOR // node) if node <= SECTOR else SECTOR * math.ceil(node / SECTOR)
        return raw * (PQ_SHARE + CACHE_SHARE), per_row
    return float(raw), 0.0


def cluster_size(
    rows: int,
    dimension: int,
    *,
    options: int = 1,
    index_type: str = "HNSW",
    m: int = 16,
    replicas: int = 1,
    node_gb: float = 64.0,
) -> ClusterSize:
    """Memory, query nodes and storage for `rows` segments with a vector of `dimension` numbers for each option."""
    if min(rows, dimension, options, replicas) < 1 or node_gb <= 0 or m < 2:
        raise ValueError(
            "rows, dimension, options and replicas start at 1, m at 2, and a node has some memory"
        )
    if index_type not in INDEXES:
        raise ValueError(f"the index is {index_type!r}: choose from {', '.join(INDEXES)}")
    in_memory, on_disk = vector_bytes(index_type, dimension, m)
    raw = rows * (options * dimension * FLOAT + SCALARS)
    replica_gb = rows * (options * in_memory + SCALARS) / FILLED / GB
    index = rows * options * (on_disk or in_memory)
    return ClusterSize(
        memory_gb=replicas * replica_gb,
        query_nodes=replicas * math.ceil(replica_gb / node_gb),
        disk_gb=replicas * rows * options * on_disk / GB,
        storage_gb=(raw + (0 if index_type == "FLAT" else index)) / GB,
    )


def table() -> str:
    """Two options of 512 numbers, two replicas, nodes of 64 GB, as Markdown."""
    lines = ["| segments | index | memory, GB | query nodes | their disks, GB | object storage, GB |"]
    lines.append("|---:|---|---:|---:|---:|---:|")
    for rows in (10**5, 10**6, 10**7, 10**8, 10**9):
        for index_type in ("HNSW",) if rows < 10**7 else ("HNSW", "IVF_SQ8", "DISKANN"):
            size = cluster_size(rows, 512, options=2, replicas=2, index_type=index_type)
            numbers = (
                f"{size.memory_gb:,.1f} | {size.query_nodes} | {size.disk_gb:,.0f} | {size.storage_gb:,.1f}"
            )
            lines.append(f"| {rows:,} | {index_type} | {numbers} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=lambda text: int(float(text)), nargs="?")
    parser.add_argument("dimension", type=int, nargs="?", default=512)
    parser.add_argument("--options", type=int, default=1)
    parser.add_argument("--index", choices=INDEXES, default="HNSW")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--node-gb", type=float, default=64.0)
    given = parser.parse_args()
    if given.rows is None:
        print(table())
        return
    size = cluster_size(
        given.rows,
        given.dimension,
        options=given.options,
        index_type=given.index,
        replicas=given.replicas,
        node_gb=given.node_gb,
    )
    print(f"{size.memory_gb:,.1f} GB of memory in {size.query_nodes} query nodes of {given.node_gb:g} GB")
    print(f"{size.disk_gb:,.0f} GB on their disks, {size.storage_gb:,.1f} GB of object storage")


if __name__ == "__main__":
    main()

"""One vector engine, in a process of its own: builds, searches, and prints its figures as JSON.

    python -m benchmarks.engine_child "Milvus Lite FLAT" folder-of-arrays

The folder holds vectors.npy, queries.npy (100 of them) and clusters.npy (a number for each row, to filter by). It
needs NumPy and the engine, so that the engines can live in an environment without the packages of the notebooks.
"""

import importlib
import json
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.memory import Peak, resident_mb

LIMIT, LOW, HIGH = 10, 10, 19  # the filter keeps the rows of ten clusters of a thousand: 1 %
M, EF_CONSTRUCTION, EF = 16, 200, 64  # of every HNSW that lets one choose
BATCH, BUDGET = 1000, 5.0  # rows written at once; seconds for each kind of search
Vectors = npt.NDArray[np.float32]
Ids = list[int]


class Engine(ABC):
    """An engine that holds vectors and their clusters, and answers with the numbers of rows, nearest first."""

    takes_many = True  # queries in one call; else they are answered one by one

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        """Take all rows, and be ready for searches."""

    @abstractmethod
    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        """The ten nearest rows to each query, in one call; `filtered` to those of clusters 10 to 19."""


class Numpy(Engine):
    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        self.vectors = vectors.copy()
        self.kept = kept_rows(clusters)
        np.save(self.folder / "vectors.npy", vectors)

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        rows = self.vectors[self.kept] if filtered else self.vectors
        scores = queries @ rows.T
        limit = min(LIMIT, scores.shape[1])
        top = np.argpartition(-scores, limit - 1, axis=1)[:, :limit]
        order = np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, 1), axis=1), 1)
        found = self.kept[order] if filtered else order
        return [list(map(int, row)) for row in found]


class Faiss(Engine):
    hnsw = False

    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        self.faiss: Any = importlib.import_module("faiss")  # its type hints lack half of it
        faiss = self.faiss
        if self.hnsw:
            self.index = faiss.IndexHNSWFlat(vectors.shape[1], M, faiss.METRIC_INNER_PRODUCT)
            self.index.hnsw.efConstruction, self.index.hnsw.efSearch = EF_CONSTRUCTION, EF
        else:
            self.index = faiss.IndexFlatIP(vectors.shape[1])
        self.index.add(vectors)
        self.kept = kept_rows(clusters)
        faiss.write_index(self.index, str(self.folder / "index.faiss"))

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        given = {}
        if filtered:
            chosen = self.faiss.IDSelectorBatch(self.kept)
            kind = self.faiss.SearchParametersHNSW if self.hnsw else self.faiss.SearchParameters
            given = {"params": kind(sel=chosen, efSearch=EF) if self.hnsw else kind(sel=chosen)}
        found = self.index.search(queries, LIMIT, **given)[1]
        return [[int(n) for n in row if n >= 0] for row in found]


class FaissHnsw(Faiss):
    hnsw = True


class Hnswlib(Engine):
    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        import hnswlib

        self.index = hnswlib.Index(space="cosine", dim=vectors.shape[1])
        self.index.init_index(max_elements=len(vectors), M=M, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(vectors, np.arange(len(vectors)))
        self.index.set_ef(EF)
        self.kept = set(kept_rows(clusters).tolist())
        self.index.save_index(str(self.folder / "index.hnsw"))

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        given = {"filter": self.kept.__contains__, "num_threads": 1} if filtered else {}
        return [list(map(int, row)) for row in self.index.knn_query(queries, k=LIMIT, **given)[0]]


class MilvusLite(Engine):
    index = "FLAT"

    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        from pymilvus import DataType, MilvusClient

        self.client = MilvusClient(str(self.folder / "milvus.db"))
        schema = MilvusClient.create_schema(enable_dynamic_field=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("cluster", DataType.INT64)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=vectors.shape[1])
        self.client.create_collection("rows", schema=schema)
        for rows in batches(len(vectors)):
            self.client.insert(
                "rows", [{"id": n, "cluster": int(clusters[n]), "vector": vectors[n]} for n in rows]
            )
        self.client.flush("rows")
        index = self.client.prepare_index_params()
        params = {"M": M, "efConstruction": EF_CONSTRUCTION} if self.index == "HNSW" else {}
        index.add_index("vector", index_type=self.index, metric_type="COSINE", params={"params": params})
        self.client.create_index("rows", index, sync=False)
        self.client.load_collection("rows")

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        params = {"ef": EF} if self.index == "HNSW" else {}
        found = self.client.search(
            "rows",
            data=list(queries),
            limit=LIMIT,
            filter=f"cluster >= {LOW} and cluster <= {HIGH}" if filtered else "",
            output_fields=["id"],
            search_params={"metric_type": "COSINE", "params": params},
        )
        return [[int(hit["id"]) for hit in hits] for hits in found]


class MilvusLiteHnsw(MilvusLite):
    index = "HNSW"


class LanceDb(Engine):
    index = ""
    takes_many = False

    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        import lancedb
        import pyarrow as pa

        flat = pa.array(vectors.reshape(-1))
        columns = {
            "id": pa.array(np.arange(len(vectors))),
            "cluster": pa.array(clusters),
            "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
        }
        self.table = lancedb.connect(self.folder / "lance").create_table("rows", pa.table(columns))
        if self.index:
            self.table.create_index(
                metric="cosine", index_type=self.index, num_partitions=1, m=M, ef_construction=EF_CONSTRUCTION
            )

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        return [self._one(query, filtered) for query in queries]

    def _one(self, query: Vectors, filtered: bool) -> Ids:
        asked = self.table.search(query).distance_type("cosine").select(["id"]).limit(LIMIT)
        if self.index:
            asked = asked.ef(EF).refine_factor(5)
        if filtered:
            asked = asked.where(f"cluster >= {LOW} AND cluster <= {HIGH}", prefilter=True)
        return [int(n) for n in asked.to_arrow()["id"].to_pylist()]


class LanceDbHnsw(LanceDb):
    index = "IVF_HNSW_SQ"


class Chroma(Engine):
    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        import chromadb

        settings = chromadb.Settings(anonymized_telemetry=False)
        client = chromadb.PersistentClient(str(self.folder / "chroma"), settings=settings)
        hnsw = {"space": "cosine", "max_neighbors": M, "ef_construction": EF_CONSTRUCTION, "ef_search": EF}
        self.rows = client.create_collection("rows", configuration={"hnsw": hnsw}, embedding_function=None)
        for rows in batches(len(vectors)):
            self.rows.add(
                ids=[str(n) for n in rows],
                embeddings=vectors[rows[0] : rows[-1] + 1],
                metadatas=[{"cluster": int(clusters[n])} for n in rows],
            )

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        kept: Any = {"$and": [{"cluster": {"$gte": LOW}}, {"cluster": {"$lte": HIGH}}]} if filtered else None
        found = self.rows.query(query_embeddings=queries, n_results=LIMIT, where=kept, include=["distances"])
        return [[int(key) for key in ids] for ids in found["ids"]]


class Qdrant(Engine):
    takes_many = False

    def build(self, vectors: Vectors, clusters: npt.NDArray[np.int64]) -> None:
        from qdrant_client import QdrantClient, models

        self.models, self.client = models, QdrantClient(path=str(self.folder / "qdrant"))
        size = models.VectorParams(size=vectors.shape[1], distance=models.Distance.COSINE)
        self.client.create_collection("rows", vectors_config=size)
        for rows in batches(len(vectors)):
            points = models.Batch(
                ids=list(rows),
                vectors=vectors[rows[0] : rows[-1] + 1].tolist(),
                payloads=[{"cluster": int(clusters[n])} for n in rows],
            )
            self.client.upsert("rows", points)

    def search(self, queries: Vectors, *, filtered: bool = False) -> list[Ids]:
        kept = None
        if filtered:
            between = self.models.Range(gte=LOW, lte=HIGH)
            kept = self.models.Filter(must=[self.models.FieldCondition(key="cluster", range=between)])
        return [
            [int(point.id) for point in found.points]
            for found in (
                self.client.query_points("rows", query=query.tolist(), limit=LIMIT, query_filter=kept)
                for query in queries
            )
        ]


ENGINES: dict[str, tuple[type[Engine], str]] = {  # and the package that it is in, beside NumPy
    "exact NumPy": (Numpy, "numpy"),
    "FAISS flat": (Faiss, "faiss-cpu"),
    "FAISS HNSW": (FaissHnsw, "faiss-cpu"),
    "Milvus Lite FLAT": (MilvusLite, "milvus-lite"),
    "Milvus Lite HNSW": (MilvusLiteHnsw, "milvus-lite"),
    "hnswlib": (Hnswlib, "hnswlib"),
    "LanceDB flat": (LanceDb, "lancedb"),
    "LanceDB IVF_HNSW_SQ": (LanceDbHnsw, "lancedb"),
    "Chroma": (Chroma, "chromadb"),
    "Qdrant, local mode": (Qdrant, "qdrant-client"),
}


def kept_rows(clusters: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """The numbers of the rows that the filter keeps."""
    return np.flatnonzero((clusters >= LOW) & (clusters <= HIGH))


def batches(rows: int) -> Iterator[range]:
    return (range(first, min(first + BATCH, rows)) for first in range(0, rows, BATCH))


def measured(name: str, arrays: Path) -> dict[str, Any]:
    """Build and search one engine: seconds of each search, seconds to build, MB of disk and memory, recalls."""
    vectors, queries = np.load(arrays / "vectors.npy"), np.load(arrays / "queries.npy")
    clusters = np.load(arrays / "clusters.npy")
    reference = Numpy(arrays)
    reference.vectors, reference.kept = vectors, kept_rows(clusters)
    right = {filtered: reference.search(queries, filtered=filtered) for filtered in (False, True)}
    with tempfile.TemporaryDirectory(prefix="engine-", ignore_cleanup_errors=True) as scratch:
        engine = ENGINES[name][0](Path(scratch))
        before = resident_mb()
        with Peak() as peak:
            start = time.perf_counter()
            engine.build(vectors, clusters)
            build = time.perf_counter() - start
            singles = {f: one_by_one(engine, queries, f) for f in (False, True)}
            start = time.perf_counter()
            asked = queries if engine.takes_many else queries[:10]
            engine.search(asked)
            batch = (time.perf_counter() - start) / len(asked)
        disk = sum(file.stat().st_size for file in Path(scratch).rglob("*") if file.is_file())
    answer: dict[str, Any] = {"build_s": build, "disk_mb": disk / 2**20, "batch_ms": 1000 * batch}
    answer["peak_mb"] = None if before is None or peak.mb is None else peak.mb - before
    for filtered, (seconds, lists) in singles.items():
        shares = [
            len(set(got) & set(want)) / LIMIT for got, want in zip(lists, right[filtered], strict=False)
        ]
        label = "filtered" if filtered else "plain"
        hits = float(np.mean([len(got) for got in lists]))
        answer[label] = {"seconds": seconds, "recall": float(np.mean(shares)), "hits": hits}
    return answer


def one_by_one(engine: Engine, queries: Vectors, filtered: bool) -> tuple[list[float], list[Ids]]:
    """Each query by itself, after one that does not count, until the time is up."""
    engine.search(queries[:1], filtered=filtered)
    seconds: list[float] = []
    lists: list[Ids] = []
    until = time.perf_counter() + BUDGET
    for n in range(len(queries)):
        start = time.perf_counter()
        lists += engine.search(queries[n : n + 1], filtered=filtered)
        seconds.append(time.perf_counter() - start)
        if time.perf_counter() > until:
            break
    return seconds, lists


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))

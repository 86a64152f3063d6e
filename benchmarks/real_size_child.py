"""One tree's side of benchmarks.real_size: does what its standard input says, one step a line, and tells the times.

Started with PYTHONPATH set to the tree that is measured, so that `helpers` is that tree's. A step is JSON:
{"step": name, …}; the answer too: {"helper": [seconds], "raw": [seconds], …}, or {"error": one line}.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import MilvusClient

from benchmarks.lite import build_index
from benchmarks.made_up import CLUSTERS, MODEL, made_up_segments, made_up_vectors, nearest, recall
from benchmarks.memory import Peak
from helpers import (
    Leg,
    Query,
    collection_name,
    connect_milvus,
    count_segments,
    create_collection,
    disconnect_milvus,
    hybrid_search,
    insert_segments,
    load_settings,
    read_segments,
    search_segments,
)
from helpers.segments import COLUMNS, HIT_COLUMNS

QUERIES, LIMIT, BATCH = 10, 10, 500
DEPTH = 200  # of the raw searches beside a hybrid search by its defaults
BUDGET = 10.0  # seconds for one step, more or less: a slow one is measured once
RAW_READ = 60.0  # seconds after which a raw iterator is stopped: it takes minutes for 100,000 rows
FIELDS = HIT_COLUMNS[2:]
OPTIONS = ("visual", "description")
HALF = {"cluster": (None, CLUSTERS // 2 - 1)}
FILTERS: dict[str, Any] = {"0.1 %": {"cluster": 7}, "1 %": {"cluster": (10, 19)}}
RAW_FILTERS = {"0.1 %": "cluster == 7", "1 %": "cluster >= 10 and cluster <= 19"}
Answer = dict[str, Any]


class Side:
    """One tree with a Milvus Lite folder of its own; `kind` is "helper", "raw" (pymilvus alone) or "both", in turns."""

    def __init__(self, kind: str, rows: int) -> None:
        self.kind, self.rows = kind, rows
        self.settings = load_settings(notebook="bench")
        self.milvus: MilvusClient = connect_milvus(self.settings)
        self.name = collection_name(self.settings, "segments")
        if self.milvus.has_collection(self.name):
            self.milvus.load_collection(self.name)
        vectors = {o: made_up_vectors(QUERIES, seed=n, of=-1 % 2**32) for n, o in enumerate(OPTIONS)}
        self.queries = {o: [Query(v, MODEL, "made up") for v in rows] for o, rows in vectors.items()}

    def insert(self, copy: int = 0) -> Answer:
        """All rows into a new collection, by the helper, or as raw upserts and a flush; a copy is dropped again."""
        segments, kept = made_up_segments(self.rows), self.name
        self.name += f"_{copy}" if copy else ""
        self.milvus.drop_collection(self.name)  # of a run that was stopped
        create_collection(self.milvus, self.name, segments.head(200))
        with Peak() as peak:
            seconds = timed(partial(self.upsert if self.kind == "raw" else self.written, segments))
        if copy:
            self.milvus.drop_collection(self.name)
        self.name = kept
        return {"own": [seconds]} | ({} if copy else {"peak_mb": peak.mb})

    def upsert(self, segments: Any) -> None:
        """What somebody writes who has only pymilvus: dicts in batches, then a flush."""
        for first in range(0, len(segments), BATCH):
            batch = segments.iloc[first : first + BATCH].to_dict("records")
            self.milvus.upsert(self.name, [{**row, **{f"has_{o}": True for o in OPTIONS}} for row in batch])
        self.milvus.flush(self.name)

    def search(self, times: int) -> Answer:
        """search_segments and the same raw search, in turns, on the same collection."""
        return self.compared(
            times,
            lambda n: search_segments(self.milvus, self.name, self.queries["visual"][n], limit=LIMIT),
            lambda n: self.raw_search("visual", n, limit=LIMIT),
        )

    def raw_search(self, option: str, n: int, *, limit: int, where: str = "") -> list[Any]:
        asked = [where] if where else []
        return list(
            self.milvus.search(
                self.name,
                data=[self.queries[option][n].vector],
                anns_field=f"embedding_{option}",
                filter=" and ".join([*asked, 'embedding_scope == "clip"', f"has_{option} == true"]),
                limit=limit,
                output_fields=FIELDS,
                search_params={"metric_type": "COSINE"},
            )[0]
        )

    def hybrid(self, times: int, depth: int | None = None) -> Answer:
        """hybrid_search with two legs, and the two raw searches that it cannot do without."""
        given: Answer = {} if depth is None else {"depth": depth}

        def legs(n: int) -> list[Leg]:
            return [Leg(self.queries[option][n], option) for option in OPTIONS]

        return self.compared(
            times,
            lambda n: hybrid_search(self.milvus, self.name, legs(n), **given),
            lambda n: [self.raw_search(option, n, limit=depth or DEPTH) for option in OPTIONS],
        )

    def read(self, times: int) -> Answer:
        """All rows as a table, and through a raw iterator of pymilvus's own batches, for a minute at most."""
        fields = [*COLUMNS, *(f"embedding_{o}" for o in OPTIONS), *(f"has_{o}" for o in OPTIONS)]

        def raw(_: int) -> None:
            batches = self.milvus.query_iterator(self.name, filter="", output_fields=fields, batch_size=1000)
            rows: list[Any] = []
            until = time.perf_counter() + RAW_READ
            while (batch := batches.next()) and time.perf_counter() < until:
                rows += batch
            batches.close()
            assert len(rows) == self.rows or batch

        return self.compared(times, lambda _: read_segments(self.milvus, self.name), raw)

    def count(self, times: int) -> Answer:
        """How many rows match a filter that half of them match; raw: Milvus's own count(*), up to 100,000 rows."""
        asked = {"filter": "cluster <= 499", "output_fields": ["count(*)"]}
        raw = (lambda _: self.milvus.query(self.name, **asked)) if self.rows <= 100_000 else None
        return self.compared(times, lambda _: count_segments(self.milvus, self.name, where=HALF), raw)

    def again(self, rows: int, turns: int = 4) -> Answer:
        """Rows that are stored already, inserted again, in turns with as many of new videos: machines change pace."""
        stored = made_up_segments(self.rows).head(rows)
        write = self.upsert if self.kind == "raw" else self.written
        seconds: dict[str, list[float]] = {"own": [], "first": []}
        for turn in range(turns):
            part = stored.iloc[turn * rows // turns : (turn + 1) * rows // turns]
            new = made_up_segments(len(part), start=20_000_000 + turn * rows)
            seconds["first"].append(timed(partial(write, new)))
            seconds["own"].append(timed(partial(write, part)))
        return {side: [sum(taken)] for side, taken in seconds.items()} | {"rows": rows}

    def new(self, rows: int, times: int) -> Answer:
        """Rows of new videos into the full collection."""
        write, seconds = self.upsert if self.kind == "raw" else self.written, []
        for turn in range(times):
            segments = made_up_segments(rows, start=10_000_000 + turn * rows)
            seconds.append(timed(partial(write, segments)))
            self.milvus.delete(self.name, ids=segments["segment_id"].tolist())
            self.milvus.flush(self.name)
        return {"own": seconds, "rows": rows}

    def written(self, segments: Any) -> None:
        insert_segments(self.milvus, self.name, segments)

    def index(self, kind: str) -> Answer:
        """Another index on the same rows."""
        fields = [f"embedding_{option}" for option in OPTIONS]
        return {"own": [build_index(self.milvus, self.name, kind, {}, fields=fields)]}

    def filtered(self, share: str, times: int) -> Answer:
        """A search under a filter that keeps few rows: times, and the recall of both lists."""
        segments = made_up_segments(self.rows, options=1)
        inside = segments["cluster"].eq(7) if share == "0.1 %" else segments["cluster"].between(10, 19)
        ids = segments.loc[inside, "segment_id"].tolist()
        vectors = np.stack(segments.loc[inside, "embedding_visual"].tolist())
        exact = [[ids[at] for at in nearest(vectors, q.vector, LIMIT)] for q in self.queries["visual"]]
        got: dict[str, list[float]] = {"helper": [], "raw": []}

        def helper(n: int) -> None:
            hits = search_segments(
                self.milvus, self.name, self.queries["visual"][n], limit=LIMIT, where=FILTERS[share]
            )
            got["helper"].append(recall(list(hits["segment_id"]), exact[n]))

        def raw(n: int) -> None:
            hits = self.raw_search("visual", n, limit=LIMIT, where=RAW_FILTERS[share])
            got["raw"].append(recall([hit["entity"]["segment_id"] for hit in hits], exact[n]))

        answer = self.compared(times, helper, raw)
        return answer | {f"{side}_recall": round(float(np.mean(r)), 3) for side, r in got.items() if r}

    def compared(self, times: int, helper: Callable[[int], Any], raw: Callable[[int], Any] | None) -> Answer:
        """Times of both, in turns, after a turn that does not count, unless it used up the time by itself."""
        calls = {"helper": helper} if self.kind != "raw" else {}
        if raw and self.kind != "helper":
            calls["raw"] = raw
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        until = time.perf_counter() + BUDGET
        with Peak() as peak:
            for number in range(times + 1):
                for name, call in calls.items():
                    seconds[name].append(timed(partial(call, number % QUERIES)))
                if time.perf_counter() > until:
                    break
        warm = len(next(iter(seconds.values()))) > 1
        return {name: all_of[1:] if warm else all_of for name, all_of in seconds.items()} | {
            "peak_mb": peak.mb
        }

    def close(self) -> Answer:
        disconnect_milvus(self.milvus, self.settings)
        return {}


def timed(act: Callable[[], object]) -> float:
    gc.collect()
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def main() -> None:
    tree, kind, rows = Path(sys.argv[1]).resolve(), sys.argv[2], int(sys.argv[3])
    import helpers

    assert Path(str(helpers.__file__)).resolve().is_relative_to(tree), f"helpers is not that of {tree}"
    out = sys.stdout
    sys.stdout = sys.stderr
    side = Side(kind, rows)
    for line in sys.stdin:
        step = json.loads(line)
        try:
            answer = getattr(side, step.pop("step"))(**step)
        except Exception as error:  # whatever goes wrong in a step is its figure
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()

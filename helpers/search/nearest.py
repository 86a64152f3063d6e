"""The rows of a collection that are nearest to a vector and match a filter: none missed, in a fixed order.

FLAT compares the vector with every row that matches, and so does IVF if it looks into all of its cells. HNSW
walks along its graph, past rows that match or do not, and stops when `ef` rows are known: of a filter that few
rows match, or rows that lie far from the vector, it comes back short, or full with rows that are not the
nearest. So rows that match are all scored where they are few and Milvus Lite holds them in this process's memory.
Else it walks far under a filter, and where it still meets few rows that match, these are all scored.
Scores of quantised vectors (SQ8) are taken again from the vectors themselves.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.errors import SearchError
from helpers.segments import HIT_COLUMNS, Vector, vector_field
from helpers.store.client import is_lite
from helpers.store.errors import milvus_errors
from helpers.store.filters import NUMBERS
from helpers.store.opened import OpenCollection, Rows

FIELDS = HIT_COLUMNS[2:]  # what Milvus is asked for
HIT_NUMBERS = ["score", *NUMBERS]
HIT_TEXTS = [field for field in FIELDS if field not in NUMBERS]
MOST = 16_384  # a Milvus server returns no more rows than that from one search
MANY = 200  # rows from which on it pays to ask for ids first, and for all the fields of the best afterwards
ALL_CELLS = 65_536  # the most that a server takes for nprobe; each index has fewer
ENOUGH = 128  # rows that match: if a walk meets so many, the nearest are among them
WIDE, FAR = 512, 10_000  # the ef of a walk: where nearly all rows match; under a filter in a large collection
FEW = 2000  # rows that are scored one by one sooner than another walk is tried
IN_MEMORY = 10_000  # rows that are scored sooner than a walk is tried, where they lie in memory
log = logging.getLogger("video_search.search")


def nearest(
    collection: OpenCollection,
    vector: Vector,
    option: str,
    expression: str,
    limit: int,
    *,
    narrow: bool,
    fields: Sequence[str] = FIELDS,
) -> Rows:
    """The `limit` nearest rows that match, equal scores by id; fewer only where fewer match."""
    fetch = limit + 1
    while True:
        found = complete_search(collection, vector, option, expression, fetch, narrow=narrow, fields=fields)
        if len(found) < fetch or fetch == MOST or found[limit - 1]["score"] - found[-1]["score"] > 1e-6:
            return sorted(found, key=by_score)[:limit]
        # Equal scores at the cut: look further, so that the order decides and not chance.
        fetch = min(2 * fetch, MOST)


def complete_search(
    collection: OpenCollection,
    vector: Vector,
    option: str,
    expression: str,
    limit: int,
    *,
    narrow: bool,
    fields: Sequence[str] = FIELDS,
) -> Rows:
    """The `limit` nearest rows that match, best first; fewer only where fewer match.

    `narrow` says that the filter may leave out most rows, or those near the vector.
    """
    with milvus_errors(f"The search in {collection.name!r} failed", SearchError, cure="check its filter"):
        kind, rows = collection.index(option)
        if kind in ("FLAT", "BRUTE_FORCE", ""):
            return collection.search(vector, option, expression, fields, limit=limit)
        search = _Approximate(collection, vector, option, expression, kind, rows, fields)
        return search.by_cells(limit) if kind.startswith("IVF") else search.by_graph(limit, narrow)


@dataclass(frozen=True)
class _Approximate:
    """A search by an approximate index."""

    collection: OpenCollection
    vector: Vector
    option: str
    expression: str
    kind: str
    rows: int
    fields: Sequence[str]

    def by_cells(self, limit: int) -> Rows:
        """Look into every cell."""
        log.debug("Every cell of the %s index was searched.", self.kind)
        return self._search(limit, {"nprobe": ALL_CELLS})

    def by_graph(self, limit: int, narrow: bool) -> Rows:
        """Walk along the graph, and score every row that matches where it meets too few of them."""
        if narrow and (few := self._in_memory(limit)) is not None:
            return few
        known = is_lite(self.collection.milvus)
        wanted = min(ENOUGH + 3 * limit if narrow else max(limit, ENOUGH // 2), MOST)
        ef = min(max(self.rows // 5, 1024), FAR) if narrow and known else WIDE
        while True:
            ef = max(ef, wanted)
            params = {"ef": ef} if known or self.kind.startswith("HNSW") else {}
            found = self._search(wanted, params)
            if len(found) == wanted:
                log.debug("The %s index was searched with ef=%d.", self.kind, ef)
                return found[:limit]
            if (few := self._scored(FEW)) is not None:
                log.debug("The %s index met few rows that match, so all %d were scored.", self.kind, len(few))
                return few[:limit]
            if ef >= min(self.rows, 4 * FAR) or not params:
                every = self._scored(None) or []
                log.debug(
                    "The %s index met few rows that match, so all %d were scored.", self.kind, len(every)
                )
                return every[:limit]
            ef *= 4

    def _search(self, limit: int, params: dict[str, int]) -> Rows:
        if not self.kind.endswith(("SQ", "SQ8", "PQ")):
            return self.collection.search(
                self.vector, self.option, self.expression, self.fields, limit=limit, params=params
            )
        # The scores are those of rounded vectors: fetch more rows, until none further down can belong above.
        field, fetch = vector_field(self.option), min(limit + ENOUGH, MOST)
        fields = [name for name in self.fields if name != field]
        while True:
            more = {name: max(value, fetch) for name, value in params.items()}
            found = self.collection.search(
                self.vector, self.option, self.expression, [*fields, field], limit=fetch, params=more
            )
            rounded = np.array([row["score"] for row in found])
            exact = np.array(cosines(self.vector, [row.pop(field) for row in found]))
            rows = sorted(
                (row | {"score": float(score)} for row, score in zip(found, exact, strict=True)), key=by_score
            )
            if len(rows) < fetch or fetch == MOST:
                return rows[:limit]
            if rows[limit - 1]["score"] >= rounded[-1] + np.abs(exact - rounded).max():
                return rows[:limit]
            fetch = min(2 * fetch, MOST)

    def _in_memory(self, limit: int) -> Rows | None:
        """The best of all rows that match; None where they are many, or do not lie in memory."""
        matching = self.collection.matching(self.expression)
        if matching is None or len(matching) > IN_MEMORY:
            return None
        log.debug("Few rows match, so all %d were scored without the %s index.", len(matching), self.kind)
        scores = cosines(self.vector, matching.vectors(vector_field(self.option)))
        found = [
            {"segment_id": key, "score": score} for key, score in zip(matching.ids(), scores, strict=True)
        ]
        return with_fields(self.collection, sorted(found, key=by_score)[:limit], self.fields)

    def _scored(self, most: int | None) -> Rows | None:
        """Every row that matches, best first, by its exact score; None if there are more than `most`."""
        field = vector_field(self.option)
        fields = [*(name for name in self.fields if name != field), field]
        if most is None:
            found = list(self.collection.iterate(self.expression, fields))
        else:
            found = self.collection.query(self.expression, fields, limit=most + 1)
            if len(found) > most:
                return None
        scores = cosines(self.vector, [row.pop(field) for row in found])
        scored = [{"score": score, **row} for score, row in zip(scores, found, strict=True)]
        return sorted(scored, key=by_score)


def cosines(vector: Vector, stored: Sequence[Any] | npt.NDArray[Any]) -> list[float]:
    """The exact cosine of each stored vector to this one."""
    if not len(stored):
        return []
    rows = np.asarray(stored, dtype=np.float64)
    unit = np.asarray(vector, dtype=np.float64) / np.linalg.norm(vector)
    return list((rows @ unit / np.linalg.norm(rows, axis=1)).tolist())


def by_score(row: dict[str, Any]) -> tuple[float, str]:
    return -round(row["score"], 6), row["segment_id"]


def with_fields(collection: OpenCollection, rows: Rows, fields: Sequence[str] = FIELDS) -> Rows:
    """The rows with every field of a hit, fetched at once where a search asked for fewer of them."""
    if all(field in row for row in rows for field in fields):
        return rows
    with milvus_errors(f"The hits of {collection.name!r} cannot be read", SearchError):
        stored = {row["segment_id"]: row for row in collection.get([r["segment_id"] for r in rows], fields)}
    return [row | stored[row["segment_id"]] for row in rows if row["segment_id"] in stored]


def hits_table(rows: Rows) -> pd.DataFrame:
    """Rows in their order as a table of hits."""
    if not rows:
        return pd.DataFrame(columns=HIT_COLUMNS)
    size, columns = len(rows), dict[str, Any](rank=np.arange(1, len(rows) + 1))
    columns |= {column: np.array([row.get(column) for row in rows]) for column in HIT_NUMBERS}
    # All texts at once: what pandas does for each column takes longer than Milvus takes for a row.
    texts = pd.array([row.get(column) for column in HIT_TEXTS for row in rows], dtype="str")
    columns |= {column: texts[n * size : (n + 1) * size] for n, column in enumerate(HIT_TEXTS)}
    return pd.DataFrame({column: columns[column] for column in HIT_COLUMNS}, copy=False)

"""The rows of a collection that are nearest to a vector and match a filter: none missed, in a fixed order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from helpers.errors import SearchError
from helpers.segments import HIT_COLUMNS, Vector, vector_field
from helpers.store.errors import milvus_errors
from helpers.store.opened import OpenCollection, Rows

FIELDS = HIT_COLUMNS[2:]  # what Milvus is asked for
MOST = 16_384  # a Milvus server returns no more rows than that from one search
MANY = 200  # rows from which on it pays to ask for ids first, and for all the fields of the best afterwards


def nearest(
    collection: OpenCollection,
    vector: Vector,
    option: str,
    expression: str,
    limit: int,
    fields: Sequence[str] = FIELDS,
) -> Rows:
    """The `limit` nearest rows that match, equal scores by id; fewer only where fewer match."""
    fetch = limit + 1
    while True:
        found = complete_search(collection, vector, option, expression, fetch, fields)
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
    fields: Sequence[str] = FIELDS,
) -> Rows:
    """The `limit` rows that Milvus finds nearest, in its order; fewer only where fewer match.

    Where an approximate index finds less than there is, every row that matches is scored.
    """
    with milvus_errors(f"The search in {collection.name!r} failed", SearchError, cure="check its filter"):
        found = collection.search(vector, option, expression, fields, limit=limit)
        if len(found) == limit or not collection.more_than(len(found), expression):
            return found
        field = vector_field(option)
        rows = list(collection.iterate(expression, [*fields, field]))
        scores = cosines(vector, [row.pop(field) for row in rows])
        scored = [{"score": score, **row} for score, row in zip(scores, rows, strict=True)]
        return sorted(scored, key=by_score)[:limit]


def cosines(vector: Vector, stored: Sequence[Any]) -> list[float]:
    """The exact cosine of each stored vector to this one."""
    if not len(stored):
        return []
    rows = np.asarray(stored, dtype=np.float64)
    unit = np.asarray(vector, dtype=np.float64) / np.linalg.norm(vector)
    return list((rows @ unit / np.linalg.norm(rows, axis=1)).tolist())


def by_score(row: dict[str, Any]) -> tuple[float, str]:
    return -round(row["score"], 6), row["segment_id"]


def with_fields(collection: OpenCollection, rows: Rows) -> Rows:
    """The rows with every field of a hit, fetched at once where a search asked for fewer of them."""
    if all(field in row for row in rows for field in FIELDS):
        return rows
    with milvus_errors(f"The hits of {collection.name!r} cannot be read", SearchError):
        stored = {row["segment_id"]: row for row in collection.get([r["segment_id"] for r in rows], FIELDS)}
    return [row | stored[row["segment_id"]] for row in rows if row["segment_id"] in stored]


def hits_table(rows: Rows) -> pd.DataFrame:
    """Rows in their order as a table of hits."""
    return pd.DataFrame([{"rank": i, **row} for i, row in enumerate(rows, 1)], columns=HIT_COLUMNS)

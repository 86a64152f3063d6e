"""Search: words, images or clips to moments; best moment per video; more like what one liked.

No search here is silently short: where an approximate index finds less than there is, the rows are scored one
by one. Scores are cosines as Milvus gives them, not rounded; equal ones (to six digits) are ordered by id.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pymilvus import MilvusClient

from helpers.arguments import is_list, is_whole
from helpers.errors import SearchError
from helpers.models import RETIRED
from helpers.segmentation import SCOPES
from helpers.segments import HIT_COLUMNS, Query, Vector, vector_field
from helpers.store.errors import milvus_errors
from helpers.store.filters import Where, build_filter
from helpers.store.opened import OpenCollection, Rows, open_collection

FIELDS = HIT_COLUMNS[2:]  # what Milvus is asked for
MOST = 16_384  # a Milvus server returns no more rows than that from one search


def search_segments(
    milvus: MilvusClient,
    name: str,
    query: Query,
    *,
    option: str = "visual",
    scope: str | None = "clip",
    limit: int = 5,
    where: Where = None,
) -> pd.DataFrame:
    """The `limit` segments nearest to the query by one embedding option, best first: a table of hits.

    `scope` is "clip", "asset" (whole videos) or None (both); `where` filters, see `build_filter`. Fewer hits
    come back only where fewer segments match; none at all gives an empty table with the same columns.
    Raises SearchError for another model or dimension, an unknown option, field or scope, or a limit below 1.
    """
    check_search(query, scope, limit, where)
    collection = open_collection(milvus, name)
    expression = search_filter(collection, query, option, scope, where)
    return hits_table(_nearest(collection, query, option, expression, limit))


def search_videos(
    milvus: MilvusClient,
    name: str,
    query: Query,
    *,
    option: str = "visual",
    limit: int = 5,
    where: Where = None,
) -> pd.DataFrame:
    """The `limit` videos nearest to the query, each by its best clip: a table of hits, one row per video.

    Milvus can group by itself (`group_by_field`), but Lite looks at ten rows per wanted group only, and comes
    back short when a few videos own the near clips; this asks for more until there are enough videos.
    """
    check_search(query, "clip", limit, where)
    collection = open_collection(milvus, name)
    expression = search_filter(collection, query, option, "clip", where)
    fetch = min(10 * limit, MOST)
    while True:
        rows = _nearest(collection, query, option, expression, fetch)
        best = list({row["video_id"]: row for row in reversed(rows)}.values())[::-1]
        best = sorted(best, key=_order)[:limit]
        if len(best) == limit or len(rows) < fetch:
            return hits_table(best)
        fetch *= 4


def recommend(
    milvus: MilvusClient,
    name: str,
    liked: Sequence[str],
    *,
    disliked: Sequence[str] = (),
    option: str = "visual",
    scope: str | None = "clip",
    limit: int = 5,
    where: Where = None,
) -> pd.DataFrame:
    """More like these: hits near the mean of the liked segments' vectors, minus that of the disliked ones.

    `liked` and `disliked` are segment ids of the collection; neither comes back as a hit.
    Raises SearchError if none is liked, if an id is unknown, or if a segment lacks the option.
    """
    if not (is_list(liked, str) and is_list(disliked, str)) or not len(liked):
        raise SearchError("Give liked as a list of at least one segment_id, and disliked as a list too.")
    collection = open_collection(milvus, name)
    vectors = _vectors(collection, [*liked, *disliked], option)
    units = {key: vector / np.linalg.norm(vector) for key, vector in vectors.items()}
    target = np.mean([units[key] for key in liked], axis=0)
    if len(disliked):
        target = target - np.mean([units[key] for key in disliked], axis=0)
    if np.linalg.norm(target) < 1e-6:
        raise SearchError("What is liked and what is disliked cancel each other out: choose other segments.")
    query = Query(np.asarray(target, dtype=np.float32), collection.model, f"{len(liked)} liked segments")
    check_search(query, scope, limit, where)
    expression = search_filter(collection, query, option, scope, where)
    seen = build_filter({"segment_id": sorted(units)}).replace("segment_id in", "segment_id not in", 1)
    return hits_table(_nearest(collection, query, option, f"{expression} and {seen}", limit))


def segment_query(milvus: MilvusClient, name: str, segment_id: str, *, option: str = "visual") -> Query:
    """A stored segment as the query: "what else looks like this?"."""
    if not isinstance(segment_id, str):
        raise SearchError(f"The segment is a {type(segment_id).__name__}: name it by its segment_id.")
    collection = open_collection(milvus, name)
    return Query(_vectors(collection, [segment_id], option)[segment_id], collection.model, segment_id)


def _vectors(collection: OpenCollection, ids: list[str], option: str) -> dict[str, Vector]:
    _check_option(collection, option)
    fields = ["segment_id", f"has_{option}", vector_field(option)]
    with milvus_errors(f"The segments of {collection.name!r} cannot be read", SearchError):
        rows = {row["segment_id"]: row for row in collection.get(ids, fields)}
    for key in ids:
        if key not in rows:
            raise SearchError(
                f"There is no segment {key!r} in {collection.name!r}: take the id from its hits."
            )
        if not rows[key][f"has_{option}"]:
            raise SearchError(
                f"The segment {key!r} has no {option} vector: choose another segment or option."
            )
    return {key: np.asarray(row[vector_field(option)], dtype=np.float32) for key, row in rows.items()}


def _check_option(collection: OpenCollection, option: str) -> None:
    if not isinstance(option, str) or option not in collection.dims:
        has = ", ".join(collection.dims)
        raise SearchError(f"The collection {collection.name!r} has no option {option!r}: choose from {has}.")


def check_search(query: Query, scope: str | None, limit: int, where: Where) -> None:
    """What can be checked of a search before its collection is opened."""
    if not isinstance(query, Query):
        raise SearchError("The query is no Query: make one with embed_text, embed_image or segment_query.")
    if not is_whole(limit, least=1) or limit >= MOST:
        raise SearchError(f"The limit is {limit!r}: it must be a whole number from 1 to {MOST - 1}.")
    if scope is not None and not (isinstance(scope, str) and scope in SCOPES):
        raise SearchError(f"The scope is {scope!r}: choose clip, asset, or None for both.")
    if isinstance(where, Mapping) and "embedding_scope" in where:
        raise SearchError("The filter names embedding_scope: choose it with scope=… instead.")


def search_filter(
    collection: OpenCollection, query: Query, option: str, scope: str | None, where: Where
) -> str:
    """The filter expression of a search, once its query is one for this collection."""
    name = collection.name
    _check_option(collection, option)
    if query.model != collection.model:
        cure = "embed the query with that model"
        if collection.model in RETIRED:
            cure = "that model is no more, so embed the videos again, into another collection"
        raise SearchError(
            f"The query comes from {query.model!r}, but the collection {name!r} holds vectors of "
            f"{collection.model!r}: {cure}."
        )
    if np.shape(query.vector) != (collection.dims[option],):
        raise SearchError(
            f"The query's vector has the shape {np.shape(query.vector)}, but {name!r} takes "
            f"({collection.dims[option]},) for {option!r}: embed the query with {collection.model!r}."
        )
    numeric = np.asarray(query.vector).dtype.kind in "fiu"
    if not numeric or not np.isfinite(query.vector).all() or not np.any(query.vector):
        raise SearchError(
            "The query's vector is all zeros, or holds what is not a finite number: embed it again."
        )
    asked = build_filter(where, collection.options)
    parts = [f"({asked})"] if asked else []
    parts += [build_filter({"embedding_scope": scope})] if scope else []
    return " and ".join([*parts, f"has_{option} == true"])


def _nearest(collection: OpenCollection, query: Query, option: str, expression: str, limit: int) -> Rows:
    """The `limit` nearest rows that match, equal scores by id; fewer only where fewer match."""
    fetch = limit + 1
    while True:
        found = complete_search(collection, query.vector, option, expression, fetch)
        if len(found) != fetch or found[limit - 1]["score"] - found[-1]["score"] > 1e-6:
            return sorted(found, key=_order)[:limit]
        # Equal scores at the cut: look further, so that the order decides and not chance.
        fetch *= 2


def complete_search(
    collection: OpenCollection, vector: Vector, option: str, expression: str, limit: int
) -> Rows:
    """The `limit` rows that Milvus finds nearest, in its order; fewer only where fewer match.

    Where an approximate index finds less than there is, and beyond what Milvus returns, every row that matches
    is scored, and all of them come back.
    """
    with milvus_errors(f"The search in {collection.name!r} failed", SearchError, cure="check its filter"):
        if limit <= MOST:
            found = collection.search(vector, option, expression, FIELDS, limit=limit)
            if len(found) == limit or not collection.more_than(len(found), expression):
                return found
        field, unit = vector_field(option), np.asarray(vector, dtype=np.float64) / np.linalg.norm(vector)
        rows: Rows = []
        for row in collection.iterate(expression, [*FIELDS, field]):
            stored = np.asarray(row.pop(field), dtype=np.float64)
            rows.append({"score": float(unit @ stored / np.linalg.norm(stored)), **row})
        return sorted(rows, key=_order)


def _order(row: dict[str, Any]) -> tuple[float, str]:
    return -round(row["score"], 6), row["segment_id"]


def hits_table(rows: Rows) -> pd.DataFrame:
    """Rows in their order as a table of hits."""
    return pd.DataFrame([{"rank": i, **row} for i, row in enumerate(rows, 1)], columns=HIT_COLUMNS)

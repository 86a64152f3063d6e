"""Search: words, images or clips to moments; best moment per video; more like what one liked.

No search here is silently short, see `nearest`. Scores are cosines as Milvus gives them, not rounded; equal ones
(to six digits) are ordered by id.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pymilvus import MilvusClient

from helpers.arguments import is_list, is_whole
from helpers.errors import SearchError
from helpers.models import RETIRED
from helpers.search.nearest import FIELDS, MANY, MOST, hits_table, nearest, with_fields
from helpers.segmentation import SCOPES
from helpers.segments import Query, Vector, vector_field
from helpers.store.errors import milvus_errors
from helpers.store.filters import Where, build_filter
from helpers.store.opened import OpenCollection, open_collection


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
    return hits_table(
        nearest(collection, query.vector, option, expression, limit, narrow=is_narrow(scope, where))
    )


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
    back short when a few videos own the near clips; this goes on without the videos that it has.
    """
    check_search(query, "clip", limit, where)
    collection = open_collection(milvus, name)
    expression = search_filter(collection, query, option, "clip", where)
    fetch = min(10 * limit, MOST - 1)
    best: dict[str, dict[str, Any]] = {}
    while True:
        others = f"{expression} and {_not_in('video_id', best)}" if best else expression
        fields = FIELDS if fetch <= MANY else ["segment_id", "video_id"]
        rows = nearest(
            collection, query.vector, option, others, fetch, narrow=is_narrow("clip", where), fields=fields
        )
        for row in rows:
            best.setdefault(row["video_id"], row)
        if len(best) >= limit or len(rows) < fetch:
            return hits_table(with_fields(collection, list(best.values())[:limit]))
        fetch = min(4 * fetch, MOST - 1)


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
    others = f"{expression} and {_not_in('segment_id', units)}"
    return hits_table(
        nearest(collection, query.vector, option, others, limit, narrow=is_narrow(scope, where))
    )


def segment_query(milvus: MilvusClient, name: str, segment_id: str, *, option: str = "visual") -> Query:
    """A stored segment as the query: "what else looks like this?"."""
    if not isinstance(segment_id, str):
        raise SearchError(f"The segment is a {type(segment_id).__name__}: name it by its segment_id.")
    collection = open_collection(milvus, name)
    return Query(_vectors(collection, [segment_id], option)[segment_id], collection.model, segment_id)


def _not_in(field: str, values: Iterable[str]) -> str:
    return build_filter({field: sorted(values)}).replace(f"{field} in", f"{field} not in", 1)


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


def is_narrow(scope: str | None, where: Where) -> bool:
    """Whether a filter may leave out most rows: nearly all are clips, and nearly all have each option."""
    return bool(where) or scope == "asset"


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

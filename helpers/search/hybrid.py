"""Hybrid search: several legs, each a query and an embedding option, fused into one list of hits.

How the legs are fused, `fusion` says. A leg hands over its nearest segments, as many as the depth says; what
lies below that depth in a leg counts as absent from it.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pymilvus import MilvusClient

from helpers.arguments import as_list, is_list, is_number, is_whole
from helpers.errors import SearchError
from helpers.search.fusion import Fused, Ranking, fuse_rankings, is_proven, share, used_weights
from helpers.search.nearest import FIELDS, MOST, complete_search, cosines, with_fields
from helpers.search.similarity import check_search, is_narrow, search_filter
from helpers.segments import Query, vector_field
from helpers.store.errors import milvus_errors
from helpers.store.filters import Where
from helpers.store.opened import OpenCollection, Rows, open_collection

DEPTH = 200  # segments that each leg hands over, unless told
# Segments with which a leg hands over vectors, too: sooner than all are asked for once more.
WITH_VECTORS = 1000


@dataclass(frozen=True)
class Leg:
    """One leg of a hybrid search: a query, the embedding option to search, a weight from 0 to 1."""

    query: Query
    option: str
    weight: float = 1.0


def hybrid_search(
    milvus: MilvusClient,
    name: str,
    legs: Iterable[Leg],
    *,
    ranker: str = "rrf",
    k: int = 60,
    scope: str | None = "clip",
    limit: int = 5,
    where: Where = None,
    depth: int | None = DEPTH,
) -> pd.DataFrame:
    """The `limit` segments that are best over all legs: hits, with the rank and the score in each leg.

    An option may occur in several legs, with different queries. `ranker` is "rrf" (with its `k`) or
    "weighted" (with the legs' weights). A leg of weight 0 is left out. `scope` and `where` as in
    `search_segments`, for every leg. Where segments score the same within a leg, Milvus decides which ranks
    first there; equal fused scores are ordered by segment_id.

    `depth` is how many segments each leg ranks: 200, or twice the limit where that is more. What lies below it
    gets nothing from the leg by "rrf"; by "weighted" it gets its own cosine, if another leg ranks it. Among
    100,000 synthetic segments 9.6 of the best 10 were found so by "rrf", and by "weighted" all where the legs
    ask for the same thing, 8.5 where they don't; nothing is lost where no more segments match than that. None
    looks deeper, to 16,384, until no other segment can belong among the first `limit`: slow where many match.

    After the columns of hits come `rank_<option>` and `score_<option>` (the leg's own cosine) for each leg,
    empty where the leg does not rank the segment; an option's second leg is `<option>_2`. A leg that finds
    nothing is reported in one line, and the others decide.
    Raises SearchError for no legs, weights that are not from 0 to 1 or all 0, unequal weights with "rrf",
    legs of two models, an empty collection, and for what `search_segments` refuses.
    """
    used = _used(legs, ranker, k)
    for leg in used.values():
        check_search(leg.query, scope, limit, where)
    if depth is not None and not (is_whole(depth, least=1) and depth <= MOST and depth >= min(limit, DEPTH)):
        raise SearchError(
            f"The depth is {depth!r}: it must be a whole number from the limit to {MOST}, or None."
        )
    search = _open_search(milvus, name, used, ranker, k, scope, where)
    start = min(max(DEPTH, 2 * limit), MOST)
    if depth is None:
        found = search.look(start, limit, lambda seen: is_proven(seen.fused, seen.rest, limit, ranker))
    else:
        found = search.look(start if depth == DEPTH else depth, limit, lambda seen: True)
    return search.table(found, list(found.fused.order[:limit]))


def hybrid_videos(
    milvus: MilvusClient,
    name: str,
    legs: Iterable[Leg],
    *,
    ranker: str = "rrf",
    k: int = 60,
    limit: int = 5,
    where: Where = None,
) -> pd.DataFrame:
    """The `limit` best videos over all legs, each by its best clip: as `hybrid_search`, one row per video.

    Each leg hands over at least 200 clips, and more until they come from enough videos.
    """
    used = _used(legs, ranker, k)
    for leg in used.values():
        check_search(leg.query, "clip", limit, where)
    search = _open_search(milvus, name, used, ranker, k, "clip", where)
    depth = min(max(DEPTH, 10 * limit), MOST)
    found = search.look(depth, MOST, lambda seen: len(seen.best_clips()) >= limit)
    return search.table(found, found.best_clips()[:limit])


def average_queries(queries: Sequence[Query], *, weights: Sequence[float] | None = None) -> Query:
    """One query from several, such as words plus an example clip: the mean of their unit vectors, made unit.

    For one option this ranks as weighted legs with the same weights do, in a single search: a sum of cosines
    to unit vectors is the cosine to their sum, but for its length. Raises SearchError for queries of two
    models or dimensions, for weights that are negative, no numbers or all 0, and if the queries cancel out.
    """
    queries = as_list(queries)
    if not is_list(queries, Query):
        raise SearchError("A query is no Query: make one with embed_text, embed_image or segment_query.")
    shares = [1.0] * len(queries) if weights is None else as_list(weights)
    if not len(queries) or len(shares) != len(queries):
        raise SearchError(
            f"There are {len(queries)} queries and {len(shares)} weights: give one weight each."
        )
    if not all(is_number(share) and 0 <= share < np.inf for share in shares) or sum(shares) <= 0:
        raise SearchError(f"The weights are {shares}: give numbers of 0 or more that are not all 0.")
    _one_model(queries)
    if len({np.shape(query.vector) for query in queries}) > 1:
        raise SearchError("The queries' vectors differ in length: embed them again with one model.")
    if not all(np.asarray(query.vector).dtype.kind in "fiu" for query in queries):
        raise SearchError("A query's vector holds what is no number: embed it again.")
    units = [query.vector / max(float(np.linalg.norm(query.vector)), 1e-12) for query in queries]
    mean = np.average(np.asarray(units, dtype=np.float64), axis=0, weights=shares)
    if not (length := float(np.linalg.norm(mean))) > 1e-6:
        raise SearchError("The queries cancel each other out: choose others, or other weights.")
    source = " + ".join(str(query.source) for query in queries)
    return Query(np.asarray(mean / length, dtype=np.float32), queries[0].model, source)


@dataclass(frozen=True)
class _Found:
    """What the legs found, fused; `rest` is the most that each leg may add to a segment that it did not show."""

    rows: dict[str, Rows]
    fused: Fused
    rest: dict[str, float]

    def by_id(self) -> dict[str, dict[str, Any]]:
        return {row["segment_id"]: row for rows in self.rows.values() for row in rows}

    def best_clips(self) -> list[int]:
        """The place of the best clip of each video, best first."""
        rows, best = self.by_id(), dict[str, int]()
        for place in self.fused.order:
            best.setdefault(rows[self.fused.ids[place]]["video_id"], int(place))
        return list(best.values())


@dataclass(frozen=True)
class _Search:
    """A hybrid search of a collection that is open."""

    collection: OpenCollection
    legs: dict[str, Leg]
    filters: dict[str, str]
    narrow: bool
    ranker: str
    k: int

    def look(self, depth: int, first: int, enough: Callable[[_Found], bool]) -> _Found:
        """Search each leg to a depth, and deeper until it is enough; the `first` places are what matters."""
        rows: dict[str, Rows] = {}
        full = list(self.legs)
        while True:
            for label in full:
                vector, option = self.legs[label].query.vector, self.legs[label].option
                rows[label] = complete_search(
                    self.collection,
                    vector,
                    option,
                    self.filters[label],
                    depth,
                    narrow=self.narrow,
                    fields=self._fields(label, depth),
                )
            full = [label for label in full if len(rows[label]) == depth]
            rest = {
                label: float(share(depth + 1, rows[label][-1]["score"], leg.weight, self.ranker, self.k))
                for label, leg in self.legs.items()
                if label in full
            }
            found = _Found(rows, self._fused(rows, {}), rest)
            if full and self.ranker == "weighted":
                found = _Found(rows, self._fused(rows, self._below(found, first)), rest)
            if not full or depth == MOST or enough(found):
                self._report_empty(rows)
                return found
            depth = min(4 * depth, MOST)

    def _fields(self, label: str, depth: int) -> list[str]:
        """What a leg hands over: ids, and the vectors in which `_below` looks for what other legs do not reach."""
        others = [leg.option for other, leg in self.legs.items() if other != label]
        if self.ranker != "weighted" or depth > WITH_VECTORS:
            others = []
        return ["segment_id", "video_id", *_vector_fields(others)]

    def _fused(self, rows: dict[str, Rows], below: dict[str, dict[str, float]]) -> Fused:
        rankings = {
            label: Ranking([row["segment_id"] for row in found], [row["score"] for row in found])
            for label, found in rows.items()
        }
        weights = {label: float(leg.weight) for label, leg in self.legs.items()}
        return fuse_rankings(rankings, weights, self.ranker, self.k, below=below)

    def _below(self, found: _Found, first: int) -> dict[str, dict[str, float]]:
        """The cosines, in legs that do not reach them, of the segments that these may lift to the first places."""
        fused, known = found.fused, found.by_id()
        absent = {label: fused.is_absent(label, self.ranker) for label in found.rest}
        most = fused.total + sum(absent[label] * rest for label, rest in found.rest.items())
        near = most >= np.sort(fused.total)[-first:][0]
        ids = {
            label: [fused.ids[place] for place in np.flatnonzero(near & absent[label])]
            for label in found.rest
        }
        fields = _vector_fields(self.legs[label].option for label in found.rest)
        wanted = {
            key: None
            for label in found.rest
            for key in ids[label]
            if vector_field(self.legs[label].option) not in known[key]
        }
        with milvus_errors(f"The hits of {self.collection.name!r} cannot be read", SearchError):
            stored = self.collection.get(list(wanted), ["segment_id", *fields]) if wanted else []
        known |= {row["segment_id"]: row for row in stored}
        below: dict[str, dict[str, float]] = {}
        for label in found.rest:
            option, query = self.legs[label].option, self.legs[label].query
            rows = [known[key] for key in ids[label] if known[key].get(f"has_{option}")]
            scores = cosines(query.vector, [row[vector_field(option)] for row in rows])
            below[label] = dict(zip([row["segment_id"] for row in rows], scores, strict=True))
        return below

    def table(self, found: _Found, places: Sequence[int]) -> pd.DataFrame:
        """The segments at these places of what was found, as hits."""
        rows, ids = found.by_id(), [found.fused.ids[place] for place in places]
        there = {row["segment_id"]: row for row in with_fields(self.collection, [rows[key] for key in ids])}
        kept = [place for place, key in zip(places, ids, strict=True) if key in there]  # others were deleted
        fields = pd.DataFrame([there[found.fused.ids[place]] for place in kept], columns=FIELDS)
        return found.fused.table(fields, np.array(kept, dtype=np.intp))

    def _report_empty(self, rows: dict[str, Rows]) -> None:
        name = self.collection.name
        if not any(rows.values()) and not self.collection.count():
            raise SearchError(f"The collection {name!r} is empty: insert segments first.")
        for label, found in rows.items():
            if not found:
                text = "The leg %s finds no segment here, so what the other legs find decides."
                logging.getLogger("video_search.hybrid").warning(text, label)


def _open_search(
    milvus: MilvusClient,
    name: str,
    legs: dict[str, Leg],
    ranker: str,
    k: int,
    scope: str | None,
    where: Where,
) -> _Search:
    collection = open_collection(milvus, name)
    filters = {
        label: search_filter(collection, leg.query, leg.option, scope, where) for label, leg in legs.items()
    }
    return _Search(collection, legs, filters, is_narrow(scope, where), ranker, k)


def _list(legs: Iterable[Leg]) -> list[Leg]:
    given: list[Leg] = as_list(legs)
    if not all(isinstance(leg, Leg) and isinstance(leg.option, str) for leg in given):
        raise SearchError("A leg is no Leg: write Leg(query, option, weight).")
    return given


def _used(legs: Iterable[Leg], ranker: str, k: int) -> dict[str, Leg]:
    """The legs with a weight above 0, by label, once they make sense together."""
    numbered = {f"leg {number}": leg for number, leg in enumerate(_list(legs), 1)}
    weights = used_weights({number: leg.weight for number, leg in numbered.items()}, ranker, k)
    used: dict[str, Leg] = {}
    for leg in (numbered[number] for number in weights):
        twin = sum(leg.option == other.option for other in used.values())
        used[f"{leg.option}_{twin + 1}" if twin else leg.option] = leg
    _one_model([leg.query for leg in used.values()])
    return used


def _vector_fields(options: Iterable[str]) -> list[str]:
    return [field for option in sorted(set(options)) for field in (f"has_{option}", vector_field(option))]


def _one_model(queries: Sequence[Query]) -> None:
    if not all(isinstance(query, Query) and isinstance(query.model, str) for query in queries):
        raise SearchError("A query is no Query: make one with embed_text, embed_image or segment_query.")
    if len(models := sorted({query.model for query in queries})) > 1:
        raise SearchError(
            f"The queries come from {len(models)} models, {' and '.join(models)}: embed all with the same one."
        )

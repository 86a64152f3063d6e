"""Hybrid search: several legs, each a query and an embedding option, fused into one list of hits.

Scores of different options have different levels, so raw scores are never added. Two ways to fuse:

- "rrf", reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, doi:10.1145/1571941.1572114): the sum over
  the legs of 1 / (k + rank). It needs no weights, and Milvus takes none.
- "weighted": the sum over the legs of weight · (1 + cosine) / 2, which is what Milvus makes of a cosine
  with `norm_score=True`.

A segment that a leg does not rank (its video has no sound, for instance) gets nothing from that leg.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pymilvus import MilvusClient

from helpers.arguments import as_list, check_table, is_list, is_number, is_whole
from helpers.errors import SearchError
from helpers.search.similarity import FIELDS, MOST, check_search, complete_search, hits_table, search_filter
from helpers.segments import Query
from helpers.store.filters import Where
from helpers.store.opened import OpenCollection, open_collection

DIGITS = {"rrf": 8, "weighted": 6}  # scores that agree to so many are equal, and ordered by segment_id


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
    depth: int | None = None,
) -> pd.DataFrame:
    """The `limit` segments that are best over all legs: hits, with the rank and the score in each leg.

    An option may occur in several legs, with different queries. `ranker` is "rrf" (with its `k`) or
    "weighted" (with the legs' weights). A leg of weight 0 is left out. `scope` and `where` as in
    `search_segments`, for every leg. `depth` is how many segments each leg hands over to be fused: None is
    all that match, up to 16,384, so that nothing is lost; a smaller number is faster in a large collection,
    but a segment below that depth counts as absent from the leg. Where segments score the same within a
    leg, Milvus decides which ranks first there; equal fused scores are ordered by segment_id.

    After the columns of hits come `rank_<option>` and `score_<option>` (the leg's own cosine) for each leg,
    empty where the leg does not rank the segment; an option's second leg is `<option>_2`. A leg that finds
    nothing is reported in one line, and the others decide.
    Raises SearchError for no legs, weights that are not from 0 to 1 or all 0, unequal weights with "rrf",
    legs of two models, an empty collection, and for what `search_segments` refuses.
    """
    used = _used(legs, ranker, k)
    for leg in used.values():
        check_search(leg.query, scope, limit, where)
    if depth is not None and not (is_whole(depth, least=limit) and depth <= MOST):
        raise SearchError(
            f"The depth is {depth!r}: it must be a whole number from the limit to {MOST}, or None."
        )
    collection = open_collection(milvus, name)
    filters = {
        label: search_filter(collection, leg.query, leg.option, scope, where) for label, leg in used.items()
    }
    lists = {label: _search(collection, leg, filters[label], depth or MOST) for label, leg in used.items()}
    if not any(map(len, lists.values())) and not collection.count():
        raise SearchError(f"The collection {name!r} is empty: insert segments first.")
    for label, hits in lists.items():
        if hits.empty:
            text = "The leg %s finds no segment here, so what the other legs find decides."
            logging.getLogger("video_search.hybrid").warning(text, label)
    return _fused(lists, {label: float(leg.weight) for label, leg in used.items()}, ranker, k, limit)


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
    """The `limit` best videos over all legs, each by its best clip: as `hybrid_search`, one row per video."""
    if not is_whole(limit, least=1):
        raise SearchError(f"The limit is {limit!r}: it must be a whole number from 1.")
    hits = hybrid_search(milvus, name, legs, ranker=ranker, k=k, limit=MOST - 1, where=where)
    best = hits.drop_duplicates("video_id").head(limit).reset_index(drop=True)
    return best.assign(rank=np.arange(1, len(best) + 1))


def fuse(
    rankings: Mapping[str, pd.DataFrame],
    *,
    ranker: str = "rrf",
    weights: Mapping[str, float] | None = None,
    k: int = 60,
    limit: int | None = None,
) -> pd.DataFrame:
    """Fuse lists of hits that are there already, by the formulas of `hybrid_search`: {label: hits} → hits.

    For many weights over the same searches (search each leg once, deep), and for legs that are no vectors,
    such as BM25 (by "rrf": its scores are no cosines). `weights` are by label, 1 where left out. Each list
    is best first. The columns are those of `hybrid_search`, with the labels in place of the options.
    """
    if not isinstance(rankings, Mapping) or not isinstance(weights, Mapping | None):
        raise SearchError(
            "Give the lists of hits as a dict, {label: hits}, and weights as one by the same labels."
        )
    if limit is not None and not is_whole(limit, least=1):
        raise SearchError(f"The limit is {limit!r}: give a whole number from 1, or None for all.")
    weight = _weights({label: (weights or {}).get(label, 1.0) for label in rankings}, ranker, k)
    if unknown := set(weights or {}) - set(rankings):
        raise SearchError(
            f"There is a weight for {sorted(map(str, unknown))[0]!r}, but no such list of hits."
        )
    cure = "give a table as a search returns it"
    for label, hits in rankings.items():
        check_table(hits, SearchError, what="hits", cure=cure, numbers=["score"], texts=["segment_id"])
        if ranker == "weighted" and (hits["score"].abs() > 1 + 1e-6).any():
            raise SearchError(f"The scores of {label!r} are no cosines: fuse them by ranker='rrf'.")
    return _fused({label: rankings[label] for label in weight}, weight, ranker, k, limit)


def _fused(
    lists: Mapping[str, pd.DataFrame], weights: Mapping[str, float], ranker: str, k: int, limit: int | None
) -> pd.DataFrame:
    found = [hits.reindex(columns=FIELDS) for hits in lists.values()]
    rows = pd.concat([hits for hits in found if len(hits)] or found[:1]).drop_duplicates("segment_id")
    table = _with_legs(rows, lists)
    score = pd.Series(0.0, index=table.index)
    for label, weight in weights.items():
        by_rank = 1 / (k + table[f"rank_{label}"].astype(float))
        by_score = weight * (1 + table[f"score_{label}"]) / 2
        score += (by_rank if ranker == "rrf" else by_score).fillna(0.0)
    order = np.lexsort((table["segment_id"].to_numpy(dtype=str), -score.round(DIGITS[ranker]).to_numpy()))
    table.insert(0, "score", score)
    table = table.iloc[order[:limit]].reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


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


def _list(legs: Iterable[Leg]) -> list[Leg]:
    given: list[Leg] = as_list(legs)
    if not all(isinstance(leg, Leg) and isinstance(leg.option, str) for leg in given):
        raise SearchError("A leg is no Leg: write Leg(query, option, weight).")
    return given


def _used(legs: Iterable[Leg], ranker: str, k: int) -> dict[str, Leg]:
    """The legs with a weight above 0, by label, once they make sense together."""
    numbered = {f"leg {number}": leg for number, leg in enumerate(_list(legs), 1)}
    weights = _weights({number: leg.weight for number, leg in numbered.items()}, ranker, k)
    used: dict[str, Leg] = {}
    for leg in (numbered[number] for number in weights):
        twin = sum(leg.option == other.option for other in used.values())
        used[f"{leg.option}_{twin + 1}" if twin else leg.option] = leg
    _one_model([leg.query for leg in used.values()])
    return used


def _search(collection: OpenCollection, leg: Leg, expression: str, depth: int) -> pd.DataFrame:
    """The hits of one leg, in the order of Milvus."""
    return hits_table(complete_search(collection, leg.query.vector, leg.option, expression, depth)[:depth])


def _with_legs(table: pd.DataFrame, lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Add rank_<label> and score_<label>: where each segment stands in each list; empty where it does not."""
    table = table.reset_index(drop=True)
    for label, hits in lists.items():
        if hits["segment_id"].duplicated().any():
            raise SearchError(
                f"The list {label!r} holds a segment twice: fuse lists as a search returns them."
            )
        place = pd.Series(np.arange(1, len(hits) + 1), index=hits["segment_id"], dtype="Int64")
        table[f"rank_{label}"] = table["segment_id"].map(place).astype("Int64")
        score = pd.Series(hits["score"].to_numpy(dtype=float), index=hits["segment_id"])
        table[f"score_{label}"] = table["segment_id"].map(score).astype(float)
    return table


def _weights(weights: Mapping[str, float], ranker: str, k: int) -> dict[str, float]:
    """The weights above 0, by label; SearchError if they, the ranker or its k make no sense."""
    if not isinstance(ranker, str) or ranker not in DIGITS:
        raise SearchError(f"The ranker is {ranker!r}: choose rrf or weighted.")
    if not is_whole(k, least=1) or k >= MOST:
        raise SearchError(f"The k of rrf is {k!r}: it must be a whole number from 1 to {MOST - 1}.")
    if not weights:
        raise SearchError("There are no legs: give at least one Leg(query, option).")
    for label, weight in weights.items():
        if not is_number(weight) or not 0 <= weight <= 1:
            raise SearchError(f"The weight of {label} is {weight!r}: it must be a number from 0 to 1.")
    used = {label: float(weight) for label, weight in weights.items() if weight > 0}
    if not used:
        raise SearchError("Every leg has the weight 0: give at least one of them more.")
    if ranker == "rrf" and len(set(used.values())) > 1:
        given = ", ".join(f"{weight:g}" for weight in used.values())
        raise SearchError(f"rrf takes no weights, but the legs have {given}: use ranker='weighted'.")
    return used


def _one_model(queries: Sequence[Query]) -> None:
    if not all(isinstance(query, Query) and isinstance(query.model, str) for query in queries):
        raise SearchError("A query is no Query: make one with embed_text, embed_image or segment_query.")
    if len(models := sorted({query.model for query in queries})) > 1:
        raise SearchError(
            f"The queries come from {len(models)} models, {' and '.join(models)}: embed all with the same one."
        )

"""Several rankings of segments fused into one.

Scores of different options have different levels, so raw scores are never added. Two ways to fuse:

- "rrf", reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, doi:10.1145/1571941.1572114): the sum over
  the legs of 1 / (k + rank). It needs no weights, and Milvus takes none.
- "weighted": the sum over the legs of weight · (1 + cosine) / 2, which is what Milvus makes of a cosine
  with `norm_score=True`.

A segment that a leg does not rank (its video has no sound, for instance) gets nothing from that leg.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from helpers.arguments import check_limit, check_table, is_number, is_whole
from helpers.errors import SearchError
from helpers.search.nearest import FIELDS, MOST

DIGITS = {"rrf": 8, "weighted": 6}  # scores that agree to so many are equal, and ordered by segment_id
Numbers = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True)
class Ranking:
    """What one leg found: segment ids with their scores, best first."""

    ids: Sequence[str]
    scores: Sequence[float] | pd.Series


@dataclass(frozen=True)
class Fused:
    """Every segment that a ranking holds, as it first appears, with what each ranking says of it."""

    ids: list[str]
    total: Numbers
    ranks: dict[str, Numbers]  # NaN where a ranking does not hold the segment
    scores: dict[str, Numbers]  # NaN where its cosine is not known
    order: Places  # of all segments, best first

    def is_absent(self, label: str, ranker: str) -> Any:
        """Which segments got nothing from a ranking."""
        return np.isnan(self.ranks[label] if ranker == "rrf" else self.scores[label])

    def table(self, fields: pd.DataFrame, places: Places) -> pd.DataFrame:
        """The segments at these places as hits; `fields` holds a row for each, in the same order."""
        columns: dict[str, Any] = {"rank": np.arange(1, len(places) + 1), "score": self.total[places]}
        columns |= {field: fields[field].array for field in FIELDS}
        for label, ranks in self.ranks.items():
            absent = np.isnan(ranks[places])
            whole = np.where(absent, 1, ranks[places]).astype(np.int64)
            columns[f"rank_{label}"] = pd.arrays.IntegerArray(whole, absent)
            columns[f"score_{label}"] = self.scores[label][places]
        return pd.DataFrame(columns)


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
    check_limit(SearchError, limit)
    used = used_weights({label: (weights or {}).get(label, 1.0) for label in rankings}, ranker, k)
    if unknown := set(weights or {}) - set(rankings):
        raise SearchError(
            f"There is a weight for {sorted(map(str, unknown))[0]!r}, but no such list of hits."
        )
    cure = "give a table as a search returns it"
    for label, hits in rankings.items():
        check_table(hits, SearchError, what="hits", cure=cure, numbers=["score"], texts=["segment_id"])
        if ranker == "weighted" and (hits["score"].abs() > 1 + 1e-6).any():
            raise SearchError(f"The scores of {label!r} are no cosines: fuse them by ranker='rrf'.")
    lists = {label: rankings[label] for label in used}
    fused = fuse_rankings(
        {label: Ranking(hits["segment_id"].tolist(), hits["score"]) for label, hits in lists.items()},
        used,
        ranker,
        k,
    )
    found = [hits for hits in lists.values() if len(hits)] or list(lists.values())[:1]
    rows = pd.concat(found, ignore_index=True)
    best = fused.order[:limit]
    first = np.flatnonzero(~rows["segment_id"].duplicated().to_numpy())
    return fused.table(rows.reindex(index=first[best], columns=FIELDS), best)


def fuse_rankings(
    rankings: Mapping[str, Ranking],
    weights: Mapping[str, float],
    ranker: str,
    k: int,
    *,
    below: Mapping[str, Mapping[str, float]] | None = None,
) -> Fused:
    """Fuse what the legs found; `below` are cosines of segments that a ranking does not reach, by its label.

    Raises SearchError for a segment that a ranking holds twice.
    """
    place: dict[str, int] = {}
    for ranking in rankings.values():
        for key in ranking.ids:
            place.setdefault(key, len(place))
    ranks: dict[str, Numbers] = {}
    scores: dict[str, Numbers] = {}
    total = np.zeros(len(place))
    for label, ranking in rankings.items():
        at = np.array([place[key] for key in ranking.ids], dtype=np.intp)
        if len(set(ranking.ids)) != len(at):
            raise SearchError(
                f"The list {label!r} holds a segment twice: fuse lists as a search returns them."
            )
        ranks[label], scores[label] = np.full(len(place), np.nan), np.full(len(place), np.nan)
        ranks[label][at] = np.arange(1, len(at) + 1)
        scores[label][at] = ranking.scores
        for key, score in (below or {}).get(label, {}).items():
            scores[label][place[key]] = score
        total += np.nan_to_num(share(ranks[label], scores[label], weights[label], ranker, k))
    ids = list(place)
    order = np.lexsort((np.array(ids, dtype=str), -total.round(DIGITS[ranker])))
    return Fused(ids, total, ranks, scores, order)


def share(rank: Any, score: Any, weight: float, ranker: str, k: int) -> Any:
    """What a leg adds to the total of a segment that it ranks so, with such a cosine: numbers, or arrays."""
    return 1 / (k + rank) if ranker == "rrf" else weight * (1 + score) / 2


def is_proven(fused: Fused, rest: Mapping[str, float], limit: int, ranker: str) -> bool:
    """Whether no look deeper into the rankings can change which segments are the first `limit`, nor their order.

    `rest` is the most that a ranking, which does not end there, may still add to a segment it does not hold.
    """
    most = fused.total.copy()
    for label, bound in rest.items():
        most[fused.is_absent(label, ranker)] += bound
    after = np.append(most[fused.order], sum(rest.values()))  # the last one stands for what nobody holds
    highest = np.maximum.accumulate(after[::-1])[::-1]
    first = fused.total[fused.order[:limit]]
    return len(first) == limit and bool((first + 10.0 ** -DIGITS[ranker] >= highest[1 : limit + 1]).all())


def used_weights(weights: Mapping[str, float], ranker: str, k: int) -> dict[str, float]:
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

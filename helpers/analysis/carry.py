"""Names that follow their clusters when segments are clustered anew."""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from helpers.analysis.checks import NOISE
from helpers.analysis.labels import add_tags, are_whole_numbers, check_labels_table, split_tags, with_rows
from helpers.errors import AnalysisError

WAS = "was "  # and a name: the tag that keeps a name whose cluster is gone


class Carried(NamedTuple):
    """What became of the names: the new labels; the names that found a cluster (name, old, new, shared); and
    the names that found none. `old` and `new` are cluster numbers, `shared` counts segments."""

    labels: pd.DataFrame
    matched: pd.DataFrame
    unmatched: list[str]


class Overlap(NamedTuple):
    """How a name fits its cluster, in segments: those that it was given to and that are here, those that it was
    given to, and those that are here."""

    shared: int
    named: int
    here: int


def assign_clusters(labels: pd.DataFrame, clusters: pd.Series) -> Carried:
    """Give segments their new clusters (a Series of whole numbers by segment_id); names follow the overlap.

    Names and new clusters are paired one to one so that the segments which they share are as many as can be:
    the assignment problem on the contingency table (Kuhn 1955, doi:10.1002/nav.3800020109), solved by
    scipy.optimize.linear_sum_assignment. A name goes to all segments of its new cluster and leaves the rest
    of its old one. Noise (-1) takes no name. A name that shares no segment with a cluster left for it is
    listed as unmatched, and stays on its segments as the tag "was <name>"; it is a name again, and the tag
    goes, as soon as a cluster without a name has exactly these segments. Segments that are not in `clusters`
    keep their words and get the cluster -1, as the number of another clustering would mislead.
    How clusters are numbered changes nothing. Raises AnalysisError for clusters or labels that are none.
    """
    table, new = check_labels_table(labels), check_clusters(clusters)
    table = with_rows(table, list(new.index))
    found = table["segment_id"].map(new)
    inside = found.notna()
    old, table["cluster"] = table["cluster"], found.fillna(NOISE).astype("int64")

    # Names and clusters in the order of their first segment_id: ties then do not hang on how either is called.
    votes = table[inside & (table["name"] != "")].sort_values("segment_id")
    names = list(votes["name"].unique())
    takers = table[table["cluster"] != NOISE].sort_values("segment_id")["cluster"]
    numbers = pd.Index(takers.unique())
    votes = votes[votes["cluster"] != NOISE]
    shared = np.zeros((len(names), len(numbers)), dtype=np.int64)
    cells = pd.Index(names).get_indexer(votes["name"]), numbers.get_indexer(votes["cluster"])
    np.add.at(shared, cells, 1)
    pairs = [
        (n, c) for n, c in zip(*linear_sum_assignment(shared, maximize=True), strict=True) if shared[n, c]
    ]
    rows = [(names[n], _usual(old[table["name"] == names[n]]), numbers[c], shared[n, c]) for n, c in pairs]
    named = {name for name, *_ in rows}
    unmatched = [name for name in names if name not in named]
    if unmatched:
        lost = inside & table["name"].isin(unmatched)
        table.loc[lost, "tags"] = [
            add_tags(tags, [f"{WAS}{name}"])
            for tags, name in zip(table["tags"][lost], table["name"][lost], strict=True)
        ]
    follow = {new: name for name, _, new, _ in rows}
    now = [follow.get(cluster, "") for cluster in table["cluster"]]
    table["name"] = table["name"].mask(inside, pd.Series(now, index=table.index, dtype="str"))
    rows += _names_again(table)
    matched = pd.DataFrame(rows, columns=["name", "old", "new", "shared"])
    matched = matched.astype({"name": "str", "old": "int64", "new": "int64", "shared": "int64"})
    return Carried(table, matched, unmatched)


def _names_again(table: pd.DataFrame) -> list[tuple[str, int, Hashable, int]]:
    """In the table, turn tags "was <name>" into names where a cluster without one has exactly their segments.

    Gives the names that came back (name, old: -1, new, shared). A name in use stays where it is, and of two
    names for one cluster neither is taken.
    """
    tags = table["tags"][table["tags"].str.contains(WAS, regex=False)].map(split_tags)
    if tags.empty:
        return []
    tagged = tags.explode().dropna()
    tagged = tagged[tagged.str.startswith(WAS)]
    rows_of = {tag: frozenset(rows) for tag, rows in tagged.groupby(tagged).groups.items()}
    claims = list(rows_of.values())
    bare = table[(table["cluster"] != NOISE) & (table["name"] == "")]
    cluster_at = {frozenset(rows): cluster for cluster, rows in bare.groupby("cluster").groups.items()}
    used, back = set(table["name"]), []
    for tag, rows in rows_of.items():
        name = str(tag).removeprefix(WAS)
        if rows not in cluster_at or name in used or claims.count(rows) > 1:
            continue
        table.loc[list(rows), "name"] = name
        for row in rows:
            table.loc[row, "tags"] = add_tags("", [other for other in tags[row] if other != tag])
        back.append((name, NOISE, cluster_at[rows], len(rows)))
    return back


def _usual(numbers: pd.Series) -> int:
    """The cluster that most of the rows of a name had; -1 where none was in a cluster."""
    real = numbers[numbers != NOISE].mode()
    return int(real.iloc[0]) if len(real) else NOISE


def check_clusters(clusters: pd.Series) -> pd.Series:
    """The clusters as whole numbers by segment_id; AnalysisError if they are none."""
    if not isinstance(clusters, pd.Series):
        raise AnalysisError(
            f"The clusters are a {type(clusters).__name__}: give a pandas Series of them by segment_id."
        )
    ids = list(clusters.index)
    if not all(isinstance(key, str) and key for key in ids) or not clusters.index.is_unique:
        raise AnalysisError(
            "The clusters name a segment twice, or by no segment_id: index them by segment_id."
        )
    if not are_whole_numbers(clusters) or (clusters < NOISE).any():
        raise AnalysisError(
            "A cluster is no whole number from -1: give those of kmeans_clusters or hdbscan_clusters."
        )
    return pd.Series(clusters.to_numpy(), index=ids, dtype="int64")

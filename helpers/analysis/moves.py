"""Segments that an analyst puts into another cluster: kept in the labels, and obeyed by every later clustering.

A cluster's number means nothing after the next clustering, so a move says with which segment another belongs: it is
where the clustering puts that one. A move into a new cluster stands for itself: those segments stay together, in a
cluster of their own beside the found ones, until they are moved again or taken back.
"""

from collections.abc import Sequence

import pandas as pd

from helpers.analysis.carry import check_clusters
from helpers.analysis.checks import NOISE, are_among
from helpers.analysis.labels import check_labels_table, segment_ids_of, with_rows
from helpers.arguments import is_text
from helpers.errors import AnalysisError
from helpers.segments import moment_of

WITH, OWN = "with ", "own "  # what a cell of `moved` begins with: a segment's id follows, or a number


def move_segments(labels: pd.DataFrame, segment_ids: Sequence[str], *, to: str | None = None) -> pd.DataFrame:
    """Put segments into the cluster of the segment `to`, or into a new one of their own; a new table.

    They stay with `to` (take a typical segment of the cluster) through every later clustering; if `to` was moved
    itself, they go where it went. Only `moved` changes: `moved_clusters` applies it. Raises AnalysisError for an id
    that is no text.
    """
    ids = segment_ids_of(segment_ids)
    table = with_rows(labels, ids)
    if to is None:
        numbers = [int(cell.removeprefix(OWN)) for cell in set(table["moved"]) if _is_own(cell)]
        cell = f"{OWN}{max(numbers, default=0) + 1}"
    elif is_text(to) and to:
        went = table.loc[table["segment_id"] == to, "moved"]
        cell = str(went.iloc[0]) if len(went) and went.iloc[0] else f"{WITH}{to}"
    else:
        raise AnalysisError(
            f"The segment to move to is {to!r}: give its segment_id, or None for a new cluster."
        )
    table.loc[are_among(table["segment_id"], ids), "moved"] = cell
    return table


def unmove_segments(labels: pd.DataFrame, segment_ids: Sequence[str]) -> pd.DataFrame:
    """Let segments be where the clustering puts them; a new table. What was not moved stays as it is."""
    ids = segment_ids_of(segment_ids)
    table = check_labels_table(labels)
    table.loc[are_among(table["segment_id"], ids), "moved"] = ""
    return table


def moved_clusters(labels: pd.DataFrame, clusters: pd.Series) -> pd.Series:
    """The clusters (a Series by segment_id) with every move of the labels applied; a new Series.

    Found clusters keep their numbers, also where a move leaves one empty; new ones of the analyst follow after
    them, in the order in which they were made. A segment stays where the clustering puts it while the one that it
    belongs with is noise or not among `clusters`. Raises AnalysisError as `assign_clusters`.
    """
    table, found = check_labels_table(labels), check_clusters(clusters)
    told = table[(table["moved"] != "") & are_among(table["segment_id"], found.index)]
    moved: dict[str, str] = dict(zip(told["segment_id"], told["moved"], strict=True))
    result = found.copy()
    if not moved:
        return result
    ids_by_moment = {moment: key for key in map(str, found.index) if (moment := moment_of(key))}
    own = sorted(
        {cell for cell in moved.values() if _is_own(cell)}, key=lambda cell: int(cell.removeprefix(OWN))
    )
    place = {cell: max(int(found.max()), NOISE) + 1 + n for n, cell in enumerate(own)}
    for cell in set(moved.values()) - set(own):
        to = cell.removeprefix(WITH)
        key = to if to in found.index else ids_by_moment.get(moment_of(to))
        if key is not None and found[key] != NOISE:
            place[cell] = int(found[key])
    new = {key: place[cell] for key, cell in moved.items() if cell in place}
    result.update(pd.Series(new, dtype="int64"))
    return result


def _is_own(cell: str) -> bool:
    return cell.startswith(OWN) and cell.removeprefix(OWN).isdigit()

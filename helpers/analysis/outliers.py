"""Segments picked out of clusters: the typical ones, the odd ones, and pairs that are nearly the same."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.neighbors import LocalOutlierFactor

from helpers.analysis.checks import (
    check_labels,
    check_matrix,
    check_rows,
    check_segments,
    spans_of,
    tell,
    whole_number,
    without_noise,
)
from helpers.analysis.matrix import Matrix, distinct_rows
from helpers.analysis.reduced import MOST_ROWS, principal_components, sample_rows
from helpers.arguments import check_table, is_number
from helpers.errors import AnalysisError
from helpers.progress import progress_bar
from helpers.segments import HIT_COLUMNS

PAIR_COLUMNS = [
    *("score", "segment_id_a", "segment_id_b", "title_a", "start_a", "title_b", "start_b"),
]
MOST_PAIRS = 200_000
COMPONENTS = 50  # in which very many rows are compared
MOST_COSINES = 10_000_000  # at a time
Rows = npt.NDArray[np.intp]


def medoids(matrix: Matrix, labels: npt.ArrayLike) -> dict[int, int]:
    """The row of each cluster's medoid: of its rows the one most alike to all its others; noise has none.

    On rows of length 1 the mean cosine to a cluster's rows is the product with their mean, so that the medoid
    is the row with the largest product; of equal ones (to six digits) the first.
    """
    groups = check_labels(labels, len(matrix))
    found = {}
    for name in without_noise(groups.tolist()):
        rows = np.flatnonzero(groups == name)
        mean = matrix[rows].mean(axis=0, dtype=np.float64)
        found[name] = int(rows[np.argmax(np.round(matrix[rows] @ mean, 6))])
    return found


def typical_segments(
    segments: pd.DataFrame, matrix: Matrix, labels: npt.ArrayLike, *, each: int = 5
) -> pd.DataFrame:
    """The `each` most typical segments of each cluster: its medoid, and what is nearest to it; a table of hits.

    `rank` counts within the cluster, `score` is the cosine to the medoid, `cluster` the label; noise is left
    out. Raises AnalysisError if the labels or the matrix are not of these segments.
    """
    check_segments(segments, texts=["segment_id"])
    matrix, each = check_matrix(matrix), whole_number(each, "each", least=0)
    groups = check_labels(labels, len(segments))
    check_rows(segments, matrix)
    ids = segments["segment_id"].to_numpy(dtype=str)
    parts = []
    for name, medoid in medoids(matrix, groups).items():
        rows = np.flatnonzero(groups == name)
        scores = (matrix[rows] @ matrix[medoid]).astype(np.float64)
        order = np.lexsort((ids[rows], rows != medoid, -np.round(scores, 6)))[:each]
        part = segments.iloc[rows[order]]
        parts.append(part.assign(rank=np.arange(1, len(part) + 1), score=scores[order], cluster=name))
    table = pd.concat(parts) if parts else segments.head(0).assign(rank=0, score=0.0, cluster=0)
    return _hits(table)


def outlier_scores(matrix: Matrix, labels: npt.ArrayLike, *, neighbours: int = 20) -> pd.DataFrame:
    """How odd each row is, in two ways: columns medoid_distance, lof; higher is odder.

    `medoid_distance` is 1 - cosine to the medoid of the row's cluster (for noise: to the nearest medoid): far
    from what its cluster is about. `lof`, the local outlier factor (Breunig et al. 2000,
    doi:10.1145/335191.335388), compares how dense it is around a row with how dense it is around its
    `neighbours` nearest rows: about 1 is ordinary, well above 1 is lonelier than its neighbours. Equal vectors
    count once. Of more than 10,000 different rows it is measured by a sample, on 50 principal components. Of one
    segment, or of equal ones, each has a lof of 1, and a warning says so.
    Raises AnalysisError for no segment.
    """
    matrix = check_matrix(matrix)
    groups = check_labels(labels, len(matrix))
    first, kind = distinct_rows(matrix, "the local outlier factor")
    wanted = whole_number(neighbours, "The number of neighbours", least=1)
    lof = np.ones(len(first))
    if len(first) > 1:  # more copies than neighbours would make every other row look endlessly far away
        lof = _lof(np.asarray(matrix, dtype=np.float64)[first], min(wanted, len(first) - 1))
    middle = medoids(matrix, groups) or medoids(matrix, np.zeros(len(matrix)))
    cosines = matrix @ matrix[list(middle.values())].T
    column = {name: i for i, name in enumerate(middle)}
    nearest = cosines.max(axis=1)
    own = [
        cosines[i, column[name]] if name in column else nearest[i] for i, name in enumerate(groups.tolist())
    ]
    distance = np.clip(1.0 - np.array(own, dtype=np.float64), 0.0, 2.0)
    return pd.DataFrame({"medoid_distance": distance, "lof": lof[kind]})


def _lof(rows: npt.NDArray[Any], neighbours: int) -> npt.NDArray[np.float64]:
    if len(rows) <= MOST_ROWS:
        return np.asarray(-LocalOutlierFactor(n_neighbors=neighbours).fit(rows).negative_outlier_factor_)
    points, sample = principal_components(rows, COMPONENTS), sample_rows(len(rows))
    model = LocalOutlierFactor(n_neighbors=neighbours, novelty=True).fit(points[sample])
    lof = np.asarray(-model.score_samples(points))
    lof[sample] = -model.negative_outlier_factor_  # a row of the sample is no neighbour of its own
    return lof


def odd_segments(
    segments: pd.DataFrame, scores: pd.DataFrame, *, by: str = "lof", limit: int = 10
) -> pd.DataFrame:
    """The `limit` oddest segments, oddest first: a table of hits whose `score` is the column `by` of scores.

    Raises AnalysisError if there is no such column, or if the scores are not of these segments.
    """
    check_segments(segments, texts=["segment_id"])
    scored = {"what": "scores", "cure": "use the table of outlier_scores"}
    check_table(scores, AnalysisError, **scored)
    if not isinstance(by, str) or by not in scores:
        raise AnalysisError(f"There is no score {by!r}: choose from {', '.join(map(str, scores))}.")
    check_table(scores, AnalysisError, **scored, numbers=[by])
    limit = whole_number(limit, "The limit", least=0)
    values = check_labels(scores[by].to_numpy(dtype=float), len(segments), words=True)
    ids = segments["segment_id"].to_numpy(dtype=str)
    order = np.lexsort((ids, -np.round(values, 6)))[:limit]
    return _hits(segments.iloc[order].assign(rank=np.arange(1, len(order) + 1), score=values[order]))


def near_duplicates(
    segments: pd.DataFrame, matrix: Matrix, *, threshold: float = 0.95, gap: float = 0.0
) -> pd.DataFrame:
    """Pairs of segments with a cosine of `threshold` or more, best first.

    Columns: score, segment_id_a, segment_id_b, title_a, start_a, title_b, start_b (seconds). Two segments of
    the same video count only if more than `gap` seconds lie between them: neighbours are alike anyway.
    Of more than 200,000 pairs the best are given, and a warning says so.
    Raises AnalysisError for a threshold outside -1..1, a negative gap, or a matrix that is not of these segments.
    """
    check_segments(segments, texts=["segment_id", "video_id", "title"], spans=True)
    matrix = check_matrix(matrix)
    check_rows(segments, matrix)
    if not is_number(threshold) or not -1 <= threshold <= 1:
        raise AnalysisError(f"The threshold is {threshold!r}: give a cosine from -1 to 1.")
    if not is_number(gap) or gap < 0:
        raise AnalysisError(f"The gap is {gap!r}: give seconds, 0 or more.")
    video = pd.factorize(segments["video_id"])[0]
    start, end = spans_of(segments)
    found: list[tuple[Rows, Rows, Matrix]] = []
    most = False
    lowest = threshold
    for at, cosines in _cosines(matrix):
        a, b = np.nonzero(cosines >= lowest - 1e-6)
        score, a, b = cosines[a, b], at + a, at + b
        apart = np.maximum(start[a], start[b]) - np.minimum(end[a], end[b])
        keep = (a < b) & (np.round(score, 6) >= lowest) & ((video[a] != video[b]) | (apart > gap))
        found.append((a[keep], b[keep], score[keep]))
        if sum(len(part[0]) for part in found) > MOST_PAIRS:
            first, second, scores = (np.concatenate(part) for part in zip(*found, strict=True))
            best = np.sort(np.argpartition(-scores, MOST_PAIRS)[:MOST_PAIRS])
            found, lowest = [(first[best], second[best], scores[best])], float(scores[best].min())
            most = True
    if most:
        tell(
            f"More than {MOST_PAIRS:,} pairs have a cosine of {threshold:g} or more, and the best of them are "
            "given: raise the threshold."
        )
    if not found:
        return pd.DataFrame(columns=PAIR_COLUMNS)
    first, second, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    left, right = segments.iloc[first], segments.iloc[second]
    table = pd.DataFrame({"score": scores.astype(np.float64)})
    for column, field in (("segment_id", "segment_id"), ("title", "title"), ("start", "start_offset_sec")):
        table[f"{column}_a"], table[f"{column}_b"] = left[field].to_numpy(), right[field].to_numpy()
    table["near"] = -table["score"].round(6)
    table = table.sort_values(["near", "segment_id_a", "segment_id_b"], ignore_index=True)
    return table[PAIR_COLUMNS]


def _cosines(matrix: Matrix) -> Iterator[tuple[int, Matrix]]:
    """The cosines of some rows with themselves and all later ones, and where they begin; those of all rows in turn.

    All at once would take 400 MB for 10,000 rows.
    """
    n = len(matrix)
    step = max(1, min(n, MOST_COSINES // max(1, n)))
    with progress_bar("comparing segments", n * (n + step) / 2, unit=" pairs", unit_scale=True) as bar:
        for at in range(0, n, step):
            cosines = matrix[at : at + step] @ matrix[at:].T
            yield at, cosines
            bar.update(cosines.size)


def _hits(table: pd.DataFrame) -> pd.DataFrame:
    return table[[c for c in HIT_COLUMNS if c in table]].reset_index(drop=True)

"""Checks of the exercises for notebook 06."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from exercises.checking import Wrong, answer_of, exercise, number
from helpers import hdbscan_clusters


@exercise("06.smaller")
def smaller(found: Any, *, matrix: np.ndarray) -> str:
    labels = np.asarray(found)
    if labels.shape != (len(matrix),):
        raise Wrong("an array with a cluster for each segment is wanted: keep what hdbscan_clusters returns.")
    for least in (5, 8):
        if np.array_equal(labels, hdbscan_clusters(matrix, min_cluster_size=least)):
            raise Wrong(f"these are clusters of at least {least} segments: change one number.")
    if -1 not in labels:
        raise Wrong("nothing is noise here: use hdbscan_clusters, not k-means.")
    if not np.array_equal(labels, hdbscan_clusters(matrix, min_cluster_size=3)):
        raise Wrong("another number of segments, or another method: only the least size should change.")
    clusters, noise = len(set(labels.tolist()) - {-1}), int((labels == -1).sum())
    return f"short videos can be clusters now: there are {clusters}, and {noise} segments are noise."


@exercise("06.medoid")
def medoid(segment_id: Any, *, own: pd.DataFrame, unit: np.ndarray) -> str:
    ids = own["segment_id"].tolist()
    if not isinstance(segment_id, str):
        raise Wrong(f"a segment_id is wanted, and this is a {type(segment_id).__name__}: look it up in own.")
    if segment_id not in ids:
        raise Wrong("that segment is not in the cluster: take the row from own, not from clips.")
    means = (unit @ unit.T).mean(axis=1)
    mean = float(means[ids.index(segment_id)])
    if math.isclose(mean, float(means.min()), abs_tol=1e-6):
        raise Wrong("that is the segment that is least like the others: you want the highest mean.")
    if mean < means.max() - 1e-6:
        better = int((means > mean + 1e-6).sum())
        raise Wrong(
            f"{better} segments of the cluster have a higher mean cosine: mean over the rows of unit only?"
        )
    return f"its mean cosine to its cluster is {mean:.3f}, and no other segment's is higher."


@exercise("06.neighbours")
def neighbours(near: Any, everybody: Any, *, centred: np.ndarray) -> str:
    given, all_given = number(near), number(everybody)
    cosines = np.asarray(centred, dtype=np.float64) @ np.asarray(centred, dtype=np.float64).T
    n = len(cosines)
    right = float(np.diagonal(cosines, 1).mean())
    apart = float((cosines.sum() - np.trace(cosines)) / (n * (n - 1)))
    if math.isclose(given, 1.0, abs_tol=1e-3):
        raise Wrong("neighbours is 1: that is each segment with itself, so go one line above the diagonal.")
    if math.isclose(given, float(np.diagonal(cosines, 2).mean()), abs_tol=1e-4):
        raise Wrong("neighbours are segments that follow each other; yours have one segment between them.")
    if not math.isclose(given, right, abs_tol=1e-4):
        raise Wrong("neighbours is another number: the mean of one line of the cosines is wanted.")
    if math.isclose(all_given, float(cosines.mean()), abs_tol=1e-5):
        raise Wrong("everybody counts each segment with itself, too: leave the diagonal out.")
    if not math.isclose(all_given, apart, abs_tol=1e-4):
        raise Wrong("everybody is another number: the mean over all pairs of different segments is wanted.")
    return f"neighbours are alike ({right:.3f}), and pairs at random are not ({apart:.3f}): time has scenes."


@exercise("06.rand")
def rand(function: Any) -> str:
    one, other = [0, 0, 1, 1], [0, 0, 0, 1]
    answer = number(answer_of(function, one, other))
    if not 0 <= answer <= 1:
        raise Wrong(f"it returns {answer:g}: divide the pairs that agree by the number of all pairs.")
    if math.isclose(answer, 3 / 4):
        raise Wrong("that is the share of segments with the same number; count pairs of segments.")
    if math.isclose(answer, sum(_agree(one, other, i, j) for i in range(4) for j in range(4)) / 16):
        raise Wrong("a segment is no pair with itself: let j begin after i.")
    if math.isclose(answer, 1 / 6):
        raise Wrong("pairs that both clusterings put *apart* agree, too.")
    if not math.isclose(answer, 3 / 6):
        raise Wrong(f"for {one} and {other} it returns {answer:.3g}: list the six pairs on paper.")
    if not math.isclose(number(function([0, 0, 1], [7, 7, 3])), 1):
        raise Wrong("how clusters are numbered must not matter: compare segments within one clustering only.")
    pairs = list(itertools.combinations(range(5), 2))
    left, right = [0, 1, 1, 2, 2], [0, 0, 1, 1, 2]
    if not math.isclose(
        number(function(left, right)), sum(_agree(left, right, *p) for p in pairs) / len(pairs)
    ):
        raise Wrong("it is right for four segments and two clusters, and wrong for five segments and three.")
    return "you asked about pairs, so the numbers of the clusters do not matter."


def _agree(one: list[int], other: list[int], i: int, j: int) -> bool:
    return (one[i] == one[j]) == (other[i] == other[j])

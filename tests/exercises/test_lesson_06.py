"""Each exercise of notebook 06, with the right answer and at least three kinds of wrong ones."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exercises.checking import NOT_YET
from helpers import hdbscan_clusters, kmeans_clusters


def blobs() -> np.ndarray:
    """Clusters of 3, 6 and 9 rows of length 1, and two rows apart from all."""
    random = np.random.default_rng(3)
    centres = np.eye(8)[:5].repeat([3, 6, 9, 1, 1], axis=0)
    rows = centres + random.normal(0, 0.02, centres.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


MATRIX = blobs()
UNIT = MATRIX[9:18]
OWN = pd.DataFrame({"segment_id": [f"segment {number}" for number in range(9)]})
MEANS = (UNIT @ UNIT.T).mean(axis=1)
ORDER = [f"segment {number}" for number in MEANS.argsort()]
COSINES = MATRIX.astype(np.float64) @ MATRIX.astype(np.float64).T
NEAR = float(np.diagonal(COSINES, 1).mean())
APART = float(COSINES[~np.eye(len(COSINES), dtype=bool)].mean())
GIVEN: dict[str, dict[str, Any]] = {
    "06.smaller": {"matrix": MATRIX},
    "06.medoid": {"own": OWN, "unit": UNIT},
    "06.neighbours": {"centred": MATRIX},
}


def rand(one: Sequence[int], other: Sequence[int], *, itself: bool = False, apart: bool = True) -> float:
    rows = range(len(one))
    pairs = list(itertools.product(rows, rows) if itself else itertools.combinations(rows, 2))
    both = [(one[i] == one[j], other[i] == other[j]) for i, j in pairs]
    return sum(a == b and (a or apart) for a, b in both) / len(pairs)


CASES: list[tuple[str, list[Any], str]] = [
    ("06.smaller", [hdbscan_clusters(MATRIX, min_cluster_size=3)], "Right, because short videos"),
    ("06.smaller", [...], NOT_YET),
    ("06.smaller", [hdbscan_clusters(MATRIX, min_cluster_size=5)], "clusters of at least 5 segments"),
    ("06.smaller", [hdbscan_clusters(MATRIX, min_cluster_size=8)], "clusters of at least 8 segments"),
    ("06.smaller", [kmeans_clusters(MATRIX, 5)], "nothing is noise here"),
    ("06.smaller", [3], "a cluster for each segment is wanted"),
    ("06.medoid", [ORDER[-1]], "Right, because its mean cosine"),
    ("06.medoid", [...], NOT_YET),
    ("06.medoid", [ORDER[0]], "least like the others"),
    ("06.medoid", [ORDER[-3]], "2 segments of the cluster have a higher mean"),
    ("06.medoid", ["segment of another cluster"], "not in the cluster"),
    ("06.medoid", [4], "a segment_id is wanted"),
    ("06.neighbours", [NEAR, APART], "Right, because neighbours are alike"),
    ("06.neighbours", [..., APART], NOT_YET),
    ("06.neighbours", [1.0, APART], "each segment with itself"),
    ("06.neighbours", [float(np.diagonal(COSINES, 2).mean()), APART], "one segment between them"),
    ("06.neighbours", [0.123, APART], "the mean of one line"),
    ("06.neighbours", [NEAR, float(COSINES.mean())], "leave the diagonal out"),
    ("06.neighbours", [NEAR, 0.9], "everybody is another number"),
    ("06.rand", [rand], "Right, because you asked about pairs"),
    ("06.rand", [lambda one, other: None], NOT_YET),
    ("06.rand", [lambda one, other: 3], "by the number of all pairs"),
    (
        "06.rand",
        [lambda one, other: sum(a == b for a, b in zip(one, other, strict=True)) / len(one)],
        "same number",
    ),
    ("06.rand", [lambda one, other: rand(one, other, itself=True)], "no pair with itself"),
    ("06.rand", [lambda one, other: rand(one, other, apart=False)], "put *apart* agree"),
    ("06.rand", [lambda one, other: 0.5], "how clusters are numbered"),
]


@pytest.mark.parametrize(("name", "answers", "said"), CASES)
def test_what_a_check_says(verdict: Callable[..., str], name: str, answers: list[Any], said: str) -> None:
    given: dict[str, Any] = GIVEN.get(name, {})
    assert said in verdict(name, *answers, **given)

"""Fewer rows, and fewer numbers in each: what an analysis of very many segments computes with."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from helpers.analysis.matrix import Matrix

MOST_ROWS = 10_000  # what takes minutes on more rows than these is computed on a sample of so many


def sample_rows(n: int, seed: int = 0) -> npt.NDArray[np.intp]:
    """All of n rows, or MOST_ROWS of them drawn at random, in order."""
    if n <= MOST_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, MOST_ROWS, replace=False))


def nearest_in(rows: npt.NDArray[Any], sample: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """For each row the position of the nearest row in the sample; of a row of the sample its own."""
    if len(sample) == len(rows):
        return np.arange(len(rows))
    near = NearestNeighbors(n_neighbors=1).fit(rows[sample]).kneighbors(rows, return_distance=False)
    return np.asarray(near[:, 0], dtype=np.intp)


def principal_components(matrix: Matrix, components: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """The first principal components (n, components or fewer, but at least 2); exact, and always with one sign."""
    rows = np.asarray(matrix, dtype=np.float64)
    most = min(components, len(rows) - 1, rows.shape[1])
    # Exact, and quick even on 10,000 rows; scikit-learn makes the largest weight of each component positive.
    with threadpool_limits(1):
        points = PCA(most, svd_solver="covariance_eigh", random_state=seed).fit_transform(rows)
    return np.pad(points, ((0, 0), (0, max(0, 2 - most))))

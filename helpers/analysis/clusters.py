"""Clusters of segments: how many, which, how stable, how they agree with other labels, and on a map.

The mathematics is scikit-learn's. Everything takes a matrix with a row per segment (see `cluster_matrix`) or
the segments themselves, and gives arrays or tables in the same order; the same seed gives the same answer.
"""

import importlib
import importlib.util
import itertools
from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.cluster import HDBSCAN, KMeans, kmeans_plusplus
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score, silhouette_score
from threadpoolctl import threadpool_limits

from helpers.analysis.checks import NOISE, as_array, check_matrix, seed_number, tell, whole_number
from helpers.analysis.matrix import Labels, Matrix, distinct_rows, is_one_kind
from helpers.analysis.reduced import nearest_in, principal_components, sample_rows
from helpers.arguments import as_list
from helpers.errors import AnalysisError
from helpers.progress import progress_bar

STARTS = 10  # k-means is run from so many starting points, and the best run counts
FEW_STARTS = 3  # with more rows than MANY, so that 10,000 of 512 numbers take seconds
MANY = 2000
SILHOUETTE_ROWS = 2000  # the silhouette takes each pair of rows, so of more rows a sample is measured
LEAST_SIZES = (2, 5)  # of a cluster of HDBSCAN, where nobody says one
NEIGHBOURS = 15  # that each point minds on a map by UMAP
PERPLEXITY = 30.0  # of t-SNE: about how many neighbours each point minds


# ---------------------------------------------------------------- clusters
def choose_k(matrix: Matrix, ks: Iterable[int] = range(2, 21), *, seed: int = 0) -> pd.DataFrame:
    """k-means for each number of clusters: columns k, inertia, silhouette.

    `inertia` is the sum of squared distances to the cluster centres: it always falls, and a bend in its curve
    hints at a good k. `silhouette` (Rousseeuw 1987, doi:10.1016/0377-0427(87)90125-7) is the mean over rows of
    (b - a) / max(a, b), where a is the mean distance to the row's own cluster and b to the nearest other one:
    from -1 to 1, higher is better; NaN where each row is a cluster of its own, as it is not defined there. Of
    more than 2,000 rows it is that of a sample, and of more than 10,000 so is all else. A k above the number
    of different vectors is left out; where none is left, the one row is that of a single cluster.
    Raises AnalysisError as `kmeans_clusters`, and for no k at all.
    """
    matrix, seed = check_matrix(matrix), seed_number(seed)
    matrix = matrix[sample_rows(len(matrix), seed)]
    different = len(distinct_rows(matrix, "k-means")[0])
    asked = sorted({whole_number(k, "The number of clusters", least=2) for k in as_list(ks)})
    rows = []
    if not asked:
        raise AnalysisError("No number of clusters was asked for: give ks, such as range(2, 21).")
    if different > 1 and asked[0] > different:
        tell(
            f"There are {different} different segments, fewer than the {asked[0]} clusters asked for: all are one."
        )
    possible = [k for k in asked if k <= different] or [1]
    starts = _starts(matrix, possible[-1], seed) if len(matrix) > MANY else []
    for k in progress_bar("k-means", iterable=possible, unit=" k"):
        model = _best(matrix, k, starts) if starts else _kmeans(matrix, k, seed)
        rows.append(
            {"k": k, "inertia": float(model.inertia_), "silhouette": _silhouette(matrix, model, seed)}
        )
    return pd.DataFrame(rows)


def _silhouette(matrix: Matrix, model: KMeans, seed: int) -> float:
    rows = np.arange(len(matrix))
    if len(rows) > SILHOUETTE_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), SILHOUETTE_ROWS, replace=False))
    labels = model.labels_[rows]
    defined = 2 <= len(np.unique(labels)) < len(rows)
    return float(silhouette_score(matrix[rows], labels)) if defined else float("nan")


def _kmeans(matrix: Matrix, k: int, seed: int) -> KMeans:
    starts = STARTS if len(matrix) <= MANY else FEW_STARTS
    model = KMeans(n_clusters=k, n_init=starts, random_state=seed)
    # More threads gain little, lose much where the cores are busy, and add up in another order.
    with threadpool_limits(1):
        return model.fit(np.asarray(matrix, dtype=np.float32))


def _starts(matrix: Matrix, k: int, seed: int) -> list[npt.NDArray[np.float64]]:
    """Centres to start from, drawn one after the other, so that the first of them are a start for a smaller k."""
    rows, draw = np.asarray(matrix, dtype=np.float64), np.random.RandomState(seed)
    with threadpool_limits(1):
        return [kmeans_plusplus(rows, k, random_state=draw)[0] for _ in range(FEW_STARTS)]


def _best(matrix: Matrix, k: int, starts: list[npt.NDArray[np.float64]]) -> KMeans:
    """The best run from these starts: to draw them anew for each k would take most of the time."""
    with threadpool_limits(1):
        runs = [KMeans(k, init=start[:k], n_init=1).fit(np.asarray(matrix, np.float32)) for start in starts]
    return min(runs, key=lambda run: float(run.inertia_))


def kmeans_clusters(matrix: Matrix, k: int, *, seed: int = 0) -> Labels:
    """The cluster of each row by k-means: an array (n,) of 0..k-1, the largest cluster first.

    On rows of length 1 the squared distance is 2 - 2 · cosine, so that near means alike. Clusters of one size
    stand in the order of their first rows: a number says nothing about the seed's luck. Of more than 10,000 rows
    a sample gives the centres, and each row belongs to the nearest of them. Fewer different vectors than k make as
    many clusters as there are of them, and a warning says so.
    Raises AnalysisError for a k that is no whole number from 2, and for no segment.
    """
    k, seed = whole_number(k, "The number of clusters", least=2), seed_number(seed)
    matrix = check_matrix(matrix)
    rows = matrix[sample_rows(len(matrix), seed)]
    model = _kmeans(rows, _possible(rows, k), seed)
    if len(rows) == len(matrix):
        return _numbered(model.labels_)
    with threadpool_limits(1):
        return _numbered(model.predict(np.asarray(matrix, dtype=np.float32)))


def _possible(matrix: Matrix, k: int) -> int:
    """As many clusters as were asked for, or as there are different vectors, which is said then."""
    different = len(distinct_rows(matrix, "k-means")[0])
    if 1 < different < k:
        what = f"{len(matrix)} segments" if k > len(matrix) else f"{different} different vectors"
        tell(f"There are {what}, fewer than the {k} clusters asked for: each of {different} is one.")
    return min(k, different)


def hdbscan_clusters(
    matrix: Matrix, *, min_cluster_size: int | None = None, components: int = 50, seed: int = 0
) -> Labels:
    """The cluster of each row by HDBSCAN: an array (n,), numbered as in `kmeans_clusters`; noise is -1.

    HDBSCAN (Campello et al. 2013, doi:10.1007/978-3-642-37456-2_14) finds how many dense groups of at least
    `min_cluster_size` rows there are, and leaves the rest as noise. It runs on the first `components` principal
    components (or as many as there are), where distances mean more. Without a size it is that of
    `least_cluster_size`, or the next smaller one that finds a group. Of more than 10,000 rows (which take 1.5 GB
    for seconds) a sample is clustered, and each other row belongs where the nearest row of the sample does.
    Fewer segments than `min_cluster_size` are all noise, equal ones are one cluster; a warning says so.
    Raises AnalysisError for no segment.
    """
    seed, matrix = seed_number(seed), check_matrix(matrix)
    sample = sample_rows(len(matrix), seed)
    size = least_cluster_size(len(sample)) if min_cluster_size is None else min_cluster_size
    sizes = [whole_number(size, "min_cluster_size", least=2)]
    if min_cluster_size is None:
        sizes = list(range(sizes[0], 1, -1)) if sizes[0] <= LEAST_SIZES[1] else sizes
    components = whole_number(components, "The number of components", least=1)
    if is_one_kind(matrix, "HDBSCAN"):
        return np.zeros(len(matrix), dtype=np.int64)
    if sizes[0] > len(matrix):
        tell(
            f"There are {len(matrix)} segments, fewer than min_cluster_size={sizes[0]}: all of them are noise."
        )
        return np.full(len(matrix), NOISE, dtype=np.int64)
    rows = principal_components(matrix, components, seed)
    for size in sizes:
        # Each distance at once: among so many components, the trees of scikit-learn take twice as long.
        found = HDBSCAN(min_cluster_size=size, algorithm="brute", copy=True).fit(rows[sample]).labels_
        if (found != NOISE).any():
            break
    return _numbered(found[nearest_in(rows, sample)])


def least_cluster_size(n: int) -> int:
    """The least size of a cluster that suits n rows: 2 for a few dozen, 5 from 100 on, 50 for 10,000."""
    return max(LEAST_SIZES[0], min(LEAST_SIZES[1], n // 20), n // 200)


def _numbered(labels: npt.ArrayLike) -> Labels:
    """Clusters renumbered by size, largest 0, equal sizes by their first row; noise stays -1."""
    found = np.asarray(labels)
    names, first, counts = np.unique(found, return_index=True, return_counts=True)
    real = names != NOISE
    order = names[real][np.lexsort((first[real], -counts[real]))]
    number = {int(name): i for i, name in enumerate(order)} | {NOISE: NOISE}
    return np.array([number[int(name)] for name in found], dtype=np.int64)


# ---------------------------------------------------------------- agreement
def stability(matrix: Matrix, k: int, *, seeds: Iterable[int] = range(10)) -> pd.DataFrame:
    """How alike k-means comes out from different seeds: seed_a, seed_b, ari, one row for each pair of seeds.

    `ari` is the adjusted Rand index (see `agreement`); of more than 10,000 rows it is that of a sample. Raises
    AnalysisError as `kmeans_clusters`, and for fewer than two seeds.
    """
    matrix = check_matrix(matrix)
    matrix = matrix[sample_rows(len(matrix), 0)]
    chosen = list(dict.fromkeys(map(seed_number, as_list(seeds))))
    if len(chosen) < 2:
        raise AnalysisError(f"Stability compares seeds, but there are {len(chosen)}: give two or more.")
    k = _possible(matrix, whole_number(k, "The number of clusters", least=2))
    runs = {seed: _kmeans(matrix, k, seed).labels_ for seed in chosen}
    rows = [
        {"seed_a": a, "seed_b": b, "ari": float(adjusted_rand_score(runs[a], runs[b]))}
        for a, b in itertools.combinations(chosen, 2)
    ]
    return pd.DataFrame(rows)


def agreement(labels: Mapping[str, npt.ArrayLike]) -> pd.DataFrame:
    """How far labellings of the same rows agree: columns a, b (their names), ari, nmi; a row for each pair.

    `ari`, the adjusted Rand index (Hubert and Arabie 1985, doi:10.1007/BF01908075), is 1 for the same groups
    and about 0 for what chance gives; it can be negative. `nmi`, the normalised mutual information (over the
    arithmetic mean of both entropies), goes from 0 to 1 but is not corrected for chance: many small groups
    raise it. Neither minds how groups are called; noise (-1) counts as a group. Labels may be numbers or words.
    Raises AnalysisError for fewer than two labellings, or different lengths.
    """
    if not isinstance(labels, Mapping):
        raise AnalysisError(f"The labellings are a {type(labels).__name__}: give a dict, name to labels.")
    if len(labels) < 2:
        raise AnalysisError(f"Agreement compares labellings, but there are {len(labels)}: give two or more.")
    arrays = {name: as_array(values, f"labels {name!r}") for name, values in labels.items()}
    sizes = {name: array.shape for name, array in arrays.items()}
    if len(set(sizes.values())) > 1 or any(len(shape) != 1 or not shape[0] for shape in sizes.values()):
        rows_of = ", ".join(f"{name} {array.size}" for name, array in arrays.items())
        raise AnalysisError(f"The labellings must be of the same segments, but they have rows: {rows_of}.")
    for name, array in arrays.items():
        if array.dtype == object and not all(map(pd.api.types.is_scalar, array)):
            raise AnalysisError(f"A label of {name!r} is no number or word: give one for each segment.")
    codes = {name: pd.factorize(array)[0] for name, array in arrays.items()}
    rows = [
        {
            "a": a,
            "b": b,
            "ari": float(adjusted_rand_score(codes[a], codes[b])),
            "nmi": float(normalized_mutual_info_score(codes[a], codes[b])),
        }
        for a, b in itertools.combinations(codes, 2)
    ]
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- maps
def map_points(matrix: Matrix, *, method: str = "pca", seed: int = 0) -> pd.DataFrame:
    """Each row as a point on a map: columns x, y.

    "pca" shows the two directions in which the rows differ most: distances keep their meaning, and the map is
    the same each time. "tsne" (van der Maaten and Hinton 2008, from at most 50 principal components) keeps
    neighbours together; how far apart its groups lie, and how large they are, means nothing. It takes half a
    minute for 10,000 rows; of more a sample is laid out, and each other row stands where its nearest does. "umap"
    (McInnes et al. 2018, arXiv:1802.03426) does much the same sooner, where the package umap-learn is installed.
    One segment, and equal ones, lie on one point, and a warning says so.
    Raises AnalysisError for another method, or one that is not installed, and for no segment.
    """
    matrix, seed = check_matrix(matrix), seed_number(seed)
    if not isinstance(method, str) or method not in ("pca", "tsne", "umap"):
        raise AnalysisError(f"There is no map by {method!r}: choose pca, tsne or umap.")
    if method == "umap" and not has_umap():
        raise AnalysisError(
            "A map by umap needs a package that is not installed: run `pip install umap-learn`, or choose tsne."
        )
    if is_one_kind(matrix, "a map"):
        points = np.zeros((len(matrix), 2))
    elif method == "pca":
        points = principal_components(matrix, 2, seed)
    else:
        rows, sample = principal_components(matrix, 50, seed), sample_rows(len(matrix), seed)
        lay_out = _tsne if method == "tsne" else _umap
        points = lay_out(rows[sample], seed)[nearest_in(rows, sample)]
    table = pd.DataFrame(points.astype(np.float64), columns=["x", "y"])
    table.attrs["method"] = method  # what a figure calls its axes
    return table


def has_umap() -> bool:
    """Whether the package for maps by "umap" is installed."""
    return importlib.util.find_spec("umap") is not None


def _tsne(rows: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    model = TSNE(init="pca", perplexity=min(PERPLEXITY, (len(rows) - 1) / 3), random_state=seed)
    return np.asarray(model.fit_transform(rows))


def _umap(rows: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    if len(rows) <= NEIGHBOURS:  # too few to have neighbours and others
        return rows[:, :2]
    umap = importlib.import_module("umap")  # takes seconds
    model = umap.UMAP(n_neighbors=NEIGHBOURS, init="pca", random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(rows))

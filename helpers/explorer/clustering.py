"""The clusters and the map that the explorer's controls ask for."""

import math
import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from ipywidgets import Widget

from helpers.analysis.checks import NOISE
from helpers.analysis.clusters import hdbscan_clusters, kmeans_clusters, map_points
from helpers.analysis.matrix import Labels, Matrix, cluster_matrix
from helpers.explorer.controls import Controls
from helpers.explorer.state import point_bytes
from helpers.explorer.wording import names_left

MOST_K = 8  # to begin with: more names than one learns at a glance


class Clustered(NamedTuple):
    """The matrix (n, d) with rows of length 1, the cluster of each row (n,), the places for the page, and what the
    analysis had to say of few or equal segments."""

    matrix: Matrix
    labels: Labels
    points: bytes
    sentences: list[str]


class Clustering:
    """Clusters segments as the controls say; matrices and maps are kept, as they stay the same for every k."""

    def __init__(self, segments: pd.DataFrame) -> None:
        self._segments = segments
        self._matrices: dict[tuple[str, bool], Matrix] = {}
        self._points: dict[tuple[str, bool, str], bytes] = {}

    def cluster(self, controls: Controls) -> Clustered:
        """Raises AnalysisError where that is not possible."""
        with warnings.catch_warnings(record=True, action="always", category=UserWarning) as said:
            matrix, points = self._map(controls.option.value, controls.centre.value, controls.map.value)
            if controls.method.value == "kmeans":
                labels = kmeans_clusters(matrix, controls.k.value)
            else:
                labels = hdbscan_clusters(matrix, min_cluster_size=controls.least.value)
        sentences = list(dict.fromkeys(str(warning.message) for warning in said))
        return Clustered(matrix, labels, points, sentences)

    def _map(self, option: str, centre: bool, method: str) -> tuple[Matrix, bytes]:
        if (option, centre) not in self._matrices:
            self._matrices[option, centre] = cluster_matrix(self._segments, option=option, centre=centre)
        matrix = self._matrices[option, centre]
        if (option, centre, method) not in self._points:
            points = map_points(matrix, method=method)
            self._points[option, centre, method] = point_bytes(points, self._segments)
        return matrix, self._points[option, centre, method]


def waiting(controls: Controls, changed: Sequence[Widget]) -> str:
    """What costs time after these controls have changed, in words; "" for none."""
    if not changed:
        return ""
    if list(changed) == [controls.map]:
        return "Drawing the map …"
    draws = any(control in changed for control in (controls.option, controls.centre, controls.map))
    return "Clustering, and drawing the map …" if draws else "Clustering …"


def default_k(n: int) -> int:
    """How many clusters to begin with for n segments: the root of half of them, from 2 to 8.

    A rule of thumb (Mardia, Kent and Bibby 1979, Multivariate Analysis, p. 365); the silhouette of `choose_k` takes
    as many clusterings as it compares, and on a dozen segments prefers one cluster each.
    """
    return min(MOST_K, max(2, round(math.sqrt(n / 2))))


def summary(labels: Labels, found: Labels, *, noise: bool, unmatched: list[str], whole: int) -> str:
    """What was found, in a few sentences: clusters, noise, names without a cluster, whole videos left out.

    `labels` (n,) are the clusters with every move, `found` (n,) those without; `noise` says whether there may be some.
    """
    here = set(np.unique(labels).tolist()) - {NOISE}
    own = len(here - set(np.unique(found).tolist()))
    words = f"{len(labels)} segments in {len(here)} clusters"
    if own:
        words += f" ({own} of them made by moves)"
    if noise:
        words += f", and {int((labels == NOISE).sum())} as noise"
    words += "."
    if unmatched:
        words += f" {names_left(unmatched)}"
    if whole:
        words += f" Left out: {whole} whole video{'s' if whole > 1 else ''}."
    return words

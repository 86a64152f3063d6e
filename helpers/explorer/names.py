"""The analyst's words while an explorer is open: as they were kept last, and as they fit the clusters shown."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from helpers.analysis.carry import assign_clusters
from helpers.analysis.labels import (
    COLUMNS,
    name_cluster,
    read_labels,
    tag_segments,
    write_labels,
)


class KeptNames:
    """The labels in a file, or in memory without one. `shown` are the same with the clusters on the map."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept = read_labels(path) if path else pd.DataFrame(columns=COLUMNS)
        self.shown = self._kept

    def carry(self, clusters: pd.Series) -> list[str]:
        """Let the kept names follow to these clusters, which are only tried; gives the names that found none.

        From the names as they were kept last, so that trying another k and coming back loses none.
        """
        carried = assign_clusters(self._kept, clusters)
        self.shown = carried.labels
        return carried.unmatched

    def name(self, cluster: int, name: str, clusters: pd.Series) -> list[str]:
        """Name a cluster and keep these clusters; gives the names that found none."""
        carried = assign_clusters(self._latest(), clusters)
        labels = name_cluster(carried.labels, cluster, name)
        self._keep(labels, shown=labels)
        return carried.unmatched

    def tag(self, tag: str, ids: Sequence[str], clusters: pd.Series) -> None:
        """Tag segments. The clusters shown may be a trial: they are kept when one is named, not by a tag."""
        labels = tag_segments(self._latest(), ids, tag)
        self._keep(labels, shown=assign_clusters(labels, clusters).labels)

    def place(self) -> str:
        """Where the words are, as the end of a sentence."""
        return f", kept in {self._path}" if self._path else " (not on disk: give labels=path to keep it)"

    def _latest(self) -> pd.DataFrame:
        """The words as the file has them now, as a cell or another explorer may have added some."""
        return read_labels(self._path) if self._path and self._path.exists() else self._kept

    def _keep(self, labels: pd.DataFrame, *, shown: pd.DataFrame) -> None:
        if self._path:
            write_labels(self._path, labels)
        self._kept, self.shown = labels, shown

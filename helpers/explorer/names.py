"""The analyst's words while an explorer is open: as they were kept last, and as they fit the clusters shown."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from helpers.analysis.carry import assign_clusters
from helpers.analysis.labels import (
    COLUMNS,
    annotate_segment,
    change_labels,
    name_cluster,
    read_labels,
    tag_segments,
    untag_segments,
)
from helpers.errors import AnalysisError
from helpers.explorer.history import Step, changed_cells, put_back

Change = Callable[[pd.DataFrame], pd.DataFrame]


class KeptNames:
    """The labels in a file, or in memory without one. `shown` are the same with the clusters on the map.

    Each change is made to the words as the file has them at that moment, while no other notebook writes there.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._kept = read_labels(path) if path else pd.DataFrame(columns=COLUMNS)
        self._done: list[Step] = []
        self._undone: list[Step] = []
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
        unmatched: list[str] = []

        def change(labels: pd.DataFrame) -> pd.DataFrame:
            carried = assign_clusters(labels, clusters)
            unmatched.extend(carried.unmatched)
            return name_cluster(carried.labels, cluster, name)

        self._do(f"the name {name!r}" if name else f"taking the name of cluster {cluster}", change, clusters)
        return unmatched

    # The clusters shown may be a trial: they are kept when one is named, not by a tag or a note.
    def tag(self, tag: str, ids: Sequence[str], clusters: pd.Series) -> None:
        """Tag segments."""
        self._do(f"the tag {tag!r}", lambda labels: tag_segments(labels, ids, tag), clusters)

    def untag(self, tag: str, ids: Sequence[str], clusters: pd.Series) -> None:
        """Take a tag from segments."""
        self._do(f"taking the tag {tag!r}", lambda labels: untag_segments(labels, ids, tag), clusters)

    def note(self, note: str, segment_id: str, clusters: pd.Series) -> None:
        """Set the note of a segment, "" for none."""
        self._do("the note", lambda labels: annotate_segment(labels, segment_id, note), clusters)

    def undo(self, clusters: pd.Series) -> str:
        """Take the last change back and say which; AnalysisError if there is none."""
        if not self._done:
            raise AnalysisError("There is nothing to undo: no name, tag or note was given here yet.")
        step = self._done[-1]
        self._write(lambda labels: put_back(labels, step.cells), clusters)
        self._undone.append(self._done.pop())
        return step.what

    def redo(self, clusters: pd.Series) -> str:
        """Do again what was undone last and say what; AnalysisError if there is none."""
        if not self._undone:
            raise AnalysisError("There is nothing to do again: undo something first.")
        step = self._undone[-1]
        self._write(lambda labels: put_back(labels, step.cells, now="before", then="after"), clusters)
        self._done.append(self._undone.pop())
        return step.what

    def place(self) -> str:
        """Where the words are, as the end of a sentence."""
        return f", kept in {self._path}" if self._path else " (not on disk: give labels=path to keep it)"

    def _do(self, what: str, change: Change, clusters: pd.Series) -> None:
        old, new = self._write(change, clusters)
        self._done.append(Step(what, changed_cells(old, new)))
        self._undone.clear()

    def _write(self, change: Change, clusters: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Change the words as they are now, and keep them; the tables before and after."""
        old = self._kept

        def on_latest(labels: pd.DataFrame) -> pd.DataFrame:
            nonlocal old
            if self._path and self._path.exists():  # a file that is gone is written again
                old = labels
            return change(old)

        new = change_labels(self._path, on_latest) if self._path else change(old)
        self._kept, self.shown = new, assign_clusters(new, clusters).labels
        return old, new

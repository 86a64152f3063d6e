"""The analyst's words while an explorer is open: as they were kept last, and as they fit the clusters shown."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pandas as pd

from helpers.analysis.carry import WAS, Carried, Overlap, assign_clusters
from helpers.analysis.checks import are_among, without_noise
from helpers.analysis.labels import (
    annotate_segment,
    change_labels,
    make_labels,
    name_cluster,
    read_labels,
    tag_segments,
    untag_segments,
)
from helpers.analysis.moves import OWN, move_segments, moved_clusters, unmove_segments
from helpers.arguments import checked_path
from helpers.errors import AnalysisError
from helpers.explorer.history import Step, changed_cells, put_back
from helpers.files import file_version

Change = Callable[[pd.DataFrame], pd.DataFrame]


class KeptNames:
    """The labels in a file, or in memory without one.

    `clusters` (a Series by segment_id) are those on the map: as they were found, with every move; `shown` are the
    labels with these, and `overlaps` says by cluster how a name fits it. Each change is made to the words as the
    file has them at that moment, while no other notebook writes there.
    """

    def __init__(self, path: str | Path | None) -> None:
        what = "path of the labels"
        self._path = None if path is None else checked_path(path, AnalysisError, what=what)
        self._seen = self._version()
        self._kept = read_labels(self._path) if self._path else make_labels({})
        self._found = self.clusters = pd.Series(dtype="int64")
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self.shown = self._kept
        self.overlaps: dict[int, Overlap] = {}

    def carry(self, clusters: pd.Series) -> list[str]:
        """Let the kept names follow to these clusters, which are only tried; gives the names that found none.

        From the names as they were kept last, so that trying another k and coming back loses none.
        """
        self._found = clusters
        return self._show()

    def clusters_kept(self, ids: Sequence[str]) -> int:
        """How many clusters these segments had when one was named last, those made by hand aside; 0 without a name."""
        kept = self._kept[are_among(self._kept["segment_id"], ids)]
        if not (kept["name"] != "").any():
            return 0
        return len(without_noise(kept["cluster"][~kept["moved"].str.startswith(OWN)]))

    def refresh(self) -> bool:
        """Take over what another notebook has written since; whether there was something."""
        version = self._version()
        if self._path is None or version == self._seen or not version:
            return False
        self._kept, self._seen = read_labels(self._path), version
        self._show()
        return True

    def name(self, cluster: int, name: str) -> list[str]:
        """Name a cluster and keep these clusters; gives the names that found none."""
        unmatched: list[str] = []

        def change(labels: pd.DataFrame) -> pd.DataFrame:
            carried = self._carried(labels)
            unmatched.extend(carried.unmatched)
            return name_cluster(carried.labels, cluster, name)

        self._do(f"the name {name!r}" if name else f"taking the name of cluster {cluster}", change)
        return unmatched

    def move(self, ids: Sequence[str], what: str, *, to: str | None) -> list[str]:
        """Put segments where the segment `to` is, None into a new cluster, and keep these clusters; gives the names
        that found none. "" lets them go back to where the clustering puts them.

        A name stays with the cluster that they leave, also where most of it leaves.
        """
        unmatched: list[str] = []

        def change(labels: pd.DataFrame) -> pd.DataFrame:
            carried = self._carried(labels)
            unmatched.extend(carried.unmatched)
            before = carried.labels
            moved = unmove_segments(before, ids) if to == "" else move_segments(before, ids, to=to)
            names = (
                moved[moved["name"] != ""].drop_duplicates("cluster").set_index("cluster")["name"].to_dict()
            )
            clusters = moved["segment_id"].map(moved_clusters(moved, self._found))
            leave = are_among(moved["segment_id"], ids) & clusters.notna() & (clusters != moved["cluster"])
            moved.loc[leave, "cluster"] = clusters[leave].astype("int64")
            moved.loc[leave, "name"] = [names.get(number, "") for number in moved.loc[leave, "cluster"]]
            for name in sorted(set(before["name"]) - set(moved["name"])):  # nothing is left of its cluster
                moved = tag_segments(
                    moved, before["segment_id"][before["name"] == name].tolist(), f"{WAS}{name}"
                )
                unmatched.append(name)
            return moved

        self._do(what, change)
        return unmatched

    # The clusters shown may be a trial: they are kept when one is named or changed, not by a tag or a note.
    def tag(self, tag: str, ids: Sequence[str]) -> None:
        """Tag segments."""
        self._do(f"the tag {tag!r}", lambda labels: tag_segments(labels, ids, tag))

    def untag(self, tag: str, ids: Sequence[str]) -> None:
        """Take a tag from segments."""
        self._do(f"taking the tag {tag!r}", lambda labels: untag_segments(labels, ids, tag))

    def note(self, note: str, segment_id: str) -> None:
        """Set the note of a segment, "" for none."""
        self._do("the note", lambda labels: annotate_segment(labels, segment_id, note))

    def undo(self) -> str:
        """Take the last change back and say which; AnalysisError if there is none."""
        if not self._done:
            raise AnalysisError(
                "There is nothing to undo: no name, tag, note or move was made since it was opened."
            )
        step = self._done[-1]
        self._write(lambda labels: put_back(labels, step.cells))
        self._undone.append(self._done.pop())
        return step.what

    def redo(self) -> str:
        """Do again what was undone last and say what; AnalysisError if there is none."""
        if not self._undone:
            raise AnalysisError("There is nothing to do again: undo something first.")
        step = self._undone[-1]
        self._write(lambda labels: put_back(labels, step.cells, now="before", then="after"))
        self._done.append(self._undone.pop())
        return step.what

    def place(self) -> str:
        """Where the words are, as the end of a sentence."""
        return (
            f", kept in {self._path}" if self._path else " (not in a file: it lasts as long as this explorer)"
        )

    def _do(self, what: str, change: Change) -> None:
        old, new = self._write(change)
        self._done.append(Step(what, changed_cells(old, new)))
        self._undone.clear()

    def _write(self, change: Change) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Change the words as they are now, and keep them; the tables before and after."""
        old = self._kept

        def on_latest(labels: pd.DataFrame) -> pd.DataFrame:
            nonlocal old
            if self._path and self._path.exists():  # a file that is gone is written again
                old = labels
            return change(old)

        new = change_labels(self._path, on_latest) if self._path else change(old)
        self._kept, self._seen = new, ()  # what another wrote right after this is read again
        self._show()
        return old, new

    def _carried(self, labels: pd.DataFrame) -> Carried:
        return assign_clusters(labels, moved_clusters(labels, self._found))

    def _show(self) -> list[str]:
        """Fit the kept words to the clusters on the map; gives the names that found none."""
        self.clusters = moved_clusters(self._kept, self._found)
        self.shown, matched, unmatched = assign_clusters(self._kept, self.clusters)
        here = self.clusters.value_counts().to_dict()
        inside = are_among(self._kept["segment_id"], self.clusters.index)
        named = self._kept["name"][inside].value_counts().to_dict()
        self.overlaps = {
            new: Overlap(shared, named.get(name, shared), here[new])
            for name, new, shared in zip(matched["name"], matched["new"], matched["shared"], strict=True)
        }
        return unmatched

    def _version(self) -> tuple[object, ...]:
        """What differs when the file is another; () without one."""
        with suppress(OSError):
            return file_version(self._path) if self._path else ()
        return ()

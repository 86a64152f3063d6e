"""Names, tags and notes in the explorer: what its lines and buttons do, and what the page shows of them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.checks import without_noise
from helpers.analysis.labels import split_tags
from helpers.errors import AnalysisError
from helpers.explorer.columns import CLUSTER
from helpers.explorer.controls import BACK, NEW, Controls
from helpers.explorer.names import KeptNames
from helpers.explorer.state import cluster_names
from helpers.explorer.view import ExplorerView
from helpers.explorer.wording import NOTHING_SELECTED, names_left


def words_by_row(labels: pd.DataFrame, ids: Sequence[str]) -> dict[int, dict[str, Any]]:
    """Tags (a list) and note of each row of `ids` that has any, by row; `moved` where it was moved."""
    spoken = labels[(labels["tags"] != "") | (labels["note"] != "") | (labels["moved"] != "")]
    row_of = {key: row for row, key in enumerate(ids)} if len(spoken) else {}
    return {
        row_of[key]: {"tags": split_tags(tags), "note": note} | ({"moved": True} if moved else {})
        for key, tags, note, moved in spoken[["segment_id", "tags", "note", "moved"]].itertuples(index=False)
        if key in row_of
    }


class Labelling:
    """What is done to the words of an analyst, each in one method; the status line says what was done.

    `shown()` says which rows (n,) are seen, `typical(cluster)` names a segment by which the cluster is known again;
    `changed()` is called when words have changed.
    """

    def __init__(
        self,
        names: KeptNames,
        controls: Controls,
        view: ExplorerView,
        *,
        ids: Sequence[str],
        typical: Callable[[int], str],
        shown: Callable[[], npt.NDArray[np.bool_]],
        changed: Callable[[], None],
    ) -> None:
        self._names, self._controls, self._view = names, controls, view
        self._ids, self._typical, self._shown, self._changed = ids, typical, shown, changed
        self.words: dict[int, dict[str, Any]] = {}

    def show(self) -> None:
        """Let the page and the line for tags know the words as they are now."""
        self.words = words_by_row(self._names.shown, self._ids)
        self._view.words = {str(row): said for row, said in self.words.items()}
        self._controls.tag.options = sorted({tag for said in self.words.values() for tag in said["tags"]})
        names = cluster_names(self._names.shown)
        numbers = without_noise(self._names.clusters.tolist())
        self._controls.offer_clusters(
            {n: f"{n} {names[n]}" if n in names else f"cluster {n}" for n in numbers}
        )

    def target(self) -> int | None:
        """The cluster that a name would go to: the one clicked in the legend, or that of the clicked point.

        None if the filter hides it: nobody is to name what they do not see.
        """
        shown, labels = self._shown(), self._names.clusters.to_numpy()
        if self._view.focus is not None:
            return int(self._view.focus) if (labels[shown] == self._view.focus).any() else None
        row = self._view.chosen
        return int(labels[row]) if self._is_row(row) and shown[row] else None

    def aim(self) -> None:
        """Let the line for a name belong to the cluster chosen, and that for a note to the clicked point."""
        if self._view.focus is not None and self.target() is None:  # hidden, or made by a move that is undone
            self._view.focus = None
        target = self.target()
        name = "" if target is None else cluster_names(self._names.shown).get(target, "")
        self._controls.aim_name(target, name)
        row = self._view.chosen
        self._controls.aim_note(self.words.get(row, {}).get("note", "") if self._is_row(row) else None)

    def name(self) -> None:
        target = self.target()
        if target is None:
            raise AnalysisError("No cluster is chosen: click a point, or a cluster in the legend.")
        name, before = self._controls.name.value.strip(), cluster_names(self._names.shown).get(target, "")
        lost = self._names.name(target, name)
        words = f"is called {name!r}" if name else "has no name"
        instead = f" instead of {before!r}" if name and before not in ("", name) else ""
        self._say(f"Cluster {target} {words}{instead}{self._names.place()}.", lost)

    def move(self) -> None:
        to = self._controls.target.value
        ids = [self._ids[row] for row in self._view.picked if self._is_row(row)]
        if not ids:
            raise AnalysisError(NOTHING_SELECTED)
        where = {NEW: "into a new cluster", BACK: "back to where the clustering puts them"}.get(
            to, f"to cluster {to}"
        )
        anchor = {NEW: None, BACK: ""}[to] if to in (NEW, BACK) else self._typical(to)
        lost = self._names.move(ids, f"the move {where}", to=anchor)
        if self._view.column == CLUSTER:  # a name is for where they are now
            found = set(self._names.clusters[ids].tolist())
            self._view.focus = found.pop() if len(found) == 1 else None
        self._say(f"{len(ids)} segment{'s' * (len(ids) > 1)} moved {where}{self._names.place()}.", lost)

    def tag(self) -> None:
        tag, ids = self._controls.tag.value.strip(), self._picked()
        if not tag or not ids:
            raise AnalysisError(
                "A tag needs words and a selection: draw around points or click one, then type."
            )
        self._names.tag(tag, ids)
        self._controls.tag.value = ""
        self._say(f"{_count(ids)} the tag {tag!r}{self._names.place()}.")

    def untag(self, tag: str) -> None:
        ids = [self._ids[row] for row in self._rows() if tag in self.words.get(row, {}).get("tags", ())]
        if not tag or not ids:
            raise AnalysisError(f"No segment of the selection has the tag {tag!r}: select some that have.")
        self._names.untag(tag, ids)
        self._controls.tag.value = ""
        self._say(f"{_count(ids)} the tag {tag!r} no more{self._names.place()}.")

    def note(self) -> None:
        row = self._view.chosen
        if not self._is_row(row):
            raise AnalysisError("A note belongs to one segment: click a point first.")
        note = self._controls.note.value.strip()
        self._names.note(note, self._ids[row])
        self._say(f"The segment has {'the note' if note else 'no note'}{self._names.place()}.")

    def undo(self) -> None:
        self._say(f"Undone: {self._names.undo()}.")

    def redo(self) -> None:
        self._say(f"Done again: {self._names.redo()}.")

    def _is_row(self, row: int) -> bool:
        return 0 <= row < len(self._ids)

    def _rows(self) -> list[int]:
        """The selection, or else the point that was clicked last."""
        rows = list(self._view.picked) or [self._view.chosen]
        return [row for row in rows if self._is_row(row)]

    def _picked(self) -> list[str]:
        return [self._ids[row] for row in self._rows()]

    def _say(self, sentence: str, lost: Sequence[str] = ()) -> None:
        self._changed()
        self._view.status = f"{sentence} {names_left(lost)}" if lost else sentence


def _count(ids: Sequence[str]) -> str:
    return f"{len(ids)} segments have" if len(ids) > 1 else "1 segment has"

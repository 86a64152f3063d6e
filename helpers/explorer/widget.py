"""The cluster explorer: a map of segments, a player, neighbours, a table, and the analyst's own names.

A widget for JupyterLab. What it computes stands in state.py, its page in view.py; clusters and
map are those of helpers.analysis, so that a figure by `plot_map` shows the same.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.checks import whole_number
from helpers.analysis.clusters import least_cluster_size
from helpers.analysis.exports import export_csv
from helpers.analysis.reduced import MOST_ROWS
from helpers.arguments import check_texts, checked_path
from helpers.errors import AnalysisError
from helpers.explorer import state
from helpers.explorer.clustering import Clustering, default_k, summary, waiting
from helpers.explorer.columns import CLUSTER, Coloured, colour_groups, coloured, columns_to_colour_by, visible
from helpers.explorer.controls import ALL, Controls
from helpers.explorer.labelling import Labelling
from helpers.explorer.names import KeptNames
from helpers.explorer.ranges import for_page, number_columns, within
from helpers.explorer.searching import Search, Searching
from helpers.explorer.settled import Settled
from helpers.explorer.suggested import Suggestions
from helpers.explorer.view import ExplorerView
from helpers.explorer.wording import NOTHING_SELECTED, on_screen
from helpers.settings import load_settings
from helpers.show.text_line import on_enter_or_click
from helpers.show.widget_base import QuietWidget


class ClusterExplorer(QuietWidget, widgets.VBox):  # type: ignore[misc]
    """The widget; `cluster_explorer` makes one. `selection` and `clusters` are for the next cell."""

    instead = "A map to explore stands here once this cell has run: points, players, names of your own."

    def __init__(
        self,
        segments: pd.DataFrame,
        *,
        search: Search | None,
        labels: str | Path | None,
        folder: str | Path | None,
        option: str,
        k: int | None,
    ) -> None:
        self.segments, self._whole = state.without_whole_videos(state.check_segments(segments))
        check_texts(AnalysisError, option=option)
        if search is not None and not callable(search):
            raise AnalysisError(f"The search is {search!r}: give a function of words, as for search_box.")
        self._names = KeptNames(labels)
        ids = self.segments["segment_id"].tolist()
        begun = self._names.clusters_kept(ids) or default_k(len(ids))
        k = begun if k is None else whole_number(k, "The number of clusters", least=2)
        folder = load_settings().home / "exports" if folder is None else folder
        self._folder = checked_path(folder, AnalysisError, what="folder for exports")
        videos, numbers = state.video_table(self.segments)
        self._found: Any = None  # the clusters (n,) without moves, as soon as there are some
        self._suggestions = Suggestions(self.segments)
        self._clustering = Clustering(self.segments)
        self._numbers = number_columns(self.segments)
        self.view = ExplorerView(
            page={"ids": ids, "videos": videos},
            numbers=for_page(self._numbers),
            videos=numbers.astype("<i4").tobytes(),
            shown=np.ones(len(numbers), dtype=np.uint8).tobytes(),
        )
        self.controls = Controls(
            videos=videos,
            options=state.choices(self.segments),
            columns=columns_to_colour_by(self.segments),
            option=option,
            k=max(2, min(k, len(numbers))),
            least=least_cluster_size(min(len(numbers), MOST_ROWS)),  # of more, a sample is clustered
        )
        self._settled = Settled(self.controls.clustering, say=self._announce, act=self._recluster)
        self._words = Labelling(
            self._names,
            self.controls,
            self.view,
            ids=ids,
            typical=self._typical,
            shown=self._shown,
            changed=self._show_words,
        )
        self._searching = Searching(
            self.segments, search, self.view, matrix=lambda: self._matrix, shown=self._shown
        )
        self._cluster()
        super().__init__([*self.controls.rows(search=search is not None), self.view])
        self._listen()

    # ------------------------------------------------------------ for the next cell
    @property
    def clusters(self) -> pd.Series:
        """The cluster of each segment, by segment_id; -1 is noise."""
        self._settled.now()
        return self._names.clusters.rename("cluster").rename_axis("segment_id")

    @property
    def selection(self) -> pd.DataFrame:
        """The selected segments, with their clusters, in the order of the table; empty if none is selected."""
        self._settled.now()
        rows = [row for row in self.view.picked if 0 <= row < len(self.segments)]
        return self.segments.iloc[rows].assign(cluster=self._labels[rows])

    @property
    def labels(self) -> pd.DataFrame:
        """Names, tags and notes with the clusters as they are now, as helpers.analysis.labels has them."""
        self._settled.now()
        return self._names.shown.copy()

    @property
    def _labels(self) -> npt.NDArray[np.int64]:
        return self._names.clusters.to_numpy()

    def _typical(self, cluster: int) -> str:
        """The segment_id by which a cluster is known again."""
        row = state.typical_row(self._matrix, self._found, self._labels, cluster)
        return str(self.segments["segment_id"].iat[row])

    def _listen(self) -> None:
        controls, view = self.controls, self.view
        controls.video.observe(lambda _: self._filter(), "value")
        controls.colour.observe(lambda _: self._colour(), "value")
        looking, words = self._searching, self._words
        for line, button, act in (
            (controls.words, controls.find, lambda: looking.words(controls.words.value.strip())),
            (controls.name, controls.rename, words.name),
            (controls.tag, controls.add_tag, words.tag),
            (controls.note, controls.keep_note, words.note),
        ):
            on_enter_or_click(line, button, partial(self._try, act))
        controls.drop_tag.on_click(lambda _: self._try(lambda: words.untag(controls.tag.value.strip())))
        controls.undo.on_click(lambda _: self._try(words.undo))
        controls.redo.on_click(lambda _: self._try(words.redo))
        controls.move.on_click(lambda _: self._try(words.move))
        controls.export.on_click(lambda _: self._try(self._export))
        view.observe(lambda _: view.forget_refusal(), ["chosen", "picked", "focus"])
        view.observe(lambda _: self._choose(), "chosen")
        view.observe(lambda _: self._words.aim(), "focus")
        view.observe(lambda _: self._filter(), ["hidden", "ranges"])
        view.on_msg(lambda _, message, __: self._answer(message))

    def _try(self, act: Callable[[], None]) -> None:
        with self.view.errors_in_status():
            act()

    def _refresh(self) -> None:
        """Show what another notebook has written since."""
        with self.view.errors_in_status():
            if self._names.refresh():
                self._show_words()

    # ------------------------------------------------------------ clusters
    def _cluster(self) -> None:
        """Cluster as the controls say; nothing changes if that is not possible."""
        controls = self.controls
        clustered = self._clustering.cluster(controls)
        if clustered.sentences and self._found is not None:  # what is on screen already tells more
            raise AnalysisError(clustered.sentences[0])
        self._matrix, self._found = clustered.matrix, clustered.labels
        self._settled.took()
        unmatched = self._names.carry(pd.Series(self._found, index=self.segments["segment_id"]))
        with self.view.hold_sync():
            self.view.points = clustered.points
            self.view.focus = None
            self.view.measures = {}
            self.view.hidden = {k: v for k, v in self.view.hidden.items() if k != CLUSTER}
            self._show_words()
            self.view.shown = self._shown().astype(np.uint8).tobytes()
            noise = controls.method.value == "hdbscan"
            said = summary(self._labels, self._found, noise=noise, unmatched=unmatched, whole=self._whole)
            self.view.at_rest = " ".join([said, *map(on_screen, clustered.sentences)])
            self.view.rest()
        controls.show_size()

    def _show_words(self) -> None:
        """Let the page show clusters, names, tags and notes as they are now, also in the colours."""
        with self.view.hold_sync():
            self.view.labels = self._labels.astype("<i4").tobytes()
            self.view.groups = state.legend_groups(
                self._labels,
                state.cluster_names(self._names.shown),
                overlaps=self._names.overlaps,
                suggested=self._suggestions.of(self._labels),
            )
            self._words.show()
            self._words.aim()
            self._colour()

    def _coloured(self, column: str) -> Coloured:
        tags = {row: said["tags"] for row, said in self._words.words.items()}
        return coloured(column, self.segments, self._labels, tags)

    def _colour(self) -> None:
        column = self.controls.colour.value
        found = self._coloured(column)
        with self.view.hold_sync():
            self.view.codes = found.codes.astype("<i4").tobytes()
            self.view.legend = colour_groups(found)
            self.view.column = column
            if column != CLUSTER:
                self.view.focus = None

    def _announce(self, changed: Sequence[widgets.Widget]) -> None:
        self.view.status = waiting(self.controls, changed) or self.view.at_rest

    def _recluster(self) -> None:
        try:
            with self.view.errors_in_status():
                self._names.refresh()
                self._cluster()
                self._show_neighbours()
        finally:  # the controls say what is shown, also where that stayed as it was
            self._settled.put_back()

    def _filter(self) -> None:
        self._refresh()
        shown = self._shown()
        self.view.shown = shown.astype(np.uint8).tobytes()
        self.view.picked = [row for row in self.view.picked if shown[row]]
        self._words.aim()
        self._show_neighbours()

    def _shown(self) -> npt.NDArray[np.bool_]:
        """Which rows (n,) the choice of a video and the legends leave."""
        video = self.controls.video.value
        shown = np.array((self.segments["video_id"] == video) | (video == ALL), dtype=bool)
        shown &= within(self._numbers, self.view.ranges, len(shown))
        for column, names in self.view.hidden.items():
            shown &= visible(self._coloured(column), names)
        return shown

    # ------------------------------------------------------------ one point
    def _choose(self) -> None:
        row = self.view.chosen
        if not 0 <= row < len(self.segments):
            return
        with self.view.errors_in_status():
            # First: it is waited for.
            self.view.player = state.clip_player(state.record(self.segments, row)) | {"row": row}
            self._refresh()
            self._words.aim()
            self._show_neighbours()

    def _show_neighbours(self) -> None:
        """Tiles of the rows nearest to the point that was clicked last."""
        row = self.view.chosen
        if row < 0:
            self.view.tiles = {}
            return
        found = state.nearest_rows(self._matrix, row, among=self._shown())
        title = f"Nearest by {self.controls.option.value}, with cosine"
        self.view.tiles = state.tile_strip(found, title=title, of=row)

    def _answer(self, message: dict[str, Any]) -> None:
        """Do what the page asks for: a still, the measures to sort by, an undo, what is similar to a row."""
        for name in message:
            match name:
                case "still":
                    self._send_still(message[name])
                case "measure":
                    self._try(self._measure)
                case "undo":
                    self._try(self._words.undo)
                case "redo":
                    self._try(self._words.redo)
                case "untag":
                    self._try(lambda: self._words.untag(str(message["untag"])))
                case "similar":
                    self._try(self._searching.alike)
                case "like" | "unlike" as kind:
                    self._try(lambda: self._searching.example(kind=kind, rows=message[kind]))
                case "clear":
                    self._try(self._searching.clear)

    def _send_still(self, row: object) -> None:
        """Answer a tile, or a mouse that rests on a point; the page asks one question at a time."""
        if not isinstance(row, int) or not 0 <= row < len(self.segments):
            return
        segment = state.record(self.segments, row)
        self.view.send({"still": row, "image": state.still_of(segment), "words": state.words_of(segment)})

    def _measure(self) -> None:
        before, self.view.status = self.view.status, "Measuring …"
        self.view.measures = state.measured(self._matrix, self._labels)
        self.view.status = before

    # ------------------------------------------------------------ export
    def _export(self) -> None:
        rows = self.selection
        if rows.empty:
            raise AnalysisError(NOTHING_SELECTED)
        paths = export_csv(rows, self._names.shown, state.free_path(self._folder, "selection.csv"))
        self.view.status = f"{len(rows)} segments are in {paths[0]}."


def cluster_explorer(
    segments: pd.DataFrame,
    *,
    search: Search | None = None,
    labels: str | Path | None = None,
    folder: str | Path | None = None,
    option: str = "visual",
    k: int | None = None,
) -> ClusterExplorer:
    """Explore segments (clips, with their vectors) on a map: click, draw around, search, name, export.

    `search(words)` gives hits that light up; without it there is no search box. `labels` is the path of
    labels.parquet, read at once and written whenever a cluster is named or a selection is tagged; without it words last
    as long as the widget. `folder` is where exports go (a folder of the home by default), `option` one of the segments'
    options or "fused", `k` the number of clusters to begin with: by default as many as when one was named last, or else
    2 to 8, by the number of segments. The choice of a video only hides points: to cluster one video, give its segments.
    Whole videos (scope asset) among clips are left out. Read `.selection` and `.clusters` in the next cell. Raises
    AnalysisError as `cluster_matrix`, `kmeans_clusters` and `read_labels` do; the widget says what goes wrong later.
    """
    return ClusterExplorer(segments, search=search, labels=labels, folder=folder, option=option, k=k)

"""The cluster explorer: a map of segments, a player, neighbours, a table, and the analyst's own names.

A widget for JupyterLab. What it computes stands in state.py, its page in view.py; clusters and
map are those of helpers.analysis, so that a figure by `plot_map` shows the same.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import numpy.typing as npt
import pandas as pd

from helpers.analysis.checks import NOISE, whole_number
from helpers.analysis.clusters import hdbscan_clusters, kmeans_clusters, least_cluster_size, map_points
from helpers.analysis.exports import export_csv
from helpers.analysis.matrix import Matrix, cluster_matrix
from helpers.errors import AnalysisError, VideoSearchError
from helpers.explorer import state
from helpers.explorer.controls import ALL, Controls
from helpers.explorer.names import KeptNames
from helpers.explorer.view import ExplorerView
from helpers.settings import load_settings
from helpers.show.widget_base import QuietWidget, on_enter_or_click

TILES = 8  # hits that have a tile below the player
UNEXPECTED = "Something unexpected went wrong: do the same in a cell to see what."
Search = Callable[[str], pd.DataFrame]


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
        k: int,
    ) -> None:
        self.segments, self._whole = state.without_whole_videos(state.check_segments(segments))
        whole_number(k, "The number of clusters", least=2)
        self._search = search
        self._names = KeptNames(Path(labels).expanduser() if labels is not None else None)
        self._folder = Path(folder).expanduser() if folder is not None else load_settings().home / "exports"
        videos, numbers = state.video_table(self.segments)
        self._labels: Any = None  # an array (n,), as soon as there are clusters
        self._maps: dict[tuple[str, bool], tuple[Matrix, bytes]] = {}
        self.view = ExplorerView(
            page={"ids": self.segments["segment_id"].tolist(), "videos": videos},
            videos=numbers.astype("<i4").tobytes(),
            shown=np.ones(len(numbers), dtype=np.uint8).tobytes(),
        )
        self.controls = Controls(
            videos=videos,
            options=state.choices(self.segments),
            option=option,
            k=min(k, max(2, len(numbers))),
            least=least_cluster_size(len(numbers)),
        )
        self._cluster()
        super().__init__([*self.controls.rows(search=search is not None), self.view])
        self._listen()

    # ------------------------------------------------------------ for the next cell

    @property
    def clusters(self) -> pd.Series:
        """The cluster of each segment, by segment_id; -1 is noise."""
        return pd.Series(
            self._labels, index=pd.Index(self.segments["segment_id"], name="segment_id"), name="cluster"
        )

    @property
    def selection(self) -> pd.DataFrame:
        """The selected segments, with their clusters, in the order of the table; empty if none is selected."""
        rows = [row for row in self.view.picked if 0 <= row < len(self.segments)]
        return self.segments.iloc[rows].assign(cluster=self._labels[rows])

    @property
    def labels(self) -> pd.DataFrame:
        """Names, tags and notes with the clusters as they are now, as helpers.analysis.labels has them."""
        return self._names.shown.copy()

    def _listen(self) -> None:
        controls, view = self.controls, self.view
        for control in controls.clustering:
            control.observe(lambda _: self._recluster(), "value")
        controls.video.observe(lambda _: self._filter(), "value")
        on_enter_or_click(controls.words, controls.find, self._look_up)
        on_enter_or_click(controls.name, controls.rename, self._name)
        on_enter_or_click(controls.tag, controls.add_tag, self._tag)
        controls.export.on_click(lambda _: self._export())
        view.observe(lambda _: self._choose(), "chosen")
        view.observe(lambda _: self._aim(), "focus")
        view.observe(lambda change: None if change["new"] else self._show_neighbours(), "hits")
        view.on_msg(lambda _, message, __: self._send_still(message))

    @contextmanager
    def _errors_in_status(self) -> Iterator[None]:
        """A foreseen error becomes the status line; an unforeseen one is said there, and raised."""
        try:
            yield
        except VideoSearchError as error:
            self.view.status = str(error)
        except Exception:
            self.view.status = UNEXPECTED
            raise

    # ------------------------------------------------------------ clusters

    def _cluster(self) -> None:
        """Cluster as the controls say; nothing changes if that is not possible."""
        controls = self.controls
        with warnings.catch_warnings(record=True, action="always", category=UserWarning) as said:
            matrix, points = self._map(controls.option.value, controls.centre.value)
            if controls.method.value == "kmeans":
                labels = kmeans_clusters(matrix, controls.k.value)
            else:
                labels = hdbscan_clusters(matrix, min_cluster_size=controls.least.value)
        sentences = [str(warning.message) for warning in said]
        if sentences and self._labels is not None:  # what is on screen already tells more
            raise AnalysisError(sentences[0])
        self._matrix, self._labels = matrix, labels
        self._used = {control: control.value for control in controls.clustering}
        unmatched = self._names.carry(self.clusters)
        with self.view.hold_sync():
            self.view.points = points
            self.view.labels = labels.astype("<i4").tobytes()
            self.view.focus = None
            self._show_names()
            self.view.status = " ".join([self._summary(unmatched), *dict.fromkeys(sentences)])
        controls.show_size()

    def _map(self, option: str, centre: bool) -> tuple[Matrix, bytes]:
        """The matrix and its map, which stay the same whatever the clusters are."""
        if (option, centre) not in self._maps:
            matrix = cluster_matrix(self.segments, option=option, centre=centre)
            self._maps[option, centre] = matrix, state.point_bytes(map_points(matrix), self.segments)
        return self._maps[option, centre]

    def _summary(self, unmatched: list[str]) -> str:
        found = len(set(self._labels.tolist()) - {NOISE})
        words = f"{len(self._labels)} segments in {found} clusters"
        if self.controls.method.value == "hdbscan":
            words += f", and {int((self._labels == NOISE).sum())} as noise"
        words += "."
        if unmatched:
            words += f" No cluster shares segments with these names now: {', '.join(unmatched)}."
        if self._whole:
            words += f" Left out: {self._whole} whole video{'s' if self._whole > 1 else ''}."
        return words

    def _show_names(self) -> None:
        self.view.groups = state.legend_groups(self._labels, state.cluster_names(self._names.shown))

    def _recluster(self) -> None:
        if all(control.value == value for control, value in self._used.items()):
            return  # a control that went back
        self.view.status = "Clustering …"
        try:
            with self._errors_in_status():
                self._cluster()
                self._aim()
                self._show_neighbours()
        finally:  # the controls say what is shown, also where that stayed as it was
            for control, value in self._used.items():
                control.value = value

    def _filter(self) -> None:
        shown = self._shown()
        self.view.shown = shown.astype(np.uint8).tobytes()
        self.view.picked = [row for row in self.view.picked if shown[row]]
        if self.view.focus is not None and self._target() is None:
            self.view.focus = None
        self._aim()
        self._show_neighbours()

    def _shown(self) -> npt.NDArray[np.bool_]:
        """Which rows (n,) the choice of a video leaves."""
        video = self.controls.video.value
        if video == ALL:
            return np.ones(len(self.segments), dtype=bool)
        return np.asarray(self.segments["video_id"] == video, dtype=bool)

    # ------------------------------------------------------------ one point

    def _choose(self) -> None:
        row = self.view.chosen
        if not 0 <= row < len(self.segments):
            return
        with self._errors_in_status():
            self.view.player = state.clip_player(state.record(self.segments, row))  # first: it is waited for
            self._aim()
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

    def _send_still(self, message: dict[str, Any]) -> None:
        """Answer a tile, or a mouse that rests on a point; the page asks one question at a time."""
        row = message.get("still")
        if not isinstance(row, int) or not 0 <= row < len(self.segments):
            return
        segment = state.record(self.segments, row)
        self.view.send({"still": row, "image": state.still_of(segment), "words": state.words_of(segment)})

    # ------------------------------------------------------------ names and tags

    def _target(self) -> int | None:
        """The cluster that a name would go to: the one clicked in the legend, or that of the clicked point.

        None if the filter hides it: nobody is to name what they do not see.
        """
        shown = self._shown()
        if self.view.focus is not None:
            seen = (self._labels[shown] == self.view.focus).any()
            return int(self.view.focus) if seen else None
        row = self.view.chosen
        return int(self._labels[row]) if 0 <= row < len(shown) and shown[row] else None

    def _aim(self) -> None:
        target = self._target()
        name = "" if target is None else state.cluster_names(self._names.shown).get(target, "")
        self.controls.aim_name(target, name)

    def _name(self) -> None:
        with self._errors_in_status():
            target = self._target()
            if target is None:
                raise AnalysisError("No cluster is chosen: click a point, or a cluster in the legend.")
            name = self.controls.name.value.strip()
            lost = self._names.name(target, name, self.clusters)
            self._show_names()
            words = f"is called {name!r}" if name else "has no name"
            if lost:
                words += f' (names that found no cluster are tags "was <name>" now: {", ".join(lost)})'
            self.view.status = f"Cluster {target} {words}{self._names.place()}."

    def _tag(self) -> None:
        with self._errors_in_status():
            tag, ids = self.controls.tag.value.strip(), self.selection["segment_id"].tolist()
            if not tag or not ids:
                raise AnalysisError("A tag needs words and a selection: draw around points, then type.")
            self._names.tag(tag, ids, self.clusters)
            self._show_names()
            self.view.status = f"{len(ids)} segments have the tag {tag!r}{self._names.place()}."

    # ------------------------------------------------------------ search, export

    def _look_up(self) -> None:
        words = self.controls.words.value.strip()
        if not words or self._search is None:
            self.view.hits = []
            return
        with self._errors_in_status():
            found, elsewhere = state.place_hits(self.segments, self._search(words))
            self.view.hits = [row for row, _ in found]
            lost = f", {elsewhere} not on this map" if elsewhere else ""
            self.view.status = f"Hits for {words!r}: {len(found)} light up{lost}."
            self.view.tiles = state.tile_strip(found[:TILES], title=f"Hits for {words!r}, by score")

    def _export(self) -> None:
        with self._errors_in_status():
            rows = self.selection
            if rows.empty:
                raise AnalysisError("Nothing is selected: draw around points with Lasso or Box, then export.")
            path = state.free_path(self._folder, "selection.csv")
            paths = export_csv(rows, self._names.shown, path)
            self.view.status = f"{len(rows)} segments are in {paths[0]}."


def cluster_explorer(
    segments: pd.DataFrame,
    *,
    search: Search | None = None,
    labels: str | Path | None = None,
    folder: str | Path | None = None,
    option: str = "visual",
    k: int = 8,
) -> ClusterExplorer:
    """Explore segments (clips, with their vectors) on a map: click, draw around, search, name, export.

    `search(words)` gives hits that light up; without it there is no search box. `labels` is the path of
    labels.parquet, read at once and written whenever a cluster is named or a selection is tagged; without it
    words last as long as the widget. `folder` is where exports go (a folder of the home by default). `option` is
    one of the segments' options or "fused", `k` the number of clusters to begin with. The choice of a video
    hides points, and leaves the clusters as they are: to cluster one video, give its segments only. Whole
    videos (scope asset) among clips are left out.
    Read `.selection` and `.clusters` in the next cell. Raises AnalysisError as `cluster_matrix`,
    `kmeans_clusters` and `read_labels` do; what goes wrong later is said in the widget, in one sentence.
    """
    return ClusterExplorer(segments, search=search, labels=labels, folder=folder, option=option, k=k)

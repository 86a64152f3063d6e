"""The cluster explorer: a map of segments, a player, neighbours, a table, and the analyst's own names.

A widget for JupyterLab. What it computes stands in state.py, its page in view.py; clusters and
map are those of helpers.analysis, so that a figure by `plot_map` shows the same.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from helpers.analysis.clusters import hdbscan_clusters, kmeans_clusters, map_points
from helpers.analysis.exports import export_csv
from helpers.analysis.labels import (
    COLUMNS,
    assign_clusters,
    name_cluster,
    read_labels,
    tag_segments,
    write_labels,
)
from helpers.analysis.matrix import Matrix, cluster_matrix
from helpers.errors import AnalysisError, VideoSearchError
from helpers.explorer.state import (
    check_segments,
    choices,
    clip_player,
    cluster_names,
    film_table,
    free_path,
    legend_groups,
    nearest_rows,
    place_hits,
    point_bytes,
    record,
    still_of,
    tile_strip,
    without_whole_videos,
    words_of,
)
from helpers.explorer.view import ExplorerView
from helpers.settings import load_settings
from helpers.show.widget_base import QuietWidget

ALL = ""  # the film filter that hides nothing


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
        self.segments, self._whole = without_whole_videos(check_segments(segments))
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 2:
            raise AnalysisError(f"The number of clusters is {k!r}: give a whole number from 2.")
        self._search = search
        self._path = Path(labels).expanduser() if labels is not None else None
        self._folder = Path(folder).expanduser() if folder is not None else load_settings().home / "exports"
        self._saved = read_labels(self._path) if self._path else pd.DataFrame(columns=COLUMNS)
        films, numbers = film_table(self.segments)
        ids = self.segments["segment_id"].tolist()
        self._maps: dict[tuple[str, bool], tuple[Matrix, bytes]] = {}
        self.view = ExplorerView(
            page={"ids": ids, "videos": films},
            videos=numbers.astype("<i4").tobytes(),
            shown=np.ones(len(numbers), dtype=np.uint8).tobytes(),
        )
        self._make_controls(films, option, k)
        self._cluster()
        super().__init__([*self._rows(), self.view])
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
        return self._words.copy()

    # ------------------------------------------------------------ controls

    def _make_controls(self, films: list[dict[str, str]], option: str, k: int) -> None:
        wide = {"description_width": "initial"}

        def auto(width: str) -> widgets.Layout:
            return widgets.Layout(width=width)

        options = choices(self.segments)
        self.option = widgets.Dropdown(
            options=options if option in options else [*options, option],
            value=option,
            description="vectors",
            style=wide,
            layout=auto("13em"),
        )
        self.method = widgets.Dropdown(
            options=[("k-means", "kmeans"), ("HDBSCAN", "hdbscan")],
            description="method",
            style=wide,
            layout=auto("12em"),
        )
        self.k = widgets.IntSlider(
            k,
            min=2,
            max=max(30, k),
            continuous_update=False,  # one clustering when the handle is let go, none on the way
            description="clusters",
            style=wide,
            layout=auto("17em"),
        )
        self.least = widgets.BoundedIntText(
            5, min=2, max=500, description="at least", style=wide, layout=auto("9em")
        )
        self.centre = widgets.Checkbox(
            description="centre each film",
            indent=False,
            layout=auto("11em"),
            tooltip="take each film's mean away: what differs within a film, not which film it is",
        )
        self._knobs = (self.option, self.method, self.k, self.least, self.centre)
        self.film = widgets.Dropdown(
            options=[("all films", ALL), *((film["title"], film["video_id"]) for film in films)],
            description="show",
            style=wide,
            layout=auto("15em"),
        )
        self.words = widgets.Text(placeholder="words to look for", layout=auto("14em"))
        self.find = widgets.Button(description="Search", layout=auto("5.5em"))
        self.name = widgets.Text(
            placeholder="click a point or a cluster first", layout=auto("14em"), disabled=True
        )
        self.rename = widgets.Button(description="Name cluster", layout=auto("10.5em"), disabled=True)
        self.tag = widgets.Text(placeholder="a tag for the selection", layout=auto("12em"))
        self.add_tag = widgets.Button(description="Tag", layout=auto("4em"))
        self.export = widgets.Button(
            description="Export", layout=auto("6em"), tooltip="write the selection as CSV"
        )

    def _rows(self) -> list[widgets.Widget]:
        line = widgets.Layout(flex_flow="row wrap", width="100%")
        search = [self.words, self.find] if self._search else []
        first = [self.option, self.method, self.k, self.least, self.centre, self.film]
        second = [*search, self.name, self.rename, self.tag, self.add_tag, self.export]
        return [widgets.HBox(first, layout=line), widgets.HBox(second, layout=line)]

    def _listen(self) -> None:
        for control in self._knobs:
            control.observe(lambda _: self._recluster(), "value")
        self.film.observe(lambda _: self._filter(), "value")
        for button, line, act in (
            (self.find, self.words, self._look_up),
            (self.rename, self.name, self._name),
            (self.add_tag, self.tag, self._tag),
        ):
            button.on_click(lambda _, act=act: act())
            # The Enter key; a change of value also fires when the field is left.
            line.on_msg(lambda _, message, __, act=act: act() if message.get("event") == "submit" else None)
        self.export.on_click(lambda _: self._export())
        self.view.observe(lambda _: self._choose(), "chosen")
        self.view.observe(lambda _: self._aim(), "focus")
        self.view.observe(lambda change: None if change["new"] else self._show_strip(), "hits")
        self.view.on_msg(lambda _, message, __: self._send_still(message))

    @contextmanager
    def _told(self) -> Iterator[None]:
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
        matrix, points = self._map(self.option.value, self.centre.value)
        if self.method.value == "kmeans":
            labels = kmeans_clusters(matrix, self.k.value)
        else:
            labels = hdbscan_clusters(matrix, min_cluster_size=self.least.value)
        self._matrix, self._labels = matrix, labels
        self._used = {control: control.value for control in self._knobs}
        # From the names as they were saved last, so that trying another k and coming back loses none.
        carried = assign_clusters(self._saved, self.clusters)
        self._words = carried.labels
        with self.view.hold_sync():
            self.view.points = points
            self.view.labels = labels.astype("<i4").tobytes()
            self.view.focus = None
            self._show_names()
            self.view.status = self._summary(carried.unmatched)
        self._fit_controls()

    def _map(self, option: str, centre: bool) -> tuple[Matrix, bytes]:
        """The matrix and its map, which stay the same whatever the clusters are."""
        if (option, centre) not in self._maps:
            matrix = cluster_matrix(self.segments, option=option, centre=centre)
            self._maps[option, centre] = matrix, point_bytes(map_points(matrix), self.segments)
        return self._maps[option, centre]

    def _summary(self, unmatched: list[str]) -> str:
        found = len(set(self._labels.tolist()) - {-1})
        noise = int((self._labels < 0).sum())
        said = f"{len(self._labels)} segments in {found} clusters"
        said += f", and {noise} as noise." if self.method.value == "hdbscan" else "."
        if unmatched:
            said += f" No cluster shares segments with these names now: {', '.join(unmatched)}."
        if self._whole:
            said += f" Left out: {self._whole} whole video{'s' if self._whole > 1 else ''}."
        return said

    def _show_names(self) -> None:
        names = cluster_names(self._words[self._words["segment_id"].isin(self.segments["segment_id"])])
        self.view.groups = legend_groups(self._labels, names)

    def _fit_controls(self) -> None:
        kmeans = self.method.value == "kmeans"
        self.k.layout.display = "" if kmeans else "none"
        self.least.layout.display = "none" if kmeans else ""

    def _recluster(self) -> None:
        if all(control.value == value for control, value in self._used.items()):
            return  # a control that went back
        self.view.status = "Clustering …"
        try:
            with self._told():
                self._cluster()
                self._aim()
                self._show_strip()
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
        self._show_strip()

    def _shown(self) -> Any:
        if self.film.value == ALL:
            return np.ones(len(self.segments), dtype=bool)
        return (self.segments["video_id"] == self.film.value).to_numpy()

    # ------------------------------------------------------------ one point

    def _choose(self) -> None:
        row = self.view.chosen
        if not 0 <= row < len(self.segments):
            return
        with self._told():
            self.view.player = clip_player(record(self.segments, row))  # first: it is waited for
            self._aim()
            self._show_strip()

    def _show_strip(self) -> None:
        """The neighbours of the point that was clicked last."""
        row = self.view.chosen
        if row < 0:
            self.view.tiles = {}
            return
        found = nearest_rows(self._matrix, row, among=self._shown())
        title = f"Nearest by {self.option.value}, with cosine"
        self.view.tiles = tile_strip(found, title=title, of=row)

    def _send_still(self, message: dict[str, Any]) -> None:
        """Answer a tile, or a mouse that rests on a point; the page asks one question at a time."""
        row = message.get("still")
        if not isinstance(row, int) or not 0 <= row < len(self.segments):
            return
        segment = record(self.segments, row)
        self.view.send({"still": row, "image": still_of(segment), "words": words_of(segment)})

    # ------------------------------------------------------------ words

    def _target(self) -> int | None:
        """The cluster that a name would go to: the one clicked in the legend, or that of the clicked point.

        None if the film filter hides it: nobody is to name what they do not see.
        """
        shown = self._shown()
        if self.view.focus is not None:
            seen = (self._labels[shown] == self.view.focus).any()
            return int(self.view.focus) if seen else None
        row = self.view.chosen
        return int(self._labels[row]) if 0 <= row < len(shown) and shown[row] else None

    def _aim(self) -> None:
        target = self._target()
        can = target is not None and target >= 0
        self.name.disabled = self.rename.disabled = not can
        self.name.value = cluster_names(self._words).get(target, "") if target is not None else ""
        self.rename.description = f"Name cluster {target}" if can else "Name cluster"
        self.name.placeholder = f"a name for cluster {target}" if can else "click a point or a cluster first"

    def _name(self) -> None:
        with self._told():
            target = self._target()
            if target is None:
                raise AnalysisError("No cluster is chosen: click a point, or a cluster in the legend.")
            name = self.name.value.strip()
            carried = assign_clusters(self._stored(), self.clusters)
            words = name_cluster(carried.labels, target, name)
            self._keep(words, words)
            said = f"is called {name!r}" if name else "has no name"
            if carried.unmatched:
                lost = ", ".join(carried.unmatched)
                said += f' (names that found no cluster are tags "was <name>" now: {lost})'
            self.view.status = f"Cluster {target} {said}{self._kept()}."

    def _tag(self) -> None:
        with self._told():
            tag, ids = self.tag.value.strip(), self.selection["segment_id"].tolist()
            if not tag or not ids:
                raise AnalysisError("A tag needs words and a selection: draw around points, then type.")
            stored = tag_segments(self._stored(), ids, tag)
            # The clusters shown may be a trial: they are kept when one is named, not by a tag.
            self._keep(stored, assign_clusters(stored, self.clusters).labels)
            self.view.status = f"{len(ids)} segments have the tag {tag!r}{self._kept()}."

    def _stored(self) -> pd.DataFrame:
        """The words as the file has them now, as a cell or another explorer may have added some."""
        if self._path and self._path.exists():
            return read_labels(self._path)
        return self._saved

    def _keep(self, stored: pd.DataFrame, shown: pd.DataFrame) -> None:
        """Write the words to disk; `shown` are the same with the clusters on the map."""
        if self._path:
            write_labels(self._path, stored)
        self._saved, self._words = stored, shown
        self._show_names()

    def _kept(self) -> str:
        return f", kept in {self._path}" if self._path else " (not on disk: give labels=path to keep it)"

    # ------------------------------------------------------------ search, export

    def _look_up(self) -> None:
        words = self.words.value.strip()
        if not words or self._search is None:
            self.view.hits = []
            return
        with self._told():
            found, elsewhere = place_hits(self.segments, self._search(words))
            self.view.hits = [row for row, _ in found]
            lost = f", {elsewhere} not on this map" if elsewhere else ""
            self.view.status = f"Hits for {words!r}: {len(found)} light up{lost}."
            self.view.tiles = tile_strip(found[:8], title=f"Hits for {words!r}, by score")

    def _export(self) -> None:
        with self._told():
            rows = self.selection
            if rows.empty:
                raise AnalysisError("Nothing is selected: draw around points with Lasso or Box, then export.")
            paths = export_csv(rows, self._words, free_path(self._folder, "selection.csv"))
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
    one of the segments' options or "fused", `k` the number of clusters to begin with. The film filter hides
    points, and leaves the clusters as they are: to cluster one film, give its segments only. Whole videos (scope
    asset) among clips are left out.
    Read `.selection` and `.clusters` in the next cell. Raises AnalysisError as `cluster_matrix`,
    `kmeans_clusters` and `read_labels` do; what goes wrong later is said in the widget, in one sentence.
    """
    return ClusterExplorer(segments, search=search, labels=labels, folder=folder, option=option, k=k)

"""The controls above the map of the cluster explorer."""

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from helpers.analysis.clusters import has_umap
from helpers.show.text_line import TextLine
from helpers.show.widget_base import WHOLE_DESCRIPTION

ALL = ""  # the choice of a video that hides nothing
NEW, BACK = -2, -3  # choices of where to move segments, beside the clusters


class Controls:
    """The controls, as attributes, and how they are laid out; what they do is for `ClusterExplorer` to say."""

    def __init__(
        self,
        *,
        videos: Sequence[Mapping[str, str]],
        options: Sequence[str],
        columns: Sequence[str],
        option: str,
        k: int,
        least: int,
    ) -> None:
        self.option = _choice("vectors", options if option in options else [*options, option], "10em")
        self.option.value = option
        self.method = _choice("method", [("k-means", "kmeans"), ("HDBSCAN", "hdbscan")], "11em")
        self.k = widgets.IntSlider(
            k,
            min=2,
            max=max(30, k),
            continuous_update=False,  # one clustering when the handle is let go, none on the way
            description="clusters",
            style=WHOLE_DESCRIPTION,
            layout=_wide("22em"),  # less leaves no room for the slider itself
        )
        self.least = widgets.BoundedIntText(
            least, min=2, max=500, description="at least", style=WHOLE_DESCRIPTION, layout=_wide("9em")
        )
        self.centre = widgets.Checkbox(
            description="centre each film",
            indent=False,
            layout=widgets.Layout(width="auto"),
            tooltip="take each film's mean away: what differs within a film, not which film it is",
        )
        umap = [("UMAP", "umap")] if has_umap() else []
        self.map = _choice("map", [("PCA", "pca"), ("t-SNE", "tsne"), *umap], "7em")
        self.colour = _choice("colour", columns, "10em")
        self.clustering = (self.option, self.method, self.k, self.least, self.centre, self.map)
        titles = [(video["title"], video["video_id"]) for video in videos]
        self.video = _choice("show", [("all films", ALL), *titles], "10em")
        self.words = TextLine(placeholder="words to look for", layout=_wide("9em"))
        self.find = _button("Search")
        self.name = TextLine(layout=_wide("9em"))
        self.rename = _button()
        self.tag = TextLine(placeholder="a tag for the selection", layout=_wide("9em"))
        self.add_tag = _button("Tag")
        self.drop_tag = _button("Untag", "take this tag from the selection")
        self.move = _button("Move selection", "put the selected segments into the cluster named here")
        self.target = _choice("to", [], "9em")
        self.offer_clusters({})
        self.note = TextLine(layout=_wide("9em"))
        self.keep_note = _button("Note")
        self.undo = _button("Undo", "the last name, tag, note or move")
        self.redo = _button("Redo")
        self.export = _button("Export", "write the selection as CSV")
        for line, key in ((self.words, "search"), (self.name, "name"), (self.tag, "tag")):
            line.add_class(f"explorer-{key}")  # by which the page's keys find it
        self.aim_name(None, "")
        self.aim_note(None)
        self.show_size()

    def rows(self, *, search: bool) -> list[widgets.Widget]:
        """The controls in two lines that wrap between groups; the line to search only where there is a search."""
        groups = [
            [self.words, self.find],
            [self.name, self.rename],
            [self.tag, self.add_tag, self.drop_tag],
            [self.move, self.target],
            [self.note, self.keep_note],
        ]
        last = widgets.HBox([self.undo, self.redo, self.export])
        words = [widgets.HBox(group, layout=_wide("22em")) for group in groups[0 if search else 1 :]]
        line = widgets.Layout(flex_flow="row wrap", width="100%", grid_gap="0 4px")
        return [
            widgets.HBox([*self.clustering, self.colour, self.video], layout=line),
            widgets.HBox([*words, last], layout=line),
        ]

    def show_size(self) -> None:
        """Show the number of clusters for k-means, and their least size for HDBSCAN."""
        kmeans = self.method.value == "kmeans"
        self.k.layout.display = "" if kmeans else "none"
        self.least.layout.display = "none" if kmeans else ""

    def offer_clusters(self, clusters: Mapping[int, str]) -> None:
        """Offer these clusters, by number, to move segments to; the choice stays where it can."""
        before = self.target.value
        choices = [("a new cluster", NEW), *((words, number) for number, words in clusters.items())]
        self.target.options = [*choices, ("where clustering puts them", BACK)]
        self.target.value = before if before in clusters or before == BACK else NEW

    def aim_name(self, cluster: int | None, name: str) -> None:
        """Let the line for a name belong to this cluster, which is called `name`; None and noise have none."""
        can = cluster is not None and cluster >= 0
        self.name.disabled = self.rename.disabled = not can
        self.name.value = name
        self.rename.description = f"Name cluster {cluster}" if can else "Name cluster"
        self.name.placeholder = f"a name for cluster {cluster}" if can else "click a cluster first"

    def aim_note(self, note: str | None) -> None:
        """Let the line for a note show that of the clicked point; None where none is clicked."""
        self.note.disabled = self.keep_note.disabled = note is None
        self.note.value = note or ""
        self.note.placeholder = "click a point first" if note is None else "a note on this point"


def _wide(least: str) -> widgets.Layout:
    """As wide as there is room for, and so wide at least."""
    return widgets.Layout(width="auto", min_width=f"min({least}, 100%)", flex=f"1 1 {least}")


def _button(words: str = "", help: str = "") -> widgets.Button:
    layout = widgets.Layout(width="auto", flex="0 0 auto")
    return widgets.Button(description=words, tooltip=help, layout=layout)


def _choice(description: str, options: Sequence[Any], least: str) -> widgets.Dropdown:
    return widgets.Dropdown(
        options=options, description=description, style=WHOLE_DESCRIPTION, layout=_wide(least)
    )

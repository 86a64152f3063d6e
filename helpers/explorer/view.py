"""The page of the cluster explorer, as a widget: explorer.js and what it imports, and the traits that it shows.

What is clicked goes back in `chosen`, `picked` and `focus`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from helpers.errors import VideoSearchError
from helpers.explorer.wording import on_screen
from helpers.show.widget_base import CLOCK, QuietWidget, joined_modules

UNEXPECTED = "Something unexpected went wrong: do the same in a cell to see what."
HERE = Path(__file__).parent
MODULES = tuple(  # each after those that it imports
    "dom geometry shapes theme data stills tiles grid gallery keys hits raster map pointer "
    "screen player playlist panel legend histogram tip explorer".split()
)


class ExplorerView(QuietWidget, anywidget.AnyWidget):  # type: ignore[misc]
    """Map, player, neighbours and table; `row` means a row of the segments, from 0. Made by ClusterExplorer."""

    _esm = joined_modules(CLOCK, *(HERE / f"{name}.js" for name in MODULES))
    _css = HERE / "explorer.css"

    page: "traitlets.Dict[str, Any]" = traitlets.Dict(help="what stays: ids, videos").tag(sync=True)
    points = traitlets.Bytes(help="float32 (n, 4): x, y, start and end in seconds").tag(sync=True)
    videos = traitlets.Bytes(help="int32 (n,): the video of each row, as a number in page").tag(sync=True)
    labels = traitlets.Bytes(help="int32 (n,): the cluster of each row").tag(sync=True)
    shown = traitlets.Bytes(help="uint8 (n,): 0 for rows that the filter hides").tag(sync=True)
    groups: "traitlets.List[Any]" = traitlets.List(help="cluster, name, colour, shape of each").tag(sync=True)
    chosen = traitlets.Int(-1, help="the row that was clicked last, or -1").tag(sync=True)
    picked: "traitlets.List[int]" = traitlets.List(traitlets.Int(), help="the rows of the selection").tag(
        sync=True
    )
    focus = traitlets.Int(None, allow_none=True, help="the cluster clicked in the legend").tag(sync=True)
    hits: "traitlets.List[int]" = traitlets.List(traitlets.Int(), help="rows that light up, in order").tag(
        sync=True
    )
    player: "traitlets.Dict[str, Any]" = traitlets.Dict(help="see state.clip_player").tag(sync=True)
    tiles: "traitlets.Dict[str, Any]" = traitlets.Dict(help="see state.tile_strip").tag(sync=True)
    codes = traitlets.Bytes(help="int32 (n,): the legend's entry of each row").tag(sync=True)
    legend: "traitlets.List[Any]" = traitlets.List(help="code, name, colour, shape of each entry").tag(
        sync=True
    )
    column = traitlets.Unicode("cluster", help="the column that gives the colours").tag(sync=True)
    hidden: "traitlets.Dict[str, Any]" = traitlets.Dict(help="column to names of hidden entries").tag(
        sync=True
    )
    words: "traitlets.Dict[str, Any]" = traitlets.Dict(help="row to its tags and note").tag(sync=True)
    found: "traitlets.Dict[str, Any]" = traitlets.Dict(help="all hits, as state.tile_strip").tag(sync=True)
    examples: "traitlets.Dict[str, Any]" = traitlets.Dict(
        help="rows that are wanted (like), or not (unlike)"
    ).tag(sync=True)
    measures: "traitlets.Dict[str, Any]" = traitlets.Dict(help="name to float32 (n,), to sort by").tag(
        sync=True
    )
    numbers: "traitlets.Dict[str, Any]" = traitlets.Dict(help="see ranges.for_page").tag(sync=True)
    ranges: "traitlets.Dict[str, Any]" = traitlets.Dict(help="column to [from, to], both included").tag(
        sync=True
    )
    status = traitlets.Unicode(help="one sentence").tag(sync=True)
    at_rest = refusal = ""  # what the status says when nothing was done last, and why something was not done

    def rest(self) -> None:
        """Let the status say what is on the map."""
        self.status = self.at_rest

    def forget_refusal(self) -> None:
        """After the next click nobody asks any more why something was not done."""
        if self.status == self.refusal != "":
            self.rest()

    @contextmanager
    def errors_in_status(self) -> Iterator[None]:
        """A foreseen error becomes the status line; an unforeseen one is said there, and raised."""
        try:
            yield
        except VideoSearchError as error:
            self.status = self.refusal = on_screen(str(error))
        except Exception:
            self.status = UNEXPECTED
            raise

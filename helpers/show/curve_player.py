"""The score over time of a video, with a player that a click moves."""

import io
import math
from pathlib import Path
from typing import Any

import anywidget
import matplotlib
import pandas as pd
import traitlets

from helpers.arguments import is_text
from helpers.errors import SearchError, VideoError
from helpers.segments import SPAN
from helpers.show.captions import format_span, sample_credit
from helpers.show.curve import curve_words, plot_curve, timed_rows, video_length
from helpers.show.output import data_uri, jpeg_uri
from helpers.show.players import player_source
from helpers.show.widget_base import CLOCK, QuietWidget, joined_modules, nobody_looks
from helpers.videos.frames import thumbnail
from helpers.videos.playable import player_seconds
from helpers.videos.samples import local_path

HERE = Path(__file__).parent
CUT = 12.0  # seconds that are sent at a time where no server hands out the video


class CurvePlayer(QuietWidget, anywidget.AnyWidget):  # type: ignore[misc]
    """The curve with a player beside it; `curve_player` makes one. Set `position` to move both."""

    instead = "A curve with a player stands here once this cell has run: click where you want to look."
    _esm = joined_modules(CLOCK, HERE / "curve_player.js")
    _css = HERE / "curve_player.css"

    position = traitlets.Float(help="the second of the video that was asked for last").tag(sync=True)
    source = traitlets.Unicode(help="what the player plays").tag(sync=True)
    offset = traitlets.Float(help="the second of the video at which the source begins").tag(sync=True)
    poster = traitlets.Unicode(help="a still of the first position").tag(sync=True)
    problem = traitlets.Unicode(help="one sentence, if the video cannot be shown").tag(sync=True)
    page: "traitlets.Dict[str, Any]" = traitlets.Dict(help="what stays: see curve_player").tag(sync=True)

    def __init__(self, video_url: str, *, page: dict[str, Any], position: float) -> None:
        self.video_url = video_url
        super().__init__(page=page, position=position)
        self._load()
        self.observe(lambda _: self._load(), "position")

    @traitlets.validate("position")
    def _inside(self, proposal: Any) -> float:
        """The nearest second that the video has."""
        position = float(proposal["value"])
        return min(max(position, 0.0), self.page["duration"]) if math.isfinite(position) else 0.0

    def _load(self) -> None:
        """Give the player the video or, where no server hands that out, the seconds from the position on."""
        if nobody_looks():
            return
        start = min(self.position, max(0.0, self.page["duration"] - 1))
        try:
            if not self.poster and local_path(self.video_url) is not None:
                self.poster = jpeg_uri(thumbnail(self.video_url, start), 60)
            source = player_source(self.video_url, start, start + CUT, in_widget=True)
            path, cut = local_path(self.video_url), source.startswith("data:")
            # A player of the file itself counts by the file's clock, which need not show 0 at the first picture.
            begins = start if cut else -player_seconds(path, 0.0)[0] if path is not None else 0.0
        except VideoError as error:
            self.problem = str(error)
            return
        with self.hold_sync():
            self.offset = begins
            self.source = source if cut else source.partition("#")[0]


def curve_player(
    curve: pd.DataFrame,
    video_url: str,
    *,
    moments: pd.DataFrame | None = None,
    truth: pd.DataFrame | None = None,
    title: str | None = None,
) -> CurvePlayer:
    """The picture of `plot_curve` with a player beside it: a click on the curve moves the player to that second.

    The keyboard does the same (arrows a second, Page Up and Down a tenth of the video, Home and End), and so do
    the buttons of the moments below. The player begins at the first moment. A video that is missing gives one
    sentence in its place; raises SearchError as `plot_curve` does.
    """
    if not is_text(video_url):
        raise SearchError(f"The video is {video_url!r}: give its video_url.")
    fig = plot_curve(curve, moments=moments, truth=truth, title=title)
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "curve"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None})
    box = fig.axes[0].get_position()  # where the layout has put the axes; y from the bottom up
    found = timed_rows(moments)
    page = {
        "picture": data_uri("image/svg+xml", buffer.getvalue()),
        "words": curve_words(curve, moments=moments, truth=truth, title=title),
        "axes": [float(share) for share in (box.x0, box.x1, 1 - box.y1, 1 - box.y0)],  # of the picture
        "duration": video_length(curve),
        "clips": curve[[*SPAN, "smoothed"]].to_numpy(dtype=float).tolist(),
        "moments": [
            [f"{row.get('rank', n)}. {format_span(row)}", float(row["start_offset_sec"])]
            for n, row in enumerate(found, 1)
        ],
        "credit": sample_credit(video_url),
    }
    first = float(found[0]["start_offset_sec"]) if found else 0.0
    return CurvePlayer(video_url, page=page, position=first)

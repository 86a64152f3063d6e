"""The score over time of a film, with a player that a click moves."""

import io
import math
from typing import Any

import anywidget
import pandas as pd
import traitlets
from matplotlib import pyplot as plt

from helpers.errors import VideoError
from helpers.show.captions import sample_credit
from helpers.show.output import data_uri, jpeg_uri
from helpers.show.players import player_source
from helpers.show.timeline import SPAN, curve_words, film_length, plot_curve, span_words, timed_rows
from helpers.show.widgets import QuietWidget, nobody_looks
from helpers.videos.frames import thumbnail
from helpers.videos.samples import local_path

CUT = 12.0  # seconds that are sent at a time where no server hands out the film


# The picture of `plot_curve` with an invisible slider of the browser over its axes: clicks, drags, touch, the
# keyboard and screen readers work as they do with every slider, and its handle is the line at the playing second.
SCRIPT = """
function clock(t) {
  const two = n => String(Math.floor(n)).padStart(2, "0");
  t = Math.floor(t + 1e-6);
  return t < 3600 ? `${Math.floor(t / 60)}:${two(t % 60)}`
                  : `${Math.floor(t / 3600)}:${two(t / 60 % 60)}:${two(t % 60)}`;
}
function render({ model, el }) {
  el.innerHTML = `<div class="curve-player">
    <div><div class="plot"><img><input type="range" step="1" min="0"></div>
      <div class="moments"></div></div>
    <figure><video controls preload="metadata"></video>
      <figcaption><output></output><br><small></small></figcaption></figure></div>`;
  const [img, range, video, output, list] =
    ["img", "input", "video", "output", ".moments"].map(name => el.querySelector(name));
  const page = model.get("page"), [left, right, top, bottom] = page.axes;
  img.src = page.picture;
  img.alt = page.words;
  el.querySelector("small").textContent = page.credit;
  range.max = Math.floor(page.duration);
  range.setAttribute("aria-label", "second of the film");
  // The handle is 2 px wide, and its middle stands for the value.
  range.style.left = `calc(${100 * left}% - 1px)`;
  range.style.width = `calc(${100 * (right - left) * range.max / page.duration}% + 2px)`;
  range.style.top = `${100 * top}%`;
  range.style.height = `${100 * (bottom - top)}%`;

  function tell(t) {
    const clip = page.clips.find(([start, end]) => start <= t && t < end);
    const words = clock(t) + (clip ? `, score ${clip[2].toFixed(3)}` : "");
    range.value = t;
    range.setAttribute("aria-valuetext", words);
    output.textContent = model.get("problem") || words;
  }
  function seek() {
    video.currentTime = Math.max(0, model.get("position") - model.get("offset"));
    tell(model.get("position"));
  }
  function load() {
    video.hidden = !model.get("source");
    video.src = model.get("source");
    seek();
  }
  function ask(t) {
    model.set("position", t);
    model.save_changes();
    seek();  // also to the second that was asked for last
  }
  range.addEventListener("input", () => tell(+range.value));
  range.addEventListener("change", () => ask(+range.value));
  video.addEventListener("timeupdate", () => {
    if (!video.seeking && !range.matches(":active")) tell(video.currentTime + model.get("offset"));
  });
  for (const [words, start] of page.moments) {
    const button = document.createElement("button");
    button.className = "jupyter-button";
    button.textContent = words;
    button.addEventListener("click", () => ask(start));
    list.append(button);
  }
  model.on("change:source", load);
  model.on("change:position", seek);
  model.on("change:problem", seek);
  for (const part of el.querySelectorAll("input, video, button"))
    part.dataset.lmSuppressShortcuts = "true";  // their keys are theirs, not the notebook's
  video.poster = model.get("poster");
  load();
}
export default { render };
"""


STYLE = """
.curve-player { display: flex; flex-wrap: wrap; gap: 12px; }
.curve-player > div { flex: 3 1 420px; }
.curve-player figure { flex: 2 1 280px; margin: 0; }
.curve-player img, .curve-player video { width: 100%; display: block; }
.curve-player video[hidden] { display: none; }
.curve-player .plot { position: relative; }
.curve-player input { position: absolute; margin: 0; padding: 0; appearance: none; background: none; cursor: pointer; }
.curve-player input::-webkit-slider-runnable-track { height: 100%; }
.curve-player input::-webkit-slider-thumb { appearance: none; width: 2px; height: 100%; background: #D55E00; }
.curve-player input::-moz-range-track { height: 100%; background: none; }
.curve-player input::-moz-range-thumb { width: 2px; height: 100%; border: 0; border-radius: 0; background: #D55E00; }
"""


class CurvePlayer(QuietWidget, anywidget.AnyWidget):  # type: ignore[misc]
    """The curve with a player beside it; `curve_player` makes one. Set `position` to move both."""

    instead = "A curve with a player stands here once this cell has run: click where you want to look."
    _esm, _css = SCRIPT, STYLE

    position = traitlets.Float(help="the second of the film that was asked for last").tag(sync=True)
    source = traitlets.Unicode(help="what the player plays").tag(sync=True)
    offset = traitlets.Float(help="the second of the film at which the source begins").tag(sync=True)
    poster = traitlets.Unicode(help="a still of the first position").tag(sync=True)
    problem = traitlets.Unicode(help="one sentence, if the film cannot be shown").tag(sync=True)
    page: "traitlets.Dict[str, Any]" = traitlets.Dict(help="what stays: see curve_player").tag(sync=True)

    def __init__(self, video_url: str, *, page: dict[str, Any], position: float) -> None:
        self.video_url = video_url
        super().__init__(page=page, position=position)
        self._load()
        self.observe(lambda _: self._load(), "position")

    @traitlets.validate("position")
    def _inside(self, proposal: Any) -> float:
        """The nearest second that the film has."""
        position = float(proposal["value"])
        return min(max(position, 0.0), self.page["duration"]) if math.isfinite(position) else 0.0

    def _load(self) -> None:
        """Give the player the film or, where no server hands that out, the seconds from the position on."""
        if nobody_looks():
            return
        start = min(self.position, max(0.0, self.page["duration"] - 1))
        try:
            if not self.poster and local_path(self.video_url) is not None:
                self.poster = jpeg_uri(thumbnail(self.video_url, start), 60)
            source = player_source(self.video_url, start, start + CUT, in_widget=True)
        except VideoError as error:
            self.problem = str(error)
            return
        cut = source.startswith("data:")
        with self.hold_sync():
            self.offset = start if cut else 0.0
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

    The keyboard does the same (arrows a second, Page Up and Down a tenth of the film, Home and End), and so do
    the buttons of the moments below. The player begins at the first moment. A film that is missing gives one
    sentence in its place; raises SearchError as `plot_curve` does.
    """
    fig = plot_curve(curve, moments=moments, truth=truth, title=title)
    buffer = io.BytesIO()
    with plt.rc_context({"svg.hashsalt": "curve"}):
        fig.savefig(buffer, format="svg", metadata={"Date": None})
    box = fig.axes[0].get_position()  # where the layout has put the axes; y from the bottom up
    found = timed_rows(moments)
    page = {
        "picture": data_uri("image/svg+xml", buffer.getvalue()),
        "words": curve_words(curve, moments=moments, truth=truth, title=title),
        "axes": [float(share) for share in (box.x0, box.x1, 1 - box.y1, 1 - box.y0)],  # of the picture
        "duration": film_length(curve),
        "clips": curve[[*SPAN, "smoothed"]].to_numpy(dtype=float).tolist(),
        "moments": [
            [f"{row.get('rank', n)}. {span_words([row])}", float(row["start_offset_sec"])]
            for n, row in enumerate(found, 1)
        ],
        "credit": sample_credit(video_url),
    }
    first = float(found[0]["start_offset_sec"]) if found else 0.0
    return CurvePlayer(video_url, page=page, position=first)
